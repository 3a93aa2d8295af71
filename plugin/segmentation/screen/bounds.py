"""What a screen's mask holds that is no subject: stands and walls beside the screen, specks."""

import cv2
import numpy as np
import numpy.typing as npt

from plugin.types import FloatArray

_WIDTH = 256
_SPECK = 3e-5


def outside_screen(
    subject: npt.NDArray[np.bool_], screen: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Connected pieces of `subject` that lie beside the screen rather than before it.

    A piece goes when less than a fifth of it lies within the convex hull of the screen's pixels.
    What reaches into the hull stays whole: a subject may be larger than its screen.

    Args:
        subject: what is no screen, `H × W`.
        screen: pixels that surely are, `H × W`.
    """
    height, width = subject.shape
    scale = min(1.0, _WIDTH / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(screen.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    solid = cv2.morphologyEx(small, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    if not solid.any():
        return np.zeros(subject.shape, np.bool_)
    points = cv2.findNonZero(solid)
    hull = np.zeros(small.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    within = cv2.resize(hull, (width, height), interpolation=cv2.INTER_NEAREST)
    count, pieces = cv2.connectedComponents(subject.astype(np.uint8), connectivity=8)
    sizes = np.bincount(pieces.ravel(), minlength=count)
    inside = np.bincount(pieces.ravel(), weights=within.ravel(), minlength=count)
    beside = inside < 0.2 * sizes
    beside[0] = False
    outside: npt.NDArray[np.bool_] = beside[pieces]
    return outside


def drop_specks(coverage: FloatArray) -> None:
    """Clear pieces under 3 · 10⁻⁵ of the frame, in place: noise of the screen and its markers."""
    there = (coverage > 0.05).astype(np.uint8)
    count, pieces, figures, _ = cv2.connectedComponentsWithStats(there, connectivity=8)
    tiny = figures[:, cv2.CC_STAT_AREA] < _SPECK * coverage.size
    tiny[0] = False
    if count > 1 and tiny.any():
        coverage[tiny[pieces]] = 0
