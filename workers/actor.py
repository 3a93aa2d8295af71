"""What runs inside a Ray actor.

Ray keeps the class until the driver's very end, and with it whatever this module imports: so the
worker's libraries are imported in the actor's own process only.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plugin.types import FrameResult
    from workers.frame_worker import FrameWorker

__all__ = ["FrameActor"]


class FrameActor:
    """A `FrameWorker` that is made with the first frame, so that its errors are that frame's.

    Args:
        job: path of the plan.
    """

    def __init__(self, job: str) -> None:
        from model.threads import settle_process

        settle_process()
        self._job = Path(job)

    @cached_property
    def _worker(self) -> FrameWorker:
        from workers.frame_worker import FrameWorker

        return FrameWorker.of_file(self._job)

    def ready(self) -> None:
        """Answered once the actor is there."""

    def do(self, number: int) -> FrameResult:
        """One frame; see `FrameWorker.do`."""
        return self._worker.do(number)
