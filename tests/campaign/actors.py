"""A Ray actor like the program's own, with a network that costs nothing."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from workers.actor import FrameActor

if TYPE_CHECKING:
    from plugin.driver.plan import Plan
    from plugin.types import FrameResult, Matter
    from workers.frame_worker import FrameWorker

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


class SilencedActor(LumaActor):
    """Dies when it has written frame 1002, before it could say so."""

    def do(self, number: int) -> FrameResult:
        """One frame."""
        result = super().do(number)
        if number == 1002 and result.state == "done":
            os.kill(os.getpid(), signal.SIGKILL)
        return result


class BrokenActor(FrameActor):
    """The program's own, of three cards; what runs on the second fails as CUDA does, for good.

    The network is the real one, on the CPU, and the error is raised from a hook in its encoder:
    where the first kernel would raise it.
    """

    said = "CUDA error: an illegal memory access was encountered"

    def broken(self, number: int) -> bool:
        """Whether the card fails at a frame."""
        import ray

        return number > 0 and ray.get_gpu_ids() == [1]

    def do(self, number: int) -> FrameResult:
        """One frame."""
        self.here.number = number
        return super().do(number)

    @property
    def here(self) -> threading.local:
        """The frame that a thread is at."""
        with self._lock:
            local: threading.local = self.__dict__.setdefault("_here", threading.local())
            return local

    runs_on = "cpu"
    """Where the network really is."""

    def _worker(self) -> FrameWorker:
        from plugin.driver.plan import read_plan
        from workers.frame_worker import FrameWorker

        with self._lock:
            if self._made is None:
                plan = read_plan(self._job).model_copy(update={"device": self.runs_on})
                self._made = FrameWorker(plan, self._hooked)
            return self._made

    def fail(self) -> None:
        """As CUDA does."""
        import torch

        raise torch.AcceleratorError(self.said)

    def _hooked(self, plan: Plan) -> Matter:
        from model import Matter as Network

        matter = Network(plan.shot.model, device=self.runs_on)
        stuck: list[int] = []

        def look(*_given: object) -> None:
            if stuck or self.broken(self.here.number):
                stuck.append(self.here.number)  # nothing in this process works any more
                with (plan.shot.out.parent / "breaks").open("a") as file:
                    file.write(f"{self.here.number}\n")
                self.fail()

        matter.network.encoder.register_forward_pre_hook(look)
        return matter


class AllBrokenActor(BrokenActor):
    """Whatever card it is on fails; on a CPU it works."""

    said = "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"

    def broken(self, number: int) -> bool:
        """On any card."""
        return number > 0 and self._device == "cuda"


class TiredActor(BrokenActor):
    """Whatever card it is on fails at every seventh frame, and is well again in a new process."""

    said = "CUBLAS_STATUS_EXECUTION_FAILED when calling cublasSgemm"

    def broken(self, number: int) -> bool:
        """At the seventh frame of this process."""
        self.met = [*getattr(self, "met", ()), number]
        return len(self.met) % 7 == 0


class PoisonedCardActor(BrokenActor):
    """Whatever card it is on fails at frame 1003."""

    def broken(self, number: int) -> bool:
        """At that frame alone."""
        return number == 1003


class FlakyCardActor(TiredActor):
    """On a real card, which a kernel's assertion breaks at every seventh frame."""

    runs_on = "cuda"

    def fail(self) -> None:
        """A read beyond the end of an array, by a kernel."""
        import torch

        torch.zeros(4, device="cuda")[torch.full((4,), 9, device="cuda")].cpu()


class GoneActor(FrameActor):
    """The program's own; there is no card at all behind the GPUs that Ray was told of."""
