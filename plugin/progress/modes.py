"""What a run says while it works: a bar, plain lines, JSON lines, OpenJD's, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, TextIO

from plugin.progress.lines import BarProgress, JsonLinesProgress, PlainProgress
from plugin.progress.openjd import OpenJdProgress

if TYPE_CHECKING:
    from plugin.types import FrameResult

MODES = ("auto", "bar", "plain", "jsonl", "openjd")
"""What `--progress` takes; `auto` is a bar on a terminal and plain lines in a log."""


class Progress(Protocol):
    """Told of a run's events by the driver: `start`, `step`s, `frame`s, `end`; `note`s between."""

    def start(self, frames: int, **facts: object) -> None:
        """The request was accepted: `frames` to do, `facts` worth a line (shot, model, …)."""

    def note(self, text: str) -> None:
        """A remark in one line, such as what `auto` chose. May come before `start`."""

    def step(self, name: str, done: int, total: int) -> None:
        """A pass that comes before the frames, such as tracking, has done so many of its pictures.

        The first call, `done` 0, says that it begins.
        """

    def frame(self, result: FrameResult) -> None:
        """One frame is done, skipped or failed."""

    def end(self, exit_code: int, summary: Mapping[str, object] | None = None) -> None:
        """The run is over, whatever became of it. Only the first call counts.

        Args:
            exit_code: as the contract lists them.
            summary: facts worth a line: where the result lies.
        """


class QuietProgress:
    """Says nothing; errors are not its business."""

    def start(self, frames: int, **facts: object) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def step(self, name: str, done: int, total: int) -> None:
        """Nothing."""

    def frame(self, result: FrameResult) -> None:
        """Nothing."""

    def end(self, exit_code: int, summary: Mapping[str, object] | None = None) -> None:
        """Nothing."""


def choose(mode: str, quiet: bool, stream: TextIO, *, data: TextIO | None = None) -> Progress:
    """The `Progress` that `--progress MODE` and `--quiet` ask for.

    JSON lines are data rather than talk: asked for by name, they come even when quiet.

    Args:
        mode: one of `MODES`.
        quiet: whether `--quiet` was given.
        stream: where people read; stderr. `auto` draws a bar on it if it is a terminal.
        data: where programs read; stdout when None.
    """
    if mode == "jsonl":
        return JsonLinesProgress(sys.stdout if data is None else data)
    if mode == "openjd":
        return OpenJdProgress(sys.stdout if data is None else data)
    if quiet:
        return QuietProgress()
    if mode == "bar" or (mode == "auto" and stream.isatty()):
        return BarProgress(stream)
    return PlainProgress(stream)
