"""Foreground colours against the truth of synthetic composites, in display and in linear light."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from plugin.colour.display import srgb_encode
from plugin.finish.despill import Screen, despill
from plugin.finish.foreground import estimate_foreground, premultiply
from plugin.synthetic import ShotKind, SyntheticFrame, SyntheticShot, render
from plugin.types import FloatArray

NEW = {"grey": (0.5, 0.5, 0.5), "white": (1.0, 1.0, 1.0), "red": (0.8, 0.05, 0.05)}


@lru_cache
def rendered(kind: ShotKind, seed: int = 1) -> SyntheticFrame:
    return render(SyntheticShot(kind=kind, seed=seed, width=320, height=180, frames=12), 11)


def mixed(alpha: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return (alpha > 0) & (alpha < 1)


def comp_error(
    colours: FloatArray, alpha: FloatArray, frame: SyntheticFrame, over: tuple[float, ...]
) -> float:
    """Mean error of the comp over a new background where subject and background mix, in 1/255."""
    new = np.array(over, np.float32)
    made = premultiply(colours, alpha) + (1 - alpha[..., None]) * new
    true = frame.foreground + (1 - frame.alpha[..., None]) * new
    return float(np.abs(made - true)[mixed(frame.alpha)].mean() * 255)


@pytest.mark.parametrize("over", NEW)
@pytest.mark.parametrize("kind", [ShotKind.DEMO, ShotKind.GREEN, ShotKind.WIND, ShotKind.BLUR])
def test_the_fringe_is_gone(kind: ShotKind, over: str) -> None:
    frame = rendered(kind)
    with_it = comp_error(
        estimate_foreground(frame.plate_rgb, frame.alpha), frame.alpha, frame, NEW[over]
    )
    without = comp_error(frame.plate_rgb, frame.alpha, frame, NEW[over])
    assert with_it < 0.65 * without
    assert with_it < 4.5


def test_it_helps_with_an_alpha_that_is_not_the_truth_too() -> None:
    frame = rendered(ShotKind.DEMO)
    noise = np.random.default_rng(1).normal(0, 0.05, frame.alpha.shape).astype(np.float32)
    alpha = np.where(mixed(frame.alpha), np.clip(frame.alpha + noise, 0, 1), frame.alpha)
    with_it = comp_error(estimate_foreground(frame.plate_rgb, alpha), alpha, frame, NEW["grey"])
    assert with_it < 0.75 * comp_error(frame.plate_rgb, alpha, frame, NEW["grey"])


def test_a_window_of_forty_times_white_does_not_bleed_into_the_hair() -> None:
    frame = rendered(ShotKind.DEMO)
    alpha = frame.alpha[..., None]
    shape = frame.alpha.shape
    colour = np.square(np.clip(frame.foreground / np.maximum(alpha, 1e-3), 0, 1))
    blocks = np.add(*np.ogrid[: shape[0], : shape[1]]) // 30 % 3 == 0
    behind = np.square(frame.background) * np.where(blocks, 40, 1).astype(np.float32)[..., None]
    plate = alpha * colour + (1 - alpha) * behind
    wanted = srgb_encode(alpha * colour + (1 - alpha) * np.float32(0.18))

    def error(colours: FloatArray) -> float:
        made = premultiply(colours, frame.alpha) + (1 - alpha) * np.float32(0.18)
        return float(np.abs(srgb_encode(made) - wanted)[mixed(frame.alpha)].mean() * 255)

    found = estimate_foreground(plate.astype(np.float32), frame.alpha)
    assert found.min() >= 0
    assert error(found) < 0.25 * error(plate)


def test_solid_pixels_are_the_plate_to_the_bit_whatever_their_range() -> None:
    frame = rendered(ShotKind.DEMO)
    plate = frame.plate_rgb * np.float32(5) - np.float32(0.01)
    plate[frame.alpha == 1] += np.float32(60_000)
    found = estimate_foreground(plate, frame.alpha)
    solid = frame.alpha == 1
    np.testing.assert_array_equal(found[solid], plate[solid])
    multiplied = premultiply(found, frame.alpha)
    np.testing.assert_array_equal(multiplied[solid], plate[solid])
    empty = multiplied[frame.alpha == 0]
    assert empty.size
    assert not empty.view(np.uint32).any()  # plain zeros, no -0


def test_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = rendered(ShotKind.DEMO)
    found = estimate_foreground(frame.plate_rgb, frame.alpha)
    for size in (7, 40, 1 << 30):
        monkeypatch.setattr("plugin.finish.foreground._TILE", size)
        np.testing.assert_array_equal(
            estimate_foreground(frame.plate_rgb, frame.alpha), found, strict=True
        )


@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    data=st.data(),
)
@settings(max_examples=25)
def test_any_plate_and_alpha_give_finite_colours(
    shape: tuple[int, int], data: st.DataObject
) -> None:
    values = st.floats(-65504, 65504, width=32)
    rgb = data.draw(arrays.arrays(np.float32, (*shape, 3), elements=values))
    alpha = data.draw(arrays.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    found = estimate_foreground(rgb, alpha)
    assert found.shape == rgb.shape
    assert found.dtype == np.float32
    assert np.isfinite(premultiply(found, alpha)).all()
    coloured = despill(found, alpha, "green")
    assert coloured.dtype == np.float32
    assert np.isfinite(coloured).all()


@given(
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    ends=st.sampled_from([(0.0, 1.0), (-0.25, 60.0), (0.0, 65504.0)]),
    data=st.data(),
)
@settings(max_examples=60)
def test_colours_stay_within_the_plates_range_and_premultiplied_below_alpha(
    shape: tuple[int, int], ends: tuple[float, float], data: st.DataObject
) -> None:
    plates = arrays.arrays(np.float32, (*shape, 3), elements=st.floats(*ends, width=32))
    rgb = data.draw(plates)
    alpha = data.draw(arrays.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    found = estimate_foreground(rgb, alpha)
    assert (found <= rgb.max(axis=(0, 1))).all()
    assert (found >= np.minimum(rgb.min(axis=(0, 1)), 0)).all()
    screens: tuple[Screen, ...] = ("green", "blue")
    for colours in (found, *(despill(found, alpha, screen) for screen in screens)):
        assert colours.max() <= rgb.max()
        if ends == (0.0, 1.0):
            multiplied = premultiply(colours, alpha)
            assert (multiplied <= alpha[..., None]).all()
            assert (multiplied.astype(np.float16) <= alpha[..., None].astype(np.float16)).all()


@pytest.mark.parametrize("thinned", [1, 3])
@pytest.mark.parametrize(
    ("subject", "wall"), [(0.8, 0.02), (0.3, 0.02), (0.04, 0.9), (0.5, 20.0), (20.0, 0.5)]
)
def test_colours_stay_near_the_subjects_own_however_thin_its_alpha(
    subject: float, wall: float, thinned: int
) -> None:
    x = np.linspace(-1, 1, 96, dtype=np.float32)
    true = np.clip(8 * (0.6 - np.hypot(x[:, None], x)), 0, 1)[..., None]
    colour = np.array([1.0, 0.8, 0.6], np.float32) * np.float32(subject)
    lamp = np.zeros_like(true)
    lamp[:6, :6] = 1  # the subject's too, but far away: no colour of its edge
    behind = np.array([0.9, 1.0, 1.0], np.float32) * np.float32(wall)
    plate = np.where(lamp > 0, np.float32(100), true * colour + (1 - true) * behind)
    alpha = np.maximum(true**thinned, lamp)[..., 0]
    found = estimate_foreground(plate, alpha)[(alpha > 0) & (lamp[..., 0] == 0)] / colour
    assert found.min() > 0.8
    assert found.max() < 2


@pytest.mark.parametrize(("screen", "channel"), [("green", 1), ("blue", 2)])
def test_despill_takes_the_screen_off_and_leaves_the_rest(screen: Screen, channel: int) -> None:
    skin = np.array([0.8, 0.55, 0.45], np.float32)
    colours = np.broadcast_to(skin, (60, 80, 3)).copy()
    alpha = np.zeros((60, 80), np.float32)
    alpha[10:50, 10:70] = 1
    colours[:, 10:14, channel] += 0.5  # light of the screen on the subject's edge
    result = despill(colours, alpha, screen, height=270)
    others = [c for c in range(3) if c != channel]
    edge, inside = result[20, 11], result[30, 40]
    assert edge[channel] <= edge[others].mean() * 1.05
    assert edge.mean() > 0.8 * skin.mean()
    np.testing.assert_array_equal(inside, skin)


def test_despill_leaves_what_is_green_by_itself() -> None:
    coat = np.array([0.6, 0.7, 0.1], np.float32)  # the mean of red and blue is far below
    colours = np.broadcast_to(coat, (90, 90, 3)).copy()
    alpha = np.zeros((90, 90), np.float32)
    alpha[10:80, 10:80] = 1
    result = despill(colours, alpha, "green", height=270)
    assert np.abs(result - colours)[alpha == 1].max() < 0.01


@pytest.mark.parametrize("screen", ["green", "blue"])
def test_despill_keeps_light_above_one_and_grey(screen: Screen) -> None:
    rgb = np.random.default_rng(3).random((20, 20, 1), np.float32) * 8
    grey = np.repeat(rgb, 3, axis=2)
    np.testing.assert_array_equal(despill(grey, np.ones((20, 20), np.float32), screen), grey)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_not_looked_at_changes_nothing_of_what_is(seed: int) -> None:
    # Islands of mixed pixels in a picture of several tiles, some of them looked at.
    rng = np.random.default_rng(seed)
    height, width = 330, 517
    rgb = np.exp(rng.normal(0, 1, (height, width, 3))).astype(np.float32)
    alpha = (rng.random((height // 30 + 1, width // 30 + 1)) > 0.5).astype(np.float32)
    alpha = np.kron(alpha, np.ones((30, 30), np.float32))[:height, :width]
    for _ in range(5):
        y, x = rng.integers(0, height - 20), rng.integers(0, width - 20)
        alpha[y : y + 20, x : x + 20] = rng.random((20, 20), dtype=np.float32)
    wanted = np.zeros(alpha.shape, np.bool_)
    y, x = rng.integers(0, height - 60), rng.integers(0, width - 60)
    wanted[y : y + 60, x : x + 60] = rng.random((60, 60)) > 0.3
    whole = estimate_foreground(rgb, alpha)
    part = estimate_foreground(rgb, alpha, wanted)
    assert np.array_equal(whole[wanted], part[wanted])
