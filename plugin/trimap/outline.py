"""Where the plate's own edge runs along a mask's outline.

Each piece of the outline is looked at across, along its normals. What colours the subject has near
by, and the background, is learned farther in and farther out on the same stretch. The edge is the
path along the outline that follows strong contrast, has the subject's colours on its inner side and
the background's on its outer, does not jump, and does not stray far from the outline without need:
the cheapest one, by dynamic programming.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from plugin.image.regions import Flags, depth
from plugin.types import FloatArray

_LINES = 540
"""Height of the picture that is worked on; its pixels are 2 of a 1080p frame."""

_REACH, _BEYOND = 28.0, 45.0
"""How far from the outline the edge is looked for, and how far beyond that colours are looked at,
pixels of a 1080p frame."""

_LEAST = 24
"""Points of the shortest piece that is looked at."""

_NEAR, _FAR = 8, 50
"""Between these distances from the outline colours are learned, pixels of a 1080p frame."""

_STRETCH = 60.0
"""Standard deviation of the stretch that they are learned on, pixels of a 1080p frame."""

_CELL = 8
"""Points of the outline that share one count of colours."""

_LUMA, _CHROMA = 16, 9
"""Steps of the colours that are counted."""

_RARE = 0.02
"""Share under which a colour says nothing."""

_STRAY = 6.0
"""How far an outline usually is from the edge, pixels of a 1080p frame."""

_CONTRAST, _SIDES, _JUMP = 2.0, 0.24, 1.5
"""What the strongest contrast, a pixel's log-odds and a jump of one pixel count."""

_NEVER = 1000.0


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A closed piece of an outline: `n` points, and `m` places across each, from inside outwards.

    Attributes:
        points: `n × 2`, x and y of the mask's outermost pixels, pixels of the working picture.
        colours: `n × m × 3`, display-referred.
        odds: `n × m`, log-odds of the subject's colours against the background's.
        seen: `n × m` bool: it lies in the frame and belongs to this stretch of the outline.
        contrast: `n × m`, how much the colour changes across.
        found: `n`, how far outside the outline the edge is, working pixels.
    """

    points: npt.NDArray[np.intp]
    colours: FloatArray
    odds: FloatArray
    seen: Flags
    contrast: FloatArray
    found: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A mask's outline on a plate.

    Attributes:
        size: width and height of the working picture.
        unit: its pixels in one of a 1080p frame.
        chains: the pieces that are long enough.
    """

    size: tuple[int, int]
    unit: float
    chains: tuple[Chain, ...]


def outline_of(rgb: FloatArray, coverage: FloatArray) -> Outline:
    """The outline where coverage passes a half.

    Args:
        rgb: the frame, display-referred, `H × W × 3`.
        coverage: `H × W`, 0 to 1.
    """
    height, width = coverage.shape
    scale = min(1.0, _LINES / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small, mask = (cv2.resize(p, size, interpolation=cv2.INTER_AREA) for p in (rgb, coverage))
    inside = np.asarray(mask, np.float32) >= 0.5
    unit = size[1] / 1080
    if inside.all() or not inside.any():
        return Outline(size, unit, ())
    across = _Across(np.asarray(cv2.GaussianBlur(small, (0, 0), 0.6), np.float32), inside, unit)
    pieces, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    long = (np.asarray(piece[:, 0], np.intp) for piece in pieces if len(piece) >= _LEAST)
    return Outline(size, unit, tuple(across.chain(points) for points in long))


def along(values: npt.NDArray[np.generic], sigma: float) -> FloatArray:
    """Values smoothed along a closed outline, their first axis."""
    count = len(values)
    flat = np.asarray(values, np.float32).reshape(count, -1)
    reach = max(1, round(3 * sigma))
    around = np.ascontiguousarray(flat[np.arange(-reach, count + reach) % count])
    kernel = cv2.getGaussianKernel(2 * reach + 1, sigma, cv2.CV_32F)
    smooth = cv2.sepFilter2D(around, -1, np.ones(1, np.float32), kernel)
    return np.asarray(smooth, np.float32)[reach : reach + count].reshape(values.shape)


class _Across:
    """Looks across an outline on one picture."""

    def __init__(self, picture: FloatArray, inside: Flags, unit: float) -> None:
        self._picture = picture
        self._unit = unit
        beyond = np.where(inside, 0.5 - depth(inside), depth(~inside) - 0.5)
        self._distance = np.asarray(np.clip(beyond, -1e4, 1e4), np.float32)
        smooth = cv2.GaussianBlur(self._distance, (0, 0), 2)
        self._slope = np.dstack([cv2.Sobel(smooth, cv2.CV_32F, *way) for way in ((1, 0), (0, 1))])
        self._kinds = _kinds(picture)
        self._reach = max(3, round(_REACH * unit))
        far = self._reach + round(_BEYOND * unit)
        self._steps = np.arange(-far, far + 1)

    def chain(self, points: npt.NDArray[np.intp]) -> Chain:
        """What is seen across one piece."""
        x, y, seen = self._places(points)
        colours = _sample(self._picture, x, y)
        kinds = cv2.remap(self._kinds, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
        odds = np.where(seen, self._odds(np.asarray(kinds, np.intp), seen), np.float32(0))
        contrast = along(_contrast(colours, max(1, round(2.5 * self._unit))), 1.0)
        found = along(self._path(odds, contrast, seen), 1.5)
        return Chain(points, colours, odds.astype(np.float32), seen, contrast, found)

    def _places(self, points: npt.NDArray[np.intp]) -> tuple[FloatArray, FloatArray, Flags]:
        """Places across each point, x and y, and which of them belong to it.

        Not those on the other side of a limb, nor beyond the frame.
        """
        slope = np.asarray(self._slope[points[:, 1], points[:, 0]], np.float32)
        normals = along(_unit_vectors(slope), 2.0)
        normals = _unit_vectors(normals)
        away = (self._steps + np.float32(0.5)).astype(np.float32)
        x, y = (points[:, i : i + 1] + normals[:, i : i + 1] * away for i in (0, 1))
        x, y = np.asarray(x, np.float32), np.asarray(y, np.float32)
        height, width = self._distance.shape
        there = _sample(self._distance, x, y)
        own = there * np.sign(self._steps) >= 0.6 * np.abs(self._steps) - 1.5
        seen = own & (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
        return x, y, seen

    def _odds(self, kinds: npt.NDArray[np.intp], seen: Flags) -> FloatArray:
        """Log-odds of each kind of colour, by how often it is inside and outside near by."""
        named, kinds = np.unique(kinds, return_inverse=True)
        kinds = kinds.reshape(seen.shape)
        cells = -(-len(kinds) // _CELL)
        cell = (np.arange(len(kinds)) // _CELL)[:, None]
        away = np.abs(self._steps)
        learned = (away >= round(_NEAR * self._unit)) & (away <= round(_FAR * self._unit))
        shares = []
        for side in (self._steps < 0, self._steps > 0):
            which = seen & learned & side
            place = (cell * len(named) + kinds)[which]
            counts = np.bincount(place, minlength=cells * len(named)).reshape(cells, len(named))
            near = along(counts, _STRETCH * self._unit / _CELL)
            near /= np.maximum(near.sum(axis=1, keepdims=True), 1e-3)
            shares.append(near[cell, kinds])
        inner, outer = shares
        return np.asarray(np.log((inner + _RARE) / (outer + _RARE)), np.float32)

    def _path(self, odds: FloatArray, contrast: FloatArray, seen: Flags) -> npt.NDArray[np.intp]:
        """The cheapest path, places across relative to the outline."""
        middle = len(self._steps) // 2
        part = slice(middle - self._reach, middle + self._reach + 1)
        odds, contrast, seen = odds[:, part], contrast[:, part] * seen[:, part], seen[:, part]
        strongest = along(contrast.max(axis=1), 40 * self._unit) + np.float32(0.02)
        inner = np.cumsum(odds, axis=1) - odds / 2
        away = self._steps[part]
        cost = (
            np.square(away / self._unit / _STRAY) / 2
            - _CONTRAST * np.minimum(contrast / strongest[:, None], 1.2)
            - _SIDES * inner
        )
        return away[_cheapest(np.where(seen, cost, _NEVER + 10 * np.abs(away)))]


def _cheapest(cost: npt.NDArray[np.floating]) -> npt.NDArray[np.intp]:
    """The column in each row of the cheapest closed path, which moves at most two at a time."""
    rows, columns = cost.shape
    # Begun before its first point and ended after its last, so that both ends meet.
    lead = min(rows, 60)
    order = np.arange(-lead, rows + lead) % rows
    jumps = _JUMP * np.array([4.0, 1.0, 0.0, 1.0, 4.0])[:, None]
    came = np.zeros((len(order), columns), np.int8)
    padded = np.full(columns + 4, 1e9)
    windows = np.lib.stride_tricks.sliding_window_view(padded, columns)
    everywhere = np.arange(columns)
    total = np.asarray(cost[order[0]], np.float64)
    for step, row in enumerate(order[1:], 1):
        padded[2:-2] = total
        candidates = windows + jumps
        came[step] = candidates.argmin(axis=0)
        total = candidates[came[step], everywhere] + cost[row]
    path = np.zeros(len(order), np.intp)
    path[-1] = total.argmin()
    for step in range(len(order) - 1, 0, -1):
        path[step - 1] = path[step] + came[step, path[step]] - 2
    return path[lead : lead + rows]


def _kinds(picture: FloatArray) -> FloatArray:
    """Colours sorted into boxes of luma and two colour differences; whole numbers."""
    luma = picture @ np.array([0.299, 0.587, 0.114], np.float32)
    steps = [np.clip(np.floor(luma * _LUMA), 0, _LUMA - 1)]
    for channel in (2, 0):
        hue = ((picture[..., channel] - luma) * 1.2 + 0.5) * _CHROMA
        steps.append(np.clip(np.floor(hue), 0, _CHROMA - 1))
    return np.asarray((steps[0] * _CHROMA + steps[1]) * _CHROMA + steps[2], np.float32)


def _contrast(colours: FloatArray, width: int) -> FloatArray:
    """Distance between the mean colours of `width` places before and after each, `n × m`."""
    padded = np.pad(colours, ((0, 0), (width + 1, width), (0, 0)), mode="edge")
    sums = np.cumsum(padded, axis=1)
    means = (sums[:, width:] - sums[:, :-width]) / np.float32(width)
    count = colours.shape[1]
    change = means[:, width + 1 : width + 1 + count] - means[:, :count]
    return np.asarray(np.sqrt(np.einsum("nmc,nmc->nm", change, change)), np.float32)


def _sample(values: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    found = cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


def _unit_vectors(vectors: npt.NDArray[np.floating]) -> FloatArray:
    length = np.maximum(np.hypot(vectors[:, :1], vectors[:, 1:]), 1e-6)
    return np.asarray(vectors / length, np.float32)
