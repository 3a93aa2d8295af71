"""What a command says to people: one logical line a line, nothing in it that a terminal obeys."""

import json

import click

from plugin.progress.lines import printable


def say(*lines: object, err: bool = False) -> None:
    """Print lines; names and words from files may hold anything, and come out spelt.

    Args:
        lines: each stays one, whatever breaks are in it.
        err: to stderr rather than stdout.
    """
    for line in lines:
        click.echo(printable(str(line)), err=err)


def say_json(answer: object, *, indent: int | None = None) -> None:
    """Print an answer for programs: JSON in ASCII, which no terminal obeys either."""
    text = json.dumps(answer, indent=indent, default=str)
    click.echo(text.replace("\x7f", "\\u007f"))
