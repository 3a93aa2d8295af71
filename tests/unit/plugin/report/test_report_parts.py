"""The report's parts: boxes, sprites, flicker, the order of the frames, the command."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from plugin.framerange import FrameRange
from plugin.report.against import difference_picture
from plugin.report.command import command_of, shell_word
from plugin.report.figures import Box, box_of, densest, frame_figures, mask_figures
from plugin.report.flicker import change
from plugin.report.measure import spread
from plugin.report.reasons import Figures
from plugin.report.sprites import (
    SpriteForm,
    read_sprite,
    scan_sprites,
    tiles_of,
    write_sprite,
)
from plugin.report.worst import worst
from plugin.request.job_file import shot_from
from plugin.request.shot import Shot
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray, Mask

DIGEST = "0123456789abcdef" * 4
NASTY = [
    "plain.mov",
    "it's.mov",
    'a "b" $HOME `id`.mov',
    "<script>alert(1)</script>.mov",
    "two\nlines\t.mov",
    "שלום.mov",
    "\u202egnp.mov",
    "-rf.mov",
    "not utf-8 \udcff.mov",
    "back\\slash' and \x07.mov",
]


def noise(height: int, width: int, seed: int = 0) -> FloatArray:
    rng = np.random.default_rng(seed)
    coarse = rng.random((height // 4 + 1, width // 4 + 1, 3), np.float32)
    return np.ascontiguousarray(coarse.repeat(4, 0).repeat(4, 1)[:height, :width])


@pytest.mark.parametrize(
    ("place", "box"),
    [((slice(40, 60), slice(100, 140)), Box(100, 40, 140, 60)), (None, None)],
)
def test_the_box_is_where_it_lies_thickest(
    place: tuple[slice, slice] | None, box: Box | None
) -> None:
    weight = np.zeros((96, 192), np.float32)
    if place is not None:
        weight[:, 0] = 0.2  # a pixel all along an edge weighs little
        weight[place] = 1
    assert densest(weight) == box


def test_a_frames_figures_and_their_place_in_a_moving_window() -> None:
    labels = np.full((50, 100), BACKGROUND, np.uint8)
    labels[:, 50:] = UNKNOWN
    adapted = labels.copy()
    adapted[10:20, 10:30] = FOREGROUND
    adapted[0, 60] = FOREGROUND  # what was unknown cannot be overruled
    found = frame_figures(
        labels,
        adapted,
        np.full((50, 100), 0.5, np.float32),
        area=(slice(5, 55), slice(7, 107)),
    )
    assert (found["unknown"], found["overruled"], found["coverage"]) == (0.5, 0.04, 0.5)
    mask = Mask(1, np.zeros((60, 120), np.float32), confidence=0.25, held=3)
    assert mask_figures(mask) == {"confidence": 0.25, "held": 3.0}
    box = box_of(found, "overruled")
    assert box is not None
    assert (box.left <= 17, box.right >= 37, box.top <= 15, box.bottom >= 25) == (True,) * 4
    assert box.right - box.left < 30
    assert box_of({"overruled_left": 1.0}, "overruled") is None


def test_a_sprite_gives_back_its_tiles_and_is_known_by_its_matte(tmp_path: Path) -> None:
    (tmp_path / "report/frames").mkdir(parents=True)
    seen = noise(90, 160)
    alpha = np.zeros((90, 160), np.float32)
    alpha[:, 80:] = 1
    labels = np.full((90, 160), UNKNOWN, np.uint8)
    tiles = tiles_of(seen, alpha, 80, trimap=labels)
    assert {k: t.shape[:2] for k, t in tiles.items()} == dict.fromkeys(tiles, (45, 80))
    form = SpriteForm.of(10)
    path = write_sprite(tmp_path, -3, DIGEST, tiles, form)
    assert scan_sprites(tmp_path) == {(-3, DIGEST[:16]): path}
    back = read_sprite(path)
    assert back is not None
    assert list(back) == ["plate", "alpha", "trimap"]
    assert back["alpha"][20, 10].max() < 12
    assert back["alpha"][20, 70].min() > 243
    assert abs(int(back["trimap"][20, 20, 0]) - UNKNOWN) < 8
    path.write_bytes(path.read_bytes()[:50])
    assert read_sprite(path) is None


def test_a_matte_of_part_of_the_plate_lies_where_it_belongs() -> None:
    alpha = np.ones((10, 20), np.float32)
    area = (slice(30, 40), slice(60, 80))
    tiles = tiles_of(noise(60, 100), alpha, 100, area, adapted=np.full((10, 20), 255, np.uint8))
    assert tiles["alpha"].sum() == 255 * 200
    assert tiles["adapted"][35, 70] == 255
    assert tiles["adapted"][0, 0] == 0


@pytest.mark.parametrize("frames", [1, 2_000, 8_000, 20_000])
def test_all_sprites_of_a_shot_are_bounded(tmp_path: Path, frames: int) -> None:
    (tmp_path / "report/frames").mkdir(parents=True)
    form = SpriteForm.of(frames)
    rng = np.random.default_rng(1)
    side = max(form.side, 200)
    tiles = tiles_of(  # nothing compresses worse
        rng.random((side, side, 3), np.float32), rng.random((side, side), np.float32), form.side
    )
    size = write_sprite(tmp_path, 1, DIGEST, tiles, form).stat().st_size
    assert size <= form.limit
    assert frames * size <= 128 << 20


def moving(step: int, extra: tuple[slice, slice] | None = None) -> dict[str, LabelArray]:
    """A square and its picture, moved by `step` pixels before a still place."""
    scene, skin = noise(120, 160, 1), noise(60, 60, 2)
    alpha = np.zeros((120, 160), np.float32)
    alpha[30:90, 40 + step : 100 + step] = 1
    scene[30:90, 40 + step : 100 + step] = skin
    if extra is not None:
        alpha[extra] = 0
    tiles = tiles_of(scene, alpha, 160)
    return {k: np.repeat(t[..., None], 3, 2) if t.ndim == 2 else t for k, t in tiles.items()}


def test_flicker_is_what_motion_does_not_explain() -> None:
    still, moved = change(moving(0), moving(0)), change(moving(0), moving(4))
    popped = change(moving(0), moving(4, (slice(60, 90), slice(44, 74))))
    assert still.value == 0
    assert moved.value < 0.12  # the flow knows nothing of what comes into sight
    assert 0.1 < popped.value - moved.value < 0.3  # a quarter of the square
    assert popped.box is not None
    left, top, right, bottom = popped.box
    assert left < 0.39 < right
    assert top < 0.62 < bottom


def steady(count: int) -> list[Figures]:
    return [
        Figures(n, unknown=0.1, overruled=0.0, coverage=0.2, flicker=0.01) for n in range(count)
    ]


def with_bad(frames: list[Figures], bad: dict[int, dict[str, float]]) -> list[Figures]:
    return [
        Figures(**{**{f: getattr(one, f) for f in Figures.__slots__}, **bad.get(one.number, {})})
        for one in frames
    ]


@pytest.mark.parametrize(
    ("bad", "leads"),
    [
        ({9: {"overruled": 0.02}}, [9]),
        ({5: {"flicker": 0.5}, 6: {"flicker": 0.5}}, [5]),  # there and back: 6 is right again
        ({5: {"flicker": 0.5}}, []),  # it stays: a cut
        ({n: {"unknown": 0.8} for n in range(20)}, [*range(8), 8, 9, 12, 16]),
        ({3: {"confidence": 0.3}}, [3]),
        ({7: {"coverage": 0.02}}, [7]),
        ({0: {"coverage": 0.5}, 19: {"coverage": 0.5}}, [0, 19]),
        ({n: {"coverage": 0.02 * n} for n in range(20)}, []),  # an entrance
        ({}, []),
    ],
)
def test_who_leads_the_list(bad: dict[int, dict[str, float]], leads: list[int]) -> None:
    found = [one.number for one in worst(with_bad(steady(20), bad)) if one.severity >= 1]
    assert sorted(found) == leads


def test_an_order_whose_beginnings_are_spread() -> None:
    order = spread(range(100))
    assert sorted(order) == list(range(100))
    assert max(np.diff(sorted([-1, *order[:20], 100]))) < 13


@pytest.mark.parametrize("name", NASTY)
def test_a_word_comes_through_a_shell_as_it_was(name: str) -> None:
    word = shell_word(name)
    assert word.isprintable()
    said = subprocess.run(
        ["bash", "-c", f"printf %s {word}"], capture_output=True, check=True
    ).stdout
    assert said == name.encode("utf-8", "surrogateescape")


def test_the_command_makes_the_same_shot() -> None:
    shot = Shot(
        plate="-odd name.mov",
        out=Path("/o"),
        shot="it's",
        frames=FrameRange.parse("-5-10"),
        keyframe=("1=a b.png", "2=c.png"),
        keep=frozenset({"mask", "trimap"}),
        erode=2.5,
        force=True,
        report=False,
    )
    line = command_of(shot)
    words = subprocess.run(
        ["bash", "-c", f"adamatte() {{ printf '%s\\0' \"$@\"; }}; {line}"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")[:-1]
    assert (words[0], words[-2:]) == ("run", ["--", shot.plate])
    given: dict[str, object] = {"plate": shot.plate}
    keys: list[str] = []
    for word in words[1:-2]:
        name, _, value = word.removeprefix("--").partition("=")
        if name in ("force", "no-report"):
            given[name.removeprefix("no-")] = not name.startswith("no-")
        elif name == "keyframe":
            keys.append(value)
        else:
            given[name.replace("-", "_")] = value
    assert shot_from({**given, "keyframe": tuple(keys)}) == shot


def test_a_difference_is_orange_where_the_first_is_denser() -> None:
    first, second = np.zeros((2, 2), np.float32), np.zeros((2, 2), np.float32)
    first[0, 0], second[1, 1] = 0.1, 1.0
    picture = difference_picture(first, second)
    assert picture[0, 0, 0] > picture[0, 0, 2]
    assert picture[1, 1, 2] > picture[1, 1, 0]
    assert not picture[0, 1].any()
