"""A desk on a folder in which a farm's tasks work too."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from plugin.cli import main
from plugin.disk.claims import claimed
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from tests.desks import Client, open_desk, ran, stroke
from tests.jobs import alphas, creature

pytestmark = pytest.mark.slow


def task(shot: Shot, frames: str) -> subprocess.Popen[bytes]:
    """As the farms' job formats call it."""
    words = ["-m", "adamatte", "run", "--job", str(shot.out.parent / "desk.toml")]
    words += ["--frames", frames, "--executor", "process", "--no-report", "--quiet"]
    return subprocess.Popen([sys.executable, *words])


def until_marks(client: Client, **wanted: object) -> None:
    end = time.monotonic() + 60
    while {name: (marks := client.get("/api/marks"))[name] for name in wanted} != wanted:
        assert time.monotonic() < end, marks
        time.sleep(0.05)


def test_what_a_farm_does_is_seen_and_what_it_holds_is_left_to_it(tmp_path: Path) -> None:
    shot = creature(tmp_path).model_copy(update={"executor": "process"})
    with open_desk(shot) as opened:
        client = opened.client()
        tasks = [task(shot, "1001-1003"), task(shot, "1004-1006")]
        assert [one.wait(120) for one in tasks] == [0, 0]
        until_marks(client, done="1001-1006", due=0)
        made = alphas(shot)
        # A correction that the tasks did not know makes its frames due, and them alone.
        client.change({"now": stroke("s", "1002", "foreground", (10, 10), (80, 12))})
        until_marks(client, stale="1002", due=1)
        with claimed(shot.out, FrameRange.parse("1002-1003")):
            job = ran(client)
            assert job["state"] == "failed"
            assert "1002" in job["message"], job
        assert alphas(shot) == made
        assert ran(client)["state"] == "done"
        until_marks(client, done="1001-1006", due=0)
        # A task that still has the request of before puts back what it was asked for.
        assert task(shot, "1001-1003").wait(120) == 0
        until_marks(client, stale="1002", due=1)
        assert ran(client)["frames"] == "1002"
    assert main(["verify", str(shot.out)]) == 0
    assert {n for n, pixels in alphas(shot).items() if pixels != made[n]} == {1002}
