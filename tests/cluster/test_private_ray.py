"""The private Ray of a run: nobody else's to enter, and missed when it dies."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from plugin.disk.atomic import process_start
from plugin.doctor import SHORT_TEMPORARY
from plugin.result.manifest import read_progress, write_progress
from tests.small_plate import small_shot
from workers.jobs_api import find_token
from workers.private_ray import mark_of, private_folder

HERE = Path(__file__).parents[2]


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_ray_that_dies_ends_the_run_with_its_own_words(tmp_path: Path) -> None:
    shot = small_shot(tmp_path, range(1001, 1061))
    words = [sys.executable, "-m", "plugin.cli", "run", shot.plate, "--out", str(shot.out)]
    words += ["--segment", "none", "--stabilise", "0", "--no-report", "--workers", "1"]
    words += ["--executor", "ray"]
    with subprocess.Popen(
        [*words, "--progress", "plain"],
        cwd=HERE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "frame 1001 done" in line:
                break
        folder = next(f for f in Path(SHORT_TEMPORARY).glob(f"{mark_of(process.pid)}*"))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        children = subprocess.run(
            ["pgrep", "-P", str(process.pid), "gcs_server"],
            capture_output=True,
            text=True,
            check=True,
        )
        os.kill(int(children.stdout), signal.SIGKILL)
        rest = process.stderr.read()
        assert process.wait(timeout=300) == 4
    assert rest.strip().splitlines()[-1].startswith("adamatte: error: Ray's process gcs_server")
    told = json.loads((shot.out / "progress.json").read_text())
    assert (told["state"], told["exit"]) == ("ended", 4)


def test_what_killed_runs_left_is_swept_and_what_live_ones_have_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", SHORT_TEMPORARY)
    with private_folder() as mine:
        dead = mine.parent.with_name(mine.parent.name.replace(f"{os.getpid():x}.", "fffffff."))
        dead.mkdir()
        with private_folder() as other:
            assert mine.parent.is_dir()
            assert not dead.exists()
            assert stat.S_IMODE(other.parent.stat().st_mode) == 0o700
    assert not mine.parent.exists()


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "running"),
        ({"process": 999_999_999}, "lost"),
        ({"start": "1"}, "lost"),
        ({"host": "elsewhere"}, "running"),
        ({"host": "elsewhere", "time": 1.0}, "lost"),
        ({"state": "ended", "process": 999_999_999}, "ended"),
    ],
)
def test_a_reader_notices_that_the_writer_is_gone(
    tmp_path: Path, change: dict[str, object], state: str
) -> None:
    path = tmp_path / "progress.json"
    write_progress(path, {"state": "running"})
    told = json.loads(path.read_text())
    assert told["start"] == process_start(os.getpid())
    path.write_text(json.dumps(told | change))
    assert read_progress(path)["state"] == state


def test_a_token_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "token")
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    with pytest.raises(Exception, match="no token"):
        find_token("a cluster")
