"""Overlays of trimaps, and `adamatte trimap --check`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from plugin.cli import main
from plugin.driver.run import trimap
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.trimap.overlay import overlay
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, LabelArray, Trimap
from tests.jobs import creature
from tests.media import rgb_channels, write_exr
from workers.in_process import InProcessExecutor

Rule = dict[str, Any]
CORNER = {
    "id": "corner",
    "frames": "1002",
    "set": "foreground",
    "polygon": {"1002": [[0, 0], [30, 0], [30, 20], [0, 20]]},
}


def bands() -> LabelArray:
    """Thirds of background, unknown and subject."""
    labels = np.full((90, 120), BACKGROUND, np.uint8)
    labels[:, 40:80], labels[:, 80:] = UNKNOWN, FOREGROUND
    return labels


def test_the_unknown_is_bright_between_a_red_and_a_green_line() -> None:
    made = Trimap(7, bands())
    drawn = overlay(np.full((90, 120, 3), 0.8, np.float32), made, made)
    row = drawn[20].astype(int)
    assert (row[50:70] == 204).all()
    assert (row[5:30] == 92).all()
    assert (row[90:115] == 92).all()
    assert row[39][0] > 200 > row[39][1] + 100
    assert row[80][1] > 200 > row[80][0] + 100


def test_what_an_override_changed_is_tinted_by_what_it_made_of_it() -> None:
    plain, changed = bands(), bands()
    changed[10:20, :20] = UNKNOWN
    changed[30:40, :20] = FOREGROUND
    changed[50:60, 100:] = BACKGROUND
    grey = np.full((90, 120, 3), 0.8, np.float32)
    drawn = overlay(grey, Trimap(7, plain), Trimap(7, changed), ["strap"]).astype(int)
    red, green, blue = drawn[14, 8]
    assert blue > red > green + 50
    red, green, blue = drawn[34, 8]
    assert blue > green > red
    red, green, blue = drawn[54, 110]
    assert red > green > blue
    named = overlay(grey, Trimap(7, plain), Trimap(7, plain), ["strap"])
    assert not np.array_equal(named, overlay(grey, Trimap(7, plain), Trimap(7, plain)))


def test_the_captions_dark_rim_goes_with_its_letters() -> None:
    made = Trimap(1001, np.full((360, 640), UNKNOWN, np.uint8))
    drawn = overlay(np.full((360, 640, 3), 0.5, np.float32), made, made, ["plant", "tail", "core"])
    light, dark = (np.flatnonzero(where.any(axis=0)) for where in _light_and_dark(drawn[330:]))
    assert 0 <= light.min() - dark.min() <= 2
    assert 0 <= dark.max() - light.max() <= 2


def _light_and_dark(strip: LabelArray) -> tuple[np.ndarray, np.ndarray]:
    return strip.min(axis=2) > 200, strip.max(axis=2) < 60


def document(folder: Path, *rules: Rule, **changes: object) -> Path:
    path = folder / "demo1.trimap.json"
    head = {"schema": "trimap-override/1", "shot": "demo1", "plate": {"width": 96, "height": 64}}
    path.write_text(json.dumps({**head, "rules": list(rules), **changes}))
    return path


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return creature(tmp_path_factory.mktemp("creature"), frames=3)


def test_a_trimap_job_leaves_an_overlay_a_frame(tmp_path: Path, rendered: Shot) -> None:
    override = document(tmp_path, CORNER)
    shot = rendered.model_copy(update={"out": tmp_path / "look", "override": str(override)})
    trimap(shot, executor=InProcessExecutor())
    pattern = OutputLayout.of(shot).pattern("overlay")
    assert pattern.scan() == OutputLayout.of(shot).pattern("trimap").scan()
    assert pattern.path(1002).name == "demo1_overlay.1002.jpg"
    pictures = {n: np.asarray(cv2.imread(str(pattern.path(n))), np.int64) for n in (1001, 1002)}
    assert pictures[1002].shape == (64, 96, 3)
    blue, green, red = pictures[1002][10, 15]
    assert blue > green + 25 > red + 25
    assert not (tmp_path / "look" / "alpha").exists()


def test_check_says_what_a_file_does_and_computes_nothing(
    tmp_path: Path, rendered: Shot, capsys: pytest.CaptureFixture[str]
) -> None:
    override = document(tmp_path, CORNER)
    assert main(["trimap", rendered.plate, "--check", str(override)]) == 0
    said = capsys.readouterr().out
    assert "1 rule for shot 'demo1'" in said
    assert "1. corner · frames 1002 · foreground within a polygon of 4 corners" in said
    assert {path.name for path in tmp_path.iterdir()} == {override.name}


@pytest.mark.parametrize(
    "wrong",
    [
        ([{**CORNER, "frames": "1002-1009"}], {}, "rule 1 “corner”"),
        ([CORNER, CORNER], {}, "two rules have this id"),
        ([CORNER], {"plate": {"width": 20, "height": 64}}, "20 × 64"),
    ],
)
def test_check_refuses_what_is_wrong(
    tmp_path: Path,
    rendered: Shot,
    wrong: tuple[list[Rule], dict[str, object], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    rules, changes, what = wrong
    override = document(tmp_path, *rules, **changes)
    assert main(["trimap", rendered.plate, "--check", str(override)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("adamatte: error: ")
    assert error.count("\n") == 1
    assert what in error


def test_check_needs_a_plate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trimap", "--check", str(document(tmp_path, CORNER))]) == 2
    assert "PLATE" in capsys.readouterr().err


def test_check_is_against_the_plate_that_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An EXR's layers may differ in size; `--layer` says which is the plate."""
    plate = tmp_path / "p.1001.exr"
    write_exr(plate, rgb_channels(np.zeros((64, 96, 3), np.float16), "beauty"))
    rule = {**CORNER, "frames": "1001", "polygon": {"1001": [[0, 0], [30, 0], [30, 20]]}}
    override = document(tmp_path, rule)
    words = ["trimap", str(plate), "--check", str(override)]
    assert main([*words, "--layer", "beauty"]) == 0
    assert main([*words, "--layer", "nowhere"]) == 2
    assert "nowhere" in capsys.readouterr().err
