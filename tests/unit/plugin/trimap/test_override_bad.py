"""Every kind of bad override file, and what is said of it, before any frame is worked on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from plugin.errors import OverrideError
from plugin.trimap.override import load
from tests.plates import png_plate

WIDTH, HEIGHT = 20, 12
SQUARE = [[2, 2], [8, 2], [8, 6], [2, 6]]
Document = dict[str, Any]
Change = Callable[[Document], object]

INFO = png_plate(WIDTH, HEIGHT, "1001-1050")


def good() -> Document:
    """A file without a fault: rules 1 to 4 are wider, paint, strap and dust."""
    return {
        "schema": "trimap-override/1",
        "shot": "sh010",
        "plate": {"width": WIDTH, "height": HEIGHT},
        "rules": [
            {"id": "wider", "frames": "1001-1020", "params": {"erode": 6, "dilate": 24}},
            {"id": "paint", "frames": "1010-1011", "image": "p.%04d.png", "mode": "replace"},
            {
                "id": "strap",
                "frames": "1001-1050",
                "set": "foreground",
                "polygon": {"1001": SQUARE, "1011": SQUARE},
            },
            {
                "id": "dust",
                "frames": "1005",
                "set": "unknown",
                "stroke": {"points": [[3, 4], [5, 6]], "radius": 12},
            },
        ],
    }


def paint(folder: Path) -> None:
    for number in (1010, 1011):
        cv2.imwrite(str(folder / f"p.{number}.png"), np.full((HEIGHT, WIDTH), 128, np.uint8))


def test_the_good_file_is_good(tmp_path: Path) -> None:
    paint(tmp_path)
    (tmp_path / "o.json").write_text(json.dumps(good()), encoding="utf-8-sig")
    assert len(load(tmp_path / "o.json", INFO).file.rules) == 4


def rule(number: int, **changes: object) -> Change:
    """Change keys of a rule; a key given None goes."""

    def change(document: Document) -> None:
        document["rules"][number - 1].update(changes)
        for key in [key for key, value in changes.items() if value is None]:
            del document["rules"][number - 1][key]

    return change


def top(**changes: object) -> Change:
    return lambda document: document.update(changes)


def without(key: str) -> Change:
    return lambda document: document.pop(key)


CHANGED: dict[str, tuple[Change, str]] = {
    "unknown key at the top": (top(comment="x"), "unknown key “comment”"),
    "unknown key in a rule": (rule(3, colour=1), "unknown key “colour” · .*rule 3 “strap”"),
    "unknown key in params": (
        rule(1, params={"erode": 1, "blur": 2}),
        "unknown key “blur” · .*rule 1 “wider”",
    ),
    "another schema": (top(schema="trimap-override/2"), "another schema than trimap-override/1"),
    "no schema": (without("schema"), "the key “schema” is missing"),
    "no shot": (without("shot"), "the key “shot” is missing"),
    "no plate": (without("plate"), "the key “plate” is missing"),
    "no rules": (without("rules"), "the key “rules” is missing"),
    "rules are no list": (top(rules={}), "valid array"),
    "a rule is a number": (top(rules=[7]), "a rule is not an object · .*rule 1"),
    "a plate of another size": (
        top(plate={"width": 1920, "height": 1080}),
        "made for a plate of 1920 × 1080 pixels, this one has 20 × 12",
    ),
    "a plate of no size": (top(plate={"width": 0, "height": 12}), "“width”: input should be"),
    "over 10 000 rules": (
        lambda d: d.update(rules=[{**d["rules"][0], "id": f"r{i}"} for i in range(10_001)]),
        "more than 10 000 rules",
    ),
    "two rules of one id": (rule(2, id="wider"), "two rules have this id · .*rule “wider”"),
    "no id": (rule(2, id=None), "the key “id” is missing · .*rule 2"),
    "an id with a slash": (rule(2, id="a/b"), "other characters than letters.*rule 2 “a/b”"),
    "no frames": (rule(3, frames=None), "the key “frames” is missing · .*rule 3 “strap”"),
    "frames as a number": (rule(3, frames=1001), "valid string · .*rule 3 “strap”"),
    "frames backwards": (rule(3, frames="1020-1001"), "runs backwards · .*rule 3 “strap”"),
    "a step of zero": (rule(3, frames="1001-1020x0"), "step is zero · .*rule 3 “strap”"),
    "frames of another notation": (
        rule(3, frames="1001:1020"),
        "not a frame range: .*rule 3 “strap”",
    ),
    "no frame range at all": (rule(3, frames="1001--"), "not a frame range · .*rule 3"),
    "a frame before the shot": (
        rule(3, frames="1000-1005"),
        "frame 1000 is outside the shot, 1001 to 1050 · .*rule 3 “strap”",
    ),
    "a frame after the shot": (rule(4, frames="1051"), "frame 1051 is outside .*rule 4 “dust”"),
    "a huge range": (rule(4, frames="1001-9999999"), "frame 9999999 is outside the shot"),
    "no kind": (
        rule(1, params=None),
        "needs one of params, image, polygon, stroke · .*rule 1 “wider”",
    ),
    "two kinds": (
        rule(3, stroke={"points": [[1, 1]], "radius": 1}),
        "cannot have polygon and stroke · .*rule 3 “strap”",
    ),
    "params that say nothing": (
        rule(1, params={}),
        "give erode, dilate, edge or several of them · .*rule 1",
    ),
    "a negative band": (rule(1, params={"erode": -1}), "greater than or equal to 0"),
    "a band as text": (rule(1, params={"erode": "6"}), "“erode”: input should be a valid number"),
    "a band that is true": (rule(1, params={"erode": True}), "“erode”: input should be a valid"),
    "another class": (rule(3, set="maybe"), "“set”: input should be 'background', 'unknown'"),
    "no class": (rule(4, set=None), "the key “set” is missing · .*rule 4 “dust”"),
    "two corners": (rule(3, polygon={"1001": SQUARE[:2]}), "at least 3 items"),
    "no keys": (rule(3, polygon={}), "at least 1 item"),
    "keys of different corners": (
        rule(3, polygon={"1001": SQUARE, "1002": SQUARE[:3]}),
        r"different numbers of corners: \[3, 4\] · .*rule 3 “strap”",
    ),
    "a key that is no frame": (
        rule(3, polygon={"first": SQUARE}),
        "key .* is no frame number · .*rule 3",
    ),
    "one key written twice": (
        rule(3, polygon={"01001": SQUARE}),
        "key .* is no frame number · .*rule 3",
    ),
    "a key outside the shot": (rule(3, polygon={"900": SQUARE}), "frame 900 is outside .*rule 3"),
    "a point of three numbers": (rule(3, polygon={"1001": [[1, 2, 3]] * 3}), "at most 2 items"),
    "a point of text": (rule(3, polygon={"1001": [["1", "2"]] * 3}), "valid number"),
    "a point far away": (rule(3, polygon={"1001": [[1e9, 0]] * 3}), "less than or equal to"),
    "a stroke without points": (rule(4, stroke={"points": [], "radius": 1}), "at least 1 item"),
    "a stroke without width": (rule(4, stroke={"points": [[1, 1]], "radius": 0}), "greater than 0"),
    "another mode": (rule(2, mode="add"), "“mode”: input should be 'replace' or 'merge'"),
    "an absolute path": (rule(2, image="/etc/p.png"), "does not stay below .*rule 2 “paint”"),
    "a path of Windows": (rule(2, image="C:/p.png"), "does not stay below .*rule 2 “paint”"),
    "backslashes": (rule(2, image="a\\p.png"), "does not stay below .*rule 2 “paint”"),
    "a path upwards": (rule(2, image="a/../../p.png"), "does not stay below .*rule 2 “paint”"),
    "a path with a zero byte": (rule(2, image="p\0.png"), "does not stay below .*rule 2"),
    "an image that is no picture": (rule(2, image="p.%04d.txt"), "is no picture · .*rule 2"),
    "two numbers in the pattern": (rule(2, image="p.%04d.%04d.png"), "more than one frame number"),
    "a missing image": (
        rule(2, frames="1010-1012"),
        r"no such file \(p.1012.png\).*rule 2 “paint”",
    ),
}


def spoil_document(folder: Path, name: str) -> Path:
    """The good override file with one change, its pictures beside it."""
    paint(folder)
    document = good()
    CHANGED[name][0](document)
    (folder / "o.json").write_text(json.dumps(document))
    return folder / "o.json"


@pytest.mark.parametrize("name", CHANGED)
def test_bad_files_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OverrideError, match=CHANGED[name][1]) as caught:
        load(spoil_document(tmp_path, name), INFO)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


TEXTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "not JSON: Expecting value"),
    "no JSON": (b"rules: []", "not JSON: .*line 1, column 1"),
    "cut off": (b'{"schema": "trimap-override/1", "rules": [', "not JSON"),
    "a comma too many": (b'{"rules": [],}', "not JSON: .*column 14"),
    "no UTF-8": (b'{"shot": "\xff"}', "not UTF-8 text"),
    "NaN": (b'{"rules": [NaN]}', "NaN is no number"),
    "infinity": (b'{"plate": -Infinity}', "-Infinity is no number"),
    "a list": (b"[]", "input should be an object"),
    "a repeated key": (b'{"shot": "a", "shot": "b"}', "the key “shot” is there twice"),
    "a repeated key in a rule": (
        b'{"rules": [{"id": "strap", "frames": "1", "frames": "2"}]}',
        "the key “frames” is there twice · .*rule “strap”",
    ),
    "deep nesting": (b'{"rules": ' + b"[" * 40 + b"]" * 40 + b"}", "deeper than 16 levels"),
    "very deep nesting": (b"[" * 500_000, "deeper than 16 levels"),
    "a number of many digits": (b'{"plate": ' + b"9" * 5000 + b"}", "not JSON"),
    "over 4 MB": (b" " * 4_000_001, "the override file is over 4 MB"),
    "half a surrogate": (rb'{"\ud800": 1}', r"unknown key|not|invalid"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_bad_texts_are_refused(tmp_path: Path, name: str) -> None:
    content, message = TEXTS[name]
    (tmp_path / "o.json").write_bytes(content)
    with pytest.raises(OverrideError, match=message) as caught:
        load(tmp_path / "o.json", INFO)
    str(caught.value).encode()


def test_missing_files_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(OverrideError, match="no such override file"):
            load(path, INFO)


PICTURES = {
    "a link out of the folder": "a link that leads out of the file's folder · .*rule 2 “paint”",
    "a linked folder": "a link that leads out of the file's folder",
    "a link to itself": "cannot be followed|no such file",
    "a picture of another size": (
        r"10 × 10 pixels, but the plate has 20 × 12 \(p.1010.png\).*rule 2 “paint”"
    ),
    "a picture of other values": "other values than 0, 128 and 255, such as 0.03922",
    "a damaged picture": "damaged",
    "a text named as a picture": "not a picture",
}


def spoil_picture(folder: Path, kind: str) -> Path:
    """An override file in a new folder, one of whose pictures is as bad as that."""
    shot, elsewhere = folder / "shot", folder / "elsewhere"
    shot.mkdir()
    elsewhere.mkdir()
    paint(shot)
    paint(elsewhere)
    document, first = good(), shot / "p.1010.png"
    if kind == "a link out of the folder":
        first.unlink()
        first.symlink_to(elsewhere / "p.1010.png")
    if kind == "a linked folder":
        (shot / "sub").symlink_to(elsewhere, target_is_directory=True)
        document["rules"][1]["image"] = "sub/p.%04d.png"
    if kind == "a link to itself":
        first.unlink()
        os.symlink(first.name, first)  # noqa: PTH211  to itself
    if kind == "a picture of another size":
        cv2.imwrite(str(first), np.zeros((10, 10), np.uint8))
    if kind == "a picture of other values":
        cv2.imwrite(str(first), np.full((HEIGHT, WIDTH), 10, np.uint8))
    if kind == "a damaged picture":
        first.write_bytes(first.read_bytes()[:50])
    if kind == "a text named as a picture":
        first.write_text("not a picture")
    (shot / "o.json").write_text(json.dumps(document))
    return shot / "o.json"


@pytest.mark.parametrize("kind", PICTURES)
def test_bad_pictures_are_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(OverrideError, match=PICTURES[kind]):
        load(spoil_picture(tmp_path, kind), INFO)


def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    paint(tmp_path)
    (tmp_path / "p.1010.png").rename(tmp_path / "real.png")
    (tmp_path / "p.1010.png").symlink_to(tmp_path / "real.png")
    (tmp_path / "o.json").write_text(json.dumps(good()))
    load(tmp_path / "o.json", INFO)
