"""Wall seconds by stage, and whose turn it is at what a worker has only one of."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from plugin.errors import SurroundingsError


class Turns:
    """What two frames of a worker may not do at once: read, use the network, steady, finish.

    A frame that is at one of them leaves the others to its successor; so decoding and encoding go
    on beside the network.

    Args:
        large: the plate's frames are so large that a worker holds the pixels of one at a time;
            then `plate` is whose turn that is, and is taken before the others.

    Whatever is written is written within `door`.
    """

    def __init__(self, *, large: bool) -> None:
        self.plate: AbstractContextManager[object] = threading.Lock() if large else nullcontext()
        self.reading = threading.Lock()
        self.network = threading.Lock()
        self.steadying = threading.Lock()
        self.finishing = threading.Lock()
        self.door = Door()


class Door:
    """Through which a worker's files leave it, until it is shut.

    A thread that is at a frame still when its worker is given up (its card failed, and the CPU goes
    on) must not put that frame's file in the place of the one that counts.
    """

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._inside, self._shut = 0, False

    def __enter__(self) -> None:
        """Any number of threads at once.

        Raises:
            SurroundingsError: the worker is given up.
        """
        with self._change:
            if self._shut:
                what, fix = "its worker was given up meanwhile", "run the same command again"
                raise SurroundingsError(what, where="a frame in the works", fix=fix)
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._change:
            self._inside -= 1
            self._change.notify_all()

    def shut(self) -> None:
        """Nothing goes through from here on; what is in it has gone through when this returns."""
        with self._change:
            self._shut = True
            self._change.wait_for(lambda: not self._inside)


class Stages:
    """Wall seconds of one frame by stage; waiting for one's turn is none."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str, turn: threading.Lock | None = None) -> Iterator[None]:
        """Time a stage."""
        if turn is not None:
            turn.acquire()
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - started
            if turn is not None:
                turn.release()
