"""Clean-up of a matte: what goes, what stays, by how much an edge moves."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from plugin.finish.clean_up import choke, despeckle, soften
from plugin.types import FloatArray

ALPHAS = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    elements=st.floats(0, 1, width=32),
)


def disc(radius: float, size: int = 81) -> FloatArray:
    """With a soft edge of one pixel."""
    place = np.arange(size) - size // 2
    return np.clip(radius - np.hypot(place[:, None], place) + 0.5, 0, 1).astype(np.float32)


def radius_of(alpha: FloatArray) -> float:
    return float(np.sqrt(alpha.sum(dtype=np.float64) / np.pi))


def test_islands_and_pinholes_below_the_area_go() -> None:
    alpha = disc(20)
    alpha[2:5, 2:5] = 0.6  # 9 pixels
    alpha[1, 1] = 0.01  # its haze
    alpha[70:76, 70:76] = 1  # 36 pixels
    alpha[40:42, 40:42] = 0.2  # a hole of 4
    alpha[30:36, 30:36] = 0.5  # a hole of 36
    clean = despeckle(alpha, 10)
    assert not clean[:8, :8].any()
    assert (clean[40:42, 40:42] == 1).all()
    kept = np.ones_like(alpha, bool)
    kept[:8, :8] = kept[40:42, 40:42] = False
    np.testing.assert_array_equal(clean[kept], alpha[kept])
    assert not despeckle(alpha, 37)[70:76, 70:76].any()


def test_despeckle_leaves_hair_that_hangs_on_the_subject() -> None:
    alpha = disc(15)
    alpha[40, 55:80] = 0.3
    np.testing.assert_array_equal(despeckle(alpha, 200), alpha)


@pytest.mark.parametrize("pixels", [0.25, 0.5, 1, 1.5, 2, 3.75, 6, 10, -0.5, -1, -2.5, -7])
def test_choke_moves_an_edge_by_what_was_asked(pixels: float) -> None:
    edge = np.clip(np.arange(60, dtype=np.float32) - 29.5, 0, 1)
    alpha = np.repeat(edge[None], 40, axis=0)
    moved = choke(alpha, pixels)
    assert np.allclose(alpha.sum(axis=1) - moved.sum(axis=1), pixels, atol=1e-4)
    assert radius_of(disc(25)) - radius_of(choke(disc(25), pixels)) == pytest.approx(
        pixels, abs=0.12 * abs(pixels) + 0.1
    )


def test_the_frames_border_is_no_edge() -> None:
    whole = np.ones((20, 30), np.float32)
    for result in (choke(whole, 5), soften(whole, 5), choke(whole, -5)):
        np.testing.assert_allclose(result, whole, atol=1e-6)


@pytest.mark.parametrize("pixels", [0.5, 1, 3, 8])
def test_soften_blurs_by_about_what_was_asked_and_moves_nothing(pixels: float) -> None:
    edge = np.repeat((np.arange(80) >= 40).astype(np.float32)[None], 20, axis=0)
    soft = soften(edge, pixels)
    assert soft.sum() == pytest.approx(edge.sum(), rel=1e-3)
    middle = soft[10]
    assert middle[39] + middle[40] == pytest.approx(1, abs=1e-3)
    assert middle[40 - int(np.ceil(1.6 * pixels)) - 1] < 0.01
    assert middle[40] < 1


@pytest.mark.parametrize(
    "function", [lambda a: despeckle(a, 0), lambda a: choke(a, 0), lambda a: soften(a, 0)]
)
def test_off_is_off(function: Callable[[FloatArray], FloatArray]) -> None:
    alpha = np.random.default_rng(1).random((30, 40), np.float32)
    np.testing.assert_array_equal(function(alpha), alpha)


@given(alpha=ALPHAS, amount=st.floats(0, 12))
@settings(max_examples=60)
def test_a_matte_stays_a_matte(alpha: FloatArray, amount: float) -> None:
    before = alpha.copy()
    results = [despeckle(alpha, amount), choke(alpha, amount), choke(alpha, -amount)]
    for result in [*results, soften(alpha, amount)]:
        assert result.dtype == np.float32
        assert result.shape == alpha.shape
        assert result.min() >= 0
        assert result.max() <= 1
    np.testing.assert_array_equal(alpha, before)
    assert (results[1] <= alpha).all()
    assert (results[2] >= alpha).all()


def test_more_choke_is_never_less() -> None:
    alpha = cv2.GaussianBlur(np.random.default_rng(2).random((40, 40), np.float32), (0, 0), 2)
    steps = [choke(np.asarray(alpha, np.float32), amount / 4) for amount in range(17)]
    assert all((b <= a + 1e-6).all() for a, b in pairwise(steps))
