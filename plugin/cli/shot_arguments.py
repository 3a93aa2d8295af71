"""The options of `run`, from the fields of `Shot`, where all that is to be said of them stands.

What is typed goes to `shot_from` as text, so that a job file and the command line are refused in
the same words.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

import click
from click.shell_completion import CompletionItem

from plugin.cli.help_page import LaidOutOption, file_option
from plugin.request.asked import SHOT, Asked
from plugin.request.job_file import AUTO_FIELDS, help_of, option_name, range_of, shot_from
from plugin.request.shot import Shot, asked_of

TABLE = {field: asked_of(field) for field in Shot.model_fields if field != "plate"}
"""Every field of `Shot` but the plate, which is the argument."""


def shot_options(*headings: str) -> list[click.Parameter]:
    """The plate and the options under these headings, `--job` among the shot's.

    They arrive under their fields' names, as typed; None where not given.
    """
    plate = click.Argument(["plate"], required=False, metavar="PLATE")
    rows = [_option(field, row) for field, row in TABLE.items() if row.heading in headings]
    job = file_option(
        "--job",
        "FILE.toml",
        "Options from a file, `erode = 6` a line; the command line wins. Paths in it are "
        "relative to it.",
        heading=SHOT,
    )
    place = 1 + sum(row.heading == SHOT for row in TABLE.values() if row.heading in headings)
    return [plate, *rows[: place - 1], job, *rows[place - 1 :]]


def shot_of(options: Mapping[str, object], **instead: object) -> Shot:
    """The shot that these options ask for, among whatever else was typed.

    Raises:
        ShotError, FrameRangeError: as `shot_from`.
    """
    given = {
        name: value
        for name, value in {**options, **instead}.items()
        if name in Shot.model_fields and value not in (None, ())
    }
    job_file = options["job"]
    return shot_from(given, job_file if isinstance(job_file, Path) else None)


def _option(field: str, row: Asked) -> LaidOutOption:
    name = option_name(field)
    annotation = Shot.model_fields[field].annotation
    text = f"{help_of(field)} {_note(field)}".strip()
    if annotation is bool:
        both = f"{name}/--no-{name.removeprefix('--')}"
        return LaidOutOption([both, field], heading=row.heading, default=None, help=text)
    choices = _choices(annotation)
    return LaidOutOption(
        [name, field],
        heading=row.heading,
        metavar=row.metavar or "|".join(choices),
        multiple=get_origin(annotation) in (tuple, frozenset),
        shell_complete=_completer(choices) if choices else None,
        help=text,
    )


def _choices(annotation: Any) -> tuple[str, ...]:  # noqa: ANN401  an annotation may be anything
    """The values of a `Literal`, also within a set."""
    values = [v for part in (get_args(annotation) or ()) for v in (get_args(part) or (part,))]
    return tuple(value for value in values if isinstance(value, str))


def _note(field: str) -> str:
    """`[default: 8; 0 to 500]`."""
    default = Shot.model_fields[field].default
    if field in AUTO_FIELDS:
        return "[default: auto]"
    if not isinstance(default, str | int | float) or isinstance(default, bool) or default == "":
        return ""
    bounds = range_of(field)
    return f"[default: {default}; {bounds}]" if bounds else f"[default: {default}]"


def _completer(choices: Collection[str]) -> Any:  # noqa: ANN401  click's own type is private
    def complete(
        ctx: click.Context,  # noqa: ARG001
        param: click.Parameter,  # noqa: ARG001
        incomplete: str,
    ) -> list[CompletionItem]:
        return [CompletionItem(choice) for choice in choices if choice.startswith(incomplete)]

    return complete
