"""Sums and extremes over a picture's channels.

numpy's own, over an axis of two or three, take several times as long.
"""

from functools import reduce

import cv2
import numpy as np

from plugin.types import FloatArray, LabelArray


def most(picture: FloatArray) -> FloatArray:
    """The largest of each pixel's channels, `H × W × C` → `H × W`."""
    return reduce(np.maximum, np.moveaxis(picture, 2, 0))


def least(picture: FloatArray) -> FloatArray:
    """The smallest."""
    return reduce(np.minimum, np.moveaxis(picture, 2, 0))


def mean(picture: FloatArray) -> FloatArray:
    """The mean."""
    total: FloatArray = reduce(np.add, np.moveaxis(picture, 2, 0))
    return total / np.float32(picture.shape[2])


def dot(one: FloatArray, other: FloatArray) -> FloatArray:
    """The sum of products, of two `H × W × C`."""
    out: FloatArray = np.einsum("hwc,hwc->hw", one, other)
    return out


def as_bytes(rgb: FloatArray) -> LabelArray:
    """A display-referred picture, 0 and up, in 8 bits: to the nearest, halves to even."""
    return np.asarray(cv2.convertScaleAbs(rgb, alpha=255), np.uint8)
