"""The two strand rasterisers against areas that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model.training.mattes.base import Array
from model.training.mattes.blur import disk, path_kernel
from model.training.mattes.ribbons import paint, ribbons
from model.training.mattes.strands import Strands, across, rasterise, taper, walk

pytestmark = pytest.mark.slow

SIZE = 96


def line(angle: float, length: float = 60.0) -> Array:
    """A straight strand of 5 vertices about the middle of the frame, 1 × 5 × 2."""
    t = np.linspace(-0.5, 0.5, 5)[:, None] * length
    return (47.5 + t * [math.cos(angle), math.sin(angle)]).astype(np.float32)[None]


def strands(points: Array, width: float, *, opacity: float = 1.0, value: float = 1.0) -> Strands:
    n, p = points.shape[:2]
    return Strands(
        points=points,
        widths=np.full((n, p), width, np.float32),
        opacity=np.full(n, opacity, np.float32),
        values=np.full((n, 1), value, np.float32),
    )


@settings(max_examples=40)
@given(angle=st.floats(0, 2 * math.pi), width=st.floats(0.1, 3.0))
def test_covered_area_is_length_times_width(angle: float, width: float) -> None:
    covered = rasterise(strands(line(angle), width), SIZE, SIZE).coverage
    assert covered.sum() == pytest.approx(60 * width, rel=0.04)
    assert covered.max() <= min(1.0, width * math.sqrt(2)) + 1e-3


def test_opacity_scales_a_lone_strand() -> None:
    full = rasterise(strands(line(0.3), 0.6), SIZE, SIZE).coverage
    half = rasterise(strands(line(0.3), 0.6, opacity=0.5), SIZE, SIZE).coverage
    np.testing.assert_allclose(half, 0.5 * full, atol=1e-5)


def test_strands_lie_over_each_other() -> None:
    one = rasterise(strands(line(0.3), 0.6), SIZE, SIZE).coverage
    two = rasterise(strands(np.repeat(line(0.3), 2, axis=0), 0.6), SIZE, SIZE).coverage
    np.testing.assert_allclose(two, 1 - (1 - one) ** 2, atol=1e-5)


def test_values_are_those_of_the_strands_that_show() -> None:
    image = rasterise(strands(line(1.0), 1.0, value=0.7), SIZE, SIZE)
    np.testing.assert_allclose(image.values[image.coverage > 0.01], 0.7, atol=1e-3)
    assert (image.values[image.coverage == 0] == 0).all()


def test_front_strand_decides_where_two_cross() -> None:
    points = np.repeat(line(0.5), 2, axis=0)
    pair = strands(points, 2.0)
    pair.values[0], pair.values[1] = 0.0, 1.0
    image = rasterise(pair, SIZE, SIZE)
    assert image.values[image.coverage > 0.5].min() > 0.9


def test_frame_cuts_strands() -> None:
    outside = line(0.0, 400.0)
    covered = rasterise(strands(outside, 1.0), SIZE, SIZE).coverage
    assert covered.sum() == pytest.approx(SIZE, rel=0.02)
    away = outside + np.float32(1000)
    assert rasterise(strands(away, 1.0), SIZE, SIZE).coverage.max() == 0


def test_no_strands() -> None:
    none = strands(np.zeros((0, 5, 2), np.float32), 1.0)
    assert rasterise(none, SIZE, SIZE).coverage.max() == 0
    assert ribbons(none.points, none.widths, SIZE).max() == 0


@settings(max_examples=20)
@given(angle=st.floats(0, 2 * math.pi), width=st.floats(2.5, 14.0))
@example(angle=0.0, width=3.21875)  # both edges just below a step
def test_ribbon_area_is_length_times_width(angle: float, width: float) -> None:
    covered = ribbons(line(angle), np.full((1, 5), width), SIZE)
    # Edges fall on the raster's own steps, a quarter of a pixel, half a step off each at the most.
    assert covered.sum() == pytest.approx(60 * width, rel=0.06, abs=60 * 0.25)
    assert covered.max() == pytest.approx(1.0)


def test_painted_colour_is_straight() -> None:
    colours = np.broadcast_to(np.array([0.2, 0.6, 0.8]), (1, 5, 3))
    drawn = paint(line(0.7), np.full((1, 5), 7.0), SIZE, colours)
    assert drawn.colour is not None
    shown = drawn.colour[drawn.coverage > 0.25]
    np.testing.assert_allclose(shown, np.broadcast_to([0.2, 0.6, 0.8], shown.shape), atol=0.02)


def test_walk_has_its_length() -> None:
    rng = np.random.default_rng(1)
    length = np.array([30.0, 90.0])
    curves = walk(rng, np.zeros((2, 2)), np.zeros(2), length, steps=20, wander=1.0)
    steps = np.linalg.norm(np.diff(curves, axis=1), axis=-1)
    np.testing.assert_allclose(steps.sum(axis=1), length, rtol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(across(curves), axis=-1), 1.0, atol=1e-3)


def test_taper_falls_from_root_to_tip() -> None:
    profile = taper(12, root=1.0, tip=0.2, start=0.5)
    assert profile[0] == 1.0
    assert profile[-1] == pytest.approx(0.2)
    assert (np.diff(profile) <= 0).all()


@pytest.mark.parametrize("radius", [0.5, 1.7, 8.0])
def test_disc_kernel(radius: float) -> None:
    kernel = disk(radius)
    assert kernel.sum() == pytest.approx(1.0, abs=1e-5)
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1])


@pytest.mark.parametrize(("dx", "dy", "bow"), [(9.0, 0.0, 0.0), (-3.0, 14.0, 2.0), (0.0, 0.0, 0.0)])
def test_motion_kernel(dx: float, dy: float, bow: float) -> None:
    kernel = path_kernel(dx, dy, bow)
    assert kernel.sum() == pytest.approx(1.0, abs=1e-4)
    columns = np.flatnonzero(kernel.sum(axis=0) > 1e-6)
    rows = np.flatnonzero(kernel.sum(axis=1) > 1e-6)
    assert abs((columns.max() - columns.min()) - abs(dx)) <= 2 + abs(bow)
    assert abs((rows.max() - rows.min()) - abs(dy)) <= 2 + abs(bow)
