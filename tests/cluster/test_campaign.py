"""A few of the trials of `python -m tests.campaign`, on a real local Ray."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.result.manifest import load
from plugin.result.verify import verify
from plugin.types import FrameState
from tests.campaign import many
from tests.campaign.kills import kill_drivers, kill_workers
from tests.jobs import alphas, creature, made

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(400)]

HERE = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    shot = creature(tmp_path_factory.mktemp("campaign"), frames=24)
    return shot.model_copy(update={"device": "cpu"})  # the driver needs no torch then


def test_killed_workers_and_drivers_leave_nothing_wrong(shot: Shot, tmp_path: Path) -> None:
    for outcome in (
        kill_workers(shot, tmp_path, runs=1, seed=5),
        kill_drivers(shot, tmp_path, runs=1, seed=5),
    ):
        assert outcome.wrong == []
        assert outcome.kills > 0


def eight_frames(shot: Shot, out: Path, actor: str) -> tuple[Shot, list[dict[str, object]]]:
    """Eight frames on such an actor, one try more for each: the shot, and what was told."""
    eight = shot.model_copy(
        update={"out": out, "retries": 1, "frames": FrameRange.span(1001, 1008)}
    )
    words = [sys.executable, "-m", "tests.campaign.job", eight.model_dump_json(), "--actor", actor]
    done = subprocess.run(words, cwd=HERE, capture_output=True, text=True, timeout=300, check=False)
    return eight, [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_a_frame_that_kills_its_worker_is_set_aside_and_named(shot: Shot, tmp_path: Path) -> None:
    poisoned, events = eight_frames(shot, tmp_path / "out", "PoisonedActor")
    aside = [event for event in events if event.get("quarantined")]
    assert [(event["frame"], event["state"]) for event in aside] == [(1003, "failed")]
    manifest = load(tmp_path / "out" / "manifest.json")
    assert str(manifest.in_state(FrameState.QUARANTINED)) == "1003"
    assert made(poisoned) == [1001, 1002, *range(1004, 1009)] == sorted(alphas(poisoned))
    assert "set aside after 2 tries: its worker died" in manifest.frames[1003].error


def test_a_frame_whose_worker_dies_before_it_says_so_is_made(shot: Shot, tmp_path: Path) -> None:
    silenced, _ = eight_frames(shot, tmp_path / "out", "SilencedActor")
    assert made(silenced) == list(range(1001, 1009)) == sorted(alphas(silenced))
    assert str(load(silenced.out / "manifest.json").in_state(FrameState.SKIPPED)) == "1002"
    assert verify(silenced.out).complete


def test_sigterm_lets_frames_in_flight_end_and_loses_no_record(shot: Shot, tmp_path: Path) -> None:
    stopped = shot.model_copy(update={"out": tmp_path / "out", "workers": 1})
    words = [sys.executable, "-m", "tests.campaign.job", stopped.model_dump_json()]
    with subprocess.Popen(
        words, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if '"frame": 1004' in line:
                process.send_signal(signal.SIGTERM)
                break
        process.stdout.read()
        errors = process.stderr.read()
        assert process.wait(timeout=300) == 143, errors
    assert errors.splitlines()[-1].startswith("adamatte: error: stopped with ")
    done = load(stopped.out / "manifest.json").in_state(FrameState.DONE)
    assert sorted(alphas(stopped)) == list(done)
    assert list(stopped.out.glob(".claim-*")) == []
    again = subprocess.run(words, cwd=HERE, capture_output=True, timeout=300, check=False)
    assert again.returncode == 0
    assert verify(stopped.out).complete


def test_many_frames_fly_two_a_worker_and_no_more(tmp_path: Path) -> None:
    outcome = many.trial(tmp_path, frames=120)
    assert outcome.frames == 120
    assert outcome.most_in_flight <= 2 * many.WORKERS
