"""A Ray actor like the program's own, with a network that costs nothing."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugin.types import FrameResult
    from workers.frame_worker import FrameWorker

__all__ = ["GpuActor", "LumaActor", "PoisonedActor"]

HERE = str(Path(__file__).parents[2])


class LumaActor:
    """Has the methods of `workers.actor.FrameActor`."""

    def __init__(self, job: str, device: str = "cpu") -> None:
        self._job, self.device = Path(job), device
        self._made: FrameWorker | None = None

    def ready(self) -> None:
        """It is there."""

    def do(self, number: int) -> FrameResult:
        """One frame."""
        if self._made is None:
            if HERE not in sys.path:
                sys.path.insert(0, HERE)
            from plugin.driver.plan import read_plan
            from tests.jobs import luma_matter
            from workers.frame_worker import FrameWorker

            self._made = FrameWorker(read_plan(self._job), luma_matter)
        return self._made.do(number)


class GpuActor(LumaActor):
    """Works on a GPU that Ray has for it alone."""

    def do(self, number: int) -> FrameResult:
        """One frame."""
        import ray

        if self.device != "cuda" or not ray.get_gpu_ids():
            raise AssertionError(f"on {self.device}, GPUs {ray.get_gpu_ids()}")
        return super().do(number)


class PoisonedActor(LumaActor):
    """Dies of frame 1003."""

    def do(self, number: int) -> FrameResult:
        """One frame."""
        if number == 1003:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().do(number)
