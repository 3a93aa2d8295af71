"""How soft the plate is across a mask's edge: what a trimap's band has to be wide for.

Motion blur, defocus, fur and a mask that lies beside the edge look alike from here: the colours
turn from the subject's to the background's over a long way instead of at once. Along the edge,
pixels are pooled by their signed distance x from it, and the mean of

    a(p) = (c(p) − B) · (F − B) / |F − B|²        weighted by |F − B|²

is alpha's mean at that distance, however busy both sides are; F and B are the colours of subject
and background, spread from where neither is in doubt. How far from the edge that profile still
differs from its ends, beyond what the mask's own soft values do, is the softness: one figure for
each neighbourhood and each side.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from plugin.image.channels import dot
from plugin.image.push_pull import push_pull
from plugin.image.regions import Flags, depth
from plugin.types import FloatArray, Mask

_LINES = 360
"""Height of the picture that is worked on; its pixels are 3 of a 1080p frame."""

_STEPS = np.array(
    [-90, -75, -60, -48, -36, -27, -18, -12, -6, 0, 6, 12, 18, 27, 36, 48, 60, 75, 90, 110, 130.0]
)
"""Bounds of the distances that are pooled, pixels of a 1080p frame; negative is inside."""

_MIDDLES = (_STEPS[1:] + _STEPS[:-1]) / 2
_ENDS = 3
"""So many steps at both ends say what the profile is far from the edge."""

_SURE_OUTSIDE, _SURE_INSIDE = 90.0, 60.0
"""Farther from the edge than this, colours are the background's and the subject's alone."""

_CELL = 12
"""Side of a cell that is pooled, working pixels; a neighbourhood is a few of them."""

_POOL = 2.2
"""Standard deviation of a neighbourhood, cells."""

_WHOLE = 0.15
"""What the whole frame's profile counts in each neighbourhood's."""

_SHARP = 3.0
"""What a sharp edge measures: a working pixel."""


@dataclass(frozen=True, slots=True, eq=False)
class Softness:
    """How far, in pixels of a 1080p frame, the edge reaches to both sides; 0 where it is sharp.

    Attributes:
        inner: `H × W` float32, inside the mask's edge.
        outer: `H × W` float32, outside.
    """

    inner: FloatArray
    outer: FloatArray


def softness_of(rgb: FloatArray, mask: Mask) -> Softness | None:
    """The softness along a mask's edge; None where the frame has no edge to measure.

    Args:
        rgb: the frame, display-referred, `H × W × 3`.
        mask: its mask, of the same size.
    """
    height, width = mask.coverage.shape
    scale = min(1.0, _LINES / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)
    coverage = np.asarray(cv2.resize(mask.coverage, size, interpolation=cv2.INTER_AREA), np.float32)
    inside = coverage >= 0.5
    if inside.all() or not inside.any():
        return None
    unit = size[1] / 1080
    distance = np.where(inside, 0.5 - depth(inside), depth(~inside) - 0.5) / unit
    along, length = _project(small, inside, distance)
    seen = _profiles(along, length, distance)
    said = _profiles(coverage * length, length, distance)
    if seen is None or said is None:
        return None
    beyond = (there - own for there, own in zip(_reach(seen), _reach(said), strict=True))
    inner, outer = (_spread(np.maximum(side, 0), (width, height)) for side in beyond)
    return Softness(inner, outer)


def _project(
    rgb: FloatArray, inside: Flags, distance: npt.NDArray[np.floating]
) -> tuple[FloatArray, FloatArray]:
    """Numerator and denominator of `a`, `h × w` each."""
    back = _pulled(rgb, np.where(inside, 0, np.clip(distance / _SURE_OUTSIDE, 0, 1)) ** 4)
    front = _pulled(rgb, np.where(inside, np.clip(-distance / _SURE_INSIDE, 0, 1), 0) ** 4)
    between = front - back
    return dot(rgb - back, between), dot(between, between)


def _pulled(rgb: FloatArray, weight: npt.NDArray[np.floating]) -> FloatArray:
    """Colours spread from where they weigh to everywhere."""
    weights = np.asarray(weight, np.float32)
    return push_pull(rgb * weights[..., None], weights)


def _profiles(
    along: FloatArray, length: FloatArray, distance: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64] | None:
    """Mean `a` by neighbourhood and distance, `rows × columns × steps`, from 1 down to 0.

    Neighbourhoods far from any edge have nearly the frame's own profile.
    """
    height, width = distance.shape
    rows, columns = -(-height // _CELL), -(-width // _CELL)
    step = np.searchsorted(_STEPS, distance) - 1
    kept = (step >= 0) & (step < len(_MIDDLES))
    cell = (np.arange(height) // _CELL)[:, None] * columns + np.arange(width) // _CELL
    place = cell[kept] * len(_MIDDLES) + step[kept]
    shape = rows, columns, len(_MIDDLES)
    pooled = []
    for values in (along, length):
        sums = np.bincount(place, values[kept], minlength=int(np.prod(shape))).reshape(shape)
        sums = sums.astype(np.float64, copy=False)  # of nothing, it counts in integers
        each = (np.ascontiguousarray(sums[..., i]) for i in range(shape[2]))
        near = np.dstack([cv2.GaussianBlur(layer, (0, 0), _POOL) for layer in each])
        pooled.append((near, sums.sum(axis=(0, 1))))
    (near_along, all_along), (near_length, all_length) = pooled
    busiest = float(near_length.sum(axis=2).max())
    if busiest <= 0 or (all_length <= 0).all():
        return None
    share = _WHOLE * busiest / float(all_length.sum())
    means = (near_along + share * all_along) / np.maximum(near_length + share * all_length, 1e-9)
    return _from_one_to_zero(means)


def _from_one_to_zero(means: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Profiles between their own ends, never rising with distance."""
    high = means[..., :_ENDS].max(axis=2, keepdims=True)
    low = means[..., -_ENDS:].mean(axis=2, keepdims=True)
    span = np.maximum(high - low, 0.2)
    falling: npt.NDArray[np.float64] = np.minimum.accumulate(
        np.clip((means - low) / span, 0, 1), axis=2
    )
    return falling


def _reach(
    profiles: npt.NDArray[np.float64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where the profile leaves 0.9 inside and reaches 0.1 outside, distances, at least 0."""
    inner, outer = -_crossing(profiles, 0.9), _crossing(profiles, 0.1)
    return np.maximum(inner - _SHARP, 0), np.maximum(outer - _SHARP, 0)


def _crossing(profiles: npt.NDArray[np.float64], level: float) -> npt.NDArray[np.float64]:
    """Distance at which a falling profile passes the level."""
    under = profiles <= level
    after = np.where(under.any(axis=2), under.argmax(axis=2), profiles.shape[2] - 1)
    after = np.maximum(after, 1)
    one = np.take_along_axis(profiles, after[..., None] - 1, axis=2)[..., 0]
    other = np.take_along_axis(profiles, after[..., None], axis=2)[..., 0]
    part = np.clip((one - level) / np.maximum(one - other, 1e-9), 0, 1)
    crossed: npt.NDArray[np.float64] = _MIDDLES[after - 1] + part * (
        _MIDDLES[after] - _MIDDLES[after - 1]
    )
    return crossed


def _spread(cells: npt.NDArray[np.float64], size: tuple[int, int]) -> FloatArray:
    """A figure a cell to one a pixel; a neighbourhood's softest counts."""
    widest = cv2.dilate(cells.astype(np.float32), np.ones((3, 3), np.uint8))
    return np.asarray(cv2.resize(widest, size, interpolation=cv2.INTER_LINEAR), np.float32)
