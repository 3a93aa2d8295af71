"""Wrong requests through the real command: the contract's exit code, one clear line, no remains."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from plugin.framerange import FrameRange
from plugin.pattern import FramePattern
from plugin.request.shot import Shot
from tests.jobs import creature
from tests.media import write_exr, write_image

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Ending:
    """How a command ended."""

    code: int
    error: str
    out: Path


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return creature(tmp_path_factory.mktemp("refusals"), frames=12)


def adamatte(out: Path, *words: object) -> Ending:
    command = [sys.executable, "-m", "plugin.cli", "run", *map(str, words), "--out", str(out)]
    done = subprocess.run(
        command, cwd=HERE, capture_output=True, text=True, timeout=600, check=False
    )
    assert "Traceback" not in done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("adamatte: error: ")]
    assert len(errors) == 1, done.stderr
    assert errors[0].count(" · ") == 2, errors[0]
    return Ending(done.returncode, errors[0], out)


def truncated_video(shot: Shot, tmp_path: Path) -> list[object]:
    cut = tmp_path / "cut.mp4"
    data = Path(shot.plate).read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    return [cut, "--segment", "none"]


def missing_frame(_shot: Shot, tmp_path: Path) -> list[object]:
    for number in (1, 2, 4):
        flat = {channel: np.zeros((16, 24), np.float32) for channel in "RGB"}
        write_exr(tmp_path / f"p.{number:04d}.exr", flat)
    return [tmp_path / "p.%04d.exr", "--frames", "1-4", "--segment", "none"]


def another_size(shot: Shot, tmp_path: Path) -> list[object]:
    for number in range(1001, 1013):
        write_image(tmp_path / f"m.{number}.png", np.zeros((30, 48, 1), np.uint8))
    return [shot.plate, "--mask", tmp_path / "m.%04d.png"]


def one_mask_of_another_size(shot: Shot, tmp_path: Path) -> list[object]:
    assert shot.mask is not None
    given = FramePattern.parse(shot.mask)
    for number in given.scan():
        (tmp_path / f"m.{number}.png").write_bytes(given.path(number).read_bytes())
    write_image(tmp_path / "m.1007.png", np.zeros((65, 96, 1), np.uint8))
    return [shot.plate, "--mask", tmp_path / "m.%04d.png"]


def text_as_video(_shot: Shot, tmp_path: Path) -> list[object]:
    fake = tmp_path / "fake.mov"
    fake.write_text("ffconcat version 1.0\nfile /etc/passwd\n")
    return [fake, "--segment", "none"]


def bad_override(shot: Shot, tmp_path: Path) -> list[object]:
    path = tmp_path / "shot.trimap.json"
    rule = '{"id": "wider", "frames": "1001", "params": {"erode": 6}, "wings": 2}'
    plate = '{"width": 96, "height": 64}'
    head = '"schema": "trimap-override/1", "shot": "demo1"'
    path.write_text(f'{{{head}, "plate": {plate}, "rules": [{rule}]}}')
    return [shot.plate, "--mask", shot.mask, "--override", path]


CASES: dict[str, tuple[Callable[[Shot, Path], list[object]], int, str]] = {
    "truncated video": (truncated_video, 2, "cut.mp4"),
    "missing frame": (missing_frame, 2, "3"),
    "masks of another size": (another_size, 2, "48"),
    "one mask of another size": (one_mask_of_another_size, 2, "m.1007.png"),
    "a script named as a video": (text_as_video, 2, "fake.mov"),
    "bad override": (bad_override, 2, "wings"),
    "no such plate": (lambda _s, t: [t / "none.mov"], 2, "none.mov"),
    "an address": (lambda _s, _t: ["http://127.0.0.1/x.mov"], 2, "http"),
    "unknown option": (lambda s, _t: [s.plate, "--erodde", 3], 2, "--erode"),
    "wrong value": (lambda s, _t: [s.plate, "--erode", "wide"], 2, "--erode"),
    "no such frames": (lambda s, _t: [s.plate, "--frames", "2000-2010"], 2, "2000-2010"),
    "backward range": (lambda s, _t: [s.plate, "--frames", "1010-1001"], 2, "1010-1001"),
    "no such weights": (lambda s, _t: [s.plate, "--mask", s.mask, "--model", "big"], 2, "big"),
    "no segmentation": (lambda s, _t: [s.plate], 2, "--mask"),
    "no such colour": (
        lambda s, _t: [s.plate, "--mask", s.mask, "--in-colour", "mauve"],
        2,
        "mauve",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_request_writes_nothing(name: str, shot: Shot, tmp_path: Path) -> None:
    make, code, says = CASES[name]
    ending = adamatte(tmp_path / "out", *make(shot, tmp_path))
    assert (ending.code, says in ending.error) == (code, True), ending.error
    assert not ending.out.exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB, unmounted at the end."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_refused_before_the_work(shot: Shot, small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * (20 << 20))
    ending = adamatte(small_disk / "out", shot.plate, "--mask", shot.mask)
    assert ending.code == 4
    assert "free" in ending.error
    assert frames_in(ending.out) == FrameRange(())


def test_a_read_only_folder_is_refused(shot: Shot, small_disk: Path) -> None:
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    subprocess.run(remount, check=True)
    ending = adamatte(small_disk / "out", shot.plate, "--mask", shot.mask)
    assert ending.code == 4
    assert "read-only" in ending.error.lower()


@pytest.mark.ray
@pytest.mark.timeout(300)
def test_a_disk_that_fills_up_leaves_only_whole_frames(shot: Shot, small_disk: Path) -> None:
    """The estimate lets the job begin; then somebody else takes the room."""
    out = small_disk / "out"
    words = [shot.plate, "--mask", shot.mask, "--out", out, "--workers", "1", "--progress", "jsonl"]
    words += ["--executor", "ray"]
    command = [sys.executable, "-m", "plugin.cli", "run", *map(str, words)]
    filled = False
    with subprocess.Popen(
        command, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if '"event": "start"' in line and not filled:
                filled = True
                fill(small_disk / "ballast")
        errors = process.stderr.read()
        code = process.wait(timeout=600)
    assert filled
    assert code == 4, errors
    assert "Traceback" not in errors
    from plugin.exr.alpha_file import read_alpha

    for number in frames_in(out):
        read_alpha(FramePattern.parse(out / "alpha" / "demo1_alpha.%04d.exr").path(number))
    assert [f.name for f in (out / "alpha").iterdir() if f.name.endswith(".tmp")] == []


def fill(path: Path) -> None:
    """Take every byte that is left."""
    with path.open("wb", buffering=0) as ballast:
        try:
            while True:
                ballast.write(b"x" * 4096)
        except OSError:
            return


def frames_in(out: Path) -> FrameRange:
    return FramePattern.parse(out / "alpha" / "demo1_alpha.%04d.exr").scan()
