"""Ten thousand frames with a network that costs nothing: what the rest of the program costs.

The plate is a video of that many tiny frames; they are decoded, written, proved and booked as
always.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from plugin.driver.run import run
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.types import FrameResult
from tests.campaign.actors import LumaActor
from tests.campaign.kills import descendants
from tests.media import Codec, flat_planes, write_video
from workers.cluster import Cluster
from workers.ray_executor import RayExecutor

WORKERS = 2
_SAMPLES = 10


@dataclass
class ManyOutcome:
    """Of one long run.

    Attributes:
        frames: that were done.
        seconds: from the first result to the last.
        frame_ms: what a worker spent on a frame, on average.
        overhead_ms: wall time a frame, less what the workers spent on it side by side.
        driver_cpu_ms: processor time of the driver a frame.
        driver_mb: resident memory of the driver at ten moments.
        worker_mb: of the largest worker at the same moments.
        most_in_flight: frames that were with workers at once.
    """

    frames: int = 0
    seconds: float = 0.0
    frame_ms: float = 0.0
    overhead_ms: float = 0.0
    driver_cpu_ms: float = 0.0
    driver_mb: list[int] = field(default_factory=list)
    worker_mb: list[int] = field(default_factory=list)
    most_in_flight: int = 0


def trial(folder: Path, frames: int) -> ManyOutcome:
    """Matte so many frames and measure."""
    codec = Codec("ffv1", "yuv420p", ".mkv", {}, (32, 32))
    planes = (flat_planes(codec.pixels, codec.size, (n % 200, 128, 128)) for n in range(frames))
    plate = write_video(folder / "long.mkv", codec, planes)
    measured = Measured(frames)
    shot = Shot(plate=str(plate), out=folder / "long", segment="none", device="cpu")
    manifest = run(shot, executor=measured)
    outcome = measured.outcome
    assert len(manifest.frames) == frames
    assert measured.pool is not None
    outcome.most_in_flight = measured.pool.most_in_flight
    return outcome


class Measured(RayExecutor):
    """Takes figures as results come."""

    def __init__(self, frames: int) -> None:
        super().__init__(Cluster(None, WORKERS), retries=2, actor=LumaActor)
        self.outcome = ManyOutcome()
        self._every = max(1, frames // _SAMPLES)

    def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
        """See `plugin.types.Executor`."""
        spent = began = cpu = 0.0
        outcome = self.outcome
        for result in super().run(job, tasks):
            if not began:  # what comes before is Ray's start
                began, cpu = time.perf_counter(), time.process_time()
            spent += result.seconds
            outcome.frames += 1
            if outcome.frames % self._every == 0:
                self._sample()
            yield result
        outcome.seconds = round(time.perf_counter() - began, 2)
        per_frame = 1000 / outcome.frames
        outcome.frame_ms = round(spent * per_frame, 3)
        outcome.overhead_ms = round((outcome.seconds - spent / WORKERS) * per_frame, 3)
        outcome.driver_cpu_ms = round((time.process_time() - cpu) * per_frame, 3)

    def _sample(self) -> None:
        workers = [_resident(pid) for pid in descendants("ray::LumaActor")]
        self.outcome.driver_mb.append(_resident(os.getpid()))
        self.outcome.worker_mb.append(max(workers, default=0))


def _resident(pid: int) -> int:
    """Megabytes; second field of proc(5) statm, in pages."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20
