"""What `run`, `segment` and `trimap` make of their job's outcome: here a job that only counts.

Also `inspect` and `verify` on real files.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from nuke_bridge.core.jobs_client import RayJobs
from plugin.cli import main
from plugin.cli.help_page import LaidOutCommand, talk_options
from plugin.cli.registry import Entry
from plugin.cli.shot_arguments import shot_options
from plugin.cli.shots import do_job
from plugin.errors import ClusterError, OutputError
from plugin.framerange import FrameRange
from plugin.progress.modes import Progress, QuietProgress
from plugin.request.asked import CLEANUP, MASK, NETWORK, OUTPUT, SHOT, TRIMAP, WORK
from plugin.request.shot import Shot
from plugin.result.manifest import Manifest, PlateRecord, save
from plugin.types import FrameResult, FrameState, PlateKind, Window
from workers.submit import cancel, log_of, status

ALL = (SHOT, MASK, TRIMAP, NETWORK, CLEANUP, OUTPUT, WORK)
BROKEN = "damaged · plate.%04d.exr · render it again"


def count(shot: Shot, progress: Progress) -> Manifest:
    """Do frames 1 to 6, or those asked for; frame 3 and those from 5 on fail."""
    asked = shot.frames or FrameRange.span(1, 6)
    results = [result_of(number) for number in range(1, 7)]
    progress.start(len(asked), shot=shot.name)
    for result in results:
        if result.number in asked:
            progress.frame(result)
    window = Window.of_size(8, 8)
    plate = PlateRecord(
        path=shot.plate,
        kind=PlateKind.SEQUENCE,
        frames=FrameRange.span(1, 6),
        data_window=window,
        display_window=window,
        pixel_aspect=1,
    )
    manifest = Manifest(
        schema="adamatte-manifest/1", version="1", shot=shot, plate=plate, model="", weights=""
    )
    return manifest.with_results(results)


def result_of(number: int) -> FrameResult:
    failed = number == 3 or number >= 5
    state = FrameState.FAILED if failed else FrameState.DONE
    return FrameResult(number=number, state=state, error=BROKEN % number if failed else "")


def fill(shot: Shot, progress: Progress) -> Manifest:
    """Find the disk full after a frame."""
    progress.start(6)
    progress.frame(result_of(1))
    raise OutputError("the disk is full", where=shot.out, fix="free some space")


def tell(shot: Shot, progress: Progress) -> Manifest:
    """Say what the shot is, as JSON on stderr."""
    progress.note(shot.model_dump_json())
    return count(shot, progress).model_copy(update={"frames": {}})


SAMPLES = {"count": count, "fill": fill, "tell": tell}
COMMANDS = {name: Entry(f"{__name__}:{name}_command", "Samples", name) for name in SAMPLES}


def _command(name: str) -> LaidOutCommand:
    return LaidOutCommand(
        name=name,
        callback=lambda **options: do_job(SAMPLES[name], options),
        params=[*shot_options(*ALL), *talk_options()],
    )


count_command, fill_command, tell_command = (_command(name) for name in SAMPLES)


@pytest.mark.parametrize(
    ("frames", "code", "line"),
    [
        ("1-2", 0, ""),
        ("1-3", 3, "1 frame failed · sh 3 · the rest are done; 3: damaged, plate.0003.exr, "),
        ("4-6", 3, "2 frames failed · sh 5-6 · the rest are done; 5: damaged, plate.0005.exr, "),
        ("1-6", 3, "3 frames failed · sh 3,5-6 · the rest are done; 3: damaged, plate.0003"),
    ],
)
def test_failed_frames_are_named(
    frames: str, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["count", "sh.%04d.exr", "--out", "o", "--quiet", "--frames", frames]
    assert main(words, commands=COMMANDS) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"adamatte: error: {line}" if line else "")
    assert err.count("\n") == bool(line)


@pytest.mark.parametrize(
    ("name", "frames", "code", "events"),
    [
        ("count", "1-2", 0, ["start", "frame", "frame", "progress", "end"]),
        ("count", "2-3", 3, ["start", "frame", "frame", "progress", "end"]),
        ("fill", "1-2", 4, ["start", "frame", "end"]),
    ],
)
def test_json_lines_end_with_the_exit_code(
    name: str, frames: str, code: int, events: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [name, "sh.%04d.exr", "--out", "o", "--progress", "jsonl", "--frames", frames]
    assert main(words, commands=COMMANDS) == code
    said: list[dict[str, Any]] = [json.loads(x) for x in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in said] == events
    assert said[-1]["exit"] == code


def test_what_was_done_is_said_before_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fill", "sh.mov", "--out", "o", "--progress", "plain"], commands=COMMANDS) == 4
    lines = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"adamatte: 1 done, 5 left in \d+ s", lines[-2])
    assert lines[-1] == "adamatte: error: the disk is full · o · free some space"


def shot_of(words: str, capsys: pytest.CaptureFixture[str]) -> Shot:
    """The shot that a command line makes."""
    line = ["tell", *words.split(), "--progress", "plain"]
    assert main(line, commands=COMMANDS) == 0
    note = capsys.readouterr().err.splitlines()[0].removeprefix("adamatte: note: ")
    return Shot.model_validate_json(note)


def test_every_option_reaches_its_field(capsys: pytest.CaptureFixture[str]) -> None:
    words = (
        "p.mov --out o --shot s --frames 1-2 --start-frame 7 --segment mask --mask m.mov "
        "--mask-layer matte --mask-invert --mask-range 0-2 --mask-start 5 "
        "--screen #00ff00 --clean-plate c.png --keyframe 1=a.png --keyframe 3=b.png "
        "--in-colour mauve --layer left --override o.json --trimap t.%04d.png --erode 1 --dilate 2 "
        "--band fixed --edge hair --segment-model n.onnx --prompt 1=point:2,3 "
        "--model m --device cpu --precision bf16 --tile 640 "
        "--stabilise 3 "
        "--despeckle 30 --choke -1.5 --soften 2 --holdout core.%04d.png --garbage junk.png "
        "--channels a --despill blue --bits float --compression piz "
        "--layers trimap --layers confidence --keep mask,trimap --keep adapted --no-report "
        "--executor process --workers 3 --gpus-per-worker 0.5 --address h:1 --chunk 5 "
        "--retries 9 --force --learn-minutes 3 --learn alpha"
    )
    shot = shot_of(words, capsys)
    assert {field for field in Shot.model_fields if field in shot.model_fields_set} == {
        *Shot.model_fields
    }
    default = Shot(plate="", out=Path())
    assert [f for f in Shot.model_fields if getattr(shot, f) == getattr(default, f)] == []
    assert shot.keep == frozenset({"mask", "trimap", "adapted"})
    assert shot.layers == frozenset({"trimap", "confidence"})
    assert shot.keyframes == {1: "a.png", 3: "b.png"}


def test_what_is_not_given_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert shot_of("p.mov --out o", capsys) == Shot(plate="p.mov", out=Path("o"))


def test_the_command_line_wins_over_the_job_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "job.toml"
    file.write_text('plate = "a.mov"\nout = "o"\nforce = true\nkeep = ["mask"]\nerode = 3\n')
    assert shot_of(f"--job {file}", capsys).force
    shot = shot_of(f"--job {file} --no-force --keep trimap --out other", capsys)
    assert (shot.force, shot.erode, shot.out) == (False, 3, Path("other"))
    assert shot.keep == frozenset({"trimap"})
    assert shot.plate == str(tmp_path / "a.mov")


@pytest.fixture
def plate(tmp_path: Path) -> str:
    """A sequence with a gap."""
    for number in (1001, 1002, 1004):
        picture = np.full((6, 8, 3), number % 256, np.uint8)
        assert cv2.imwrite(str(tmp_path / f"plate.{number}.png"), picture)
    return str(tmp_path / "plate.####.png")


def test_inspect_for_people(plate: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", plate]) == 0
    text = capsys.readouterr().out
    assert "1001-1002,1004 (3)" in text
    assert "8 × 6" in text


def test_inspect_for_programs(plate: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", plate, "--json", "--quiet"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["first"], told["last"], told["width"], told["height"]) == (1001, 1004, 8, 6)


def test_inspect_refuses_what_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(tmp_path / "no.mov")]) == 2
    assert capsys.readouterr().err.startswith("adamatte: error: ")


def test_verify_names_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shot = Shot(plate="p.mov", out=tmp_path, shot="sh", frames=FrameRange.span(1, 2))
    manifest = count(shot, QuietProgress()).model_copy(
        update={"frames": {}, "asked": FrameRange.span(1, 2)}
    )
    save(tmp_path / "manifest.json", manifest)
    assert main(["verify", str(tmp_path)]) == 3
    out, err = capsys.readouterr()
    assert "missing: 2 frames, 1-2" in out
    assert f"2 of 2 frames are not there and whole · {tmp_path} 1-2 · " in err
    assert main(["verify", str(tmp_path), "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["complete"] is False
    assert main(["verify", str(tmp_path), "--quiet"]) == 3
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "odd",
    ["", "..", "a/b", "../x", "a b", "a%2fb", "x" * 201, "é", "a\nb", "a?b", "a#b", "\x1b[2J"],
)
def test_odd_ids_of_jobs_reach_no_address(odd: str) -> None:
    client = RayJobs("http://127.0.0.1:9", "token")  # nobody answers there
    for ask in (status, log_of, cancel):
        with pytest.raises(ClusterError, match="not the id of a job"):
            ask(client, odd)
