"""SIGTERM during a job: no new frame is begun, those in flight may end, for so many seconds."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

DRAIN_S = 22.0
"""Seconds for frames in flight. Farms and spot machines give 30 until they kill; the rest is for
the books and for Ray to end."""


class Drain:
    """Whether SIGTERM came."""

    def __init__(self) -> None:
        self.asked = False


@contextmanager
def draining(
    stop: Callable[[], None], drain: Drain | None = None, seconds: float = DRAIN_S
) -> Iterator[Drain]:
    """Answer the first SIGTERM by `stop`; after `seconds`, or at a second one, as it was before.

    Only where SIGTERM already has a handler, as the command line installs one, and in the main
    thread: a host program's signals are its own.

    Args:
        stop: begins no more frames; called from the signal's handler.
        drain: is told of it; None for one of its own.
        seconds: until whatever is still going on is interrupted.
    """
    drain = drain or Drain()
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield drain
        return

    def first(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  signal's signature
        drain.asked = True
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        stop()

    alarm = signal.getsignal(signal.SIGALRM)
    signal.signal(signal.SIGTERM, first)
    try:
        yield drain
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGALRM, alarm or signal.SIG_DFL)
