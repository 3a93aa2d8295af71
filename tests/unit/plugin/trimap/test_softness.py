"""How soft a plate's edge is, and bands that follow it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from plugin.trimap.band import trimap_from_mask
from plugin.trimap.softness import Softness, softness_of
from plugin.trimap.stretches import stretches_of
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, Mask

WIDTH, HEIGHT = 640, 360
UNIT = HEIGHT / 1080


def busy(seed: int, low: float, high: float) -> FloatArray:
    grain = np.random.default_rng(seed).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(grain, (0, 0), 3)
    return np.asarray(low + (high - low) * (soft - soft.min()) / np.ptp(soft), np.float32)


def disc() -> npt.NDArray[np.uint8]:
    drawn = cv2.circle(np.zeros((HEIGHT, WIDTH), np.uint8), (320, 180), 110, (1,), -1)
    return np.asarray(drawn, np.uint8)


def plate(sigma: float, only_left: bool = False) -> tuple[FloatArray, FloatArray]:
    """A busy disc over a busy ground, its edge blurred by `sigma` of a 1080p frame; its alpha."""
    alpha = disc().astype(np.float32)
    if sigma:
        soft = np.asarray(cv2.GaussianBlur(alpha, (0, 0), sigma * UNIT), np.float32)
        alpha = np.where(np.arange(WIDTH) < 320, soft, alpha) if only_left else soft
    front, back = busy(1, 0.5, 1) * np.array([1, 0.7, 0.5], np.float32), busy(2, 0, 0.5)
    return np.asarray(alpha[..., None] * front + (1 - alpha[..., None]) * back, np.float32), alpha


def mask(coverage: npt.NDArray[np.generic]) -> Mask:
    return Mask(1, coverage.astype(np.float32))


def along_edge(softness: Softness) -> tuple[float, float]:
    edge = cv2.morphologyEx(disc(), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    return float(softness.inner[edge].mean()), float(softness.outer[edge].mean())


def test_a_sharp_edge_over_busy_grounds_is_not_soft() -> None:
    softness = softness_of(plate(0)[0], mask(disc()))
    assert softness is not None
    assert max(along_edge(softness)) < 3


@pytest.mark.parametrize("sigma", [12, 24])
def test_the_softness_is_where_alpha_passes_a_tenth(sigma: float) -> None:
    softness = softness_of(plate(sigma)[0], mask(disc()))
    assert softness is not None
    inner, outer = along_edge(softness)
    assert outer == pytest.approx(1.28 * sigma, rel=0.35, abs=4)
    assert inner == pytest.approx(1.28 * sigma, rel=0.5, abs=6)


def test_what_the_mask_itself_says_is_not_counted_again() -> None:
    rgb, alpha = plate(24)
    softness = softness_of(rgb, mask(alpha))
    assert softness is not None
    assert max(along_edge(softness)) < 6


def test_the_softness_is_local() -> None:
    softness = softness_of(plate(24, only_left=True)[0], mask(disc()))
    assert softness is not None
    assert softness.outer[180, 205] > 3 * softness.outer[180, 435] + 8


@pytest.mark.parametrize("value", [0, 1])
def test_without_an_edge_there_is_nothing_to_measure(value: int) -> None:
    assert softness_of(plate(0)[0], mask(np.full((HEIGHT, WIDTH), value))) is None


def test_the_measure_hardly_depends_on_the_plates_size() -> None:
    rgb, _ = plate(18)
    large = np.asarray(cv2.resize(rgb, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.float32)
    one = softness_of(rgb, mask(disc()))
    other = softness_of(np.clip(large, 0, 1), mask(np.kron(disc(), np.ones((2, 2), np.uint8))))
    assert one is not None
    assert other is not None
    halved = other.outer[::2, ::2]
    assert float(np.abs(halved - one.outer).mean()) < 2


def test_a_blurred_edge_stays_unknown_and_a_sharp_one_is_not_widened() -> None:
    rgb, alpha = plate(24)
    mixed = (alpha > 0.01) & (alpha < 0.99)
    drawn = mask(disc())
    kept, share = {}, {}
    for band, found in {
        "fixed": None,
        "auto": stretches_of(rgb, drawn),
        "wide": softness_of(rgb, drawn),
    }.items():
        labels = trimap_from_mask(drawn, erode=8, dilate=12, height=HEIGHT, found=found).labels
        kept[band] = float((labels[mixed] == UNKNOWN).mean())
        share[band] = float((labels == UNKNOWN).mean())
        assert {BACKGROUND, FOREGROUND} <= set(np.unique(labels).tolist())
    assert kept["wide"] == 1
    assert kept["fixed"] < kept["auto"] - 0.1
    assert share["fixed"] < share["auto"] < share["wide"]


def test_a_band_asked_for_is_never_made_narrower() -> None:
    """Not even one that is wider than softness would make any."""
    softness = Softness(np.full((4, 400), 99, np.float32), np.full((4, 400), 99, np.float32))
    half = np.zeros((4, 400))
    half[:, 300:] = 1
    labels = trimap_from_mask(mask(half), erode=0, dilate=250, height=1080, found=softness).labels
    assert np.count_nonzero(labels[0, :300] == UNKNOWN) == 250
