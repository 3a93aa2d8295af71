"""What runs inside a Ray actor.

Ray keeps the class until the driver's very end, and with it whatever this module imports: so the
worker's libraries are imported in the actor's own process only. The class travels by its code, not
by its name: what is called `workers` or `plugin` where the user stands is not what it means.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugin.driver.plan import Device
    from plugin.types import FrameResult
    from workers.frame_worker import FrameWorker


class FrameActor:
    """A `FrameWorker` that is made with the first frame, so that its errors are that frame's.

    Two frames are in it at once, in threads of Ray's: see `workers.overlap`.

    Args:
        job: path of the plan.
        device: what the executor has for its network.
    """

    beside = 2
    """Calls of `do` that Ray may make at once."""

    def __init__(self, job: str, device: Device) -> None:
        import adamatte_names  # noqa: F401  from here on, our packages are ours
        from model.inference.threads import settle_process

        settle_process()
        self._job, self._device = Path(job), device
        self._lock = threading.Lock()
        self._made: FrameWorker | None = None

    def _worker(self) -> FrameWorker:
        from workers.frame_worker import FrameWorker

        with self._lock:
            if self._made is None:
                self._made = FrameWorker.of_file(self._job, self._device)
            return self._made

    def ready(self) -> None:
        """Answered once the actor is there."""

    def do(self, number: int) -> FrameResult:
        """One frame; see `FrameWorker.do`."""
        return self._worker().do(number)
