"""What a trimap left unknown and the matte has nothing of: glass whose body is gone.

A trimap says "unknown" where something is. A wide part of such a region that is empty is worth a
look where its colours are none that the background beside it has, or where the region is empty as
a whole. A band along an edge is not wide, or has the background's colours in its empty part.

Nothing is said of regions that came out as solid: true mattes have as many of the background's
colours in theirs as wrong ones (docs/decisions/0018-what-the-report-sees.md).
"""

import cv2
import numpy as np

from plugin.image.wide import opened, unlike
from plugin.types import BACKGROUND, UNKNOWN, FloatArray, LabelArray

_WIDE, _NEAR = 0.012, 0.06
"""Of the frame's longest side, radius of a disc that fits in, and how far around a region its
background is looked at."""

_CLEAR = np.float32(0.04)
"""Alpha up to which there is nothing."""

_PART, _WHOLE = 0.25, 0.9
"""Of a connected region, what is empty at least, and from where on colours are not asked."""

_SOMETHING = np.float32(0.25)
"""Alpha that a region which is empty as a whole reaches nowhere."""

_UNLIKE = 0.035
"""How far three quarters of its colours are from any of the background's, display RGB."""


def came_to_nothing(
    rgb: FloatArray, labels: LabelArray, alpha: FloatArray, side: int
) -> tuple[float, FloatArray]:
    """How much of what the trimap left unknown is not in the matte.

    Args:
        rgb: `h × w × 3`, display-referred.
        labels: `h × w`, the trimap that went in.
        alpha: `h × w`.
        side: the longest side of the whole frame at this size.

    Returns:
        A share of what is unknown, and where it is, `h × w`.
    """
    where = np.zeros(labels.shape, np.float32)
    unknown = labels == UNKNOWN
    wide = opened(unknown & (alpha < _CLEAR), _WIDE * side)
    if not wide.any():
        return 0.0, where
    count, regions, told, _ = cv2.connectedComponentsWithStats(
        unknown.astype(np.uint8), connectivity=4
    )
    margin = round(_NEAR * side)
    for one in range(1, count):
        x, y, width, height, size = (int(value) for value in told[one])
        box = slice(y, y + height), slice(x, x + width)
        empty = wide[box] & (regions[box] == one)
        part = np.count_nonzero(empty) / size
        if part < _PART:
            continue
        rows = slice(max(0, y - margin), y + height + margin)
        columns = slice(max(0, x - margin), x + width + margin)
        background = rgb[rows, columns][labels[rows, columns] == BACKGROUND]
        if not len(background):
            continue
        whole = part >= _WHOLE and alpha[box][regions[box] == one].max() < _SOMETHING
        if whole or unlike(rgb[box][empty], background) > _UNLIKE:
            where[box][empty] = 1
    return float(where.mean(dtype=np.float64) / unknown.mean(dtype=np.float64)), where
