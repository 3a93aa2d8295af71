"""The override file on the desk: changes and their way back, other hands on the same file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plugin.desk.changes import Change, ConflictError, applied
from plugin.desk.corrections import Corrections
from plugin.errors import OverrideError
from plugin.framerange import FrameRange
from plugin.trimap.override import load
from plugin.trimap.override.document import MAX_BYTES, as_bytes, parse
from plugin.trimap.override.models import OverrideFile
from plugin.types import PlateInfo, PlateKind, Window
from tests.desks import stroke

WINDOW = Window.of_size(96, 64)
INFO = PlateInfo(
    path="plate.mov",
    kind=PlateKind.VIDEO,
    frames=FrameRange.span(1001, 1010),
    data_window=WINDOW,
    display_window=WINDOW,
    pixel_aspect=1.0,
    rate=None,
    timecode=None,
    codec="h264",
    pixel_format="yuv420p",
    bits=8,
    colour="srgb_rec709_display",
)
DAB = stroke("dab", "1003", "foreground", (8, 9))
BAND = {"id": "wide", "frames": "1001-1010", "params": {"dilate": 30.0}}
SHAPE: dict[str, Any] = {
    "id": "shape",
    "frames": "1001-1010",
    "set": "unknown",
    "polygon": {"1001": [[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]]},
}


def file_of(*rules: object) -> OverrideFile:
    head = {"schema": "trimap-override/1", "shot": "s", "plate": {"width": 96, "height": 64}}
    return OverrideFile.model_validate_json(json.dumps({**head, "rules": list(rules)}))


def asked(**fields: object) -> Change:
    return Change.model_validate_json(json.dumps(fields))


@pytest.fixture
def corrections(tmp_path: Path) -> Corrections:
    return Corrections(tmp_path / "s.trimap.json", INFO, "s")


def ids(corrections: Corrections) -> list[str]:
    override = corrections.override
    return [] if override is None else [rule.id for rule in override.file.rules]


RULES = st.builds(
    lambda name, kind, x: (
        {**kind, "id": f"{kind['id']}{name}"}
        | ({"stroke": {"points": [[x, 1.0]], "radius": 2.0}} if kind is DAB else {})
    ),
    st.integers(0, 3),
    st.sampled_from([DAB, BAND, SHAPE]),
    st.floats(-1000, 1000, width=32),
)
STEPS = st.lists(
    st.tuples(st.sampled_from(["add", "insert", "change", "remove"]), st.integers(0, 9), RULES),
    max_size=12,
)


def changes_of(file: OverrideFile, steps: list[tuple[str, int, dict[str, Any]]]) -> list[Change]:
    """Changes that fit a file, one after another."""
    found: list[Change] = []
    for kind, place, rule in steps:
        if kind in ("change", "remove") and file.rules:
            was = file.rules[place % len(file.rules)]
            now = None if kind == "remove" else asked(now={**rule, "id": was.id}).now
            change = Change(was=was, now=now)
        else:
            change = asked(now=rule, place=place if kind == "insert" else None)
        file, _ = applied(file, [change])
        found.append(change)
    return found


@given(STEPS, STEPS)
def test_what_is_changed_can_be_taken_back_and_made_again(
    before: list[tuple[str, int, dict[str, Any]]], steps: list[tuple[str, int, dict[str, Any]]]
) -> None:
    file, _ = applied(file_of(), changes_of(file_of(), before))
    changed, back = applied(file, changes_of(file, steps))
    again, forth = applied(changed, back)
    assert again == file
    assert applied(again, forth)[0] == changed
    names = [rule.id for rule in changed.rules]
    assert len(set(names)) == len(names)


@given(STEPS)
def test_a_file_reads_back_as_it_was_written(steps: list[tuple[str, int, dict[str, Any]]]) -> None:
    file, _ = applied(file_of(), changes_of(file_of(), steps))
    content = as_bytes(file)
    assert parse(content, Path("f")) == file
    assert as_bytes(parse(content, Path("f"))) == content
    assert len(content.splitlines()) == 4 + len(file.rules)


def test_every_step_is_in_the_file_at_once(corrections: Corrections) -> None:
    assert not corrections.path.exists()
    for number, rule in enumerate([DAB, BAND, SHAPE], 1):
        corrections.change((asked(now=rule),))
        there = load(corrections.path, INFO, shot="s")
        assert len(there.file.rules) == number
        assert there.warnings == ()
    for left in ("dab wide", "dab", ""):
        corrections.undo()
        assert [r.id for r in load(corrections.path, INFO).file.rules] == left.split()
    for left in ("dab", "dab wide", "dab wide shape"):
        corrections.redo()
        assert ids(corrections) == left.split()
    with pytest.raises(ConflictError, match="nothing to redo"):
        corrections.redo()


def test_undo_has_no_end(corrections: Corrections) -> None:
    for x in range(60):
        corrections.change((asked(now=stroke(f"s-{x}", "1003", "unknown", (x, 1))),))
    for _ in range(60):
        corrections.undo()
    assert ids(corrections) == []
    for _ in range(60):
        corrections.redo()
    assert len(ids(corrections)) == 60


def test_several_changes_are_one_step_and_all_or_none(corrections: Corrections) -> None:
    corrections.change((asked(now=DAB), asked(now=BAND)))
    with pytest.raises(ConflictError, match="there no more"):
        corrections.change((asked(was=BAND), asked(was=SHAPE)))
    assert ids(corrections) == ["dab", "wide"]
    corrections.undo()
    assert ids(corrections) == []


def by_hand(corrections: Corrections, *rules: object) -> None:
    corrections.path.write_bytes(as_bytes(file_of(*rules)))


def test_a_stroke_goes_on_top_of_what_somebody_else_wrote(corrections: Corrections) -> None:
    corrections.change((asked(now=DAB),))
    by_hand(corrections, DAB, BAND)
    corrections.change((asked(now=SHAPE),))
    assert ids(corrections) == ["dab", "wide", "shape"]
    corrections.undo()
    corrections.undo()
    assert ids(corrections) == ["wide"], "theirs stays"


def test_what_somebody_else_changed_is_not_written_over(corrections: Corrections) -> None:
    corrections.change((asked(now=DAB),))
    theirs = {**DAB, "frames": "1004"}
    by_hand(corrections, theirs)
    for change in (asked(was=DAB), asked(was=DAB, now={**DAB, "frames": "1009"})):
        with pytest.raises(ConflictError, match="changed elsewhere"):
            corrections.change((change,))
    with pytest.raises(ConflictError, match="changed elsewhere"):
        corrections.undo()
    with pytest.raises(ConflictError, match="nothing to undo"):
        corrections.undo()
    assert parse(corrections.path.read_bytes(), corrections.path) == file_of(theirs)


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"\xff", b" " * (MAX_BYTES + 1), as_bytes(file_of())[:-20]]
)
def test_a_file_that_was_broken_meanwhile_is_left_alone(
    corrections: Corrections, content: bytes
) -> None:
    corrections.change((asked(now=DAB),))
    corrections.path.write_bytes(content)
    assert corrections.look()
    assert corrections.broken
    assert ids(corrections) == ["dab"], "what could be read last holds on"
    with pytest.raises(ConflictError, match="broken"):
        corrections.change((asked(now=BAND),))
    assert corrections.path.read_bytes() == content
    by_hand(corrections, BAND)
    assert corrections.look()
    assert not corrections.broken
    assert not corrections.look()
    assert ids(corrections) == ["wide"]


def test_a_file_that_is_taken_away_is_no_corrections(corrections: Corrections) -> None:
    corrections.change((asked(now=DAB),))
    corrections.path.unlink()
    assert corrections.look()
    assert corrections.override is None
    corrections.change((asked(now=BAND),))
    assert ids(corrections) == ["wide"]


def test_a_broken_file_is_refused_at_the_door(tmp_path: Path) -> None:
    path = tmp_path / "s.trimap.json"
    path.write_text("{")
    with pytest.raises(OverrideError, match="not JSON"):
        Corrections(path, INFO, "s")


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({**DAB, "frames": "900"}, "outside the shot"),
        ({**DAB, "frames": "1005-1001"}, "backwards"),
        ({**SHAPE, "polygon": {"5": SHAPE["polygon"]["1001"]}}, "outside the shot"),
        ({"id": "p", "frames": "1003", "image": "../secret.png"}, "does not stay below"),
        ({"id": "p", "frames": "1003", "image": "/etc/passwd.png"}, "does not stay below"),
    ],
)
def test_what_the_command_line_would_refuse_is_not_written(
    corrections: Corrections, rule: dict[str, Any], why: str
) -> None:
    corrections.change((asked(now=DAB),))
    before = corrections.path.read_bytes()
    with pytest.raises(OverrideError, match=why):
        corrections.change((asked(now=rule),))
    assert corrections.path.read_bytes() == before
    assert corrections.undoable == 1


def test_a_file_never_grows_over_what_is_read(corrections: Corrections) -> None:
    points = [(float(x) + 0.123, 1.25) for x in range(9000)]
    by_hand(corrections, *(stroke(f"s-{x}", "1003", "unknown", *points) for x in range(20)))
    large = stroke("large", "1003", "unknown", *points)
    with pytest.raises(OverrideError, match="over 4 MB"):
        corrections.change(tuple(asked(now=large) for _ in range(9)))
    load(corrections.path, INFO)


@settings(max_examples=30)
@given(st.integers(0, 2**31))
def test_ids_that_are_taken_become_others(number: int) -> None:
    name = f"x{number}"[:64]
    file, _ = applied(file_of(), [asked(now={**DAB, "id": name}) for _ in range(3)])
    assert len({rule.id for rule in file.rules}) == 3
