"""A picture that comps are laid over, read as plates are."""

from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from plugin.colour.display import display_transform, input_colour
from plugin.desk.views import Behind
from plugin.plates import open_plate
from plugin.types import PlateInfo


def read_backdrop(path: Path, info: PlateInfo) -> Behind:
    """The first frame of a picture, sequence or video, scaled to the plate's size.

    Raises:
        PlateError: it cannot be read.
        FrameError: likewise.
    """
    with closing(open_plate(str(path))) as opened:
        colour = input_colour(opened.info, None)
        frame = opened.read(opened.info.frames.first)
        rgb = display_transform(opened.info, colour)(frame.rgb)
    size = info.width, info.height
    how = cv2.INTER_AREA if rgb.shape[1] > info.width else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(rgb, size, interpolation=how))
    return Behind(picture=np.rint(scaled.clip(0, 1) * 255).astype(np.uint8))
