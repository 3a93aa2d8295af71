"""What T̂ takes for nothing in a region that was left unknown as a whole: glass, smoke, gauze.

Where a bottle's trimap leaves all of it unknown, what is seen through its body is the background,
and T̂ says so: caps stay, bodies are gone. The A-decoder saw a veil there. It is believed where the
region as a whole came out as nothing, not along an edge where T̂ is the better of the two: the veil
is wide, covers a good part of a connected unknown region, and its colours are none that the known
background has near that region.
"""

from collections.abc import Callable

import cv2
import numpy as np

from plugin.image.wide import opened, reached, unlike
from plugin.types import BACKGROUND, UNKNOWN, FloatArray, LabelArray

_WIDE = 0.015
"""Of the picture's longest side, radius of a disc that fits into a veil."""

_LEAST = 0.05
"""α̃ from which there is a veil."""

_SHARE = 0.25
"""Part of its unknown region that a veil covers at least."""

_UNLIKE = 0.03
"""How far three quarters of a veil's colours are at least from any of the background's, in RGB."""

_NEAR = 0.08
"""Of the longest side, how far around an unknown region its background is looked at."""

Box = tuple[slice, slice]


def keep_veils(
    image: FloatArray,
    trimap: LabelArray,
    adapted: LabelArray,
    alpha: FloatArray,
    sketch: Callable[[Box], FloatArray],
) -> None:
    """Give veils that T̂ took for background their α̃; T̂ is unknown there.

    Args:
        image: `H × W × 3` within [0, 1].
        trimap: `H × W` uint8, as it was given.
        adapted: T̂, `H × W` uint8; changed in place.
        alpha: α̂, `H × W`; changed in place.
        sketch: α̃ of rows and columns, of the A-decoder, not clamped.
    """
    side = max(trimap.shape)
    radius, margin = max(3.0, _WIDE * side), round(_NEAR * side)
    lost = (trimap == UNKNOWN) & (adapted == BACKGROUND)
    if not opened(lost, radius).any():
        return
    unknown = (trimap == UNKNOWN).astype(np.uint8)
    count, regions, told, _ = cv2.connectedComponentsWithStats(unknown, connectivity=4)
    for one in range(1, count):
        x, y, width, height, size = (int(value) for value in told[one])
        box = slice(y, y + height), slice(x, x + width)
        seen = np.clip(sketch(box), 0, 1)
        veil = (regions[box] == one) & lost[box] & (seen > _LEAST)
        wide = opened(veil, radius)
        if np.count_nonzero(wide) < _SHARE * size:
            continue
        rows = slice(max(0, y - margin), y + height + margin)
        columns = slice(max(0, x - margin), x + width + margin)
        background = image[rows, columns][trimap[rows, columns] == BACKGROUND]
        if unlike(image[box][wide], background) > _UNLIKE:
            kept = reached(veil, wide)
            alpha[box][kept] = seen[kept]
            adapted[box][kept] = UNKNOWN
