"""Drivers and workers killed with -9 at random moments; then the same command again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from plugin.driver.run import run
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.result.manifest import load
from plugin.result.verify import verify
from plugin.types import FrameResult
from tests.campaign.actors import LumaActor
from tests.jobs import alphas, luma_matter
from workers.cluster import Cluster, connected
from workers.in_process import InProcessExecutor

HERE = Path(__file__).parents[2]

WORKERS = 2


@dataclass
class Outcome:
    """Of a series of runs.

    Attributes:
        runs: that were disturbed.
        kills: processes that were killed.
        kept: frames that were whole after a kill, before the next run, in all runs together.
        wrong: what was not as it should be.
    """

    runs: int = 0
    kills: int = 0
    kept: int = 0
    wrong: list[str] = field(default_factory=list)


def undisturbed(shot: Shot) -> dict[int, bytes]:
    """Every alpha of a run in one process."""
    run(shot, executor=InProcessExecutor(luma_matter))
    return alphas(shot)


def kill_drivers(shot: Shot, folder: Path, runs: int, seed: int) -> Outcome:
    """Kill the driver somewhere between its first and its last frame, and run it again."""
    dice, outcome, whole = random.Random(seed), Outcome(), undisturbed(shot)
    for number in range(runs):
        trial = shot.model_copy(update={"out": folder / f"driver{number}", "workers": 2})
        outcome.kills += _kill_one(trial, dice.randrange(len(whole)), dice.uniform(0, 0.03))
        early = alphas(trial)
        outcome.kept += len(early)
        if any(early[frame] != whole[frame] for frame in early):
            outcome.wrong.append(f"run {number}: a frame was not whole after the kill")
        again = subprocess.run(_command(trial), cwd=HERE, capture_output=True, check=False)
        if again.returncode:
            outcome.wrong.append(f"run {number}: {again.stderr[-300:].decode()}")
        _compare(trial, whole, number, outcome)
    return outcome


def kill_workers(shot: Shot, folder: Path, runs: int, seed: int) -> Outcome:
    """Kill workers while they work, one to three times a run; all runs on one private Ray."""
    dice, outcome, whole = random.Random(seed), Outcome(), undisturbed(shot)
    with connected(Cluster(None, WORKERS)):
        for number in range(runs):
            trial = shot.model_copy(update={"out": folder / f"worker{number}", "chunk": 8})
            when = {dice.randrange(len(whole) - 4) for _ in range(dice.randint(1, 3))}
            violent = Violent(when, dice)
            run(trial, executor=violent)
            outcome.kills += violent.killed
            _compare(trial, whole, number, outcome)
    return outcome


class Violent:
    """Kills a worker, a random moment after so many results. As `RayExecutor` in all else."""

    def __init__(self, when: set[int], dice: random.Random) -> None:
        self._when, self._dice = when, dice
        self.killed = 0

    def stop(self) -> None:
        """See `plugin.types.Executor`."""

    def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
        """See `plugin.types.Executor`."""
        import ray

        from workers.ray_pool import Pool

        remote = ray.remote(LumaActor).options(num_cpus=1, max_restarts=-1, max_task_retries=0)
        pool = Pool(lambda: remote.remote(str(job)), WORKERS, tasks, retries=3)
        for count, result in enumerate(pool.results()):
            yield result
            if count in self._when:
                threading.Event().wait(self._dice.uniform(0, 0.02))
                self.killed += _kill(self._dice, descendants("ray::LumaActor"))


def _compare(shot: Shot, whole: dict[int, bytes], number: int, outcome: Outcome) -> None:
    outcome.runs += 1
    manifest = load(shot.out / "manifest.json")
    facts = {
        "frames differ": alphas(shot) != whole,
        "not verified": not verify(shot.out).complete,
        "manifest has other frames": sorted(manifest.frames) != sorted(whole),
        "left over": bool(list(shot.out.rglob("*.tmp")) + list(shot.out.glob(".claim-*"))),
    }
    outcome.wrong += [f"run {number}: {what}" for what, is_so in facts.items() if is_so]
    print(number, outcome, file=sys.stderr, flush=True)


def _command(shot: Shot) -> list[str]:
    return [sys.executable, "-m", "tests.campaign.job", shot.model_dump_json()]


def _kill_one(shot: Shot, after: int, delay: float) -> int:
    """Start a run and kill its driver a moment after so many frames; the rest of Ray follows it."""
    with subprocess.Popen(
        _command(shot), cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        seen = 0
        for line in process.stdout:
            seen += json.loads(line)["event"] == "frame"
            if seen > after:
                threading.Event().wait(delay)
                process.send_signal(signal.SIGKILL)
                break
    return int(process.returncode == -signal.SIGKILL)


def _kill(dice: random.Random, processes: list[int]) -> int:
    if not processes:
        return 0
    os.kill(dice.choice(processes), signal.SIGKILL)
    return 1


def descendants(name: str) -> list[int]:
    """Processes of that name that this one started, itself or through Ray's."""
    parents: dict[int, int] = {}
    named = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
                stat = (entry / "stat").read_bytes()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat[stat.rindex(b")") + 2 :].split()[1])
            if words.startswith(name.encode()):
                named.append(int(entry.name))
    return [pid for pid in named if os.getpid() in _line_of(pid, parents)]


def _line_of(pid: int, parents: dict[int, int]) -> Iterator[int]:
    while pid in parents and pid > 1:
        pid = parents[pid]
        yield pid
