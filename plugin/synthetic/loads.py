"""Frames that cost what a real one costs: any size, and so many unknown pixels. For `bench`.

The same arguments give the same pixels, on any machine.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import OpenEXR  # type: ignore[import-not-found]

from plugin.pattern import FramePattern
from plugin.result.grey_png import write_grey
from plugin.synthetic.render import render
from plugin.synthetic.shot import ShotKind, SyntheticShot
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray

_WIDTH, _HEIGHT, _FRAMES = 640, 360, 64
_GRAIN = 0.01


@lru_cache(maxsize=2)
def _source(index: int) -> tuple[FloatArray, LabelArray]:
    """A rendered frame and the mask of its subject, 0 or 255."""
    shot = SyntheticShot(ShotKind.DEMO, 7, width=_WIDTH, height=_HEIGHT, frames=_FRAMES)
    frame = render(shot, index % _FRAMES)
    return frame.plate_rgb, np.where(frame.alpha > 0.5, 255, 0).astype(np.uint8)


def load_frame(width: int, height: int, index: int = 0) -> tuple[FloatArray, LabelArray]:
    """A frame of a furry creature in a busy place, and the mask of the subject.

    It is rendered small and enlarged, with grain of its own size: cheap to make, and as dear to
    decode, encode and matte as a real one.

    Args:
        width: pixels across.
        height: pixels down.
        index: which frame of the shot.

    Returns:
        `H × W × 3` float32 within [0, 1], display-referred; `H × W` uint8, 0 or 255.
    """
    small, mask = _source(index)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    rgb = np.asarray(large, np.float32)
    random = np.random.Generator(np.random.PCG64(1000 + index))
    rgb += np.float32(_GRAIN) * random.standard_normal((height, width, 1), np.float32)
    soft = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(rgb, 0, 1, out=rgb), np.where(soft > 127, 255, 0).astype(np.uint8)


def band_of(mask: LabelArray, unknown: float) -> float:
    """Pixels on each side of the subject's edge that hold this share of the frame."""
    rank = _rank(mask, unknown)
    return float(np.partition(_depth(mask).ravel(), rank)[rank])


def load_trimap(mask: LabelArray, unknown: float) -> LabelArray:
    """A trimap of which this share is unknown, to the pixel: a band along the subject's edge.

    Args:
        mask: `H × W` uint8, 0 or 255.
        unknown: share of the frame, above 0 and below 1.
    """
    rank = _rank(mask, unknown)
    nearest = np.argpartition(_depth(mask).ravel(), rank)[:rank]
    labels = np.where(mask > 127, FOREGROUND, BACKGROUND).astype(np.uint8).ravel()
    labels[nearest] = UNKNOWN
    return np.ascontiguousarray(labels.reshape(mask.shape))


def framed(
    rgb: FloatArray, labels: LabelArray, width: int, height: int
) -> tuple[FloatArray, LabelArray]:
    """The same pixels in the middle of a larger frame, all around them background.

    Args:
        rgb: `h × w × 3`.
        labels: `h × w`, its trimap.
        width: of the larger frame.
        height: of the larger frame.
    """
    small = labels.shape
    whole = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_LINEAR)
    trimap = np.full((height, width), BACKGROUND, np.uint8)
    # On the grid of tiles, so that the same pixels make the same rectangles.
    top, left = (
        (big - one) // 2 // 64 * 64 for big, one in zip((height, width), small, strict=True)
    )
    whole[top : top + small[0], left : left + small[1]] = rgb
    trimap[top : top + small[0], left : left + small[1]] = labels
    return np.asarray(whole, np.float32), trimap


def _rank(mask: LabelArray, unknown: float) -> int:
    return min(mask.size - 1, max(1, round(unknown * mask.size)))


def _depth(mask: LabelArray) -> FloatArray:
    """Distance from the subject's edge, pixels."""
    inside = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(255 - mask, cv2.DIST_L2, 5)
    return np.asarray(np.maximum(inside, outside), np.float32)


@dataclass(frozen=True, slots=True)
class LoadFiles:
    """A load on disk: scene-linear half EXRs, ZIP, and 8-bit masks of the subject.

    Attributes:
        plate: the frames, from number 1001.
        mask: the masks, paired by number.
        band: pixels on each side of the edge, of a 1080p frame, that hold the share asked for.
    """

    plate: FramePattern
    mask: FramePattern
    band: float


def write_load(folder: Path, width: int, height: int, *, frames: int, unknown: float) -> LoadFiles:
    """Write a shot for `bench`, frame by frame.

    Args:
        folder: made if missing.
        width: pixels across.
        height: pixels down.
        frames: how many.
        unknown: share of the first frame that its band is to hold.
    """
    folder.mkdir(parents=True, exist_ok=True)
    plate = FramePattern(folder, "load.", 4, ".exr")
    masks = FramePattern(folder, "mask.", 4, ".png")
    band = 0.0
    for index in range(frames):
        rgb, mask = load_frame(width, height, index)
        band = band or band_of(mask, unknown) * 1080 / height
        linear = np.power(rgb, np.float32(2.2)).astype(np.float16)
        header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
        OpenEXR.File(header, {"RGB": linear}).write(str(plate.path(1001 + index)))
        write_grey(masks.path(1001 + index), mask)
    return LoadFiles(plate, masks, band)
