"""Rasteriser for many fine strands: hair, fur, barbs, threads.

A strand is a polyline with a width at every vertex, up to about 3 px (wider ones: `ribbons`).
Along its steeper axis (x or y) it is cut into columns one pixel wide; in each column the strand is
an interval of length w·sec θ across, and its overlap with every pixel of the column is that
pixel's coverage c. So widths far below a pixel come out right, and no strand touches a pixel twice
where it runs straight. Strands lie over each other at random: transmission is ∏(1 - o·c), summed
as logarithms.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from model.training.mattes.base import Array, Floats, Ints


def walk(
    rng: np.random.Generator,
    roots: Floats,
    angle: Floats,
    length: Floats,
    *,
    steps: int = 40,
    wander: float = 1.0,
    gravity: float = 0.0,
    wind: float = 0.0,
) -> Array:
    """Curves whose direction drifts smoothly, N × steps × 2 px.

    Args:
        rng: source of randomness.
        roots: N × 2, px.
        angle: N, first direction in radians.
        length: N, px.
        steps: vertices.
        wander: standard deviation of the direction's drift over a whole strand, radians.
        gravity: pull of the direction towards `wind`'s vertical, per step, in [0, 1).
        wind: angle from straight down that gravity pulls to, radians.
    """
    n = roots.shape[0]
    position = roots.astype(np.float64)
    heading = angle.astype(np.float64)
    turn = rng.standard_normal(n) * wander * 2.5 / steps
    stride = length / (steps - 1)
    path = [position]
    for _ in range(steps - 1):
        turn = 0.86 * turn + rng.standard_normal(n) * wander * 1.1 / steps
        goal = np.pi / 2 + wind
        heading = heading + turn + gravity * np.sin(goal - heading)
        position = position + stride[:, None] * np.stack((np.cos(heading), np.sin(heading)), 1)
        path.append(position)
    return np.stack(path, axis=1).astype(np.float32)


def across(curves: Floats) -> Array:
    """Unit vectors across N × P × 2 curves, at every vertex."""
    along = np.gradient(curves, axis=1)
    along = along / (np.linalg.norm(along, axis=-1, keepdims=True) + 1e-6)
    return np.stack((-along[..., 1], along[..., 0]), axis=-1).astype(np.float32)


_CHUNK = 1_000_000  # columns at a time: bounds the memory, not the result
_OPAQUE = 0.9995  # the most that one strand can stop, so that logarithms stay finite


@dataclass(frozen=True)
class Strands:
    """N strands of P vertices each, later ones nearer to the camera.

    Attributes:
        points: N × P × 2, pixel coordinates (x, y); may leave the frame.
        widths: N × P, px.
        opacity: N, [0, 1].
        values: N × K, anything to be averaged where strands show (brightness, a mix of colours).
    """

    points: Array
    widths: Array
    opacity: Array
    values: Array


@dataclass(frozen=True)
class StrandsImage:
    """What `rasterise` returns.

    Attributes:
        coverage: H × W float32 in [0, 1].
        values: H × W × K float32, average of the strands' values, front ones weighing more;
            0 where there is no strand.
    """

    coverage: Array
    values: Array


def taper(n: int, *, root: float = 1.0, tip: float = 0.15, start: float = 0.5) -> Array:
    """Relative width along a strand, n values: `root` to `start` of its length, then to `tip`."""
    t = np.linspace(0.0, 1.0, n, dtype=np.float32)
    fall = np.clip((t - start) / max(1e-6, 1.0 - start), 0.0, 1.0)
    return np.asarray(root + (tip - root) * fall, np.float32)


def rasterise(strands: Strands, height: int, width: int) -> StrandsImage:
    """Coverage and averaged values of strands over a height × width frame."""
    cells = height * width
    depth = np.zeros(cells)
    count = strands.values.shape[1]
    sums = np.zeros((count, cells))
    weight = np.zeros(cells)
    n = strands.points.shape[0]
    # Front strands outweigh back ones by up to e^6: depth order without sorting pixels.
    front = np.exp(6.0 * np.arange(n) / max(1, n))
    for index, strand, covered in _pixels(strands, height, width):
        stopped = np.minimum(covered * strands.opacity[strand], _OPAQUE)
        depth += np.bincount(index, weights=-np.log1p(-stopped), minlength=cells)
        if count:
            share = stopped * front[strand]
            weight += np.bincount(index, weights=share, minlength=cells)
            for k in range(count):
                sums[k] += np.bincount(
                    index, weights=share * strands.values[strand, k], minlength=cells
                )
    means = (sums / np.maximum(weight, 1e-6)).astype(np.float32)
    return StrandsImage(
        coverage=(-np.expm1(-depth)).astype(np.float32).reshape(height, width),
        values=np.ascontiguousarray(means.T).reshape(height, width, count),
    )


class _Segments(NamedTuple):
    """M straight pieces: ends M × 2 px, widths there M px, the strand each belongs to."""

    start: Floats
    stop: Floats
    first: Floats
    last: Floats
    owner: Ints


def _pixels(strands: Strands, height: int, width: int) -> Iterator[tuple[Ints, Ints, Array]]:
    """Yields (pixel index, strand number, coverage) of all pixels that strands touch."""
    n, p = strands.widths.shape
    start = strands.points[:, :-1].reshape(-1, 2)
    stop = strands.points[:, 1:].reshape(-1, 2)
    first = strands.widths[:, :-1].reshape(-1)
    last = strands.widths[:, 1:].reshape(-1)
    owner = np.repeat(np.arange(n, dtype=np.int64), p - 1)
    steep = np.abs(stop - start)
    for axis in (0, 1):
        c = (steep[:, 0] >= steep[:, 1]) == (axis == 0)
        pieces = _Segments(start[c], stop[c], first[c], last[c], owner[c])
        yield from _columns(pieces, axis, (width, height))


def _columns(
    pieces: _Segments, axis: int, extent: tuple[int, int]
) -> Iterator[tuple[Ints, Ints, Array]]:
    """Segments that run along `axis` (0: x, 1: y), cut into columns of one pixel."""
    swap = pieces.start[:, axis] > pieces.stop[:, axis]
    low = np.where(swap[:, None], pieces.stop, pieces.start)
    high = np.where(swap[:, None], pieces.start, pieces.stop)
    width0 = np.where(swap, pieces.last, pieces.first)
    growth = np.where(swap, pieces.first, pieces.last) - width0
    begin = np.clip(np.ceil(low[:, axis]), 0, extent[axis]).astype(np.int64)
    counts = np.clip(np.ceil(high[:, axis]), 0, extent[axis]).astype(np.int64) - begin
    span = np.maximum(high - low, 1e-9)[:, axis]
    slope = (high - low)[:, 1 - axis] / span
    secant = np.sqrt(1.0 + slope * slope)
    bounds = np.concatenate((np.zeros(1, np.int64), np.cumsum(counts)))
    targets = np.minimum(np.arange(0, bounds[-1] + _CHUNK, _CHUNK), bounds[-1])
    cuts = np.searchsorted(bounds, targets).tolist()
    cuts[-1] = counts.size
    for lo, hi in pairwise(cuts):
        seg = np.repeat(np.arange(lo, hi), counts[lo:hi])
        along = begin[seg] + (np.arange(seg.size) + bounds[lo] - bounds[seg])
        travelled = along - low[seg, axis]
        centre = low[seg, 1 - axis] + slope[seg] * travelled
        wide = width0[seg] + growth[seg] * np.clip(travelled / span[seg], 0.0, 1.0)
        for row, used, covered in _across(centre, wide * secant[seg], extent[1 - axis]):
            x, y = (along[used], row) if axis == 0 else (row, along[used])
            yield y * extent[0] + x, pieces.owner[seg[used]], covered


def _across(centre: Floats, wide: Floats, limit: int) -> Iterator[tuple[Ints, Ints, Array]]:
    """Overlap of each column's interval with that column's pixels: (pixel, column, coverage)."""
    low, high = centre - 0.5 * wide, centre + 0.5 * wide
    nearest = np.rint(centre).astype(np.int64)
    reach = int(np.ceil(0.5 * float(wide.max(initial=0.0)) + 0.5))
    for offset in range(-reach, reach + 1):
        row = nearest + offset
        covered = np.minimum(high, row + 0.5) - np.maximum(low, row - 0.5)
        used = np.flatnonzero((covered > 1e-4) & (row >= 0) & (row < limit))
        yield row[used], used, covered[used].astype(np.float32)
