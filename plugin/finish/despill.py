"""Despill: takes a screen's light off the subject's colours.

The screen's channel is held to the mean of the other two, as compositors do by hand. What is green
by itself (a yellow coat, an olive shirt) would turn; so the limit is raised to the ratio that the
subject's inside has, away from its edges, and that ratio is spread outwards. Part of what is taken
comes back as grey, since spilt light is light.
"""

from typing import Literal

import cv2
import numpy as np

from plugin.image.push_pull import push_pull
from plugin.types import FloatArray

Screen = Literal["green", "blue"]

_CHANNEL = {"green": 1, "blue": 2}
_DEEP = 24.0
"""Pixels of a 1080p frame from the subject's edge at which its colour is its own."""

_MOST = 2.0
"""Highest ratio of the screen's channel to the others' mean that counts as the subject's own."""

_DARK = np.float32(0.02)
_GIVEN_BACK = np.float32(0.3)


def despill(
    foreground: FloatArray, alpha: FloatArray, screen: Screen, height: int = 1080
) -> FloatArray:
    """Foreground colours without the screen's light on them.

    Args:
        foreground: `H × W × 3` float32, not multiplied by alpha; any range, values above 1 stay.
        alpha: `H × W` float32 within [0, 1].
        screen: which.
        height: of the display window, which gives the pixels' scale.

    Returns:
        A new array of the same shape. The screen's channel is never raised in relation to the
        others; a colour that holds less of it than the mean of the others stays to the bit.
    """
    channel = _CHANNEL[screen]
    others = [c for c in range(3) if c != channel]
    mean = foreground[..., others].mean(axis=2, dtype=np.float32)
    ratio = _own_ratio(foreground[..., channel], mean, alpha, _DEEP * height / 1080)
    limit = ratio * (np.maximum(mean, 0) + _DARK) - _DARK
    excess = np.maximum(foreground[..., channel] - np.maximum(limit, mean), 0)
    brightest = foreground.max(axis=2, keepdims=True)  # what is given back makes nothing brighter
    result = np.minimum(foreground + (_GIVEN_BACK * excess)[..., None], brightest)
    result[..., channel] = foreground[..., channel] - np.float32(1 - _GIVEN_BACK) * excess
    return np.where((excess > 0)[..., None], result, foreground)


def _own_ratio(
    channel: FloatArray, others: FloatArray, alpha: FloatArray, deep: float
) -> FloatArray:
    """How much of the screen's colour the subject has by itself, `H × W`, at least 1."""
    solid = np.pad((alpha >= 0.999).astype(np.uint8), 1)  # beyond the frame is an edge too
    inside = cv2.distanceTransform(solid, cv2.DIST_L2, 5)[1:-1, 1:-1]
    weight = np.clip((inside - deep / 2) / max(deep, 1), 0, 1).astype(np.float32)
    if not weight.any():
        return np.ones_like(alpha)
    known = np.stack([np.maximum(channel, 0), np.maximum(others, 0), weight], axis=2)
    spread = push_pull(known * weight[..., None], weight)
    ratio = (spread[..., 0] + _DARK) / (spread[..., 1] + _DARK)
    return np.clip(ratio, 1, _MOST)
