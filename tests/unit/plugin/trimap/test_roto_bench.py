"""Made-up shots of people, and what bands around their roto come to."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from plugin.errors import RequestError
from plugin.types import UNKNOWN
from tests import roto_bench
from tests.people_shots import FRAMES, HEIGHT, KINDS, WIDTH, PeopleShot, PeopleShots

CUTOUTS = ("people_pexels__a", "dancer1_frames_apache2__1", "hair_bpy_cc0__0", "hair_bpy_cc0__1")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A body with a head as each kind of cut-out, and a photograph of noise in colours."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "fg").mkdir()
    (folder / "photos").mkdir()
    picture = np.zeros((300, 160, 4), np.uint8)
    picture[..., :3] = 90, 60, 30
    alpha = np.zeros((300, 160), np.uint8)
    cv2.ellipse(alpha, (80, 70), (30, 40), 0, 0, 360, 255, -1)
    cv2.rectangle(alpha, (40, 100), (120, 280), 255, -1)
    picture[..., 3] = cv2.GaussianBlur(alpha, (0, 0), 1)
    for name in CUTOUTS:
        cv2.imwrite(str(folder / "fg" / f"{name}.webp"), picture)
    noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)
    photo = cv2.resize(noise, (800, 600), interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(folder / "photos" / "a.jpg"), photo)
    return folder


def equal(one: PeopleShot, other: PeopleShot) -> bool:
    pairs = ((one.rgb, other.rgb), (one.alpha, other.alpha), (one.roto, other.roto))
    return all(np.array_equal(a, b) for a, b in pairs)


def test_a_seed_and_a_number_make_one_shot(data: Path) -> None:
    shot = PeopleShots(data, 3).shot(1)
    assert shot.rgb.shape == (FRAMES, HEIGHT, WIDTH, 3)
    assert equal(shot, PeopleShots(data, 3).shot(1))
    assert not equal(shot, PeopleShots(data, 4).shot(1))
    assert not equal(shot, PeopleShots(data, 3).shot(5))


def test_the_roto_is_right_to_some_pixels(data: Path) -> None:
    shots = PeopleShots(data, 3)
    for number, kind in enumerate(KINDS):
        shot = shots.shot(number)
        assert shot.kind == kind
        drawn, true = shot.roto > 127, shot.alpha > 127
        assert np.count_nonzero(drawn & true) > 0.85 * np.count_nonzero(drawn | true)
        assert (drawn != true).any()


def test_what_a_folder_lacks_is_said(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="nothing there of: people, dancer, heads, fur"):
        PeopleShots(tmp_path, 3)


@pytest.mark.parametrize("corners", [6, 60])
def test_a_drawn_outline_has_so_many_corners(corners: int) -> None:
    y, x = np.mgrid[:200, :300]
    disc = np.asarray(np.hypot(y - 100, x - 150) < 60, np.float32)
    drawn = roto_bench.drawn(disc, corners)
    outline = max(
        cv2.findContours((drawn > 0.5).astype(np.uint8), 0, cv2.CHAIN_APPROX_NONE)[0], key=len
    )
    assert len(cv2.approxPolyDP(outline, 1.5, True)) <= corners
    off = np.abs(drawn - disc).sum() / disc.sum()
    assert off < (0.45 if corners == 6 else 0.03)


@pytest.mark.parametrize("name", ["roto", "8/12", "auto", "hard", "hair", "wide"])
def test_every_band_has_subject_and_background(data: Path, name: str) -> None:
    moment = roto_bench.people(PeopleShots(data, 3), 0)[3]
    labels = roto_bench.band(name, moment)
    assert (labels == 255)[moment.truth > 0.99].mean() > 0.5
    assert (labels == 0)[moment.truth < 0.01].mean() > 0.5
    assert (labels == UNKNOWN).any() == (name != "roto")


def test_what_is_right_has_no_error() -> None:
    truth = np.random.default_rng(0).random((2, 20, 30)).astype(np.float32)
    trimap = np.zeros((20, 30), np.uint8)
    trimap[:5] = UNKNOWN
    row = roto_bench.row_of(list(truth), list(truth), [trimap, trimap])
    assert (row.sad, row.decided, row.dtssd, row.unknown) == (0, 0, 0, 0.25)
    off = truth + np.float32(0.1)
    row = roto_bench.row_of(list(off), list(truth), [trimap, trimap])
    assert row.sad == pytest.approx(0.06, rel=1e-4)
    assert row.decided == pytest.approx(0.045, rel=1e-4)
    assert row.dtssd == pytest.approx(0, abs=1e-4)
