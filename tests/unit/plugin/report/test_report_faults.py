"""What the report sees in one matte, on pictures whose faults are known; and who leads by it."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from plugin.report.faults import BOXED, look_at
from plugin.report.figures import box_of
from plugin.report.flicker import change
from plugin.report.reasons import LEVELS, Figures
from plugin.report.sprites import FOLDER, SpriteForm, read_sprite, tiles_of, write_sprite
from plugin.report.worst import worst
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray

HEIGHT, WIDTH = 540, 960
PLACE = (slice(240, 300), slice(400, 460))
"""Within the subject."""


def disc(radius: float, height: int = HEIGHT, soft: float = 2.0) -> FloatArray:
    """A round matte, its edge so many pixels soft."""
    y, x = np.mgrid[0:height, 0 : height * 16 // 9].astype(np.float32)
    away = np.hypot(y - height / 2, x - height * 8 / 9)
    return np.asarray(np.clip((radius - away) / soft + 0.5, 0, 1), np.float32)


def plate_of(alpha: FloatArray) -> FloatArray:
    """Skin before blue, with grain."""
    front, back = np.array([0.8, 0.55, 0.4], np.float32), np.array([0.1, 0.2, 0.5], np.float32)
    noise = np.random.default_rng(5).normal(0, 0.012, (*alpha.shape, 3)).astype(np.float32)
    return np.clip(alpha[..., None] * front + (1 - alpha[..., None]) * back + noise, 0, 1)


def band_of(alpha: FloatArray, inner: int = 10, outer: int = 14) -> LabelArray:
    """A trimap around a matte."""
    solid = (alpha > 0.5).astype(np.uint8)
    labels = np.full(alpha.shape, UNKNOWN, np.uint8)
    labels[cv2.erode(solid, np.ones((2 * inner + 1,) * 2, np.uint8)) > 0] = FOREGROUND
    labels[cv2.dilate(solid, np.ones((2 * outer + 1,) * 2, np.uint8)) == 0] = BACKGROUND
    return labels


def holed(alpha: FloatArray) -> FloatArray:
    spoilt = alpha.copy()
    spoilt[PLACE] = 0.4
    return spoilt


@pytest.mark.parametrize(
    ("name", "spoil", "least"),
    [
        ("holes", holed, 0.02),
        ("halo", lambda _: disc(154), 1.5),
        ("eaten", lambda _: disc(146), 1.5),
        ("clipped", lambda alpha: np.where(disc(166) > 0.5, np.maximum(alpha, 0.6), 0), 0.2),
    ],
)
def test_a_fault_is_seen_and_no_other(name: str, spoil: object, least: float) -> None:
    assert callable(spoil)
    true = disc(150)
    rgb, labels = plate_of(true), band_of(true)
    good = look_at(rgb, labels, true)
    bad = look_at(rgb, labels, np.asarray(spoil(true), np.float32))
    assert all(good[other] < 0.05 for other in BOXED)
    assert bad[name] > least
    if name == "holes":
        box = box_of(bad, "holes")
        assert box is not None
        assert (box.left <= 402, box.right >= 458, box.top <= 242, box.bottom >= 298) == (True,) * 4
        assert all(bad[other] < 0.05 for other in BOXED if other != "holes")


def striped(alpha: FloatArray, seen: float) -> FloatArray:
    """A subject with blots of its own before uneven stripes, of which it shows so much."""
    rng = np.random.default_rng(7)
    height, width = alpha.shape
    stripes, blots = (
        cv2.resize(
            rng.uniform(0.1, 0.9, (*cells, 3)).astype(np.float32),
            (width, height),
            interpolation=cv2.INTER_NEAREST,
        )
        for cells in ((18, 1), (24, 40))
    )
    share = alpha[..., None] * np.float32(1 - seen)
    mixed = share * blots + (1 - share) * stripes
    return np.clip(mixed + rng.normal(0, 0.012, mixed.shape), 0, 1).astype(np.float32)


@pytest.mark.parametrize(("seen", "told"), [(0.0, False), (0.3, False), (0.7, True), (0.9, True)])
def test_what_lies_behind_glass_is_seen_inside(seen: float, told: bool) -> None:
    true = disc(150)
    found = look_at(striped(true, seen), band_of(true), true)
    assert (found["through"] >= LEVELS["through"]) == told
    assert (box_of(found, "through") is None) <= (not told)


def test_background_within_the_matte_is_seen() -> None:
    found = look_at(striped(disc(120), 0), band_of(disc(150)), disc(150))
    assert found["through"] >= LEVELS["through"]


def test_before_a_plain_wall_nothing_is_seen_through() -> None:
    """Also where light falls off over both: that is shading."""
    true = disc(150)
    light = np.linspace(0.6, 1, HEIGHT, dtype=np.float32)[:, None, None]
    found = look_at(plate_of(true) * light, band_of(true), true)
    assert found["through"] < 0.5 * LEVELS["through"]


CAP = disc(30)
"""All that is left of what `glass` is."""


def glass(alpha: FloatArray, colour: tuple[float, float, float]) -> FloatArray:
    """A body of a colour before a wall, with grain."""
    wall = np.broadcast_to(np.array([0.55, 0.5, 0.45], np.float32), (*alpha.shape, 3))
    mixed = alpha[..., None] * np.array(colour, np.float32) + (1 - alpha[..., None]) * wall
    noise = np.random.default_rng(5).normal(0, 0.006, mixed.shape)
    return np.asarray(np.clip(mixed + noise, 0, 1), np.float32)


def whole_unknown(radius: float = 155) -> LabelArray:
    """A trimap that leaves all of a body unknown, less its cap."""
    labels = np.where(disc(radius) > 0.5, UNKNOWN, BACKGROUND).astype(np.uint8)
    labels[disc(20) > 0.5] = FOREGROUND
    return labels


@pytest.mark.parametrize("left", [CAP, np.zeros_like(CAP), np.maximum(CAP, 0.02 * disc(150))])
def test_glass_whose_body_is_gone_leads(left: FloatArray) -> None:
    rgb, labels = glass(disc(150), (0.45, 0.55, 0.6)), whole_unknown()
    found = look_at(rgb, labels, np.asarray(left, np.float32))
    assert found["nothing"] > 0.7
    box = box_of(found, "nothing")
    assert box is not None
    assert (box.left < 360, box.right > 600, box.left > 300, box.right < 660) == (True,) * 4
    frames = changed(steady(20), {5: {"faults": found, "boxes": {"nothing": box}}})
    first = worst(frames)[0]
    assert (first.number, first.reasons[0].name, first.box) == (5, "nothing", box)


@pytest.mark.parametrize("veil", [0.08, 0.5, 1.0])
def test_glass_that_is_there_is_silent(veil: float) -> None:
    left = np.maximum(CAP, np.float32(veil) * disc(150))
    assert look_at(glass(disc(150), (0.45, 0.55, 0.6)), whole_unknown(), left)["nothing"] == 0


def test_unknown_that_is_the_background_is_no_loss() -> None:
    """A trimap much wider than the subject; and one whose band is."""
    true = disc(60)
    rgb = glass(true, (0.8, 0.3, 0.2))
    assert look_at(rgb, whole_unknown(), true)["nothing"] == 0
    assert look_at(rgb, band_of(true, 10, 120), true)["nothing"] == 0


def test_a_region_that_is_empty_as_a_whole_is_seen_before_a_wall_of_its_colour() -> None:
    rgb, labels = glass(disc(150), (0.55, 0.5, 0.45)), whole_unknown()
    labels[disc(20) > 0.5] = UNKNOWN
    assert look_at(rgb, labels, np.zeros_like(CAP))["nothing"] > 0.9


def test_a_gap_that_the_trimap_knows_is_no_hole() -> None:
    true = disc(150) * (1 - disc(40))
    assert look_at(plate_of(true), band_of(true, 4, 4), true)["holes"] < 0.001


def test_the_figures_are_of_the_frame_and_not_of_its_size() -> None:
    small, large = (
        look_at(plate_of(a), band_of(a), b)
        for a, b in (
            (disc(150), disc(154)),
            (disc(300, 1080, 4.0), disc(308, 1080, 4.0)),
        )
    )
    for name in ("halo", "soft"):
        assert large[name] == pytest.approx(small[name], rel=0.25)
    assert small["halo"] == pytest.approx(8, rel=0.5)  # 4 pixels of 540 rows


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_of_nothing_and_of_all_nothing_is_said(value: float) -> None:
    alpha = np.full((48, 64), value, np.float32)
    assert look_at(plate_of(alpha), np.full((48, 64), UNKNOWN, np.uint8), alpha) == {}


def test_boxes_lie_in_the_plates_window() -> None:
    true = disc(150)
    area = slice(100, 100 + HEIGHT), slice(50, 50 + WIDTH)
    found = look_at(plate_of(true), band_of(true), holed(true), area)
    box = box_of(found, "holes")
    assert box is not None
    assert (box.left <= 452, box.top <= 342) == (True, True)
    assert (box.left > 430, box.top > 320) == (True, True)


def tiles(*pieces: tuple[slice, slice]) -> dict[str, LabelArray]:
    """A subject and further pieces, before a still place."""
    alpha = np.zeros((120, 160), np.float32)
    alpha[30:90, 30:80] = 1
    for piece in pieces:
        alpha[piece] = 1
    grey = np.full((120, 160, 3), 0.4, np.float32)
    drawn = tiles_of(grey, alpha, 160)
    return {k: np.repeat(t[..., None], 3, 2) if t.ndim == 2 else t for k, t in drawn.items()}


def test_a_piece_that_comes_and_goes_leads_and_is_boxed() -> None:
    ghost = (slice(10, 25), slice(120, 140))
    steps = [tiles(), tiles(), tiles(ghost), tiles(), tiles()]
    changes = [change(a, b) for a, b in pairwise(steps)]
    assert [round(c.come, 2) for c in changes] == [0, 0.09, 0, 0]
    assert [round(c.gone, 2) for c in changes] == [0, 0, 0.09, 0]
    assert changes[1].come_box is not None
    assert changes[1].come_box[0] == pytest.approx(120 / 160, abs=0.03)
    grown = tiles((slice(20, 30), slice(30, 80)))  # the subject itself moves: no piece
    assert change(tiles(), grown).come == 0


def steady(count: int, **more: object) -> list[Figures]:
    plain = {"unknown": 0.1, "overruled": 0.0, "coverage": 0.2, "flicker": 0.01}
    return [Figures(n, **{**plain, **more}) for n in range(count)]  # type: ignore[arg-type]


def changed(frames: list[Figures], bad: dict[int, dict[str, object]]) -> list[Figures]:
    return [
        Figures(**{**{f: getattr(one, f) for f in Figures.__slots__}, **bad.get(one.number, {})})
        for one in frames
    ]


@pytest.mark.parametrize(
    ("bad", "name", "leads"),
    [
        ({5: {"come": 0.1}, 6: {"gone": 0.1}}, "piece", 5),
        ({5: {"gone": 0.1}, 6: {"come": 0.1}}, "missing", 5),
        ({5: {"faults": {"holes": 0.05}}}, "holes", 5),
        ({5: {"faults": {"halo": 0.8}}}, "halo", 5),
        ({5: {"faults": {"clipped": 0.3}}}, "clipped", 5),
        ({5: {"faults": {"nothing": 0.3}}}, "nothing", 5),
        ({5: {"held": 3, "confidence": 0.5}}, "confidence", 5),
    ],
)
def test_who_leads_and_why(bad: dict[int, dict[str, object]], name: str, leads: int) -> None:
    first = worst(changed(steady(20), bad))[0]
    assert (first.number, first.reasons[0].name, first.severity >= 1) == (leads, name, True)


def test_between_keys_a_softer_edge_pumps_and_a_smaller_subject_is_lost() -> None:
    frames = steady(11, faults={"soft": 4.0})
    soft = changed(frames, {5: {"faults": {"soft": 9.0}}})
    assert worst(soft)[0].severity < 1
    first = worst(soft, keys=(0, 10))[0]
    assert (first.number, first.reasons[0].name, first.severity > 1) == (5, "pumping", True)
    small = changed(frames, {n: {"coverage": 0.12} for n in range(3, 9)})
    first = worst(small, keys=(0, 10))[0]
    assert (first.reasons[0].name, 3 <= first.number <= 8) == ("lost", True)


def test_a_cut_leads_nothing_and_both_sides_are_scenes_of_their_own() -> None:
    """A change of all that stays, in the middle and near the end of a shot."""
    for cut in (10, 17):
        bad = {n: {"coverage": 0.02, "unknown": 0.03} for n in range(cut, 20)}
        bad[cut] = bad[cut] | {"flicker": 0.9}
        found = worst(changed(steady(20), bad))  # type: ignore[arg-type]
        assert all(one.severity < 0.5 for one in found), (cut, found)


def test_neighbours_that_say_the_same_are_one_thing_to_look_at() -> None:
    bad = {n: {"faults": {"halo": 1.0 + n / 100}} for n in range(20)}
    order = [one.number for one in worst(changed(steady(20), bad))]  # type: ignore[arg-type]
    assert order[:5] == [19, 15, 11, 7, 3]
    assert len(order) == 12


def test_a_sprites_pictures_keep_to_themselves(tmp_path: Path) -> None:
    """White above black: no row of one shows in the other, at full size and at half."""
    (tmp_path / FOLDER).mkdir(parents=True)
    for rows in (90, 91, 108, 270):
        white = np.full((rows, 160), 1, np.float32)
        given = {**tiles_of(None, white, 480), "trimap": np.zeros((rows, 160), np.uint8)}
        path = write_sprite(tmp_path, rows, "ab" * 32, given, SpriteForm.of(10))
        for half in (False, True):
            found = read_sprite(path, half=half)
            assert found is not None
            assert found["alpha"].shape[0] == (rows // 2 if half else rows)
            assert found["alpha"].min() >= 250
            assert found["trimap"].max() <= 5
