"""Polygons and strokes as pixels: exact, without antialiasing, the same on every machine.

All arithmetic is in integers, on a grid of 1/1024 pixel to which points are rounded. The centre of
pixel (column, row) lies at (column + 1/2, row + 1/2).

- A polygon covers the centres about which it winds (nonzero rule: a shape that folds over itself
  stays filled). Edges are half-open: a centre exactly on a left or top edge is in, on a right or
  bottom edge out, so polygons that share an edge share no pixel and leave none out.
- A stroke covers the centres no further than its radius from its line; at the radius is in.
"""

from collections.abc import Sequence
from math import isqrt

import numpy as np
import numpy.typing as npt

from plugin.types import Window

GRID = 1024
"""Units a pixel. Coordinates stay below 2²⁷ units, so that products stay below 2⁶³."""

Points = npt.NDArray[np.int64]
"""`N × 2`, x and y in grid units."""

Pixels = npt.NDArray[np.bool_]

_EDGES_AT_ONCE = 512


def on_grid(points: Sequence[tuple[float, float]]) -> Points:
    """Points in pixels, rounded to the grid, halves to even."""
    return np.rint(np.array(points, np.float64).reshape(-1, 2) * GRID).astype(np.int64)


def between(before: Points, after: Points, step: int, steps: int) -> Points:
    """Linear interpolation, `step` of `steps` on the way; halves round up."""
    weighted = before * (steps - step) + after * step
    interpolated: Points = (2 * weighted + steps) // (2 * steps)
    return interpolated


def overlap(points: Points, radius: int, window: Window) -> Window | None:
    """The part of the window that a shape can touch; None where that is nothing.

    Args:
        points: the shape's points, relative to the same origin as the window.
        radius: how far it reaches beyond them, grid units.
        window: pixels.
    """
    low = (points.min(axis=0) - radius) // GRID
    high = (points.max(axis=0) + radius) // GRID
    box = Window(
        max(window.x_min, int(low[0])),
        max(window.y_min, int(low[1])),
        min(window.x_max, int(high[0])),
        min(window.y_max, int(high[1])),
    )
    return box if box.width > 0 and box.height > 0 else None


def polygon_pixels(points: Points, window: Window) -> Pixels:
    """Pixels of the window that a closed polygon covers, `H × W`.

    Args:
        points: its corners, relative to the same origin as the window.
        window: which pixels are wanted.
    """
    width, height = window.width, window.height
    local = points - np.array([window.x_min, window.y_min], np.int64) * GRID
    starts, ends = local, np.roll(local, -1, axis=0)
    # Downwards +1, upwards −1; both run downwards from here on, so that a shared edge rounds alike.
    down = starts[:, 1] < ends[:, 1]
    direction = np.where(down, 1, -1)
    tops, bottoms = np.where(down[:, None], starts, ends), np.where(down[:, None], ends, starts)
    first = np.clip(_first_centre(tops[:, 1]), 0, height)
    end = np.clip(_first_centre(bottoms[:, 1]), 0, height)
    # How the winding number changes from column to column; the last column is beyond the window.
    change = np.zeros((height, width + 1), np.int32)
    for begin in range(0, len(local), _EDGES_AT_ONCE):
        part = slice(begin, begin + _EDGES_AT_ONCE)
        counts = end[part] - first[part]
        edge = np.repeat(np.arange(len(counts)), counts)
        row = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        row += first[part][edge]
        column = _first_column(tops[part][edge], bottoms[part][edge], row)
        np.add.at(change, (row, np.clip(column, 0, width)), direction[part][edge])
    covered: Pixels = np.cumsum(change[:, :-1], axis=1, dtype=np.int32) != 0
    return covered


def _first_centre(position: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Index of the first pixel whose centre is at or beyond a position along one axis."""
    first: npt.NDArray[np.int64] = -((GRID // 2 - position) // GRID)
    return first


def _first_column(top: Points, bottom: Points, row: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Index of the first pixel of a row whose centre is at or right of an edge."""
    rise = bottom[:, 1] - top[:, 1]
    centre = row * GRID + GRID // 2
    # The edge meets the row at crossing / rise; a centre is there at column · GRID + GRID / 2.
    crossing = top[:, 0] * rise + (centre - top[:, 1]) * (bottom[:, 0] - top[:, 0])
    first: npt.NDArray[np.int64] = -((rise * (GRID // 2) - crossing) // (rise * GRID))
    return first


def stroke_pixels(points: Points, radius: int, window: Window) -> Pixels:
    """Pixels of the window that a round brush covers along a line, `H × W`.

    Args:
        points: the line's points, relative to the same origin as the window; one is a dab.
        radius: of the brush, grid units.
        window: which pixels are wanted.
    """
    covered = np.zeros((window.height, window.width), np.bool_)
    local = points - np.array([window.x_min, window.y_min], np.int64) * GRID
    ends = local[1:] if len(local) > 1 else local
    for start, end in zip(local, ends, strict=False):
        _cover_segment(covered, start, end, radius)
    return covered


def _cover_segment(covered: Pixels, start: Points, end: Points, radius: int) -> None:
    height, width = covered.shape
    low = np.clip(_first_centre(np.minimum(start, end) - radius), 0, (width, height))
    high = np.clip(_first_centre(np.maximum(start, end) + radius + 1), 0, (width, height))
    if (high <= low).any():
        return
    x = np.arange(low[0], high[0], dtype=np.int64)[None, :] * GRID + GRID // 2 - start[0]
    y = np.arange(low[1], high[1], dtype=np.int64)[:, None] * GRID + GRID // 2 - start[1]
    along_x, along_y = (int(v) for v in end - start)
    length_squared = along_x * along_x + along_y * along_y
    along = x * along_x + y * along_y
    near_start = x * x + y * y <= radius * radius
    near_end = (x - along_x) ** 2 + (y - along_y) ** 2 <= radius * radius
    # |across| ≤ radius · length, both squared in Python's integers, which do not overflow.
    across = np.abs(x * along_y - y * along_x)
    beside = (along > 0) & (along < length_squared) & (across <= isqrt(radius**2 * length_squared))
    covered[low[1] : high[1], low[0] : high[0]] |= near_start | near_end | beside
