"""Clean-up of a matte: despeckle, choke, soften. Pure functions, off unless asked for."""

import math

import cv2
import numpy as np
import numpy.typing as npt

from plugin.types import FloatArray

_HAZE = 0.02
"""Alpha up to which a pixel counts as empty, and 1 less which from which it counts as solid."""

_CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
_SQUARE = np.ones((3, 3), np.uint8)
_SQUARES = math.sqrt(2) - 1
"""Share of square steps among cross steps that together make the octagon nearest to a disc."""


def despeckle(alpha: FloatArray, area: float) -> FloatArray:
    """Remove islands and fill pinholes smaller than an area.

    An island is what is connected (8 neighbours) above an alpha of 0.02, a pinhole what is
    connected below 0.98. Islands become 0, with the haze around them; pinholes become 1.

    Args:
        alpha: `H × W` float32 within [0, 1].
        area: in pixels; anything of fewer goes. 0 leaves all as it is.
    """
    islands = _small(alpha > _HAZE, area)
    holes = _small(alpha < 1 - _HAZE, area)
    around = cv2.dilate(islands.astype(np.uint8), _SQUARE).astype(bool) & (alpha <= _HAZE)
    result = alpha.copy()
    result[holes] = 1
    result[islands | around] = 0
    return result


def _small(where: npt.NDArray[np.bool_], area: float) -> npt.NDArray[np.bool_]:
    """The connected regions of fewer than `area` pixels."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(where.astype(np.uint8), connectivity=8)
    little = stats[:, cv2.CC_STAT_AREA] < area
    little[0] = False  # label 0 is everything else
    return np.asarray(little[labels], np.bool_)


def choke(alpha: FloatArray, pixels: float) -> FloatArray:
    """Move the edge inwards, or outwards where `pixels` is negative.

    The smallest (largest) value within a disc; between whole radii the two are mixed, so the edge
    moves by parts of a pixel too. The frame's border is no edge.

    Args:
        alpha: `H × W` float32 within [0, 1].
        pixels: how far; 0 leaves all as it is.
    """
    move = cv2.erode if pixels > 0 else cv2.dilate
    whole, part = divmod(abs(pixels), 1)
    result = alpha
    for step in range(int(whole)):
        result = np.asarray(move(result, _kernel(step)), np.float32)
    if part:
        further = np.asarray(move(result, _kernel(int(whole))), np.float32)
        result = result + np.float32(part) * (further - result)
    return result


def _kernel(step: int) -> npt.NDArray[np.uint8]:
    square = math.floor(_SQUARES * (step + 1)) > math.floor(_SQUARES * step)
    return _SQUARE if square else _CROSS


def soften(alpha: FloatArray, pixels: float) -> FloatArray:
    """Blur the edge: a Gaussian that reaches about `pixels` to each side (two deviations).

    Args:
        alpha: `H × W` float32 within [0, 1].
        pixels: the reach; 0 leaves all as it is.
    """
    if pixels <= 0:
        return alpha
    deviation = pixels / 2
    size = 2 * math.ceil(3 * deviation) + 1
    blurred = cv2.GaussianBlur(alpha, (size, size), deviation, borderType=cv2.BORDER_REPLICATE)
    return np.clip(np.asarray(blurred, np.float32), 0, 1)
