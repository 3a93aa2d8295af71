"""From the plate's colour space to the display-referred sRGB that the network was trained in.

Display-referred plates pass as they are, clamped: the network's training pictures were sRGB and
video alike. Scene-linear plates go through the sRGB curve, then a shoulder.

The shoulder: a plain clip would make one white of everything above 1, and the edge of a bright
sleeve before a window would be gone. Display values up to 0.9 (0.79 linear) stay exactly what they
are; above, each stop gets a share of the last tenth, up to 64 times white:

    y = k + (1 - k) · ln(1 + a·t) / ln(1 + a·T),   t = (x - k) / (1 - k),   k = 0.9

with `a` such that the slope at the knee is 1. White (1.0) becomes 0.933, four times white 0.970.
Each channel for itself, without regard to the picture: a frame's result depends on nothing else.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from plugin.errors import PlateError
from plugin.types import FloatArray, PlateInfo

__all__ = ["display_transform", "shoulder", "srgb_encode"]

_KNEE = np.float32(0.9)
_BRIGHTEST = 64.0
"""Linear value, white being 1, that becomes display white."""


def srgb_encode(linear: FloatArray) -> FloatArray:
    """The sRGB curve (IEC 61966-2-1), continued above 1; negative values become 0."""
    linear = np.maximum(linear, np.float32(0))
    curved = np.float32(1.055) * np.power(linear, np.float32(1 / 2.4)) - np.float32(0.055)
    return np.where(linear <= np.float32(0.0031308), linear * np.float32(12.92), curved)


_END = (1.055 * _BRIGHTEST ** (1 / 2.4) - 0.055 - float(_KNEE)) / (1 - float(_KNEE))
_STEEP = 5.649752158916511
"""Solves a = ln(1 + a·T): the curve leaves the knee at the slope at which it came."""


def shoulder(display: FloatArray) -> FloatArray:
    """Bring display values above the knee below 1; see the module's head.

    Args:
        display: any shape, 0 and up, sRGB-encoded.

    Returns:
        The same shape within [0, 1].
    """
    above = np.maximum(display - _KNEE, np.float32(0)) / (1 - _KNEE)
    scale = (1 - _KNEE) / np.float32(np.log1p(_STEEP * _END))
    bent = _KNEE + scale * np.log1p(np.float32(_STEEP) * above)
    return np.minimum(np.where(display > _KNEE, bent, display), np.float32(1))


def display_transform(
    info: PlateInfo, in_colour: str | None = None
) -> Callable[[FloatArray], FloatArray]:
    """The function from the plate's pixels to display-referred sRGB.

    Args:
        info: the plate; its `colour` is where its values are.
        in_colour: the space to take instead.

    Returns:
        A function of `H × W × 3` float32 to a new array of the same shape within [0, 1].

    Raises:
        PlateError: no such space.
    """
    space = (in_colour or info.colour).lower()
    if space in _DISPLAY:
        return _clamped
    if space in _LINEAR:
        return _from_linear
    raise PlateError(
        f"colour space {in_colour or info.colour!r} is not known",
        where=info.path,
        fix="name another with --in-colour",
    )


_DISPLAY = frozenset({"srgb_rec709_display", "srgb_rec709_scene", "g24_rec709_display", "srgb"})
_LINEAR = frozenset({"lin_rec709_scene", "lin_rec709", "linear"})


def _clamped(rgb: FloatArray) -> FloatArray:
    return np.clip(rgb, 0, 1)


def _from_linear(rgb: FloatArray) -> FloatArray:
    return shoulder(srgb_encode(rgb))
