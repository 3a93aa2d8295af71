"""Timing several calls in turns."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_LONG_S = 20.0
"""A call that takes longer is timed twice at most, one of three times that once."""


@dataclass(frozen=True, slots=True)
class Timed:
    """The best of a few: others on the machine only ever add.

    Attributes:
        wall: seconds.
        cpu: seconds of all processors in this process.
    """

    wall: float
    cpu: float


def in_turns(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timed]:
    """Time every call once a round; the best of each counts."""
    best: dict[str, Timed] = {}
    for done in range(rounds):
        for name, call in calls.items():
            known = best.get(name)
            if known is not None and (known.wall * done > 2 * _LONG_S or known.wall > 3 * _LONG_S):
                continue
            wall, cpu = time.perf_counter(), time.process_time()
            call()
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            if known is not None:
                wall, cpu = min(wall, known.wall), min(cpu, known.cpu)
            best[name] = Timed(wall, cpu)
    return best


def slope(times: list[float], tail: int) -> float:
    """Seconds a frame in the steady middle of a run, by when its results came.

    The first result comes after the networks of its neighbours too, and the last ones wait for none
    any more: so time runs from the first result to the last but `tail`.

    Args:
        times: of the results, ascending, two at least.
        tail: results at the end that are left out, where enough are left.
    """
    last = len(times) - 1 - tail
    if last < 1:
        last = len(times) - 1
    return (times[last] - times[0]) / last
