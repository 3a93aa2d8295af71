"""Regions of a picture: boxes around them, and depths within."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.image.regions import Flags, box_of, depth

HEIGHT, WIDTH = 40, 60


def test_a_box_is_around_all_regions() -> None:
    one, other = np.zeros((2, HEIGHT, WIDTH), np.bool_)
    one[10, 20] = other[30, 50] = True
    assert box_of([one, other], 3) == (slice(7, 34), slice(17, 54))
    assert box_of([one & other], 3) is None


def plainly(region: Flags) -> np.ndarray:
    """The depth by every pixel outside, one by one."""
    outside = np.argwhere(~region).astype(np.float64)
    inside = np.argwhere(region).astype(np.float64)
    found = np.zeros(region.shape, np.float64)
    for y, x in inside:
        off = outside - (y, x)
        found[int(y), int(x)] = np.sqrt((off * off).sum(axis=1).min()) if len(off) else math.inf
    return found


@given(
    boxes=st.lists(
        st.tuples(st.integers(0, 15), st.integers(0, 15), st.integers(1, 15), st.integers(1, 15)),
        max_size=3,
    ),
    inverted=st.booleans(),
    reach=st.sampled_from([0.5, 1, 2.5, 4, math.inf]),
)
@settings(max_examples=80)
def test_depth_is_the_way_to_the_nearest_pixel_outside(
    boxes: list[tuple[int, int, int, int]], inverted: bool, reach: float
) -> None:
    region = np.zeros((17, 19), np.bool_)
    for top, left, height, width in boxes:
        region[top : top + height, left : left + width] = True
    region ^= inverted
    found, truth = depth(region, reach), plainly(region)
    near = truth <= reach
    assert np.array_equal(found[near], truth[near].astype(np.float32))
    assert (found[~near] > reach).all()


@pytest.mark.parametrize("value", [True, False])
def test_a_frame_of_one_kind_has_no_edge(value: bool) -> None:
    expected = np.inf if value else 0
    assert (depth(np.full((4, 5), value)) == expected).all()


@pytest.fixture
def threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


@pytest.mark.usefixtures("threads")
def test_a_large_frame_is_as_if_looked_at_as_a_whole_with_any_number_of_threads() -> None:
    """The library's own distances are not: the last bit depends on the threads."""
    disc = np.zeros((300, 500), np.uint8)
    cv2.circle(disc, (470, 40), 60, (1,), -1)
    for region in (disc > 0, disc == 0):
        about = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        whole = np.sqrt(np.rint(np.square(about)))
        near = whole <= 12
        for count in (1, 2, 4):
            cv2.setNumThreads(count)
            assert np.array_equal(depth(region), whole)
            found = depth(region, 12)
            assert np.array_equal(found[near], whole[near])
            assert (found[~near] > 12).all()
