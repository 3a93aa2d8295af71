"""Progress as lines: for people in a log, for programs as JSON, or under a bar.

Driven by frame results alone: no thread of ours, so a `progress` object comes with the first frame
result after `INTERVAL_S`. Each form counts for itself in a `Tally`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from plugin.progress.tally import Clock, Tally

if TYPE_CHECKING:
    import rich.progress

    from plugin.types import FrameResult

INTERVAL_S = 0.5
"""Least time between two `progress` objects: half of the second that the contract allows."""

_STEP_S = 5.0
"""Least time between two lines of a log on a pass before the frames."""


class Counted:
    """What every form has: it counts, says some things only now and then, and ends once.

    Args:
        stream: where it is said.
        clock: seconds that only ever grow.
    """

    def __init__(self, stream: TextIO, *, clock: Clock = time.monotonic) -> None:
        self._stream, self._clock, self._tally = stream, clock, Tally(clock)
        self._last, self._over = clock(), False

    def end(self, exit_code: int, summary: Mapping[str, object] | None = None) -> None:
        """See `Progress`; only the first call counts."""
        if not self._over:
            self._over = True
            self._tally.stop()
            self._ended(exit_code, summary or {})

    def _ended(self, exit_code: int, summary: Mapping[str, object]) -> None:
        raise NotImplementedError

    def _due(self, seconds: float, *, anyhow: bool) -> bool:
        """Whether so many have passed since it last was, or it is at the beginning or the end."""
        now = self._clock()
        due = anyhow or now - self._last >= seconds
        self._last = now if due else self._last
        return due


class PlainProgress(Counted):
    """One line an event: for logs."""

    def start(self, frames: int, **facts: object) -> None:
        """`240 frames · shot sh010 · model lite`."""
        self._tally.start(frames)
        self._say(_listed(_frames(frames), facts))

    def note(self, text: str) -> None:
        """`note: the screen is #3cb44f`."""
        self._say(f"note: {text}")

    def step(self, name: str, done: int, total: int) -> None:
        """`track 12 of 48 · 0:40 left`, at its beginning, every few seconds and at its end."""
        self._tally.step(name, done, total)
        if self._due(_STEP_S, anyhow=done in (0, total)):
            self._say(self._tally.pass_pace())

    def frame(self, result: FrameResult) -> None:
        """`frame 1001 done in 0.42 s · 12 of 240 · 2.1 frames/s · 1:47 left`."""
        self._tally.add(result)
        state = result.state.value
        if result.error:
            self._say(f"frame {result.number} {state} · {result.error}")
        else:
            took = f" in {result.seconds:.2f} s" if state == "done" else ""
            self._say(f"frame {result.number} {state}{took} · {self._tally.pace()}")

    def _ended(self, exit_code: int, summary: Mapping[str, object]) -> None:
        """`238 done, 12 of them before, 2 failed in 2:05 · out shots/sh010`."""
        if self._tally.total or exit_code == 0:
            self._say(_listed(self._tally.outcome(), summary))

    def _say(self, text: str) -> None:
        print(f"adamatte: {one_line(text)}", file=self._stream, flush=True)


class JsonLinesProgress(Counted):
    """The contract's objects, one a line, flushed: for programs.

    Notes travel as `"notes": […]` in the next object, so that no event is there which the contract
    does not name.
    """

    def __init__(self, stream: TextIO, *, clock: Clock = time.monotonic) -> None:
        super().__init__(stream, clock=clock)
        self._notes: list[str] = []

    def start(self, frames: int, **facts: object) -> None:
        """`{"event": "start", "frames": N, …}`."""
        self._tally.start(frames)
        self._last = self._clock()
        self._emit({**facts, "event": "start", "frames": frames})

    def note(self, text: str) -> None:
        """Kept for the next object."""
        self._notes.append(one_line(text))

    def step(self, name: str, done: int, total: int) -> None:
        """`{"event": "pass", "pass": "track", "pass_done": 12, "pass_total": 48}`."""
        self._tally.step(name, done, total)
        if self._due(INTERVAL_S, anyhow=done in (0, total)):
            counts = {"pass": name, "pass_done": done, "pass_total": total}
            self._emit({"event": "pass", **counts})

    def frame(self, result: FrameResult) -> None:
        """A `frame` object, and a `progress` object when one is due."""
        self._tally.add(result)
        self._emit(_frame_object(result))
        if self._due(INTERVAL_S, anyhow=self._tally.left == 0):
            self._emit({"event": "progress", **self._tally.counts()})

    def _ended(self, exit_code: int, summary: Mapping[str, object]) -> None:
        """`{"event": "end", "exit": 0, …}`."""
        counts = {key: self._tally.counts()[key] for key in ("done", "total", "skipped", "failed")}
        seconds = round(self._tally.seconds, 3)
        ended = {"event": "end", "exit": exit_code, **counts, "seconds": seconds}
        self._emit({**summary, **ended})

    def _emit(self, event: dict[str, Any]) -> None:
        if self._notes:
            event["notes"], self._notes = self._notes, []
        first = {"event": event.pop("event")}
        print(json.dumps(first | event, default=str), file=self._stream, flush=True)


class BarProgress(Counted):
    """A bar on a terminal, with failures and notes above it; stdout stays free for results."""

    def __init__(self, stream: TextIO, *, clock: Clock = time.monotonic) -> None:
        from rich.console import Console

        super().__init__(stream, clock=clock)
        self._console = Console(file=stream, highlight=False, markup=False)
        self._bar: rich.progress.Progress | None = None

    def start(self, frames: int, **facts: object) -> None:
        """Draw the bar."""
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self._tally.start(frames)
        self._say(_listed(_frames(frames), facts))
        columns = (SpinnerColumn(), BarColumn(bar_width=None), TextColumn("{task.description}"))
        self._bar = Progress(*columns, console=self._console, transient=True, expand=True)
        self._bar.add_task(self._tally.pace(), total=frames)
        self._bar.start()

    def note(self, text: str) -> None:
        """A line above the bar."""
        self._say(text)

    def step(self, name: str, done: int, total: int) -> None:
        """Move the bar over the pass; from its end on it is the frames'."""
        self._tally.step(name, done, total)
        if self._bar is not None:
            task = self._bar.task_ids[0]
            shown, most = (done, total) if done < total else (0, self._tally.total)
            told = self._tally.pass_pace() if done < total else self._tally.pace()
            self._bar.update(task, completed=shown, total=most, description=told)

    def frame(self, result: FrameResult) -> None:
        """Move the bar; a failure gets a line above it."""
        self._tally.add(result)
        if result.error:
            self._say(f"frame {result.number} {result.state.value} · {result.error}")
        if self._bar is not None:
            completed = self._tally.done + self._tally.failed
            task = self._bar.task_ids[0]
            self._bar.update(task, completed=completed, description=self._tally.pace())

    def _ended(self, exit_code: int, summary: Mapping[str, object]) -> None:
        """Take the bar away and say how it went."""
        if self._bar is not None:
            self._bar.stop()
        if self._bar is not None or exit_code == 0:
            self._say(_listed(self._tally.outcome(), summary))

    def _say(self, text: str) -> None:
        self._console.print(one_line(text), soft_wrap=True)


def one_line(text: object) -> str:
    """`text` without line breaks or control characters: file names may hold either."""
    return printable(" ".join(str(text).split()))


def printable(text: str) -> str:
    """`text` with control characters, and what else cannot be seen, spelt out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _frame_object(result: FrameResult) -> dict[str, Any]:
    aside = result.state.value == "quarantined"
    event: dict[str, Any] = {
        "event": "frame",
        "frame": result.number,
        "state": "failed" if aside else result.state.value,
        "seconds": round(result.seconds, 3),
        **({"quarantined": True} if aside else {}),
    }
    return event | ({"error": one_line(result.error)} if result.error else {})


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"


def _listed(head: str, facts: Mapping[str, object]) -> str:
    shown = (f"{key.replace('_', ' ')} {value}" for key, value in facts.items() if value != "")
    return " · ".join([head, *shown])
