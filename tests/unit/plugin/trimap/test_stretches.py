"""The band by stretches of the outline: narrow on cloth, wide on hair, on the plate's own edge."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.image.regions import depth
from plugin.trimap.band import DILATE, ERODE, trimap_from_mask
from plugin.trimap.outline import along, outline_of
from plugin.trimap.stretches import Edge, stretches_of
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray, Mask

WIDTH, HEIGHT = 640, 360
UNIT = HEIGHT / 1080


def ground(seed: int, colour: tuple[float, float, float], busy: float = 0.04) -> FloatArray:
    """Blotches of a few pixels around a colour."""
    noise = np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH, 3))
    soft = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.asarray(np.array(colour) + busy * soft / soft.std(), np.float32)


def disc(x: float = 320, y: float = 180, radius: float = 110) -> FloatArray:
    """Its coverage, soft by one pixel."""
    down, right = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray(np.clip(radius + 0.5 - np.hypot(right - x, down - y), 0, 1), np.float32)


def fringed() -> FloatArray:
    """The disc with hairs of up to 8 pixels on its left half."""
    drawn = np.full((4 * HEIGHT, 4 * WIDTH), 0, np.uint8)
    cv2.circle(drawn, (1280, 720), 4 * 108, (255,), -1)
    rng = np.random.default_rng(5)
    for angle, length in zip(rng.uniform(1.9, 4.4, 900), rng.uniform(2, 10, 900), strict=True):
        way = np.array([np.cos(angle), np.sin(angle)])
        near, far = (
            (4 * (np.array([320, 180]) + r * way)).astype(int) for r in (104, 106 + length)
        )
        cv2.line(drawn, near.tolist(), far.tolist(), (255,), 2)
    small = cv2.resize(drawn, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(small / 255, np.float32)


def over(alpha: FloatArray) -> FloatArray:
    front, back = ground(1, (0.65, 0.4, 0.3)), ground(2, (0.25, 0.35, 0.5))
    return np.clip(alpha[..., None] * front + (1 - alpha[..., None]) * back, 0, 1)


def trimap(
    rgb: FloatArray, coverage: FloatArray, edge: Edge = "auto", firm: bool = False
) -> LabelArray:
    mask = Mask(1, coverage, firm=firm)
    found = stretches_of(rgb, mask, edge)
    assert found is not None
    return trimap_from_mask(mask, erode=ERODE, dilate=DILATE, height=HEIGHT, found=found).labels


def widths(labels: LabelArray) -> tuple[float, float]:
    """Mean unknown pixels along the left and the right part of the disc's rim."""
    down, right = np.mgrid[:HEIGHT, :WIDTH]
    unknown, level = labels == UNKNOWN, np.abs(down - 180) < 60
    rows = np.count_nonzero(level[:, 0])
    return tuple(  # type: ignore[return-value]
        np.count_nonzero(unknown & level & side) / rows for side in (right < 320, right >= 320)
    )


def test_cloth_and_hair_of_one_outline_have_bands_of_their_own() -> None:
    alpha = fringed()
    labels = trimap(over(alpha), disc())
    hair, cloth = widths(labels)
    assert cloth * 1080 / HEIGHT < 20
    assert hair > 1.6 * cloth
    mixed = (alpha > 0.02) & (alpha < 0.98)
    assert (labels[mixed] == UNKNOWN).mean() > 0.75
    assert not ((labels == FOREGROUND) & (alpha < 0.5)).any()


@pytest.mark.parametrize("aside", [-2.5, 2.5])
def test_a_sharp_edge_is_found_beside_the_mask(aside: float) -> None:
    """A roto that is 7 pixels of a 1080p frame too small or too large."""
    truth = disc()
    outline = outline_of(over(truth), disc(radius=110 + aside))
    (chain,) = outline.chains
    assert float(np.median(chain.found)) == pytest.approx(-aside, abs=1)
    labels = trimap(over(truth), disc(radius=110 + aside))
    wrong = np.where(labels == BACKGROUND, truth, np.where(labels == FOREGROUND, 1 - truth, 0))
    assert wrong.sum() < 0.02 * 2 * np.pi * 110


@pytest.mark.parametrize("soft", [2.0, 4.0])
def test_a_firm_mask_of_a_sharp_edge_has_the_band_of_a_sharp_one(soft: float) -> None:
    """How soft the mask is says nothing where the plate says that its edge is sharp."""
    rgb = over(disc())
    blurred = np.asarray(cv2.GaussianBlur(disc(), (0, 0), soft), np.float32)
    sharp, drawn = (widths(trimap(rgb, mask, firm=True)) for mask in (disc(), blurred))
    mask_alone = np.count_nonzero((blurred > 0.05) & (blurred < 0.95)) / (2 * np.pi * 110)
    assert max(drawn) < max(*sharp, mask_alone) + 1
    labels = trimap(rgb, blurred, firm=True)
    assert (labels[(blurred > 0.05) & (blurred < 0.95)] == UNKNOWN).all()


def test_what_is_soft_for_hair_is_all_unknown_and_a_band_around_it() -> None:
    """A key's softness is the subject's: only of what is firm it is not."""
    rgb = over(disc())
    blurred = np.asarray(cv2.GaussianBlur(disc(), (0, 0), 4), np.float32)
    kept, firm = (widths(trimap(rgb, blurred, firm=f)) for f in (False, True))
    assert sum(kept) > sum(firm) + 3


def test_the_pixel_of_an_edge_is_no_softness() -> None:
    """A mask of 0 and 1 and one with an edge of a pixel have the same band, to a pixel."""
    rgb = over(disc())
    hard = (disc() > 0.5).astype(np.float32)
    for one, other in zip(
        widths(trimap(rgb, hard, firm=True)), widths(trimap(rgb, disc(), firm=True)), strict=True
    ):
        assert abs(one - other) < 1


def test_what_is_said_of_the_edge_counts_everywhere() -> None:
    rgb = over(fringed())
    shares = {
        edge: float((trimap(rgb, disc(), edge) == UNKNOWN).mean())
        for edge in ("hard", "auto", "hair")
    }
    assert shares["hard"] < shares["auto"] < shares["hair"]
    hair, cloth = widths(trimap(rgb, disc(), "hard"))
    assert hair == pytest.approx(cloth, abs=2)


def test_the_widths_scale_what_is_measured() -> None:
    mask, rgb = Mask(1, disc()), over(disc())
    found = stretches_of(rgb, mask)
    assert found is not None
    once, twice, none = (
        trimap_from_mask(mask, erode=8 * k, dilate=12 * k, height=HEIGHT, found=found).labels
        for k in (1, 2, 0)
    )
    assert (once == UNKNOWN)[none == UNKNOWN].all()
    assert (twice == UNKNOWN)[once == UNKNOWN].all()
    assert 1.6 < (twice == UNKNOWN).sum() / (once == UNKNOWN).sum() < 2.4


def test_the_frames_end_is_no_edge() -> None:
    labels = trimap(over(disc(0, 360)), disc(0, 360))
    assert (labels[-1, :60] == FOREGROUND).all()
    assert (labels[290:, 0] == FOREGROUND).all()


def test_a_plate_of_twice_the_size_has_the_same_band() -> None:
    alpha = fringed()
    one = trimap(over(alpha), disc())
    large, mask = (
        np.asarray(cv2.resize(p, None, fx=3, fy=3, interpolation=cv2.INTER_LINEAR), np.float32)
        for p in (over(alpha), disc())
    )
    drawn = Mask(1, mask)
    found = stretches_of(np.clip(large, 0, 1), drawn)
    other = trimap_from_mask(drawn, erode=8, dilate=12, height=3 * HEIGHT, found=found).labels
    assert (other == UNKNOWN).mean() == pytest.approx((one == UNKNOWN).mean(), rel=0.35)


def test_no_outline_is_no_band_of_its_own() -> None:
    for coverage in (np.zeros((HEIGHT, WIDTH), np.float32), np.ones((HEIGHT, WIDTH), np.float32)):
        assert stretches_of(over(disc()), Mask(1, coverage)) is None


def test_smoothing_goes_around() -> None:
    values = np.zeros(40, np.float32)
    values[0] = 1
    smooth = along(values, 2)
    assert smooth.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(smooth[1:], smooth[:0:-1], atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 70),
    st.integers(1, 90),
    st.integers(0, 2**16),
    st.sampled_from(["auto", "hard", "hair"]),
)
def test_whatever_the_mask_widths_are_finite_and_the_mask_edge_is_within(
    height: int, width: int, seed: int, edge: Edge
) -> None:
    rng = np.random.default_rng(seed)
    rough: npt.NDArray[np.float32] = rng.random((height, width), np.float32)
    if seed % 2:
        rough = np.asarray(cv2.GaussianBlur(rough, (0, 0), 3), np.float32)
    coverage = (rough > np.median(rough)).astype(np.float32)
    rgb = rng.random((height, width, 3), np.float32)
    found = stretches_of(rgb, Mask(1, coverage), edge)
    if found is None:
        return
    for side in (found.inner, found.outer):
        assert side.shape == (height, width)
        assert np.isfinite(side).all()
        assert side.min() >= 0
    near = (depth(coverage > 0) <= 1) & (coverage > 0)
    assert found.inner[near].size
