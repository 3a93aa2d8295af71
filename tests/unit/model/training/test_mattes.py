"""Properties of every kind of procedural matte."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.training.mattes import KINDS, WEIGHTS, ProceduralMatte, render, render_any, render_bank
from model.training.mattes.base import signed_distance
from plugin.errors import ShotError

pytestmark = pytest.mark.slow

SIZE = 160
SEEDS = range(6)

# Partly transparent by nature, or seen through: a single one may have no solid pixel.
SHEER = frozenset({"smoke", "glass", "veil"})
COLOURED = frozenset({"hair", "fur", "wool", "feathers", "smoke", "glass", "veil"})
NOW_AND_THEN = frozenset({"fringe"})
"""Coloured with some seeds and not with others."""


@pytest.fixture(scope="module", params=KINDS)
def family(request: pytest.FixtureRequest) -> list[ProceduralMatte]:
    """Six mattes of one kind."""
    return [render(str(request.param), SIZE, seed) for seed in SEEDS]


def test_range_and_layout(family: list[ProceduralMatte]) -> None:
    for matte in family:
        assert matte.kind in KINDS
        assert matte.alpha.shape == (SIZE, SIZE)
        assert matte.alpha.dtype == np.float32
        assert np.isfinite(matte.alpha).all()
        assert matte.alpha.min() >= 0.0
        assert matte.alpha.max() <= 1.0


def test_colour_is_whole(family: list[ProceduralMatte]) -> None:
    coloured = [matte.colour is not None for matte in family]
    kind = family[0].kind
    assert any(coloured) == (kind in COLOURED | NOW_AND_THEN)
    assert all(coloured) == (kind in COLOURED)
    for matte in family:
        if matte.colour is not None:
            assert matte.colour.shape == (SIZE, SIZE, 3)
            assert matte.colour.dtype == np.float32
            assert np.isfinite(matte.colour).all()
            assert matte.colour.min() >= 0.0
            assert matte.colour.max() <= 1.0


@pytest.mark.parametrize("kind", sorted(COLOURED))
def test_colour_varies_slowly(kind: str) -> None:
    """Coherent along strands: neighbours differ little, there is no noise per pixel."""
    for seed in SEEDS:
        matte = render(kind, SIZE, seed)
        assert matte.colour is not None
        for axis in (0, 1):
            change = np.abs(np.diff(matte.colour, axis=axis))
            assert 0 < change.mean() < 0.06


def test_shares_of_solid_empty_and_mixed(family: list[ProceduralMatte]) -> None:
    solid = np.array([(m.alpha == 1).mean() for m in family])
    empty = np.array([(m.alpha == 0).mean() for m in family])
    mixed = 1.0 - solid - empty
    assert (mixed > 0.003).all()
    assert (mixed < 0.9).all()
    assert mixed.mean() < 0.6
    assert empty.mean() > 0.1
    assert solid.mean() > (0.01 if family[0].kind in SHEER else 0.04)


def test_mixed_pixels_are_graded(family: list[ProceduralMatte]) -> None:
    """Anti-aliased: every quarter of the range occurs, none holds nearly all."""
    alpha = np.concatenate([m.alpha.ravel() for m in family])
    mixed = alpha[(alpha > 0) & (alpha < 1)]
    shares = np.histogram(mixed, bins=4, range=(0, 1))[0] / mixed.size
    assert shares.min() > 0.01
    assert shares.max() < 0.9


def test_seeds_differ(family: list[ProceduralMatte]) -> None:
    for one, other in pairwise(family):
        assert np.abs(one.alpha - other.alpha).mean() > 0.005


@pytest.mark.parametrize("kind", KINDS)
def test_function_of_its_arguments(kind: str) -> None:
    first, again = render(kind, 128, 77), render(kind, 128, 77)
    np.testing.assert_array_equal(first.alpha, again.alpha)
    if first.colour is not None and again.colour is not None:
        np.testing.assert_array_equal(first.colour, again.colour)
    assert (first.colour is None) == (again.colour is None)


@settings(max_examples=12)
@given(size=st.integers(64, 200), seed=st.integers(0, 2**40))
def test_any_size_and_seed(size: int, seed: int) -> None:
    matte = render_any(size, seed)
    assert matte.alpha.shape == (size, size)
    assert np.isfinite(matte.alpha).all()


def test_every_kind_is_drawn() -> None:
    assert set(WEIGHTS) == set(KINDS)
    assert min(WEIGHTS.values()) > 0


def test_unknown_kind_and_small_size_are_refused() -> None:
    with pytest.raises(ShotError, match="no such kind"):
        render("letters", 128, 0)
    with pytest.raises(ShotError, match="too small"):
        render("fur", 32, 0)


def test_bank_does_not_depend_on_workers() -> None:
    alone = render_bank(6, 96, 40, workers=1)
    shared = render_bank(6, 96, 40, workers=2)
    np.testing.assert_array_equal(alone.alphas, shared.alphas)
    np.testing.assert_array_equal(alone.colours, shared.colours)
    np.testing.assert_array_equal(alone.has_colour, shared.has_colour)
    np.testing.assert_array_equal(alone.kinds, shared.kinds)


def test_bank_holds_the_mattes() -> None:
    bank = render_bank(4, 96, 7)
    assert bank.alphas.shape == (4, 96, 96)
    assert bank.colours.shape == (4, 96, 96, 3)
    for index in range(4):
        matte = render_any(96, 7 + index)
        assert KINDS[bank.kinds[index]] == matte.kind
        assert bank.has_colour[index] == (matte.colour is not None)
        np.testing.assert_allclose(bank.alphas[index] / 255, matte.alpha, atol=0.5 / 255 + 1e-6)
        assert bank.colours[index].any() == bank.has_colour[index]


def test_signed_distance_of_a_shape_cut_by_the_frame() -> None:
    half = np.zeros((64, 64), np.float32)
    half[32:] = 1.0
    distance = signed_distance(half)
    assert distance[63, 5] > 30
    assert distance[0, 5] < -30
    assert (signed_distance(np.ones((8, 8), np.float32)) > 0).all()
