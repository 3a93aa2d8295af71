"""`main`: run a command; whatever it raises becomes one line on stderr and an exit code."""

import io
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

import click
from click.shell_completion import shell_complete

from plugin.cli.outcome import Terminated, exit_code_of, line_of
from plugin.cli.registry import COMMANDS, Entry, Program

_COMPLETION = "_ADAMATTE_COMPLETE"
"""Set by the shell's completion script: `eval "$(_ADAMATTE_COMPLETE=bash_source adamatte)"`."""


def main(
    arguments: Sequence[str] | None = None, *, commands: Mapping[str, Entry] = COMMANDS
) -> int:
    """Run `adamatte` and return its exit code; raises nothing.

    Args:
        arguments: without the program's name; the process's own when None.
        commands: what it knows.
    """
    words = tuple(sys.argv[1:] if arguments is None else arguments)
    program = Program(commands)
    named = next((word for word in words if word in commands), None)
    command = "adamatte" if named is None else f"adamatte {named}"
    _forgive_encoding()
    try:
        with _sigterm_raises():
            code = _run(program, words)
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        return _nobody_reads()
    except (Exception, KeyboardInterrupt) as error:
        if "--debug" in words:
            traceback.print_exc()
        click.echo(line_of(error, command), err=True)
        return exit_code_of(error)


def _run(program: Program, words: Sequence[str]) -> int:
    """Run the command. Not through click's own `main`, which rewrites Ctrl-C and broken pipes."""
    if instruction := os.environ.get(_COMPLETION):
        return shell_complete(program, {}, "adamatte", _COMPLETION, instruction)
    if not words:
        return _greet(program)
    try:
        with program.make_context("adamatte", list(words)) as context:
            program.invoke(context)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    return 0


def _greet(program: Program) -> int:
    """Help instead of a command: nothing was done, so it is not a success."""
    with program.make_context("adamatte", [], resilient_parsing=True) as context:
        click.echo(program.get_help(context), err=True)
    return 2


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Within, the first SIGTERM raises `Terminated`, so that it unwinds as Ctrl-C does.

    The next one kills: whoever sends two does not want to wait.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers
        return

    def stop(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  signal's signature
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _forgive_encoding() -> None:
    """Let a name that the terminal cannot show come out escaped, rather than end the command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _nobody_reads() -> int:
    """The reader of our stdout went away: stop quietly, and keep Python's own flush quiet too."""
    with open(os.devnull, "w") as nowhere, suppress(OSError, ValueError):  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
    return 4
