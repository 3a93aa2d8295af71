"""Rectangles that hold what is unknown, and little else."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.rectangles.regions import CELL, Rectangle, apart, cover

Where = npt.NDArray[np.bool_]


def scattered(rows: int, columns: int, seed: int, share: float) -> Where:
    rng = np.random.default_rng(seed)
    cells = rng.random((rows, columns)) < share
    where = np.kron(cells, np.ones((CELL, CELL), np.bool_)) & (
        rng.random((rows * CELL, columns * CELL)) < 0.1
    )
    return np.asarray(where, np.bool_)


shapes = st.tuples(
    st.integers(1, 9), st.integers(1, 9), st.integers(0, 999), st.sampled_from((0.02, 0.2, 0.9))
)


@settings(max_examples=60)
@given(
    shapes, st.sampled_from((0, 24, 64)), st.sampled_from((32, 96, 512)), st.sampled_from((16, 32))
)
def test_all_is_covered_by_rectangles_of_whole_cells_within_the_frame(
    shape: tuple[int, int, int, float], margin: int, largest: int, cell: int
) -> None:
    where = scattered(*shape)
    left = where.copy()
    for box in cover(where, margin=margin, largest=largest, cell=cell):
        left[box.slices] = False
        assert where[box.slices].any()
        assert 0 <= box.top < box.bottom <= where.shape[0]
        assert 0 <= box.left < box.right <= where.shape[1]
        assert max(box.bottom - box.top, box.right - box.left) <= largest
        assert not any(side % cell for side in (box.top, box.left, box.bottom, box.right))
    assert not left.any()


@settings(max_examples=60)
@given(shapes, st.sampled_from((0, 32, 96)))
def test_boxes_apart_hold_all_and_touch_nothing_of_each_other(
    shape: tuple[int, int, int, float], margin: int
) -> None:
    where = scattered(*shape)
    boxes = apart(where, margin=margin)
    times = np.zeros(where.shape, np.int32)
    for box in boxes:
        times[box.slices] += 1
    assert times.max(initial=0) <= 1
    assert (times[where] == 1).all()


def test_nothing_unknown_costs_nothing() -> None:
    nothing = np.zeros((320, 480), np.bool_)
    assert cover(nothing, margin=64, largest=512) == []
    assert apart(nothing, margin=64) == []


@pytest.mark.parametrize("scale", [1, 2])
def test_a_ring_of_hair_costs_what_it_covers(scale: int) -> None:
    # A tenth of an HD frame, in the same place of a larger one: the cost may not follow the frame.
    ring = np.zeros((1088 * scale, 1920 * scale), np.uint8)
    cv2.circle(ring, (900, 500), 300, 1, 110)
    boxes = cover(ring > 0, margin=64, largest=512)
    pixels = sum(box.grown(64, *ring.shape).pixels for box in boxes)
    assert pixels < 0.55 * 1088 * 1920


def test_grown_stays_within_the_frame() -> None:
    assert Rectangle(0, 32, 64, 96).grown(64, 96, 128) == Rectangle(0, 0, 96, 128)


def test_on_grid_grows_outwards_and_within_cuts() -> None:
    box = Rectangle(16, 48, 80, 100)
    assert box.on_grid(32, 96, 96) == Rectangle(0, 32, 96, 96)
    assert box.within(Rectangle(0, 64, 64, 200)) == Rectangle(16, 64, 64, 100)


def test_what_a_rectangle_costs_beside_its_pixels_makes_fewer_of_them() -> None:
    where = scattered(9, 9, 3, 0.2)
    few = cover(where, margin=16, largest=512, cell=16, fixed=100_000)
    many = cover(where, margin=16, largest=512, cell=16)
    assert len(few) < len(many)
