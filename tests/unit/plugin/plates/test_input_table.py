"""`docs/input.md` is what the program does: every row is made as a file, and read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from plugin.errors import AdaMatteError, MaskError, TrimapError
from plugin.plates import check_frames, open_plate, unlike
from plugin.request.shot import Shot
from plugin.segmentation import build, prepare
from plugin.trimap.source import TrimapSource, plan_trimaps
from plugin.types import Frame, PlateInfo, Window
from tests.inputs import masks, plates, sequences, trimaps, videos
from tests.plates import Painted, png_plate

PAGE = Path(__file__).parents[4] / "docs" / "input.md"


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


@pytest.mark.parametrize("row", rows("Videos"), ids=ids)
def test_videos(tmp_path: Path, row: Row) -> None:
    path, expected = videos.MAKERS[row.key](tmp_path)
    judge(row, str(path), expected)


class Black(Painted):
    """A plate of black frames."""

    def __init__(self) -> None:
        self.info = png_plate(masks.WIDTH, masks.HEIGHT, "1001-1003")

    def read(self, number: int) -> Frame:
        """Black."""
        return Frame(number, np.zeros((masks.HEIGHT, masks.WIDTH, 3), np.float32))


@pytest.mark.parametrize("row", rows("Masks"), ids=ids)
def test_masks(tmp_path: Path, row: Row) -> None:
    path, options = masks.MAKERS[row.key](tmp_path)
    wanted, within = options.pop("wanted", masks.WANTED), options.pop("within", 0.005)
    asked = {"plate": "p", "out": tmp_path, "segment": "mask", "mask": str(path), **options}
    shot, plate = Shot.model_validate(asked), Black()
    if row.done == "refused":
        with pytest.raises(MaskError, match=re.escape(row.said)):
            prepare(shot, plate, lambda rgb: rgb)
        return
    plan = prepare(shot, plate, lambda rgb: rgb)
    told = row.done == "named" or row.key == "hash-in-name"
    assert row.said in " · ".join((plan.reason, *plan.warnings))
    assert told or plan.warnings in {(), *HELD}
    found = build(plan, plate.info).segment(plate.read(1001)).coverage
    np.testing.assert_allclose(found, wanted, atol=within)


@pytest.mark.parametrize("row", rows("Ready trimaps"), ids=ids)
def test_trimaps(tmp_path: Path, row: Row) -> None:
    path, info = trimaps.MAKERS[row.key](tmp_path), Black().info
    shot = Shot(plate="p", out=tmp_path, trimap=str(path))
    if row.done == "refused":
        with pytest.raises(TrimapError, match=re.escape(row.said)):
            plan_trimaps(shot, info)
        return
    plan = plan_trimaps(shot, info)
    assert row.said in " · ".join(plan.notes)
    assert row.done == "named" or len(plan.notes) == 1
    found = TrimapSource(plan, info).trimap(1001, None).labels
    wanted = trimaps.SURE if row.key == "no-unknown" else trimaps.LABELS
    np.testing.assert_array_equal(found, wanted)


HELD = (
    ("no mask of their own, the nearest earlier one is held: frames 1003",),
    ("no mask of their own, the nearest earlier one is held: frames 1002-1003",),
)


MADE = [
    ("Plates", plates.MAKERS),
    ("Sequences", sequences.MAKERS),
    ("Videos", videos.MAKERS),
    ("Masks", masks.MAKERS),
    ("Ready trimaps", trimaps.MAKERS),
]


@pytest.mark.parametrize(
    ("heading", "makers"),
    MADE,
)
def test_every_row_has_a_file_and_every_file_a_row(
    heading: str, makers: dict[str, Callable[..., object]]
) -> None:
    assert [row.key for row in rows(heading)] == list(makers)


def test_windows_lie_where_the_exr_says(tmp_path: Path) -> None:
    path, _ = plates.MAKERS["exr-windows"](tmp_path)
    info, _ = notes_of(str(path))
    assert info.display_window == Window(0, 0, 19, 11)
