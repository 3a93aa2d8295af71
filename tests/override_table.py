"""The table of bad override files in the docs: what is wrong, and what is said of it.

python -m tests.override_table        writes docs/override-errors.md anew
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from plugin.errors import OverrideError
from plugin.trimap.override import load
from tests.unit.plugin.trimap.test_override_bad import (
    CHANGED,
    INFO,
    PICTURES,
    TEXTS,
    spoil_document,
    spoil_picture,
)

FILE = Path(__file__).parents[1] / "docs" / "override-errors.md"

_HEAD = """# What a bad override file is told

Each of these is refused with exit code 2 before any frame is computed, by `run`, by `trimap` and by
`trimap --check`. Generated from the tests by `python -m tests.override_table`; a test holds it to
the program.

The good file that each of them was made from is for frames 1001-1050 of a plate of 20 × 12 pixels;
its rules are 1 “wider” (a band), 2 “paint” (pictures), 3 “strap” (a polygon), 4 “dust” (a stroke).
"""
_OF_THE_PYTHON = frozenset({"a comma too many", "a link to itself"})
"""Cases whose words differ by the version of Python."""


def table() -> str:
    """The whole page."""
    parts = [_HEAD]
    for title, cases in (
        ("The text", dict(_texts())),
        ("What stands in it", dict(_documents())),
        ("The pictures that it names", dict(_pictures())),
    ):
        parts.append(f"## {title}\n\n| what is wrong | what is said |\n| --- | --- |\n")
        parts[-1] += "".join(f"| {name} | {_cell(said)} |\n" for name, said in cases.items())
    return "\n".join(parts)


def _texts() -> Iterator[tuple[str, str]]:
    for name, (content, _) in TEXTS.items():
        if name in _OF_THE_PYTHON:
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "o.json"
            path.write_bytes(content)
            yield name, _said(path, folder)


def _documents() -> Iterator[tuple[str, str]]:
    for name in CHANGED:
        with tempfile.TemporaryDirectory() as folder:
            yield name, _said(spoil_document(Path(folder), name), folder)


def _pictures() -> Iterator[tuple[str, str]]:
    for name in PICTURES:
        if name in _OF_THE_PYTHON:
            continue
        with tempfile.TemporaryDirectory() as folder:
            yield name, _said(spoil_picture(Path(folder), name), f"{folder}/shot")


def _said(path: Path, folder: str) -> str:
    try:
        load(path, INFO)
    except OverrideError as error:
        return str(error).replace(f"{folder}/", "").replace("o.json", "shot.trimap.json")
    return "nothing"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
