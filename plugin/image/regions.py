"""Regions of a picture: the box around them, and how deep a pixel lies in them."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from plugin.types import FloatArray

Flags = npt.NDArray[np.bool_]
Box = tuple[slice, slice]
"""Rows and columns."""


_INFINITE = np.array([0] + 255 * [np.inf], np.float32)
"""By the byte that a flag is."""

_STRIP = 64
"""Rows that are worked on at a time: what fits the processor's cache."""


def box_of(regions: Sequence[Flags], margin: int) -> Box | None:
    """The box around all that is True in any of the regions, grown by a margin; None if nothing."""
    rows = np.logical_or.reduce([region.any(axis=1) for region in regions])
    columns = np.logical_or.reduce([region.any(axis=0) for region in regions])
    if not rows.any():
        return None
    return _span(rows, margin), _span(columns, margin)


def depth(region: Flags, reach: float = math.inf) -> FloatArray:
    """Distance of each pixel of a region to the nearest pixel outside; the frame's end is none.

    Exact and Euclidean, between pixel centres. Only the part of the frame is looked at where both
    the region and its outside are near.

    Args:
        region: `H × W` bool.
        reach: distances beyond it need not be told from infinite ones, pixels.

    Returns:
        `H × W` float32, 0 outside; infinite where nothing is outside, or is farther than `reach`
        and was not looked at.
    """
    found = np.asarray(cv2.LUT(region.view(np.uint8), _INFINITE), np.float32)
    # The way to the nearest pixel outside ends within a pixel of the region's own box.
    own = box_of([region], 1)
    margin = max(region.shape) if math.isinf(reach) else math.ceil(reach) + 1
    other = box_of([~region], margin)
    if own is None or other is None:
        return found
    rows, columns = (
        slice(max(a.start, b.start), min(a.stop, b.stop)) for a, b in zip(own, other, strict=True)
    )
    part = region[rows, columns].astype(np.uint8)
    if part.size and not part.all():
        found[rows, columns] = _exact(part)
    return found


def _exact(part: npt.NDArray[np.uint8]) -> FloatArray:
    """Square roots of whole numbers, to the bit.

    The library's last bit depends on the picture's size and the number of threads, and a band as
    wide as a whole number ends where equal ones are compared.
    """
    near = np.asarray(cv2.distanceTransform(part, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
    for top in range(0, len(near), _STRIP):
        strip = near[top : top + _STRIP]
        np.square(strip, out=strip)
        np.rint(strip, out=strip)
        np.sqrt(strip, out=strip)
    return near


def _span(line: Flags, margin: int) -> slice:
    there = np.flatnonzero(line)
    return slice(max(0, int(there[0]) - margin), min(line.size, int(there[-1]) + 1 + margin))
