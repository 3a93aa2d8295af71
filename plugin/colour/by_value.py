"""Transforms of a picture that look at each value or pixel for itself: in strips, by table."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np

from plugin.image.halves import as_floats, as_halves
from plugin.types import FloatArray

Transform = Callable[[FloatArray], FloatArray]
"""From `H × W × 3` float32 to a new array of the same shape."""

_STRIP = 1 << 17
"""Values that are worked on at a time."""

_SAMPLED = 64
"""Of so many rows one says whether the others may be worth a look."""


def in_strips(*steps: Transform) -> Transform:
    """The steps one after the other, a strip of rows at a time: what fits the processor's cache."""

    def transform(rgb: FloatArray) -> FloatArray:
        result = np.empty_like(rgb)
        rows = max(1, _STRIP // max(1, rgb[0].size))
        for top in range(0, len(rgb), rows):
            strip = rgb[top : top + rows]
            for step in steps:
                strip = step(strip)
            result[top : top + rows] = strip
        return result

    return transform


def by_table(transform: Transform) -> Transform:
    """The same of values that are halves, as those of most plates are: there are 65 536 of them.

    Args:
        transform: of each value for itself.
    """

    @cache
    def table() -> FloatArray:
        values = as_floats(np.arange(1 << 16, dtype=np.uint16).view(np.float16).reshape(256, -1))
        return transform(np.where(np.isfinite(values), values, np.float32(0))).ravel()

    def looked_up(rgb: FloatArray) -> FloatArray:
        if not _are_halves(rgb[::_SAMPLED]) or not _are_halves(rgb):
            return transform(rgb)
        return np.asarray(cv2.LUT(as_halves(rgb).view(np.uint16), table()), np.float32)

    return looked_up


def _are_halves(rgb: FloatArray) -> bool:
    return np.array_equal(as_floats(as_halves(rgb)), rgb)
