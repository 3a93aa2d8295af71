"""A pass before the frames, in all forms of progress, under a clock that the test turns by hand."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

from plugin.progress.lines import BarProgress, JsonLinesProgress, PlainProgress
from plugin.progress.modes import Progress, choose
from plugin.progress.tally import Tally
from plugin.types import FrameResult, FrameState


@dataclass
class Clock:
    """Stands still until it is set."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def a_tracked_run(progress: Progress, clock: Clock) -> None:
    """A pass over four pictures, three seconds each, then one frame."""
    progress.start(1, shot="sh010")
    progress.step("track", 0, 4)
    for done in range(1, 5):
        clock.now += 3
        progress.step("track", done, 4)
    clock.now += 1
    progress.frame(FrameResult(number=1001, state=FrameState.DONE, seconds=0.42))
    progress.end(0)


def test_a_pass_before_the_frames_is_told_and_its_time_is_the_runs() -> None:
    clock, stream = Clock(), io.StringIO()
    a_tracked_run(PlainProgress(stream, clock=clock), clock)
    assert stream.getvalue().splitlines() == [
        "adamatte: 1 frame · shot sh010",
        "adamatte: track 0 of 4",
        "adamatte: track 2 of 4 · 6 s left",
        "adamatte: track 4 of 4",
        "adamatte: frame 1001 done in 0.42 s · 1 of 1 · 1.00 frames/s",
        "adamatte: 1 done in 13 s",
    ]
    clock, stream = Clock(), io.StringIO()
    a_tracked_run(JsonLinesProgress(stream, clock=clock), clock)
    events = [json.loads(line) for line in stream.getvalue().splitlines()]
    passes = [event for event in events if event["event"] == "pass"]
    assert [(p["pass"], p["pass_done"], p["pass_total"]) for p in passes] == [
        ("track", done, 4) for done in range(5)
    ]
    assert events[-1]["seconds"] == 13
    clock, stream = Clock(), io.StringIO()
    a_tracked_run(choose("openjd", False, stream, data=stream), clock)
    assert "openjd_status: track 0 of 4" in stream.getvalue()


def test_the_state_of_a_pass_for_progress_json() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.start(2)
    tally.step("track", 1, 3)
    clock.now += 2
    told = tally.as_progress_json()
    assert (told["pass"], told["pass_done"], told["pass_total"]) == ("track", 1, 3)
    assert told["seconds"] == 2
    tally.step("track", 3, 3)
    assert "pass" not in tally.as_progress_json()


def test_a_bar_shows_the_pass_and_then_the_frames() -> None:
    clock, stream = Clock(), Terminal()
    a_tracked_run(BarProgress(stream, clock=clock), clock)
    assert "1 done in 13 s" in stream.getvalue()
