"""Words that are not ours: names and metadata from files, manifests of strange numbers."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from plugin.cli import main
from plugin.driver.run import run
from plugin.errors import OutputError
from plugin.report.build import build_report
from plugin.request.shot import Shot
from plugin.result.manifest import load
from plugin.result.verify import verify
from tests.jobs import luma_matter
from tests.small_plate import small_shot
from workers.farm.openjd import _quoted
from workers.in_process import InProcessExecutor

NASTY = "x\x1b]52;c;cm0=\x07\nadamatte: 6 of 6 frames\u202e\x9b2J"


@pytest.fixture(scope="module")
def matted(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    made = small_shot(tmp_path_factory.mktemp("words"))
    run(made, executor=InProcessExecutor(luma_matter))
    return made


@pytest.fixture
def shot(matted: Shot, tmp_path: Path) -> Shot:
    shutil.copytree(matted.out, tmp_path / "out")
    return matted.model_copy(update={"out": tmp_path / "out"})


def obeyed(text: str) -> set[str]:
    """What a terminal would do something on."""
    return {c for c in text if not c.isprintable() and c != "\n"}


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_names_of_files_do_nothing_to_a_terminal(
    shot: Shot, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    (shot.out / "alpha" / NASTY).write_bytes(b"")
    (shot.out / "alpha" / os.fsdecode(b"\xff\xfe")).write_bytes(b"")
    assert main(["verify", str(shot.out), *words]) == 0
    said = capsys.readouterr().out
    assert obeyed(said) == set()
    assert not any(line.startswith("adamatte: 6 of 6") for line in said.splitlines())
    assert "52;c;" in said


def test_an_error_in_a_manifest_does_nothing_to_a_terminal(
    shot: Shot, capsys: pytest.CaptureFixture[str]
) -> None:
    path = shot.out / "manifest.json"
    told = json.loads(path.read_text())
    told["frames"]["1003"] = {"state": "failed", "error": NASTY}
    path.write_text(json.dumps(told))
    assert main(["verify", str(shot.out)]) == 3
    said = capsys.readouterr()
    assert obeyed(said.out + said.err) == set()


def change_plate(shot: Shot, key: str, value: object) -> Path:
    path = shot.out / "manifest.json"
    told = json.loads(path.read_text())
    told["plate"][key] = value
    path.write_text(json.dumps(told))
    return path


NUMBERS = ["1/0", "abc", "1e400", "0", "-24", "9" * 5000, 0, -1, 10**30, 1e300, [0, 0, -5, 1], []]


@pytest.mark.parametrize("key", ["rate", "width", "height", "pixel_aspect", "data_window"])
def test_numbers_that_cannot_be_are_refused_when_a_manifest_is_read(shot: Shot, key: str) -> None:
    for value in NUMBERS:
        with pytest.raises(OutputError, match="the manifest is damaged"):
            load(change_plate(shot, key, value))


@pytest.mark.parametrize(
    ("key", "value"),
    [("rate", "1/999999999999"), ("rate", "100000"), ("height", 131_072), ("pixel_aspect", 1e-9)],
)
def test_what_is_taken_can_be_worked_with(shot: Shot, key: str, value: object) -> None:
    change_plate(shot, key, value)
    assert build_report(shot.out).page.is_file()


@pytest.mark.timeout(100)
def test_a_manifest_of_a_million_frames_is_answered(shot: Shot) -> None:
    path = shot.out / "manifest.json"
    told = json.loads(path.read_text())
    told["asked"] = "1-1000000"
    path.write_text(json.dumps(told))
    report = verify(shot.out)
    assert (len(report.promised), len(report.sound)) == (1_000_000, 6)


@pytest.mark.parametrize(
    "text", ["吉\U00020bb7野", "plain", '"quoted" \\ \n\t', "\x9b\u202e\ufeff", "😀", "${x}: # -"]
)
def test_texts_reach_openjd_whole(text: str) -> None:
    yaml = pytest.importorskip("yaml")
    assert yaml.safe_load(_quoted(text)) == text


def test_strange_names_among_small_pictures_are_left_alone(shot: Shot) -> None:
    folder = shot.out / "report" / "frames"
    folder.mkdir(parents=True, exist_ok=True)
    names = ["²." + "0" * 16 + ".pa.jpg", "9" * 200 + ".x.jpg", "1003..jpg", "1003", ".1003.a.jpg"]
    for name in names:
        (folder / name).write_bytes(b"x")
    (folder / f"1003.{'0' * 16}.pa.jpg").mkdir()
    (folder / f"1004.{'0' * 16}.pa.jpg").symlink_to("/dev/zero")
    build_report(shot.out)
    assert {name for name in names if (folder / name).exists()} == set(names)


def test_a_pipe_in_the_place_of_a_small_picture_is_not_waited_for(shot: Shot) -> None:
    build_report(shot.out)
    picture = next((shot.out / "report" / "frames").iterdir())
    picture.unlink()
    os.mkfifo(picture)
    assert build_report(shot.out).page.is_file()


def test_there_is_no_film_of_frames_that_nobody_has_come_to(shot: Shot) -> None:
    path = shot.out / "manifest.json"
    told = json.loads(path.read_text())
    told["asked"] = "1-20000"
    path.write_text(json.dumps(told))
    data = build_report(shot.out).page.with_name("data.js").read_text()
    shown = re.search(r'"film":\[([\d,]*)\]', data)
    assert shown is not None
    assert len(shown[1].split(",")) == 6
