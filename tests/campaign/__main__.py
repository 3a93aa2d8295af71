"""The trials at full length; prints their figures as JSON."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path

from tests.jobs import creature


def main() -> int:
    """Run the trials that are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign")
    which = parser.add_subparsers(dest="which", required=True)
    kills = which.add_parser("kills")
    kills.add_argument("--drivers", type=int, default=20)
    kills.add_argument("--tasks", type=int, default=20)
    kills.add_argument("--workers", type=int, default=20)
    mutants = which.add_parser("mutants")
    mutants.add_argument("--each", type=int, default=70)
    strangers = which.add_parser("strangers")
    strangers.add_argument("--scripts", type=int, default=250)
    many = which.add_parser("many")
    many.add_argument("--frames", type=int, default=10_000)
    for one in (kills, mutants, strangers):
        one.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        trials = {"kills": _kills, "mutants": _mutants, "many": _many, "strangers": _strangers}
        return trials[asked.which](asked, Path(name))


def _kills(asked: argparse.Namespace, folder: Path) -> int:
    from tests.campaign.kills import kill_drivers, kill_workers

    shot = creature(folder, frames=48).model_copy(update={"device": "cpu"})
    wrong = 0
    task = shot.model_copy(update={"executor": "process"})
    for name, trial, what, runs in (
        ("farm tasks", kill_drivers, task, asked.tasks),
        ("workers", kill_workers, shot, asked.workers),
        ("drivers", kill_drivers, shot, asked.drivers),
    ):
        below = folder / name
        below.mkdir()
        outcome = trial(what, below, runs, asked.seed)
        print(json.dumps({"killed": name, **dataclasses.asdict(outcome)}), flush=True)
        wrong += len(outcome.wrong)
    return min(1, wrong)


def _mutants(asked: argparse.Namespace, folder: Path) -> int:
    from tests.campaign.mutants import trial

    outcome = trial(folder, each=asked.each, seed=asked.seed)
    print(json.dumps(dataclasses.asdict(outcome)))
    return min(1, len(outcome.wrong))


def _strangers(asked: argparse.Namespace, folder: Path) -> int:
    from tests.campaign.strangers import play

    outcome = play(folder, range(asked.seed, asked.seed + asked.scripts))
    print(json.dumps(dataclasses.asdict(outcome)))
    return min(1, len(outcome.wrong))


def _many(asked: argparse.Namespace, folder: Path) -> int:
    from tests.campaign.many import trial

    print(json.dumps(dataclasses.asdict(trial(folder, frames=asked.frames))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
