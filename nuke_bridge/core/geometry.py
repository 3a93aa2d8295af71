"""Splines to polygons, and the host's coordinates to the plate's.

A host's picture has y up; an override's has y down. Both count in pixels of the display window with
pixel centres at .5, so a pixel's aspect does not come into it.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Sequence, Tuple

Point = Tuple[float, float]
Matrix = Tuple[float, float, float, float, float, float]
"""a, b, c, d, e, f: x' = a·x + b·y + c, y' = d·x + e·y + f."""

IDENTITY: Matrix = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)

TOLERANCE = 0.1
"""Pixels that a polygon may be off its spline."""

_MOST_PIECES = 64


class Knot(NamedTuple):
    """A point of a closed cubic Bézier spline, with its handles relative to it."""

    at: Point
    arriving: Point
    leaving: Point


def product(outer: Matrix, inner: Matrix) -> Matrix:
    """The matrix that applies `inner` first."""
    a, b, c, d, e, f = outer
    g, h, i, j, k, m = inner
    return (
        a * g + b * j,
        a * h + b * k,
        a * i + b * m + c,
        d * g + e * j,
        d * h + e * k,
        d * i + e * m + f,
    )


def placed(knot: Knot, matrix: Matrix) -> Knot:
    """The knot where the matrix puts it; handles turn and scale with it."""
    a, b, c, d, e, f = matrix

    def along(handle: Point) -> Point:
        return (a * handle[0] + b * handle[1], d * handle[0] + e * handle[1])

    x, y = along(knot.at)
    return Knot((x + c, y + f), along(knot.arriving), along(knot.leaving))


def pieces_for(knots: Sequence[Knot]) -> list[int]:
    """How many straight pieces each segment needs to stay within the tolerance of its curve.

    A cubic's chord of n pieces is off by no more than max|B''| / (8 n²).
    """
    found = []
    for start, end in _segments(knots):
        p0, p1, p2, p3 = _bezier(start, end)
        if p0 == p1 and p2 == p3:
            found.append(1)  # without handles it is the straight line
            continue
        bend = max(
            math.hypot(p0[0] - 2 * p1[0] + p2[0], p0[1] - 2 * p1[1] + p2[1]),
            math.hypot(p1[0] - 2 * p2[0] + p3[0], p1[1] - 2 * p2[1] + p3[1]),
        )
        found.append(max(1, min(_MOST_PIECES, math.ceil(math.sqrt(6 * bend / (8 * TOLERANCE))))))
    return found


def flatten(knots: Sequence[Knot], pieces: Sequence[int]) -> list[Point]:
    """The closed spline as a polygon: so many corners a segment, each knot one of them."""
    corners = []
    for (start, end), count in zip(_segments(knots), pieces):
        p0, p1, p2, p3 = _bezier(start, end)
        for step in range(count):
            t = step / count
            u = 1 - t
            w0, w1, w2, w3 = u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t
            corners.append(
                (
                    w0 * p0[0] + w1 * p1[0] + w2 * p2[0] + w3 * p3[0],
                    w0 * p0[1] + w1 * p1[1] + w2 * p2[1] + w3 * p3[1],
                )
            )
    return corners


def turned(points: Sequence[Point], height: int, x: int = 0, y: int = 0) -> list[Point]:
    """Points with y up to points with y down, or back.

    Args:
        points: pixels.
        height: of the display window.
        x: of its left edge in the host's coordinates.
        y: of its lower edge there.
    """
    return [(px - x, height - (py - y)) for px, py in points]


def _segments(knots: Sequence[Knot]) -> list[tuple[Knot, Knot]]:
    return [(knot, knots[(i + 1) % len(knots)]) for i, knot in enumerate(knots)]


def _bezier(start: Knot, end: Knot) -> tuple[Point, Point, Point, Point]:
    leaving = (start.at[0] + start.leaving[0], start.at[1] + start.leaving[1])
    arriving = (end.at[0] + end.arriving[0], end.at[1] + end.arriving[1])
    return start.at, leaving, arriving, end.at
