"""Polygons and strokes as pixels, against exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.trimap.override.raster import (
    GRID,
    between,
    on_grid,
    overlap,
    polygon_pixels,
    stroke_pixels,
)
from plugin.types import Window

WINDOW = Window.of_size(16, 12)
Corners = list[tuple[float, float]]

coordinates = st.one_of(
    st.integers(-8, 24).map(float),
    st.integers(-16, 48).map(lambda halves: halves / 2),
    st.floats(-30, 40, allow_nan=False).map(lambda value: round(value * GRID) / GRID),
)
corners = st.lists(st.tuples(coordinates, coordinates), min_size=3, max_size=7)


def filled(points: Corners, window: Window = WINDOW) -> npt.NDArray[np.bool_]:
    return polygon_pixels(on_grid(points), window)


def winding(points: Corners, x: Fraction, y: Fraction) -> int:
    """How often the polygon goes around a point, edges half-open, by the definition."""
    turns = 0
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        ax, ay, bx, by = (Fraction(v) for v in (x0, y0, x1, y1))
        if min(ay, by) <= y < max(ay, by) and x >= ax + (y - ay) * (bx - ax) / (by - ay):
            turns += 1 if by > ay else -1
    return turns


@settings(max_examples=150)
@given(points=corners)
def test_a_polygon_covers_the_centres_that_it_winds_about(points: Corners) -> None:
    made = filled(points)
    half = Fraction(1, 2)
    expected = [[winding(points, c + half, r + half) != 0 for c in range(16)] for r in range(12)]
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize(
    ("points", "box"),
    [
        pytest.param([(2, 3), (6, 3), (6, 5), (2, 5)], (2, 6, 3, 5), id="on pixel borders"),
        pytest.param([(2.5, 3.5), (6.5, 3.5), (6.5, 5.5), (2.5, 5.5)], (2, 6, 3, 5), id="centres"),
        pytest.param([(2.6, 3.6), (6.6, 3.6), (6.6, 5.6), (2.6, 5.6)], (3, 7, 4, 6), id="beyond"),
        pytest.param([(-9, -9), (99, -9), (99, 99), (-9, 99)], (0, 16, 0, 12), id="all"),
        pytest.param([(2, 3), (2, 5), (6, 5), (6, 3)], (2, 6, 3, 5), id="the other way round"),
    ],
)
def test_edges_are_half_open(points: Corners, box: tuple[int, int, int, int]) -> None:
    expected = np.zeros((12, 16), np.bool_)
    left, right, top, bottom = box
    expected[top:bottom, left:right] = True
    np.testing.assert_array_equal(filled(points), expected)


@settings(max_examples=80)
@given(points=corners, inside=st.tuples(coordinates, coordinates))
def test_triangles_of_a_fan_share_no_pixel_and_leave_none_out(
    points: Corners, inside: tuple[float, float]
) -> None:
    """Polygons with a common edge cut the window exactly once, whichever way the edge runs."""
    a, b, c = points[:3]
    whole = [(-40.0, -40.0), (60.0, -40.0), (60.0, 60.0), (-40.0, 60.0)]
    fan = [filled([inside, p, q]) for p, q in zip(whole, [*whole[1:], whole[0]], strict=True)]
    assert (np.sum(fan, axis=0) == 1).all()
    np.testing.assert_array_equal(filled([a, b, c]), filled([c, b, a]))


def test_a_shape_that_folds_over_itself_stays_filled() -> None:
    star = [(8, 0), (12, 12), (0, 4), (16, 4), (4, 12)]
    assert filled([(float(x), float(y)) for x, y in star])[6, 8]


def test_windows_only_crop() -> None:
    points = [(1.2, -3.0), (14.7, 5.1), (3.3, 11.9)]
    part = Window(4, 2, 10, 8)
    np.testing.assert_array_equal(filled(points, part), filled(points)[2:9, 4:11])


def near(points: Corners, radius: float, x: Fraction, y: Fraction) -> bool:
    """Whether a point lies within the radius of the line, by the definition."""
    squared = Fraction(round(radius * GRID), GRID) ** 2
    ends = points[1:] if len(points) > 1 else points
    for (x0, y0), (x1, y1) in zip(points, ends, strict=False):
        ax, ay = Fraction(x0), Fraction(y0)
        dx, dy = Fraction(x1) - ax, Fraction(y1) - ay
        length = dx * dx + dy * dy
        t = ((x - ax) * dx + (y - ay) * dy) / length if length else Fraction(0)
        t = min(max(t, Fraction(0)), Fraction(1))
        if (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2 <= squared:
            return True
    return False


@settings(max_examples=100)
@given(
    points=st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=4),
    radius=st.sampled_from([0.25, 0.5, 1.0, 2.5, 4.0, 7.3]),
)
def test_a_stroke_covers_the_centres_within_its_radius(points: Corners, radius: float) -> None:
    made = stroke_pixels(on_grid(points), round(radius * GRID), WINDOW)
    half = Fraction(1, 2)
    expected = [[near(points, radius, c + half, r + half) for c in range(16)] for r in range(12)]
    np.testing.assert_array_equal(made, expected)


@settings(max_examples=80)
@given(points=corners, radius=st.sampled_from([0, 1024, 5000]))
def test_nothing_lies_outside_the_overlap(points: Corners, radius: int) -> None:
    box = overlap(on_grid(points), radius, WINDOW)
    made = stroke_pixels(on_grid(points), radius, WINDOW) if radius else filled(points)
    if box is not None:
        made[box.y_min : box.y_max + 1, box.x_min : box.x_max + 1] = False
    assert not made.any()


def test_interpolation_is_exact_at_the_keys_and_linear_between() -> None:
    before, after = on_grid([(0, 0), (8, 2)]), on_grid([(10, 5), (18, 7)])
    np.testing.assert_array_equal(between(before, after, 0, 10), before)
    np.testing.assert_array_equal(between(before, after, 10, 10), after)
    np.testing.assert_array_equal(between(before, after, 5, 10), on_grid([(5, 2.5), (13, 4.5)]))


def test_the_largest_coordinates_do_not_overflow() -> None:
    huge = [(-100_000.0, -100_000.0), (100_000.0, -100_000.0), (0.0, 100_000.0)]
    assert filled(huge).all()
    line = on_grid([(-100_000, -99_994), (100_000, 100_006)])
    made = stroke_pixels(line, 10_000 * GRID, WINDOW)
    assert made.all()
    thin = stroke_pixels(line, GRID // 2, WINDOW)
    rows, columns = np.nonzero(thin)
    assert (rows - columns == 6).all()
    assert len(rows) == 6
