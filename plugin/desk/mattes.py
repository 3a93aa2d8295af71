"""`Mattes`: which frame goes through the network next. One thread has the network.

Who wants a matte waits for it; whoever stops waiting (another frame is looked at) gives it up. A
newer correction of a frame ends the work on the older one, between two rectangles of the network.
When nobody waits, the neighbours of the frame that was looked at last are done ahead.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field

from plugin.desk.frames import Frames
from plugin.desk.held import Matte

_AHEAD = (1, -1)


class SupersededError(Exception):
    """Nobody wants this matte any more."""


@dataclass(slots=True, eq=False)
class _Job:
    number: int
    key: str
    ahead: bool = False
    waiting: int = 0
    given_up: bool = False
    future: Future[Matte] = field(default_factory=Future)


class Mattes:
    """The queue and its thread.

    Args:
        make_frames: makes the frames, given what is to be called between two parts of a matte.
        around: the neighbours of a frame, for doing ahead.
    """

    def __init__(
        self,
        make_frames: Callable[[Callable[[], None]], Frames],
        around: Callable[[int], tuple[int, ...]],
    ) -> None:
        self._changed = threading.Condition()
        self._jobs: dict[tuple[int, str], _Job] = {}
        self._running: _Job | None = None
        self._over = False
        self._around = around
        self.frames = make_frames(self._turn)
        self._thread = threading.Thread(target=self._work, name="mattes", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the work under way and the thread."""
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join()

    def take(self, frames: Frames) -> None:
        """The frames of another plan, from now on; what is under way is given up."""
        with self._changed:
            for job in list(self._jobs.values()):
                self._give_up(job)
            self.frames = frames

    async def get(self, number: int) -> tuple[str, Matte]:
        """The frame's matte with the corrections of this moment, and their key.

        Raises:
            SupersededError: the corrections changed before it was done.
            FrameError: it cannot be had.
        """
        key = await asyncio.to_thread(self.frames.key, number)
        found = self.frames.matted(number, key)
        if found is not None:
            return key, found
        job = self._wanted(number, key)
        done = asyncio.wrap_future(job.future)
        done.add_done_callback(lambda one: one.cancelled() or one.exception())  # if nobody waits
        try:
            return key, await asyncio.shield(done)
        finally:
            with self._changed:
                job.waiting -= 1
                if not job.waiting and not job.future.done():
                    self._give_up(job)

    def _wanted(self, number: int, key: str) -> _Job:
        with self._changed:
            for other in list(self._jobs.values()):
                older = other.number == number and other.key != key
                if older or (other.ahead and other.number != number):
                    self._give_up(other)
            job = self._jobs.get((number, key))
            if job is None:
                job = self._jobs[number, key] = _Job(number, key)
            job.ahead = False
            job.waiting += 1
            self._changed.notify()
            return job

    def _give_up(self, job: _Job) -> None:
        """Call it with the lock. What is under way ends at its next turn."""
        job.given_up = True
        self._jobs.pop((job.number, job.key), None)
        if job is not self._running and not job.future.done():
            job.future.set_exception(SupersededError())

    def _turn(self) -> None:
        job = self._running
        if self._over or (job is not None and job.given_up):
            raise SupersededError

    def _work(self) -> None:
        with suppress(Exception):  # who wants a matte is told of the same
            self.frames.warm()
        while True:
            with self._changed:
                while not self._jobs and not self._over:
                    self._changed.wait()
                if self._over:
                    for job in list(self._jobs.values()):
                        self._give_up(job)
                    return
                # What was asked for last is what is looked at now.
                job = self._running = next(reversed(self._jobs.values()))
            self._do(job)

    def _do(self, job: _Job) -> None:
        error: BaseException | None = None
        try:
            key, matte = self.frames.matte(job.number)
            if key != job.key:
                error = SupersededError()
        except BaseException as raised:
            error = raised
        with self._changed:
            self._running = None
            self._jobs.pop((job.number, job.key), None)
            if error is not None:
                job.future.set_exception(error)
            else:
                job.future.set_result(matte)
                if not self._jobs and not job.ahead:
                    self._look_ahead(job.number)

    def _look_ahead(self, number: int) -> None:
        for step in _AHEAD[::-1]:
            with suppress(Exception):  # nobody asked; this thread lives on, for those who do
                near = next((n for n in self._around(number) if (n - number) * step > 0), None)
                if near is None:
                    continue
                key = self.frames.key(near)
                if self.frames.matted(near, key) is None:
                    self._jobs[near, key] = _Job(near, key, ahead=True)
