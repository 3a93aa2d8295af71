"""Wide parts of a region, and whether their colours are those of another."""

import cv2
import numpy as np
import numpy.typing as npt

from plugin.image.regions import Flags
from plugin.types import FloatArray

_OTHERS, _COLOURS = 4000, 800
"""Pixels that are compared, evenly chosen."""


def opened(region: Flags, radius: float) -> Flags:
    """The part of a region that is filled by discs of a radius that lie within it and the frame.

    Args:
        region: `H × W` bool.
        radius: pixels.
    """
    framed = np.pad(region, 1).astype(np.uint8)
    deep = _depth(framed) > radius
    if not deep.any():
        return np.zeros_like(region)
    filled: Flags = (_depth((~deep).astype(np.uint8)) <= radius)[1:-1, 1:-1] & region
    return filled


def _depth(region: npt.NDArray[np.uint8]) -> FloatArray:
    return np.asarray(cv2.distanceTransform(region, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def reached(region: Flags, seeds: Flags) -> Flags:
    """The connected parts of a region that hold a seed, both `H × W` bool."""
    _, parts = cv2.connectedComponents(region.astype(np.uint8), connectivity=4)
    held = np.zeros(int(parts.max()) + 1, np.bool_)
    held[parts[seeds]] = True
    held[0] = False
    found: Flags = held[parts]
    return found


def unlike(colours: FloatArray, others: FloatArray) -> float:
    """How far three quarters of the colours are at least from the nearest of the others.

    Args:
        colours: `n × 3`, one at least.
        others: `m × 3`.

    Returns:
        The distance; 0 where there are no others.
    """
    if not len(others):
        return 0.0
    some, known = _evenly(colours, _COLOURS), _evenly(others, _OTHERS)
    apart = np.square(some).sum(axis=1)[:, None] + np.square(known).sum(axis=1) - 2 * some @ known.T
    return float(np.sqrt(max(0.0, float(np.percentile(apart.min(axis=1), 25)))))


def _evenly(values: FloatArray, most: int) -> npt.NDArray[np.float64]:
    return values[:: max(1, -(-len(values) // most))].astype(np.float64)
