"""Halves and floats: numpy's values to the bit, whatever the value and the array's place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.image.halves import as_floats, as_halves

CODES = np.arange(1 << 16, dtype=np.uint16).view(np.float16).reshape(256, 256)


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Bit for bit; NaN is NaN."""
    bits = np.dtype(f"u{one.itemsize}")
    equal = one.view(bits) == other.view(bits)
    return one.dtype == other.dtype and bool((equal | (np.isnan(one) & np.isnan(other))).all())


def test_every_half_is_the_float_of_its_value() -> None:
    assert same(as_floats(CODES), CODES.astype(np.float32))


def test_every_half_comes_back() -> None:
    assert same(as_halves(as_floats(CODES)), CODES)


@pytest.mark.parametrize("off", [-1, 0, 1])
def test_what_lies_between_two_halves_goes_to_the_nearest_and_the_middle_to_the_even(
    off: int,
) -> None:
    low = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float64)
    high = np.arange(1, 0x7C01, dtype=np.uint16).view(np.float16).astype(np.float64)
    high[-1] = 65536
    middles = ((low + high) / 2).astype(np.float32)
    near = middles if not off else np.nextafter(middles, np.float32(off * np.inf))
    pair = np.stack([near, -near])
    with np.errstate(over="ignore"):
        assert same(as_halves(pair), pair.astype(np.float16))


@given(st.integers(0, 2**32 - 1))
def test_any_float_becomes_the_half_that_it_is_to_numpy(seed: int) -> None:
    bits = np.random.default_rng(seed).integers(0, 1 << 32, (33, 65), dtype=np.uint32)
    values = bits.view(np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        assert same(as_halves(values), values.astype(np.float16))


@pytest.mark.parametrize("shape", [(1, 1), (4, 1), (1, 4), (7, 5), (5, 7, 3), (6, 4, 4)])
def test_shapes_and_strides_do_not_matter(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(1).random(tuple(2 * side for side in shape[:2]) + shape[2:])
    halves = values.astype(np.float16)[::2, 1::2]
    assert same(as_floats(halves), halves.astype(np.float32))
    floats = values.astype(np.float32)[1::2, ::2]
    assert same(as_halves(floats), floats.astype(np.float16))


def test_what_is_of_the_kind_already_is_not_copied() -> None:
    floats = np.zeros((2, 3), np.float32)
    halves = np.zeros((2, 3), np.float16)
    assert as_floats(floats) is floats
    assert as_halves(halves) is halves
