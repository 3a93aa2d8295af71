"""How help looks: options under headings, examples at the end; and what every command takes."""

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from plugin.progress.modes import MODES

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

FILE = click.Path(path_type=Path)
"""The type of an option that is a file or a folder."""

_TALK = "What it says"
"""Heading of the options that every command has."""


MODEL = "Bundled weights by name, or a .safetensors file."
"""Help of the options that name a network."""


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
                lists.setdefault(getattr(parameter, "heading", _TALK), []).append(record)
        for heading, records in lists.items():
            with formatter.section(heading):
                formatter.write_dl(records, col_max=34)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The examples, unwrapped so that they can be copied."""
        if self.examples:
            with formatter.section("Examples"):
                for what, line in self.examples:
                    formatter.write(f"  # {what}\n  {line}\n")


def option(
    declared: str,
    text: str,
    *,
    heading: str = _TALK,
    name: str = "",
    **attributes: Any,  # noqa: ANN401  click's own, of many types
) -> LaidOutOption:
    """An option as it is typed: `--sizes LIST`; one without a word behind it is a switch.

    Args:
        declared: the option, a shorter form of it, and what stands for its value.
        text: its help.
        heading: under which it is listed.
        name: under which the command gets it, if another.
        attributes: click's. A default is shown.
    """
    flags = [word for word in declared.split() if word.startswith("-")]
    metavar = declared.removeprefix(" ".join(flags)).strip() or None
    given = {"is_flag": metavar is None and "type" not in attributes, "metavar": metavar}
    if "default" in attributes:
        given["show_default"] = True
    words = [*flags, name] if name else flags
    return LaidOutOption(words, heading=heading, help=text, **given | attributes)


def talk_options() -> list[click.Parameter]:
    """`--quiet`, `--progress`, `--debug`; the first two arrive as arguments."""
    return [
        option("--quiet -q", "No progress and no remarks: only errors."),
        option(
            f"--progress {'|'.join(MODES)}",
            "A bar, plain lines, JSON lines on stdout for programs, or openjd, the lines that "
            "Open Job Description looks for. auto: a bar on a terminal, plain lines in a log.",
            type=click.Choice(MODES),
            default="auto",
            show_default=False,
        ),
        show_debug(),
    ]


def show_debug() -> click.Option:
    """`--debug`: `main` looks for it itself, so that it holds for errors in the options too."""
    return option("--debug", "Show the traceback of an error.", expose_value=False)


def show_version() -> click.Option:
    """`--version`: print it and stop."""
    return option(
        "--version",
        "Show the version.",
        is_eager=True,
        expose_value=False,
        callback=_print_version,
    )


def _print_version(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:  # noqa: ARG001
    if value and not ctx.resilient_parsing:
        click.echo(f"adamatte {importlib.metadata.version('adamatte')}")
        ctx.exit()


def number_option(
    flag: str, bounds: tuple[int, int], default: int, text: str, *, metavar: str = "N"
) -> click.Option:
    """A whole number within bounds, both included, its default shown."""
    return option(f"{flag} {metavar}", text, type=click.IntRange(*bounds), default=default)


def file_option(flag: str, metavar: str, text: str, **attributes: Any) -> click.Option:  # noqa: ANN401
    """An option that takes a path, given to the command as a `Path`."""
    return option(f"{flag} {metavar}", text, type=FILE, **attributes)


def json_option(heading: str = _TALK) -> click.Option:
    """`--json`, which arrives as `as_json`."""
    return option("--json", "As JSON, for programs.", heading=heading, name="as_json")


def device_option(heading: str = _TALK) -> click.Option:
    """`--device` of what works on the network itself."""
    return option(
        "--device",
        "auto takes a GPU where there is one.",
        heading=heading,
        type=click.Choice(["auto", "cpu", "cuda"]),
        default="auto",
    )
