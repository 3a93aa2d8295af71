"""The executor without Ray: one worker, in this process. For tests, and for a farm's own tasks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, nullcontext
from pathlib import Path

from model.inference.threads import settled_process
from plugin.driver.plan import Plan, read_plan
from plugin.framerange import FrameRange
from plugin.types import FrameResult, Matter
from workers.frame_worker import FrameWorker
from workers.overlap import two_at_a_time
from workers.tries import tried

__all__ = ["InProcessExecutor"]


class InProcessExecutor:
    """Does every frame here, in the order of the tasks, the next begun while the last goes on.

    Args:
        make_matter: another network than `model.Matter`, as tests of everything else want.
        settled: the process's threads and memory are a worker's while it works, and what they were
            after it: a program that calls us has its own.
    """

    def __init__(
        self, make_matter: Callable[[Plan], Matter] | None = None, *, settled: bool = False
    ) -> None:
        self._make_matter = make_matter
        self._settled = settled
        self._stopped = False

    def stop(self) -> None:
        """See `plugin.types.Executor`."""
        self._stopped = True

    def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
        """See `plugin.types.Executor`."""
        plan = read_plan(job)
        with (
            settled_process() if self._settled else nullcontext(),
            closing(FrameWorker(plan, self._make_matter)) as worker,
        ):
            yield from two_at_a_time(tried(worker.do, plan.shot.retries), self._numbers(tasks))

    def _numbers(self, tasks: Iterable[FrameRange]) -> Iterator[int]:
        for task in tasks:
            for number in task:
                if self._stopped:
                    return
                yield number
