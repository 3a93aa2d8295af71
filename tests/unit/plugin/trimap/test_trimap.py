"""Trimaps from masks, exact in their distances, and ready-made ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.errors import FrameError, TrimapError
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.trimap.band import read_trimap, trimap_from_mask
from plugin.trimap.override import load
from plugin.trimap.source import TrimapSource, plan_trimaps
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, Mask
from tests.plates import png_plate

WIDTH, HEIGHT = 40, 30
Labels = npt.NDArray[np.uint8]

INFO = png_plate(WIDTH, HEIGHT, "1-5")


def mask(coverage: npt.NDArray[Any], unsure: npt.NDArray[np.bool_] | None = None) -> Mask:
    return Mask(1, coverage.astype(np.float32), unsure)


def labels(coverage: npt.NDArray[Any], erode: float, dilate: float) -> Labels:
    """At 1080 lines, where band widths are pixels."""
    return trimap_from_mask(mask(coverage), erode=erode, dilate=dilate, height=1080).labels


def test_the_band_is_exact_along_a_straight_edge() -> None:
    half = np.zeros((9, 30))
    half[:, 15:] = 1
    row = labels(half, erode=3, dilate=5)[4]
    assert list(row) == [BACKGROUND] * 10 + [UNKNOWN] * 8 + [FOREGROUND] * 12


def test_no_band_leaves_a_hard_mask_as_it_is() -> None:
    disc = cv2.circle(np.zeros((HEIGHT, WIDTH), np.uint8), (20, 15), 9, (1,), -1)
    np.testing.assert_array_equal(labels(disc, 0, 0), np.where(disc > 0, FOREGROUND, BACKGROUND))


@pytest.mark.parametrize("height", [270, 540, 1080, 2160])
def test_the_band_scales_with_the_display_height(height: int) -> None:
    half = np.zeros((3, 200))
    half[:, 100:] = 1
    row = trimap_from_mask(mask(half), erode=12, dilate=16, height=height).labels[1]
    scale = height / 1080
    assert np.count_nonzero(row[:100] == UNKNOWN) == round(16 * scale)
    assert np.count_nonzero(row[100:] == UNKNOWN) == round(12 * scale)


def test_soft_and_unsure_pixels_are_unknown_without_any_band() -> None:
    coverage = np.ones((10, 10))
    coverage[:, :5] = 0
    coverage[2, 2], coverage[7, 7] = 0.5, 0.9
    unsure = np.zeros((10, 10), np.bool_)
    unsure[8, 8] = unsure[8, 1] = True
    made = trimap_from_mask(mask(coverage, unsure), erode=0, dilate=0, height=1080).labels
    assert {tuple(p) for p in np.argwhere(made == UNKNOWN)} == {(2, 2), (7, 7), (8, 8), (8, 1)}


@pytest.mark.parametrize(("value", "label"), [(0.0, BACKGROUND), (1.0, FOREGROUND), (0.5, UNKNOWN)])
def test_a_frame_of_one_value_has_no_edge(value: float, label: int) -> None:
    assert (labels(np.full((6, 7), value), 8, 12) == label).all()


@pytest.mark.parametrize(("width", "kept"), [(40, 24), (12, 4), (7, 3), (2, 0)])
def test_thin_parts_keep_a_core_and_are_never_background(width: int, kept: int) -> None:
    """An erosion of 8 would delete a bar under 16 pixels wide."""
    bar = np.zeros((400, 120))
    bar[:, 40 : 40 + width] = 1
    made = labels(bar, erode=8, dilate=4)
    assert np.count_nonzero(made[200] == FOREGROUND) == kept
    assert (made[:, 40 : 40 + width] != BACKGROUND).all()


@pytest.mark.parametrize(("width", "kept"), [(2, False), (3, True), (5, True), (6, True)])
@pytest.mark.parametrize(("height", "erode"), [(240, 8), (240, 30), (1080, 40)])
def test_a_wheel_keeps_the_middle_of_its_rim(
    width: int, kept: bool, height: int, erode: float
) -> None:
    """Too thin for any erosion: an unbroken ring, within the mask; the band around it as before."""
    drawn = np.zeros((240, 320), np.uint8)
    radius = 90 if height == 1080 else 45
    cv2.circle(drawn, (160, 120), radius + width, (1,), -1)
    cv2.circle(drawn, (160, 120), radius, (0,), -1)
    made = trimap_from_mask(mask(drawn), erode=erode, dilate=8, height=height).labels
    front = made == FOREGROUND
    assert (drawn[front] == 1).all()
    assert not (made[drawn == 1] == BACKGROUND).any()
    y, x = np.nonzero(front)
    angles = np.round(np.degrees(np.arctan2(y - 120, x - 160)) / 15)
    # A ring of three pixels is here and there two wide.
    assert len(np.unique(angles)) >= (18 if kept else 0)
    assert front.any() == kept


def test_a_strand_that_sticks_out_keeps_none() -> None:
    """Of a drawn coat; where its edges are nobody knows."""
    coat = np.zeros((360, 640), np.uint8)
    coat[100:300, 200:400] = 1
    for top in range(120, 290, 20):
        coat[top : top + 3, 400:418] = 1
    made = trimap_from_mask(mask(coat), erode=8, dilate=12, height=360).labels
    assert not (made[:, 400:] == FOREGROUND).any()
    assert (made[coat == 1] != BACKGROUND).all()


@pytest.mark.parametrize("soft", [0.5, 0.6, 0.75, 0.94])
def test_where_the_frame_ends_the_subject_has_no_edge(soft: float) -> None:
    """A roto whose last line of pixels is half covered."""
    whole = np.zeros((60, 80))
    whole[:, 20:60] = 1
    ended = whole.copy()
    ended[-1] *= soft
    np.testing.assert_array_equal(labels(ended, 8, 12), labels(whole, 8, 12))
    turned = labels(np.ascontiguousarray(ended.T), 8, 12)
    np.testing.assert_array_equal(turned, labels(whole, 8, 12).T)


def test_an_edge_beside_the_frames_end_is_one() -> None:
    whole = np.ones((60, 80))
    whole[-2:] = 0
    assert (labels(whole, 8, 0)[-2:] == BACKGROUND).all()
    assert (labels(whole, 8, 0)[-10:-2] == UNKNOWN).all()


def test_a_thick_shape_is_eroded_in_full_with_its_corners() -> None:
    box = np.zeros((120, 120))
    box[30:90, 30:90] = 1
    made = labels(box, erode=8, dilate=0) == FOREGROUND
    expected = np.zeros((120, 120), np.bool_)
    expected[38:82, 38:82] = True
    np.testing.assert_array_equal(made, expected)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 1000),
    erode=st.floats(0, 20),
    dilate=st.floats(0, 20),
)
def test_wider_bands_only_add_unknown(seed: int, erode: float, dilate: float) -> None:
    noise = np.random.default_rng(seed).random((24, 24)).astype(np.float32)
    coverage = cv2.GaussianBlur(noise, (0, 0), 3) > 0.5
    sharp, wide = labels(coverage, 0, 0), labels(coverage, erode, dilate)
    assert ((wide == UNKNOWN) | (wide == sharp)).all()
    assert set(np.unique(wide)) <= {BACKGROUND, UNKNOWN, FOREGROUND}


def ready(dtype: type[Any], middle: float) -> npt.NDArray[Any]:
    """Thirds of background, unknown and foreground."""
    full = np.iinfo(dtype).max if issubclass(dtype, np.integer) else 1
    pixels = np.zeros((HEIGHT, WIDTH))
    pixels[:, 10:20], pixels[:, 20:] = middle, full
    return pixels.astype(dtype)


@pytest.mark.parametrize(
    ("name", "dtype", "middle"),
    [
        ("t.0001.png", np.uint8, 128),
        ("t.0001.png", np.uint8, 127),
        ("t.0001.png", np.uint16, 32768),
        ("t.0001.tif", np.uint8, 128),
        ("t.0001.tif", np.float32, 0.5),
    ],
)
def test_ready_trimaps_are_read(tmp_path: Path, name: str, dtype: type[Any], middle: float) -> None:
    assert cv2.imwrite(str(tmp_path / name), ready(dtype, middle))
    expected = np.full((HEIGHT, WIDTH), BACKGROUND, np.uint8)
    expected[:, 10:20], expected[:, 20:] = UNKNOWN, FOREGROUND
    np.testing.assert_array_equal(read_trimap(tmp_path / name, 1, INFO).labels, expected)


def shot(folder: Path, **options: object) -> Shot:
    return Shot.model_validate({"plate": "p", "out": folder, **options})


def test_ready_trimaps_replace_the_band(tmp_path: Path) -> None:
    for number in INFO.frames:
        cv2.imwrite(str(tmp_path / f"t.{number:04d}.png"), ready(np.uint8, 128))
    plan = plan_trimaps(shot(tmp_path, trimap=str(tmp_path / "t.%04d.png")), INFO)
    source = TrimapSource(plan, INFO)
    assert not source.needs_mask
    assert np.count_nonzero(source.trimap(3, None).labels == UNKNOWN) == 10 * HEIGHT
    before = source.digest(3)
    cv2.imwrite(str(tmp_path / "t.0003.png"), ready(np.uint8, 128)[:, ::-1].copy())
    assert source.digest(3) != before
    (tmp_path / "t.0003.png").unlink()
    with pytest.raises(FrameError, match="no such file"):
        source.trimap(3, None)


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        ("missing", "no trimap for frames 3"),
        ("size", "39 × 30 pixels, but the plate has 40 × 30"),
        ("grey", "30 pixels hold other values than 0, 128 and 255, such as 0.2"),
        ("smooth", "hold other values"),
        ("cut", "damaged"),
    ],
)
def test_bad_trimaps_are_refused_before_the_work(tmp_path: Path, damage: str, what: str) -> None:
    for number in INFO.frames:
        cv2.imwrite(str(tmp_path / f"t.{number:04d}.png"), ready(np.uint8, 128))
    broken = tmp_path / "t.0003.png"
    pixels = ready(np.uint8, 128)
    if damage == "missing":
        broken.unlink()
    if damage == "size":
        cv2.imwrite(str(broken), pixels[:, :-1])
    if damage == "grey":
        cv2.imwrite(str(broken), np.where(np.arange(WIDTH) == 5, 51, pixels).astype(np.uint8))
    if damage == "smooth":
        cv2.imwrite(str(broken), cv2.blur(pixels.astype(np.uint8), (5, 5)))
    if damage == "cut":
        broken.write_bytes(broken.read_bytes()[:60])
    asked = shot(tmp_path, trimap=str(tmp_path / "t.%04d.png"))
    with pytest.raises(TrimapError, match=what):
        plan_trimaps(asked, INFO)
    plan_trimaps(asked.model_copy(update={"frames": FrameRange.parse("1-2")}), INFO)


def test_the_digest_follows_the_band() -> None:
    digests = {
        TrimapSource(plan_trimaps(shot(Path("o"), erode=erode), INFO), INFO).digest(1)
        for erode in (4, 8)
    }
    assert len(digests) == 2


def test_an_override_sets_the_band_and_paints_over_it(tmp_path: Path) -> None:
    half = np.zeros((HEIGHT, WIDTH))
    half[:, 20:] = 1
    rules = [
        {"id": "band", "frames": "1-3", "params": {"erode": 0, "dilate": 36 * 5}},
        {
            "id": "corner",
            "frames": "2",
            "set": "foreground",
            "polygon": {"2": [[0, 0], [2, 0], [2, 2], [0, 2]]},
        },
    ]
    head = {"schema": "trimap-override/1", "shot": "s", "plate": {"width": WIDTH, "height": HEIGHT}}
    (tmp_path / "o.json").write_text(json.dumps({**head, "rules": rules}))
    plan = plan_trimaps(shot(tmp_path, erode=0, dilate=0), INFO)
    plain = TrimapSource(plan, INFO)
    source = TrimapSource(plan, INFO, load(tmp_path / "o.json", INFO))
    made = {n: source.trimap(n, mask(half)).labels for n in INFO.frames}
    assert {n: np.count_nonzero(labels == UNKNOWN) for n, labels in made.items()} == {
        1: 5 * HEIGHT,
        2: 5 * HEIGHT,
        3: 5 * HEIGHT,
        4: 0,
        5: 0,
    }
    assert made[2][0, 0] == FOREGROUND
    assert made[3][0, 0] == BACKGROUND
    same = {n: source.digest(n) == plain.digest(n) for n in INFO.frames}
    assert same == {1: False, 2: False, 3: False, 4: True, 5: True}
    with pytest.raises(FrameError, match="no mask"):
        source.trimap(1, None)
