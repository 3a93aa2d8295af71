"""The executor without Ray: one worker, in this process. For tests, and for a farm's own tasks."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from itertools import takewhile
from pathlib import Path

from model.inference.threads import settled_process
from plugin.driver.plan import Plan, read_plan
from plugin.errors import DeviceError
from plugin.framerange import FrameRange
from plugin.types import FrameResult, Matter
from workers.frame_worker import FrameWorker
from workers.last_words import LastWords
from workers.overlap import two_at_a_time
from workers.tries import tried


class InProcessExecutor:
    """Does every frame here, in the order of the tasks, the next begun while the last goes on.

    Args:
        make_matter: another network than `model.Matter`, as tests of everything else want.
        settled: the process's threads and memory are a worker's while it works, and what they were
            after it: a program that calls us has its own. Should it die, a person is told.
        say: is told what a person should know.
    """

    def __init__(
        self,
        make_matter: Callable[[Plan], Matter] | None = None,
        *,
        settled: bool = False,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._make_matter, self._say = make_matter, say
        self._settled = settled
        self._stopped = False

    def stop(self) -> None:
        """See `plugin.types.Executor`."""
        self._stopped = True

    def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
        """See `plugin.types.Executor`.

        Raises:
            DeviceError: the GPU failed that was asked for; on `--device auto` the CPU goes on.
            SurroundingsError: the disk failed.
        """
        plan = read_plan(job)
        left = deque(number for task in tasks for number in task)
        words = LastWords(plan.shot.plate)
        with ExitStack() as ours:
            if self._settled:
                ours.enter_context(settled_process())
                ours.enter_context(words)
            try:
                yield from self._results(plan, left, words)
            except DeviceError as error:
                if not plan.may_go_on_without_gpu:
                    raise
                frames = FrameRange.of(left).brief
                self._say(f"the GPU fails: {error.what}: frames {frames} are computed on the CPU")
                on_cpu = plan.model_copy(update={"device": "cpu"})
                yield from self._results(on_cpu, left, words)

    def _results(self, plan: Plan, left: deque[int], words: LastWords) -> Iterator[FrameResult]:
        """Of the frames that are left, each taken out when it is done."""
        with closing(FrameWorker(plan, self._make_matter)) as worker:
            numbers = takewhile(lambda _: not self._stopped, tuple(left))
            for result in two_at_a_time(words.of(tried(worker.do, plan.shot.retries)), numbers):
                left.popleft()
                yield result
