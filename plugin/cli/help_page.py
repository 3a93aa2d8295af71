"""How help looks: options under headings, examples at the end; and what every command takes."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from plugin.progress.modes import MODES

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

FILE = click.Path(path_type=Path)
"""The type of an option that is a file or a folder."""

TALK = "What it says"
"""Heading of the options that every command has."""


class LaidOutOption(click.Option):
    """An option that stands under a heading.

    Args:
        declarations: as click takes them.
        heading: the heading; one that is shared with other options.
        attributes: the rest of click's.
    """

    def __init__(
        self,
        declarations: Sequence[str],
        *,
        heading: str,
        **attributes: Any,  # noqa: ANN401  click's own, of many types
    ) -> None:
        super().__init__(declarations, **attributes)
        self.heading = heading


class LaidOutCommand(click.Command):
    """A command whose help groups its options by heading and ends with examples.

    Args:
        examples: pairs of what it does and the command line.
        attributes: click's.
    """

    def __init__(
        self,
        *,
        examples: Sequence[tuple[str, str]] = (),
        **attributes: Any,  # noqa: ANN401  click's own, of many types
    ) -> None:
        super().__init__(context_settings=SETTINGS, **attributes)
        self.examples = tuple(examples)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One list a heading, in the order of the parameters; `--help` itself is talk."""
        lists: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                lists.setdefault(getattr(parameter, "heading", TALK), []).append(record)
        for heading, records in lists.items():
            with formatter.section(heading):
                formatter.write_dl(records, col_max=34)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The examples, unwrapped so that they can be copied."""
        if self.examples:
            with formatter.section("Examples"):
                for what, line in self.examples:
                    formatter.write(f"  # {what}\n  {line}\n")


def talk_options() -> list[click.Parameter]:
    """`--quiet`, `--progress`, `--debug`; the first two arrive as arguments."""
    return [
        LaidOutOption(
            ["--quiet", "-q"],
            heading=TALK,
            is_flag=True,
            help="No progress and no remarks: only errors.",
        ),
        LaidOutOption(
            ["--progress"],
            heading=TALK,
            metavar="|".join(MODES),
            type=click.Choice(MODES),
            default="auto",
            help="A bar, plain lines, JSON lines on stdout for programs, or openjd, the lines that "
            "Open Job Description looks for. auto: a bar on a terminal, plain lines in a log.",
        ),
        show_debug(),
    ]


def number_option(
    flag: str, bounds: tuple[int, int], default: int, text: str, *, metavar: str = "N"
) -> click.Option:
    """A whole number within bounds, both included, its default shown."""
    return click.Option(
        [flag],
        type=click.IntRange(*bounds),
        default=default,
        show_default=True,
        metavar=metavar,
        help=text,
    )


def show_debug() -> click.Option:
    """`--debug`: `main` looks for it itself, so that it holds for errors in the options too."""
    return LaidOutOption(
        ["--debug"],
        heading=TALK,
        is_flag=True,
        expose_value=False,
        help="Show the traceback of an error.",
    )


def show_version() -> click.Option:
    """`--version`: print it and stop."""
    return LaidOutOption(
        ["--version"],
        heading=TALK,
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_print_version,
        help="Show the version.",
    )


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001
    if value and not ctx.resilient_parsing:
        click.echo(f"adamatte {importlib.metadata.version('adamatte')}")
        ctx.exit()


def file_option(
    option: str,
    metavar: str,
    text: str,
    *,
    name: str = "",
    required: bool = False,
    multiple: bool = False,
) -> click.Option:
    """An option that takes a path, given to the command as a `Path`."""
    words = [option, name] if name else [option]
    return click.Option(
        words, type=FILE, required=required, multiple=multiple, metavar=metavar, help=text
    )


def device_option() -> click.Option:
    """`--device` of what works on the network itself."""
    return click.Option(
        ["--device"],
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
        show_default=True,
        help="auto takes a GPU where there is one.",
    )
