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
    ones = np.ones((1, one.shape[2]), np.float32)
    return np.asarray(cv2.transform(np.multiply(one, other), ones), np.float32)


def thrice(plane: FloatArray) -> FloatArray:
    """A plane as three equal channels, `H × W` → `H × W × 3`."""
    return np.asarray(cv2.merge([plane] * 3), np.float32)


def times(picture: FloatArray, plane: FloatArray) -> FloatArray:
    """Each of three channels times a plane, `H × W × 3` and `H × W`."""
    product: FloatArray = picture * thrice(plane)
    return product


def as_bytes(rgb: FloatArray) -> LabelArray:
    """A display-referred picture, 0 and up, in 8 bits: to the nearest, halves to even."""
    return np.asarray(cv2.convertScaleAbs(rgb, alpha=255), np.uint8)
