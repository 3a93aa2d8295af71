"""Seeded numbers, smooth noise and blurs, the raw material of everything rendered here."""

import math
import zlib

import cv2
import numpy as np

from plugin.types import FloatArray


def generator(topic: str, *key: int) -> np.random.Generator:
    """Random numbers that depend on the topic and the key alone."""
    return np.random.default_rng((zlib.crc32(topic.encode()), *key))


def noise(
    rng: np.random.Generator, height: int, width: int, cell: float, octaves: int = 3
) -> FloatArray:
    """Smooth noise, `height × width`, mean about 0, standard deviation about 0.5.

    Args:
        rng: where the numbers come from.
        height: pixels down.
        width: pixels across.
        cell: size of the coarsest blobs in pixels; each octave halves it and its strength.
        octaves: how many sizes are summed.
    """
    out = np.zeros((height, width), np.float32)
    strength = 0.6
    for _ in range(octaves):
        rows, columns = math.ceil(height / cell) + 2, math.ceil(width / cell) + 2
        grid = rng.standard_normal((rows, columns), np.float32) * strength
        size = (math.ceil(columns * cell), math.ceil(rows * cell))
        out += cv2.resize(grid, size, interpolation=cv2.INTER_CUBIC)[:height, :width]
        cell, strength = max(cell / 2, 1.0), strength / 2
    return out


def soften(image: FloatArray, sigma: float) -> FloatArray:
    """Gaussian blur of `sigma` pixels; a sigma of nearly 0 leaves the image alone."""
    if sigma < 0.1:
        return image
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def mix(below: FloatArray, above: FloatArray, share: FloatArray) -> FloatArray:
    """`below` where the share is 0, `above` where it is 1; `H × W × 3`, `H × W × 3`, `H × W`."""
    return below + (above - below) * share[..., None]


def motion_blur(image: FloatArray, dx: float, dy: float) -> FloatArray:
    """Average of the image along a straight move of `(dx, dy)` pixels centred on each pixel."""
    length = math.hypot(dx, dy)
    if length < 0.5:
        return image
    radius = math.ceil(length / 2) + 1
    kernel = np.zeros((2 * radius + 1, 2 * radius + 1), np.float64)
    steps = 4 * math.ceil(length) + 1
    for along in (np.arange(steps) + 0.5) / steps - 0.5:
        x, y = radius + along * dx, radius + along * dy
        left, top = math.floor(x), math.floor(y)
        across, down = x - left, y - top
        weights = np.outer([1 - down, down], [1 - across, across])
        kernel[top : top + 2, left : left + 2] += weights
    kernel /= kernel.sum()
    blurred = cv2.filter2D(image, cv2.CV_32F, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(blurred, np.float32)
