"""The whole job by the program's own driver, with the clock running. Runs in a child process."""

import os
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plugin.driver.run import run
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.synthetic.loads import write_load
from plugin.types import FrameResult, FrameState
from workers.bench.child import peak_bytes


def write(*, folder: str, size: tuple[int, int], frames: int, share: float) -> dict[str, Any]:
    """A shot to matte; see `plugin.synthetic.loads`.

    Returns:
        `plate` and `mask`, patterns, and `band`, pixels of a 1080p frame.
    """
    files = write_load(Path(folder), size[0], size[1], frames=frames, unknown=share / 100)
    return {"plate": str(files.plate), "mask": str(files.mask), "band": files.band}


class _Clock(QuietProgress):
    """Notes when results come."""

    def __init__(self) -> None:
        self.results: list[tuple[FrameResult, float, float]] = []
        self.started = time.perf_counter()

    def frame(self, result: FrameResult) -> None:
        self.results.append((result, time.perf_counter(), time.process_time()))


def measure(*, shot: Mapping[str, Any], cores: int = 0) -> dict[str, Any]:
    """Run a job.

    Args:
        shot: as `Shot` takes it.
        cores: that it and all that it starts are held to; 0 leaves it all of them.

    Returns:
        `numbers`, `walls`, `cpus` of the results as they came (seconds of this process: with
        `executor` `process` that is all of the work, else the driver's share); `before` and
        `after`, wall seconds before the first and after the last; `stages`, seconds by name;
        `unknown`, the mean share; `failed`, the first error; `peak`, bytes.
    """
    if cores:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    clock = _Clock()
    began = time.perf_counter()
    run(Shot(**{"executor": "ray", **shot}), progress=clock)
    ended = time.perf_counter()
    results = [result for result, _, _ in clock.results]
    stages: Counter[str] = Counter()
    for result in results:
        stages.update(result.stages)
    return {
        "numbers": [result.number for result in results],
        "walls": [wall - began for _, wall, _ in clock.results],
        "cpus": [cpu for _, _, cpu in clock.results],
        "before": clock.results[0][1] - began,
        "after": ended - clock.results[-1][1],
        "stages": dict(stages),
        "unknown": sum(r.statistics.get("unknown", 0.0) for r in results) / len(results),
        "failed": next((r.error for r in results if r.state is not FrameState.DONE), ""),
        "peak": peak_bytes(),
    }
