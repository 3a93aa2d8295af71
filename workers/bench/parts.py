"""What each part of `bench` measures, as figures. The work itself is done in child processes."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from plugin.errors import SurroundingsError
from workers.bench.child import in_child
from workers.bench.figures import Figure, Settings
from workers.bench.network import key_of, slope

_ASIDE = 3
"""Results at the end of a shot that wait for no network any more: neighbours were there."""

_MEMORY_FRAMES = 6
"""After so many a worker holds all that it will ever hold."""

_SAMPLES = 6
"""Frames of a job that the network is timed on alone; they differ by a third."""

_SMALL = 0.005
GIB = 1 << 30


def network_figures(settings: Settings) -> Iterator[Figure]:
    """The network by size and share."""
    main, share = settings.main, settings.share
    found = in_child(
        "network",
        sizes=[(size.name, size.width, size.height) for size in settings.sizes],
        unknown=settings.unknown,
        main=main.name,
        share=share,
        rounds=settings.rounds,
        model=settings.model,
        device=settings.device,
    )
    clock = "cpu" if settings.device == "cpu" else "wall"
    seconds = {name: float(one[clock]) for name, one in found.items()}
    yard = seconds.pop("yardstick")
    usual = seconds[key_of(main.name, share)]
    whole = seconds.pop(key_of(main.name, share, "whole frame"))
    larger = seconds.pop(key_of(main.name, share, "in a frame of twice its sides"))
    for name, taken in seconds.items():
        yield Figure(f"network · {name}", taken, "s", steady=False)
        yield Figure(f"network · {name} · yardsticks", taken / yard, "×", "lower")
    yield Figure("yardstick", yard, "s", steady=False)
    on_cpu = settings.device == "cpu" and main.name == "1080p" and share == 10
    name = f"network · whole frame over {key_of(main.name, share)}"
    yield Figure(name, whole / usual, "×", "higher", 4.0 if on_cpu else None)
    name = f"network · {key_of(main.name, share)} in a frame of twice its sides, over that"
    yield Figure(name, larger / usual, "×", "lower", 1.3 if on_cpu else None)


def job_figures(settings: Settings) -> Iterator[Figure]:
    """Whole job over network alone, one and two workers, stages, the driver's own share."""
    main, frames = settings.main, settings.frames
    with tempfile.TemporaryDirectory(prefix="adamatte-bench-") as folder:
        shot = shot_of(settings, Path(folder), (main.width, main.height), frames)
        few = _spread(frames)
        runs: dict[str, dict[str, Any]] = {}
        before = in_child("alone", shot=variant(shot, "alone"), frames=few, rounds=1)
        here = variant(shot, "process", executor="process")
        runs["process"] = in_child("job", shot=here)
        runs["fg"] = in_child("job", shot=variant(here, "fg", channels="fg"))
        runs |= _worker_runs(settings, shot)
        after = in_child("alone", shot=variant(shot, "alone"), frames=few, rounds=1)
    _refuse_failed(runs)
    # A job's pace is a mean over minutes and over all of its frames, and so is this.
    network = {clock: (before[clock] + after[clock]) / 2 for clock in ("wall", "cpu")}
    yield from _job_over_network(settings, runs, network, before["unknown"])
    yield from _workers(settings, runs)
    stages = runs["one"]["stages"]
    total = sum(stages.values()) or 1.0
    for name, spent in sorted(stages.items(), key=lambda item: -item[1]):
        if spent / total > _SMALL:
            yield Figure(f"stage · {name}", 100 * spent / total, "%", steady=False)


def worker_figures(settings: Settings) -> Iterator[Figure]:
    """One worker and two, and nothing else of the job."""
    with tempfile.TemporaryDirectory(prefix="adamatte-bench-") as folder:
        size = settings.main.width, settings.main.height
        shot = shot_of(settings, Path(folder), size, settings.frames)
        runs = _worker_runs(settings, shot)
    _refuse_failed(runs)
    yield from _workers(settings, runs)


def _worker_runs(settings: Settings, shot: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The job by one worker, by one that has one core, and by two with half of the shot each."""
    runs = {"one": in_child("job", shot=variant(shot, "one", workers=1))}
    if settings.device == "cpu" and hasattr(os, "sched_setaffinity"):
        runs["one core"] = in_child("job", shot=variant(shot, "core", workers=1), cores=1)
    two = variant(shot, "two", workers=2, chunk=_half(settings))
    return runs | {"two": in_child("job", shot=two)}


def _half(settings: Settings) -> int:
    return max(1, settings.frames // 2)


def _refuse_failed(runs: Mapping[str, Mapping[str, Any]]) -> None:
    for run in runs.values():
        if run["failed"]:
            raise SurroundingsError(str(run["failed"]), where="bench, job", fix="see --debug")


def _spread(frames: int) -> list[int]:
    """Some frames of a job, from its first to the last whose pace counts."""
    last = max(0, frames - 1 - _ASIDE)
    return sorted({1001 + round(last * part / (_SAMPLES - 1)) for part in range(_SAMPLES)})


def _job_over_network(
    settings: Settings,
    runs: Mapping[str, Mapping[str, Any]],
    network: Mapping[str, float],
    unknown: float,
) -> Iterator[Figure]:
    process, one = runs["process"], runs["one"]
    name = f"job · {settings.main.name} EXR"
    yield Figure(f"{name} · unknown", 100 * unknown, "%", steady=False)
    yield Figure(f"{name} · network alone", network["wall"], "s a frame", steady=False)
    walls = slope(one["walls"], _ASIDE)
    yield Figure(f"{name} · one worker", walls, "s a frame", steady=False)
    yield Figure(f"{name} · one worker", 1 / walls, "frames/s", steady=False)
    over = "one worker over network alone"
    goal = 1.10 if settings.main.name == "1080p" else None
    yield Figure(f"{name} · {over}, wall time", walls / network["wall"], "×", "lower", goal)
    if settings.device == "cpu":
        for how, run in (("", process), (", --channels fg", runs["fg"])):
            of_all = slope(run["cpus"], _ASIDE) / network["cpu"]
            yield Figure(f"{name}{how} · {over}, processor time", of_all, "×", "lower")
    spent = one["cpus"][-1] - one["cpus"][0]
    share = 100 * spent / max(1e-6, one["walls"][-1] - one["walls"][0])
    yield Figure(f"{name} · the driver's own processor time", share, "%", steady=False)
    yield Figure(f"{name} · before the first frame", one["before"], "s", steady=False)
    yield Figure(f"{name} · after the last frame", one["after"], "s", steady=False)


def _workers(settings: Settings, runs: Mapping[str, Mapping[str, Any]]) -> Iterator[Figure]:
    """Two workers have half of the shot each; either's pace is taken from its own half.

    One worker does what surrounds the network on a second core, if there is one; with two workers
    on two cores there is none. So one worker that has one core is held against them as well.
    """
    half, goal = _half(settings), 1.8 if settings.main.name == "1080p" else None
    two = runs["two"]
    halves: tuple[list[float], list[float]] = ([], [])
    for number, wall in zip(two["numbers"], two["walls"], strict=True):
        halves[number >= 1001 + half].append(wall)
    if min(len(part) for part in halves) < 2:
        return
    pace = sum(1 / slope(part, _ASIDE) for part in halves)
    alone = 1 / slope(runs["one"]["walls"], _ASIDE)
    yield Figure("workers · two over one", pace / alone, "×", "higher", goal)
    if "one core" in runs:
        alone = 1 / slope(runs["one core"]["walls"], _ASIDE)
        yield Figure("workers · two over one on one core", pace / alone, "×", "higher", goal)


def memory_figures(settings: Settings) -> Iterator[Figure]:
    """The most that one process has resident: of the network, and of the whole job."""
    size = settings.memory or settings.sizes[-1]
    goal = 6.0 if size.name == "4320p" and settings.share == 10 else None
    name = f"memory · {key_of(size.name, settings.share)}"
    pair = (size.width, size.height)
    found = in_child(
        "alone",
        size=pair,
        share=settings.share,
        model=settings.model,
        device=settings.device,
    )
    yield Figure(f"{name} · network alone", found["peak"] / GIB, "GiB", "lower", goal)
    with tempfile.TemporaryDirectory(prefix="adamatte-bench-") as folder:
        shot = shot_of(settings, Path(folder), pair, _MEMORY_FRAMES)
        for what, changes in (("", {}), (" without stabilisation", {"stabilise": 0})):
            found = in_child("job", shot=variant(shot, f"job{what}", executor="process", **changes))
            if found["failed"]:
                raise SurroundingsError(str(found["failed"]), where="bench, memory", fix="--debug")
            yield Figure(f"{name} · job{what}", found["peak"] / GIB, "GiB", "lower", goal)


def shot_of(settings: Settings, folder: Path, size: tuple[int, int], frames: int) -> dict[str, Any]:
    """A job on frames that are written for it."""
    files = in_child(
        "load", folder=str(folder / "plate"), size=size, frames=frames, share=settings.share
    )
    return {
        "plate": files["plate"],
        "mask": files["mask"],
        "erode": files["band"],
        "dilate": files["band"],
        "band": "fixed",  # so that the share is the one asked for
        "out": str(folder),
        "model": settings.model,
        "device": settings.device,
        "workers": 1,
    }


def variant(shot: Mapping[str, Any], folder: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    """The job with other settings, into a folder of its own."""
    return {**shot, "out": str(Path(shot["out"]) / folder.replace(" ", "-")), **changes}
