"""How a command ends: its exit code and, if it failed, its one line."""

import click

from plugin.errors import AdaMatteError, Interrupted
from plugin.progress.lines import one_line

_SEE = "see {} --help"


class Terminated(KeyboardInterrupt):
    """SIGTERM came. A `KeyboardInterrupt`, so that no `except Exception` on the way keeps it."""


def exit_code_of(error: BaseException) -> int:
    """The contract's exit code for whatever a command raised."""
    if isinstance(error, KeyboardInterrupt | Interrupted) and _was_terminated(error):
        return 143
    match error:
        case AdaMatteError():
            return error.exit_code
        case KeyboardInterrupt() | click.Abort():
            return 130
        case click.exceptions.Exit():
            return error.exit_code
        case click.ClickException():
            return 2
        case _:
            return 4


def line_of(error: BaseException, command: str = "adamatte") -> str:
    """`adamatte: error: <what> · <file or frame> · <what to do>`, of whatever a command raised.

    Args:
        error: what was raised.
        command: `adamatte run`, where the error itself does not say where.
    """
    match error:
        case AdaMatteError():
            parts = (error.what, error.where, error.fix)
        case KeyboardInterrupt() | click.Abort():
            signal = "ended by SIGTERM" if _was_terminated(error) else "interrupted"
            parts = (signal, command, "the same command again goes on from here")
        case click.ClickException():
            parts = _usage(error, command)
        case MemoryError():
            parts = ("out of memory", command, "try fewer --workers; --debug shows where")
        case OSError() if error.strerror:
            parts = (error.strerror, str(error.filename or command), "--debug shows where")
        case _:
            what = f"unexpected {type(error).__name__}: {error}".removesuffix(": ")
            parts = (what, command, "a bug: please report it with what --debug shows")
    return "adamatte: error: " + one_line(" · ".join(parts))


def _was_terminated(error: BaseException | None) -> bool:
    """Whether SIGTERM is the error, or what it was raised from."""
    while error is not None and not isinstance(error, Terminated):
        error = error.__cause__ or error.__context__
    return error is not None


def _usage(error: click.ClickException, command: str) -> tuple[str, str, str]:
    """What, where and what to do, of a mistake that click found."""
    see = _SEE.format(command)
    match error:
        case click.NoSuchOption():
            close = error.possibilities or []
            fix = f"did you mean {close[0]}?" if close else see
            return f"unknown option {error.option_name}", command, fix
        case click.MissingParameter() if error.param is not None:
            return "an argument is missing", _typed(error.param), see
        case click.BadParameter() if error.param is not None:
            return error.message.rstrip("."), _typed(error.param), see
        case click.BadOptionUsage():
            return "no value is given", error.option_name, see
        case _:
            return error.format_message().rstrip("."), command, see


def _typed(parameter: click.Parameter) -> str:
    """A parameter as it is typed: `--progress`, `PLATE`."""
    if isinstance(parameter, click.Argument):
        return parameter.human_readable_name
    return max(parameter.opts, key=len)
