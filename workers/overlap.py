"""Two frames at a time in one worker.

While one is with the network, the next is decoded and the last is encoded.

The threads are daemons: who interrupts a job does not wait for a frame of minutes. Files are whole
or not there, whenever a process ends.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

BESIDE = 2
"""Frames in the works: one with the network, one before or after it. A third only takes memory."""

_LAST_S = 2.0
"""For a thread to end its frame when the job is over early."""

T = TypeVar("T")
_Work = tuple[int, "Future[T]"] | None


def two_at_a_time(do: Callable[[int], T], numbers: Iterable[int]) -> Iterator[T]:
    """`map(do, numbers)`, the next call begun while the last one runs; results in order.

    Args:
        do: may be called from two threads at once.
        numbers: a new one is asked for when the one but last is done.

    Raises:
        Whatever `do` raises, in the place of that result.
    """
    works: queue.SimpleQueue[_Work[T]] = queue.SimpleQueue()
    threads = [threading.Thread(target=_labour, args=(do, works), daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    flying: deque[Future[T]] = deque()
    try:
        for number in numbers:
            future: Future[T] = Future()
            works.put((number, future))
            flying.append(future)
            if len(flying) == BESIDE:
                yield flying.popleft().result()
        while flying:
            yield flying.popleft().result()
    finally:
        for future in flying:
            future.cancel()
        for _ in threads:
            works.put(None)
        for thread in threads:
            thread.join(_LAST_S)


def _labour(do: Callable[[int], T], works: queue.SimpleQueue[_Work[T]]) -> None:
    while (work := works.get()) is not None:
        number, future = work
        if not future.set_running_or_notify_cancel():
            continue
        try:
            future.set_result(do(number))
        except BaseException as error:
            future.set_exception(error)
