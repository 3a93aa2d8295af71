"""Progress for schedulers of Open Job Description: lines on stdout that they look for.

`openjd_progress` is a number of per cent, `openjd_status` a line for people, `openjd_fail` the
reason of a failure: https://github.com/OpenJobDescription/openjd-specifications, "How jobs are
run", stdout messages.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, TextIO

from plugin.progress.lines import Counted, one_line
from plugin.progress.tally import Clock

if TYPE_CHECKING:
    from plugin.types import FrameResult

_INTERVAL_S = 1.0
_MOST = 1000
"""Characters of a message: schedulers cut them off."""

_ENDINGS = {
    2: "the request is wrong; nothing was written",
    3: "some frames failed; the rest are done",
    4: "disk, cluster or device failed; worth a retry",
    130: "interrupted; the same task again goes on from here",
    143: "ended by SIGTERM; the same task again goes on from here",
}


class OpenJdProgress(Counted):
    """`openjd_progress: 42`."""

    def __init__(self, stream: TextIO, *, clock: Clock = time.monotonic) -> None:
        super().__init__(stream, clock=clock)
        self._failures: list[str] = []

    def start(self, frames: int, **_facts: object) -> None:
        """Nought per cent."""
        self._tally.start(frames)
        self._last = self._clock()
        self._tell()

    def note(self, text: str) -> None:
        """A line of the log, nothing to the scheduler."""
        self._say(f"note: {text}")

    def step(self, name: str, done: int, total: int) -> None:
        """How a pass before the frames goes on, as a status; per cent are the frames'."""
        self._tally.step(name, done, total)
        if self._due(_INTERVAL_S, anyhow=done in (0, total)):
            self._say(f"openjd_status: {self._tally.pass_pace()}")

    def frame(self, result: FrameResult) -> None:
        """Per cent and pace, every second or so and at the last frame."""
        self._tally.add(result)
        if result.error:
            self._failures.append(f"frame {result.number} {result.state.value}, {result.error}")
            self._say(self._failures[-1])
        if self._due(_INTERVAL_S, anyhow=self._tally.left == 0):
            self._tell()

    def _ended(self, exit_code: int, summary: Mapping[str, object]) -> None:  # noqa: ARG002
        """The reason, if it failed."""
        if exit_code:
            first = f": {self._failures[0]}" if self._failures else ""
            reason = _ENDINGS.get(exit_code, f"exit code {exit_code}")
            self._say(f"openjd_fail: {reason}{first}")
        elif self._tally.total:
            self._say(f"openjd_status: {self._tally.outcome()}")

    def _tell(self) -> None:
        total = max(1, self._tally.total)
        share = 100 * (total - self._tally.left) / total
        self._say(f"openjd_progress: {share:.1f}")
        self._say(f"openjd_status: {self._tally.pace()}")

    def _say(self, text: str) -> None:
        print(one_line(text)[:_MOST], file=self._stream, flush=True)
