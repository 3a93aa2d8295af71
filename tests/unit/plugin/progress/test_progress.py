"""Progress in its four forms, and the rate under a clock that the test turns by hand."""

from __future__ import annotations

import io
import itertools
import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.progress.lines import BarProgress, JsonLinesProgress, PlainProgress, one_line
from plugin.progress.modes import Progress, QuietProgress, choose
from plugin.progress.tally import Tally
from plugin.types import FrameResult, FrameState

DONE, SKIPPED, FAILED = FrameState.DONE, FrameState.SKIPPED, FrameState.FAILED


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


def result(number: int, state: FrameState = DONE, error: str = "") -> FrameResult:
    return FrameResult(number=number, state=state, seconds=0.42, error=error)


def a_short_run(progress: Progress, clock: Clock) -> None:
    """Three frames: one done after a second, one there before, one failed after another."""
    progress.note("the screen is #3cb44f")
    progress.start(3, shot="sh010", model="lite")
    clock.now += 1
    progress.frame(result(1001))
    progress.frame(result(1002, SKIPPED))
    clock.now += 1
    progress.frame(result(1003, FAILED, "damaged · plate.1003.exr · render it again"))
    progress.end(3, {"out": "mattes/sh010"})
    progress.end(0)


def test_a_rate_counts_computed_frames_only() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.start(10)
    assert (tally.fps, tally.eta_s) == (0, None)
    for number in range(4):
        tally.add(result(number, SKIPPED))
    clock.now += 2
    tally.add(result(4))
    tally.add(result(5, FAILED))
    assert tally.fps == 0.5
    assert tally.eta_s == 8
    assert (tally.done, tally.skipped, tally.failed, tally.left) == (5, 4, 1, 4)


def test_a_slow_start_is_forgotten_and_a_stall_is_not() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.start(1000)
    clock.now += 100
    for number in range(200):
        clock.now += 0.5
        tally.add(result(number))
    assert tally.fps == pytest.approx(2)
    clock.now += 64 / 2
    assert tally.fps == pytest.approx(1)


def test_the_state_for_progress_json() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.start(4)
    clock.now += 2
    tally.add(result(1))
    running = {"done": 1, "total": 4, "skipped": 0, "failed": 0, "fps": 0.5, "eta_s": 6.0}
    assert tally.as_progress_json() == {
        "state": "running",
        "exit": None,
        **running,
        "seconds": 2.0,
    }
    tally.stop()
    clock.now += 60
    assert tally.as_progress_json(143) == {
        "state": "ended",
        "exit": 143,
        **running,
        "seconds": 2.0,
    }


@given(st.lists(st.tuples(st.sampled_from(FrameState), st.floats(0, 100)), max_size=200))
def test_whatever_comes_the_figures_add_up(events: list[tuple[FrameState, float]]) -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.start(len(events))
    for number, (state, wait) in enumerate(events):
        clock.now += wait
        tally.add(result(number, state))
        assert tally.done + tally.failed + tally.left == tally.total
        assert tally.fps >= 0
        assert tally.eta_s is None or tally.eta_s >= 0
        json.dumps(tally.as_progress_json(), allow_nan=False)
    assert tally.left == 0
    assert tally.eta_s == 0


def test_json_lines_are_the_contracts_objects() -> None:
    stream, clock = io.StringIO(), Clock()
    a_short_run(JsonLinesProgress(stream, clock=clock), clock)
    events: list[dict[str, Any]] = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert events == [
        {
            "event": "start",
            "shot": "sh010",
            "model": "lite",
            "frames": 3,
            "notes": ["the screen is #3cb44f"],
        },
        {"event": "frame", "frame": 1001, "state": "done", "seconds": 0.42},
        {
            "event": "progress",
            "done": 1,
            "total": 3,
            "skipped": 0,
            "failed": 0,
            "fps": 1.0,
            "eta_s": 2.0,
        },
        {"event": "frame", "frame": 1002, "state": "skipped", "seconds": 0.42},
        {
            "event": "frame",
            "frame": 1003,
            "state": "failed",
            "seconds": 0.42,
            "error": "damaged · plate.1003.exr · render it again",
        },
        {
            "event": "progress",
            "done": 2,
            "total": 3,
            "skipped": 1,
            "failed": 1,
            "fps": 0.5,
            "eta_s": 0.0,
        },
        {
            "event": "end",
            "out": "mattes/sh010",
            "exit": 3,
            "done": 2,
            "total": 3,
            "skipped": 1,
            "failed": 1,
            "seconds": 2.0,
        },
    ]


def test_no_fact_can_hide_the_contracts_keys() -> None:
    stream = io.StringIO()
    progress = JsonLinesProgress(stream)
    progress.start(3, **{"event": "else", "path": io})
    progress.end(0, {"exit": 7, "event": "else"})
    start, end = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (start["event"], start["frames"]) == ("start", 3)
    assert (end["event"], end["exit"]) == ("end", 0)


@pytest.mark.parametrize("frames_per_second", [0.2, 1, 24, 1000])
def test_progress_comes_every_second_where_frames_do(frames_per_second: float) -> None:
    stream, clock = io.StringIO(), Clock()
    progress = JsonLinesProgress(stream, clock=clock)
    progress.start(100_000)
    at: list[float] = [clock.now]
    for number in range(200):
        clock.now += 1 / frames_per_second
        before = stream.tell()
        progress.frame(result(number))
        stream.seek(before)
        if '"progress"' in stream.read():
            at.append(clock.now)
    gaps = [later - sooner for sooner, later in itertools.pairwise(at)]
    assert max([*gaps, clock.now - at[-1]]) <= max(1, 1 / frames_per_second)


def test_plain_lines() -> None:
    stream, clock = io.StringIO(), Clock()
    a_short_run(PlainProgress(stream, clock=clock), clock)
    assert stream.getvalue().splitlines() == [
        "adamatte: note: the screen is #3cb44f",
        "adamatte: 3 frames · shot sh010 · model lite",
        "adamatte: frame 1001 done in 0.42 s · 1 of 3 · 1.00 frames/s · 2 s left",
        "adamatte: frame 1002 skipped · 2 of 3 · 1.00 frames/s · 1 s left",
        "adamatte: frame 1003 failed · damaged · plate.1003.exr · render it again",
        "adamatte: 2 done, 1 of them before, 1 failed in 2 s · out mattes/sh010",
    ]


@pytest.mark.parametrize("kind", [PlainProgress, BarProgress])
def test_a_refused_request_leaves_the_word_to_its_error(
    kind: type[PlainProgress | BarProgress],
) -> None:
    stream = io.StringIO()
    kind(stream).end(2)
    assert stream.getvalue() == ""


def test_the_bar_draws_and_keeps_failures() -> None:
    stream, clock = Terminal(), Clock()
    a_short_run(BarProgress(stream, clock=clock), clock)
    text = stream.getvalue()
    assert "note" not in text
    assert "the screen is #3cb44f" in text
    assert "frame 1003 failed · damaged" in text
    assert "2 done, 1 of them before, 1 failed in 2 s" in text


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    a_short_run(QuietProgress(), Clock())
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("mode", "quiet", "stream", "kind"),
    [
        ("auto", False, io.StringIO(), PlainProgress),
        ("auto", False, Terminal(), BarProgress),
        ("auto", True, Terminal(), QuietProgress),
        ("bar", False, io.StringIO(), BarProgress),
        ("plain", False, Terminal(), PlainProgress),
        ("plain", True, Terminal(), QuietProgress),
        ("jsonl", False, Terminal(), JsonLinesProgress),
        ("jsonl", True, Terminal(), JsonLinesProgress),
    ],
)
def test_choose(mode: str, quiet: bool, stream: io.StringIO, kind: type) -> None:
    assert type(choose(mode, quiet, stream)) is kind


@given(st.text())
def test_one_line_is_one_printable_line(text: str) -> None:
    assert one_line(text).isprintable()


def test_one_line_shows_what_it_escapes() -> None:
    assert one_line("a\n b\x1b[31m · é") == "a b\\x1b[31m · é"
