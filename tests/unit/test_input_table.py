"""`docs/input.md` is what the program does: every row is made as a file, and read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from plugin.errors import AdaMatteError
from plugin.plates import check_frames, open_plate, unlike
from plugin.types import PlateInfo, Window
from tests.inputs import plates, sequences

PAGE = Path(__file__).parents[2] / "docs" / "input.md"


@dataclass(frozen=True)
class Row:
    """One row of a table."""

    key: str
    done: str
    said: str


def rows(heading: str) -> list[Row]:
    """The table under a heading of the page."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = [
        [c.strip() for c in line.split("|")[1:-1]] for line in text.splitlines() if "|" in line
    ]
    return [Row(row[0], row[2], row[3].replace("`", "")) for row in cells[2:]]


@pytest.fixture(autouse=True)
def _no_studio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCIO", raising=False)


def ids(row: Row) -> str:
    return row.key


def notes_of(path: str) -> tuple[PlateInfo, tuple[str, ...]]:
    """What is told of a plate before a run."""
    with closing(open_plate(path)) as plate:
        check_frames(plate, plate.info.frames)
        return plate.info, (*plate.info.notes, *unlike(plate, plate.info.frames))


def judge(row: Row, path: str, expected: Mapping[str, object]) -> None:
    """Read a file, and hold what is said and found against the row."""
    if row.done == "refused":
        with pytest.raises(AdaMatteError, match=re.escape(row.said)):
            notes_of(path)
        return
    info, notes = notes_of(path)
    said = " · ".join(notes)
    assert row.said in said
    if row.done in {"honoured", "ignored"}:
        assert said == ""
    for name, value in expected.items():
        assert getattr(info, name) == value, name


@pytest.mark.parametrize("row", rows("Plates"), ids=ids)
def test_plates(tmp_path: Path, row: Row) -> None:
    path, expected = plates.MAKERS[row.key](tmp_path)
    judge(row, str(path), expected)


@pytest.mark.parametrize("row", rows("Sequences"), ids=ids)
def test_sequences(tmp_path: Path, row: Row) -> None:
    path, expected = sequences.MAKERS[row.key](tmp_path)
    judge(row, str(path), expected)


@pytest.mark.parametrize(
    ("heading", "makers"), [("Plates", plates.MAKERS), ("Sequences", sequences.MAKERS)]
)
def test_every_row_has_a_file_and_every_file_a_row(
    heading: str, makers: dict[str, Callable[..., object]]
) -> None:
    assert [row.key for row in rows(heading)] == list(makers)


def test_windows_lie_where_the_exr_says(tmp_path: Path) -> None:
    path, _ = plates.MAKERS["exr-windows"](tmp_path)
    info, _ = notes_of(str(path))
    assert info.display_window == Window(0, 0, 19, 11)
