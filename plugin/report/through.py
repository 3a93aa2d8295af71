"""How much of what lies behind a subject is seen in it too: glass, or background in the matte.

Along the outline the plate's colours change, inside and outside. An opaque subject's own changes
have nothing to do with those beside it. Where a line of the background goes on behind a bottle, or
where the matte is so wide that it has background on both sides of its edge, both change at the same
places: their changes along the outline correlate.

Only where the background has a strong edge it is asked, so that a few busy places do not agree by
chance; none counts for more than such an edge, and a background without any tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from plugin.image.regions import depth
from plugin.trimap.outline import along
from plugin.types import FloatArray

_INSIDE, _OUTSIDE = (0.005, 0.014), (0.004, 0.012)
"""Of the longest side, how far from the edge colours are looked at."""

_STEPS = 5
_STEP = 0.003
"""Of the longest side, over which colours change."""

_SHORTEST = 0.1
"""Of the longest side, the length of an outline that is looked at."""

_LAG = 0.006
"""Of the longest side, by how much what is seen through glass may be moved."""

_LEAST, _MOST = 0.015, 0.06
"""Of display RGB, changes that count, and up to which they count for more."""

_STRONG = 0.04
"""Of what counts of a change, from where on it is an edge."""

_TELLING = 0.0065
"""Root mean square of changes, over the whole outline, at which half of a correlation is
believed."""

_Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Changes:
    """Changes of colour along one outline, `n × 3`; both zero where one is not seen."""

    points: npt.NDArray[np.intp]
    inside: FloatArray
    outside: FloatArray


def seen_through(rgb: FloatArray, alpha: FloatArray, side: int) -> tuple[float, FloatArray]:
    """How much the subject's colours follow those behind it along the outline.

    Args:
        rgb: `h × w × 3`, display-referred.
        alpha: `h × w`.
        side: the longest side of the whole frame at this size.

    Returns:
        0 (or below) to 1, and where it shows, `h × w`.
    """
    where = np.zeros(alpha.shape, np.float32)
    solid = alpha > 0.5
    pieces, _ = cv2.findContours(solid.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    long = [np.asarray(p[:, 0], np.intp) for p in pieces if len(p) >= _SHORTEST * side]
    if not long:
        return 0.0, where
    look = _Along(rgb, alpha, solid, side)
    changes = [look.changes(points) for points in long]
    outside = np.concatenate([c.outside for c in changes])
    strong = np.square(outside).sum(axis=1) > _STRONG**2
    reach = max(1, round(_LAG * side))
    moved = [
        np.concatenate([np.roll(c.inside, lag, 0) for c in changes])
        for lag in range(-reach, reach + 1)
    ]
    inside = max(moved, key=lambda one: _sum((one * outside)[strong]))
    both = (inside * outside).sum(axis=1) * strong
    energy = (_sum(np.square(inside[strong])) * _sum(np.square(outside[strong]))) ** 0.5
    points = np.concatenate([c.points for c in changes])
    where[points[:, 1], points[:, 0]] = np.maximum(both, 0)
    return _sum(both) / (energy + _TELLING**2 * len(points)), where


def _sum(values: FloatArray) -> float:
    return float(values.sum(dtype=np.float64))


class _Along:
    """Looks along outlines of one picture."""

    def __init__(self, rgb: FloatArray, alpha: FloatArray, solid: _Flags, side: int) -> None:
        self._rgb, self._alpha, self._side = rgb, alpha, side
        reach = _INSIDE[1] * side + 3
        beyond = np.where(solid, 0.5 - depth(solid, reach), depth(~solid, reach) - 0.5)
        self._distance = np.asarray(np.clip(beyond, -1e4, 1e4), np.float32)
        smooth = cv2.GaussianBlur(self._distance, (0, 0), 2)
        self._slope = np.dstack([cv2.Sobel(smooth, cv2.CV_32F, *way) for way in ((1, 0), (0, 1))])

    def changes(self, points: npt.NDArray[np.intp]) -> _Changes:
        """Of the colours to both sides of one closed outline."""
        slope = np.asarray(self._slope[points[:, 1], points[:, 0]], np.float32)
        normal = along(_unit(slope), 0.004 * self._side)
        normal = _unit(normal)
        inner, seen_in = self._colours(points, normal, -1, _INSIDE)
        outer, seen_out = self._colours(points, normal, 1, _OUTSIDE)
        seen = seen_in & seen_out
        return _Changes(points, self._change(inner, seen), self._change(outer, seen))

    def _colours(
        self,
        points: npt.NDArray[np.intp],
        normal: FloatArray,
        way: int,
        reach: tuple[float, float],
    ) -> tuple[FloatArray, _Flags]:
        """The mean colour to one side of each point, `n × 3`, and where there is one."""
        steps = (way * np.linspace(*reach, _STEPS) * self._side).astype(np.float32)
        x, y = (np.asarray(points[:, i : i + 1] + normal[:, i : i + 1] * steps) for i in (0, 1))
        place = x.astype(np.float32), y.astype(np.float32)
        colours, alpha, away = (
            cv2.remap(p, *place, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for p in (self._rgb, self._alpha, self._distance)
        )
        height, width = self._alpha.shape
        there = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        # Not those on the other side of a limb, nor what is neither subject nor background.
        there &= np.abs(away) >= 0.6 * np.abs(steps)
        there &= (alpha > 0.95) if way < 0 else (alpha < 0.05)
        count = there.sum(axis=1)
        mean = (colours * there[..., None]).sum(axis=1) / np.maximum(count, 1)[:, None]
        return np.asarray(mean, np.float32), np.asarray(count > _STEPS // 2)

    def _change(self, colours: FloatArray, seen: _Flags) -> FloatArray:
        """How colours change, less what is too weak to tell, and no more than a strong edge."""
        sigma = max(_STEP * self._side, 1.0)
        weight = seen.astype(np.float32)[:, None]
        smooth = along(colours * weight, sigma) / np.maximum(along(weight, sigma), 0.05)
        step = round(sigma)
        change = np.roll(smooth, -step, 0) - np.roll(smooth, step, 0)
        size = np.maximum(np.sqrt(np.square(change).sum(axis=1, keepdims=True)), 1e-6)
        counts = np.minimum(1, _MOST / size) * np.maximum(0, 1 - _LEAST / size)
        told = seen & np.roll(seen, -step) & np.roll(seen, step)
        return np.asarray(change * counts * told[:, None], np.float32)


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.maximum(np.hypot(vectors[:, :1], vectors[:, 1:]), 1e-6)
    return np.asarray(vectors / length, np.float32)
