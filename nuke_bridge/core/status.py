"""What a job says to its host: `Status`, through a queue that the host polls.

The host's interface thread only ever takes from the queue; every file, process and socket is
touched by threads of the bridge.
"""

from __future__ import annotations

import queue
import threading
from typing import Any, NamedTuple

ENDED = frozenset({"done", "failed", "cancelled", "lost"})
"""The states after which nothing more is said."""


class Status(NamedTuple):
    """How a job stands.

    Attributes:
        state: `starting`, `queued`, `running`, `done`, `failed`, `cancelled`, or `lost` (a farm job
            that the cluster does not speak of any more, or a cluster that does not answer).
        done: frames that are there.
        total: frames that were asked for.
        failed: frames that could not be done.
        fps: frames a second.
        eta_s: seconds left; None while nothing is known.
        message: one line for the artist; empty when there is nothing to say.
        job_id: the farm's name of the job; empty for a local one.
    """

    state: str
    done: int = 0
    total: int = 0
    failed: int = 0
    fps: float = 0.0
    eta_s: float | None = None
    message: str = ""
    job_id: str = ""

    def with_counts(self, counts: dict[str, Any]) -> Status:
        """The same with the figures of a progress object; what is no figure is left out."""
        return self._replace(
            done=_figure(counts.get("done"), self.done),
            total=_figure(counts.get("total"), self.total),
            failed=_figure(counts.get("failed"), self.failed),
            fps=float(_number(counts.get("fps")) or 0.0),
            eta_s=_number(counts.get("eta_s")),
        )

    def line(self) -> str:
        """`running · 12 of 240 · 2.1 frames/s · 108 s left`, or the message."""
        parts = [self.state]
        if self.total:
            parts.append(f"{self.done} of {self.total}")
        if self.failed:
            parts.append(f"{self.failed} failed")
        if self.state == "running" and self.fps > 0:
            parts.append(f"{self.fps:.2f} frames/s")
        if self.state == "running" and self.eta_s:
            parts.append(f"{self.eta_s:.0f} s left")
        return " · ".join(parts + ([self.message] if self.message else []))


class Job:
    """A job in a thread of its own; a subclass says what `_work` does.

    Only `poll`, `cancel`, `alive` and `leave` are for the interface thread; none of them waits.
    """

    def __init__(self) -> None:
        self._said: queue.Queue[Status] = queue.Queue()
        self._cancel = threading.Event()
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="adamatte", daemon=True)
        self.status = Status("starting")

    def start(self) -> Job:
        """Begin."""
        self._thread.start()
        return self

    def poll(self) -> list[Status]:
        """What was said since the last time; the interface thread's only way to know."""
        found = []
        while True:
            try:
                found.append(self._said.get_nowait())
            except queue.Empty:
                return found

    @property
    def alive(self) -> bool:
        """Whether more is to come."""
        return self._thread.is_alive() or not self._said.empty()

    def cancel(self) -> None:
        """Ask the job to stop; what is done is kept."""
        self._cancel.set()

    def leave(self) -> None:
        """The host goes: stop watching. A farm job goes on."""
        self._left.set()

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the end, in a host without an interface."""
        self._thread.join(seconds)

    def _say(self, status: Status) -> None:
        self.status = status
        self._said.put(status)

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # whatever it is, the artist should read it, not lose the thread
            self._say(self.status._replace(state="failed", message=_one_line(error)))

    def _work(self) -> None:
        raise NotImplementedError


def passing(told: dict[str, Any]) -> str:
    """`track 12 of 48`, of a pass before the frames; empty at its end, and where there is none."""
    done, total = told.get("pass_done"), told.get("pass_total")
    return "" if done == total else "{} {} of {}".format(told.get("pass"), done, total)[:100]


def _one_line(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return " ".join(text.split())[:500]


def _figure(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _number(value: Any) -> float | None:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if plain else None
