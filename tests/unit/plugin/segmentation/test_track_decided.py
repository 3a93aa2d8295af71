"""A carried mask is a decision: flow and the network agree, or it is unsure."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.segmentation.track.chain import Link
from plugin.segmentation.track.corrected import decided
from plugin.types import FloatArray

WIDTH, HEIGHT = 120, 90


def disc(x: float = 60, radius: float = 30) -> FloatArray:
    down, right = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray(np.clip(radius + 0.5 - np.hypot(right - x, down - 45), 0, 1), np.float32)


def link(coverage: FloatArray) -> Link:
    return Link(1001, coverage, np.zeros(coverage.shape, np.bool_), 0.9)


def test_mist_that_flow_knows_nothing_of_is_cleared() -> None:
    """All around the subject a tenth, and a third of it see-through, as a network errs."""
    carried = disc()
    misty = np.maximum(carried, np.float32(0.12))
    misty[40:50, 50:60] = 0.7
    found = decided(link(misty), carried)
    assert found.coverage[:, :20].max() == 0
    assert found.coverage[40:50, 50:60].min() == 1
    assert not found.unsure.any()


def test_what_the_two_see_differently_is_unsure() -> None:
    carried, made = disc(), np.maximum(disc(), disc(100, 10))
    found = decided(link(made), carried)
    assert found.unsure[45, 100]
    assert not found.unsure[45, 60]
    assert not found.unsure[:, :25].any()
    np.testing.assert_array_equal(found.coverage[35:55, 92:108], made[35:55, 92:108])


NEAR = np.abs(np.hypot(*np.mgrid[-45:45, -60:60]) - 30) < 3
"""The pixels at the disc's edge."""


@pytest.mark.parametrize("blur", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("moved", [0.0, 1.0, -1.5])
def test_where_both_have_one_edge_it_is_sharp(blur: float, moved: float) -> None:
    """Mist along it is the network's doubt, and not what the plate's edge is like."""
    soft = np.asarray(cv2.GaussianBlur(disc(), (0, 0), blur), np.float32)
    found = decided(link(soft), disc(radius=30 + moved))
    assert np.count_nonzero((found.coverage > 0.05) & (found.coverage < 0.95)) < 500  # 2 around
    assert np.abs(found.coverage - disc()).max() < 0.8
    assert not found.unsure.any()


def test_an_edge_that_flow_has_elsewhere_stays_as_soft_as_it_was_seen() -> None:
    soft = np.asarray(cv2.GaussianBlur(disc(), (0, 0), 2), np.float32)
    found = decided(link(soft), disc(radius=36))
    np.testing.assert_array_equal(found.coverage[NEAR], soft[NEAR])


@pytest.mark.parametrize(("wide", "counts"), [(2, False), (3, False), (8, True), (20, True)])
def test_what_flow_doubts_counts_where_it_is_an_area(wide: int, counts: bool) -> None:
    carried = link(disc())
    carried.unsure[20:70, 80 : 80 + wide] = True
    found = decided(carried, disc())
    assert found.unsure[45, 81] == counts
    assert not found.unsure[:, :75].any()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**16), st.sampled_from([0.0, 2.0, 6.0]))
def test_no_pixel_changes_its_side(seed: int, blur: float) -> None:
    """What is more than half covered stays so: the subject's outline is the network's."""
    rng = np.random.default_rng(seed)
    one, other = (rng.random((HEIGHT, WIDTH), np.float32) for _ in range(2))
    if blur:
        one, other = (
            np.asarray(np.clip((cv2.GaussianBlur(p, (0, 0), blur) - 0.5) * 8 + 0.5, 0, 1))
            for p in (one, other)
        )
    found = decided(link(one), other)
    np.testing.assert_array_equal(found.coverage > 0.5, one > 0.5)
    changed = found.coverage != one
    assert not found.unsure[changed].any()
    off_edge = cv2.blur((one > 0.5).astype(np.float32), (7, 7)) % 1 == 0
    assert np.isin(found.coverage[changed & off_edge], (0, 1)).all()
