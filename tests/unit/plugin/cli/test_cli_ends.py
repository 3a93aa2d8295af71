"""Every way a command can end: its exit code, and its one line on stderr.

Run as a program, this file is an `adamatte` whose commands end in those ways.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from plugin.cli import main
from plugin.cli.registry import Entry
from plugin.errors import FrameError, Interrupted, OutputError, PlateError

NAMES = (
    "good request frames surroundings interrupted ctrl_c bug disk memory leaves waits wraps floods"
)
COMMANDS = {name: Entry(f"{__name__}:{name}", "Samples", name) for name in NAMES.split()}


def command(callback: Callable[[], None]) -> click.Command:
    return click.Command(
        name=callback.__name__,
        callback=callback,
        params=[click.Option(["--debug"], is_flag=True, expose_value=False)],
    )


@command
def good() -> None:
    click.echo("shot → matte")


@command
def request() -> None:
    raise PlateError("no such plate", where="sh010.mov", fix="check the path")


@command
def frames() -> None:
    raise FrameError("2 frames failed", where="sh010 1001-1002", fix="again")


@command
def surroundings() -> None:
    raise OutputError("the disk is full", where="out\n/x\x1b[2J", fix="free some\tspace")


@command
def interrupted() -> None:
    raise Interrupted("interrupted", where="sh010", fix="again")


@command
def ctrl_c() -> None:
    raise KeyboardInterrupt


@command
def bug() -> None:
    raise KeyError("x")


@command
def disk() -> None:
    raise OSError(28, "No space left on device", "out/a.exr")


@command
def memory() -> None:
    raise MemoryError


@command
def leaves() -> None:
    click.get_current_context().exit(3)


def wait() -> None:
    click.echo("ready")
    sys.stdout.flush()
    signal.pause()


waits = click.Command(name="waits", callback=wait)


@command
def wraps() -> None:
    try:
        wait()
    except KeyboardInterrupt as error:
        raise Interrupted("stopped", where="sh010", fix="again") from error


@command
def floods() -> None:
    while True:
        click.echo("line " * 1000)


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("good", 0, ""),
        ("leaves", 3, ""),
        ("request", 2, "no such plate · sh010.mov · check the path"),
        ("frames", 3, "2 frames failed · sh010 1001-1002 · again"),
        ("surroundings", 4, "the disk is full · out /x\\x1b[2J · free some space"),
        ("interrupted", 130, "interrupted · sh010 · again"),
        ("ctrl_c", 130, "interrupted · adamatte ctrl_c · the same command again goes on from here"),
        (
            "bug",
            4,
            "unexpected KeyError: 'x' · adamatte bug · "
            "a bug: please report it with what --debug shows",
        ),
        ("disk", 4, "No space left on device · out/a.exr · --debug shows where"),
        (
            "memory",
            4,
            "out of memory · adamatte memory · try fewer --workers; --debug shows where",
        ),
    ],
)
def test_ends(name: str, code: int, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name], commands=COMMANDS) == code
    assert capsys.readouterr().err == (f"adamatte: error: {line}\n" if line else "")


@pytest.mark.parametrize("words", [["--debug", "bug"], ["bug", "--debug"]])
def test_debug_shows_the_traceback(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words, commands=COMMANDS) == 4
    text = capsys.readouterr().err
    assert "Traceback" in text
    assert text.splitlines()[-1].startswith("adamatte: error: unexpected KeyError")


def test_the_callers_sigterm_handler_is_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    main(["good"], commands=COMMANDS)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("name", "number", "code", "what"),
    [
        ("waits", signal.SIGINT, 130, "interrupted · adamatte waits"),
        ("waits", signal.SIGTERM, 143, "ended by SIGTERM · adamatte waits"),
        ("wraps", signal.SIGINT, 130, "stopped · sh010"),
        ("wraps", signal.SIGTERM, 143, "stopped · sh010"),
    ],
)
def test_signals_end_a_real_process(name: str, number: int, code: int, what: str) -> None:
    with subprocess.Popen(
        [sys.executable, __file__, name],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        _, error = process.communicate(timeout=300)
    assert process.returncode == code
    assert error.startswith(f"adamatte: error: {what}")
    assert error.count("\n") == 1


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, __file__, "floods"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(100)
        process.stdout.close()
        error = process.stderr.read()
    assert (process.returncode, error) == (4, b"")


def test_names_that_a_terminal_cannot_show_come_out_escaped() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "latin-1"}
    answer = subprocess.run(
        [sys.executable, __file__, "good"], env=environment, capture_output=True, check=True
    )
    assert answer.stdout == b"shot \\u2192 matte\n"


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[4]))
    sys.exit(main(commands=COMMANDS))
