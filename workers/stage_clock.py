"""Wall seconds by stage, and whose turn it is at what a worker has only one of."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext


class Turns:
    """What two frames of a worker may not do at once: read the plate, use the network, finish.

    A frame that is at one of them leaves the others to its successor; so decoding and encoding go
    on beside the network.

    Args:
        large: the plate's frames are so large that a worker holds the pixels of one at a time;
            then `plate` is whose turn that is, and is taken before the others.
    """

    def __init__(self, *, large: bool) -> None:
        self.plate: AbstractContextManager[object] = threading.Lock() if large else nullcontext()
        self.reading = threading.Lock()
        self.network = threading.Lock()
        self.finishing = threading.Lock()


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
