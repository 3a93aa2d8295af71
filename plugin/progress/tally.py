"""`Tally`: how many frames are done, how fast, and how long the rest will take."""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plugin.types import FrameResult

Clock = Callable[[], float]

_WINDOW = 64
"""The rate is that of the last so many frames, so that a slow start is forgotten."""


class Tally:
    """Counts frames, their rate and the time left.

    The rate is that of computed frames (skipped and failed ones cost next to nothing and would
    flatter it) over the last `_WINDOW` of them, up to now: a stall brings it down.

    Args:
        clock: seconds that only ever grow.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._states: dict[int, str] = {}
        self._counts: Counter[str] = Counter()
        self._began = self._passing = clock()
        self._ended: float | None = None
        self._ticks: deque[float] = deque([self._began], maxlen=_WINDOW + 1)
        self.total = 0
        self._pass: tuple[str, int, int] | None = None

    def start(self, frames: int) -> None:
        """Begin to count `frames`."""
        self.total = frames
        self._states.clear()
        self._counts.clear()
        self._began, self._ended = self._clock(), None
        self._ticks.clear()
        self._ticks.append(self._began)

    def step(self, name: str, done: int, total: int) -> None:
        """Count a pass that comes before the frames: its time is the run's, its pace its own."""
        now = self._clock()
        if self._pass is None or self._pass[0] != name:
            self._passing = now
        self._pass = name, done, total
        self._ticks.clear()
        self._ticks.append(now)

    @property
    def passing(self) -> bool:
        """Whether a pass before the frames goes on."""
        return self._pass is not None and self._pass[1] < self._pass[2]

    def add(self, result: FrameResult) -> None:
        """Count one result; of a frame of which several are heard, the last one counts."""
        state = result.state.value
        before = self._states.get(result.number)
        self._counts[state] += 1
        if before is not None:
            self._counts[before] -= 1
        self._states[result.number] = state
        if state == "done":
            self._ticks.append(self._clock())

    def stop(self) -> None:
        """Hold the clock: the run is over."""
        self._ended = self._clock()

    @property
    def done(self) -> int:
        """Frames that are there and whole: computed now, or before and proved."""
        return self._counts["done"] + self._counts["skipped"]

    @property
    def skipped(self) -> int:
        """Those of `done` that were there before."""
        return self._counts["skipped"]

    @property
    def failed(self) -> int:
        """Frames that could not be done, those that were set aside included."""
        return self._counts["failed"] + self._counts["quarantined"]

    @property
    def left(self) -> int:
        """Frames of which nothing was heard yet."""
        return max(0, self.total - self.done - self.failed)

    @property
    def seconds(self) -> float:
        """Wall time since `start`."""
        return (self._clock() if self._ended is None else self._ended) - self._began

    @property
    def fps(self) -> float:
        """Frames computed a second; 0 before the first one."""
        now = self._clock() if self._ended is None else self._ended
        elapsed = now - self._ticks[0]
        return (len(self._ticks) - 1) / elapsed if elapsed > 0 else 0.0

    @property
    def eta_s(self) -> float | None:
        """Seconds left at that rate; None while nothing is known."""
        if self.left == 0:
            return 0.0
        return self.left / self.fps if self.fps > 0 else None

    def as_progress_json(self, exit_code: int | None = None) -> dict[str, Any]:
        """What `DIR/progress.json` holds; `exit_code` once the run is over."""
        return {
            "state": "running" if exit_code is None else "ended",
            "exit": exit_code,
            **self.counts(),
            **self.pass_counts(),
            "seconds": round(self.seconds, 3),
        }

    def pass_counts(self) -> dict[str, Any]:
        """The figures of the pass that goes on before the frames; empty where none does."""
        if self._pass is None or not self.passing:
            return {}
        name, done, total = self._pass
        return {"pass": name, "pass_done": done, "pass_total": total}

    def pass_pace(self) -> str:
        """`track 12 of 48 · 0:40 left`."""
        if self._pass is None:
            return ""
        name, done, total = self._pass
        spent = self._clock() - self._passing
        left = f" · {_clock_time(spent / done * (total - done))} left" if 0 < done < total else ""
        return f"{name} {done} of {total}{left}"

    def counts(self) -> dict[str, Any]:
        """The figures of a `progress` object."""
        eta = self.eta_s
        return {
            "done": self.done,
            "total": self.total,
            "skipped": self.skipped,
            "failed": self.failed,
            "fps": round(self.fps, 3),
            "eta_s": None if eta is None else round(eta, 1),
        }

    def pace(self) -> str:
        """`12 of 240 · 2.10 frames/s · 1:47 left`."""
        parts = [f"{self.done + self.failed} of {self.total}"]
        if self.fps > 0:
            parts.append(f"{self.fps:.2f} frames/s")
        if self.eta_s:
            parts.append(f"{_clock_time(self.eta_s)} left")
        if self.failed:
            parts.append(f"{self.failed} failed")
        return " · ".join(parts)

    def outcome(self) -> str:
        """`238 done, 12 of them before, 2 failed in 2:05`."""
        before = f", {self.skipped} of them before" if self.skipped else ""
        failed = f", {self.failed} failed" if self.failed else ""
        left = f", {self.left} left" if self.left else ""
        return f"{self.done} done{before}{failed}{left} in {_clock_time(self.seconds)}"


def _clock_time(seconds: float) -> str:
    """`47 s`, `1:47`, `1:02:03`."""
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
