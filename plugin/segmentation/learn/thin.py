"""What the shot's network said, corrected by the matting network where the subject is not thin.

The matting network was made for cloth and hair: on a body it finds the outline better than a
network that was taught a few frames, and rods, spokes and fingers of a few pixels it dissolves.
"""

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from plugin.segmentation.track.chain import Link
from plugin.segmentation.track.corrected import corrected
from plugin.segmentation.track.motion import Picture
from plugin.types import FloatArray, Matter

_THIN = 4
"""Half the width of what counts as thin, working pixels."""


def corrected_but_thin(picture: Picture, link: Link, matter: Matter) -> Link:
    """See `plugin.segmentation.track.corrected.corrected`; thin parts stay as they were said."""
    made = corrected(picture, link, matter)
    kept = thin_parts(link.coverage)
    return replace(made, coverage=np.where(kept, link.coverage, made.coverage))


def thin_parts(coverage: FloatArray) -> npt.NDArray[np.bool_]:
    """What of a mask no disc of radius `_THIN` fits into, and a little around it."""
    solid = (coverage > 0.5).astype(np.uint8)
    thin = solid & ~np.asarray(cv2.morphologyEx(solid, cv2.MORPH_OPEN, _disc(_THIN)), np.uint8)
    # Single pixels along a rough outline are no parts.
    parts = cv2.morphologyEx(thin, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    return np.asarray(cv2.dilate(parts, _disc(_THIN + 2))) > 0


def _disc(radius: int) -> npt.NDArray[np.uint8]:
    side = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)
