"""The options of `adamatte run` that a host shows, by the names of the command line.

One table for every host, `options.json`: what a knob or a property is called, what it holds, and
what its tooltip says. It is written from the program's own fields, and the program checks values.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple


class Option(NamedTuple):
    """One option.

    Attributes:
        name: as in `--name`, with underscores.
        kind: `text`, `file`, `number`, `whole`, `choice`, `switch`, or `list`: words as in a shell,
            each given with the option's name.
        default: what the program takes when it is not given.
        help: the tooltip.
        choices: of a `choice`.
        section: under which heading it stands.
        pixels: whether the matte's pixels depend on it: then a change makes mattes stale.
    """

    name: str
    kind: str
    default: Any
    help: str
    choices: tuple[str, ...] = ()
    section: str = "matte"
    pixels: bool = True


OPTIONS = tuple(
    Option(**{**row, "choices": tuple(row["choices"])})
    for row in json.loads(Path(__file__).with_name("options.json").read_text(encoding="utf-8"))
)


def option(name: str) -> Option:
    """The option of that name."""
    return next(one for one in OPTIONS if one.name == name)
