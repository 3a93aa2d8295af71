"""What a companion picture shows: how far its values reach, whether its colours are a matte."""

from dataclasses import dataclass

import cv2
import numpy as np

from plugin.image.channels import least, most
from plugin.plates.companions.layers import MatteLayer
from plugin.types import FloatArray

MOST_LEVELS = 64
"""More values than these are shades; so many may be labels."""

ALL, NOTHING = 0.95, 0.05
"""Coverage from which a pixel is subject, and up to which it is not."""

_INFINITE = np.float32(65504)
"""What infinities are read as."""

_PICTURE = 0.4
"""Share of middle greys from which a grey picture is no matte."""

_NEAR_GREY = 0.06
"""How far the channels of a grey pixel may lie apart, after lossy compression."""

_FEW = 0.005
"""Share of the pixels that may be otherwise without being meant."""


@dataclass(frozen=True, slots=True)
class Plane:
    """One candidate of a picture: its alpha, or the largest of its colours.

    Attributes:
        low: its smallest value.
        high: its largest.
        levels: its values where there are few; None where there are many.
        flat: those among them that fill areas.
        border: mean along the picture's edges.
    """

    low: float
    high: float
    levels: tuple[float, ...] | None
    flat: tuple[float, ...] = ()
    border: float = 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """What one picture shows.

    Attributes:
        colours: of the largest of its colours; None without any.
        alpha: of its alpha; None without one.
        used: places of the colours that are not 0 everywhere.
        grey: its colours are equal.
        single: they are shades of one colour on black.
        apart: its colours are a matte of their own, and another than its alpha.
    """

    colours: Plane | None
    alpha: Plane | None
    used: tuple[int, ...] = ()
    grey: bool = True
    single: bool = True
    apart: bool = False


def look_at(values: FloatArray, layer: MatteLayer) -> Look:
    """Look at one picture, `H × W × C` in the order of `layer.names`."""
    if float(values.max()) == _INFINITE:  # no more than all, however much it says
        values = np.where(values == _INFINITE, np.float32(1), values)
    count = len(layer.colours)
    alpha = _plane(values[..., -1]) if layer.alpha else None
    if not count:
        return Look(None, alpha)
    colours = values[..., :count]
    largest = most(colours)
    plane = _plane(largest)
    peaks = colours.max(axis=(0, 1))
    used = tuple(int(i) for i in np.flatnonzero(peaks > max(0.02 * plane.high, 1e-6)))
    grey = single = True
    if count > 1 and plane.high > 0:
        near = np.float32(_NEAR_GREY * max(plane.high, 1e-6))
        grey = float(np.mean(largest - least(colours) > near)) <= _FEW
        single = grey or _is_single(colours, largest, plane.high)
    apart = (
        alpha is not None
        and grey
        and plane.low <= NOTHING < ALL <= plane.high
        and float(np.mean((largest > 0.1) & (largest < 0.9))) < _PICTURE  # or a picture in greys
        and float(np.mean((largest > 0.5) != (values[..., -1] > 0.5))) > _FEW
    )
    return Look(plane, alpha, used, grey, single, apart)


def _is_single(colours: FloatArray, largest: FloatArray, peak: float) -> bool:
    """Whether every pixel that is not black is of one hue."""
    seen = colours[largest > 0.1 * peak]
    shares = seen / seen.max(axis=1, keepdims=True)
    middle = np.median(shares, axis=0)
    return float(np.mean(np.abs(shares - middle).max(axis=1) > 0.1)) <= 0.02


def _plane(values: FloatArray) -> Plane:
    low, high = float(values.min()), float(values.max())
    levels: tuple[float, ...] | None = None
    if len(np.unique(values.ravel()[:: max(1, values.size // 4096)])) <= MOST_LEVELS:
        found = np.unique(values)
        levels = tuple(float(v) for v in found) if len(found) <= MOST_LEVELS else None
    cell = np.ones((5, 5), np.uint8)
    middle = [] if levels is None or len(levels) > 16 else levels[1:]
    flat = tuple(v for v in middle if cv2.erode((values == v).astype(np.uint8), cell).any())
    edges = (values[0], values[-1], values[:, 0], values[:, -1])
    border = float(np.mean(np.concatenate(edges)))
    return Plane(low, high, levels, flat, border)
