"""What a report says in words: what is wrong, what the result was made of, which rules held."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugin.disk.inputs import read_whole
from plugin.errors import FrameRangeError
from plugin.framerange import FrameRange
from plugin.report.figures import Box
from plugin.report.measure import is_done
from plugin.report.worst import Suspect
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest
from plugin.result.verify import Fault, VerifyReport
from plugin.trimap.override.document import MAX_BYTES

_MOST_RULES = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """Frames that are not as they should be.

    Attributes:
        kind: `failed`, `missing`, `damaged`, `stale`, or `unproved`.
        frames: which.
        why: in plain words.
    """

    kind: str
    frames: FrameRange
    why: str


@dataclass(frozen=True, slots=True)
class Rule:
    """An override rule and the frames that were made under it."""

    id: str
    kind: str
    frames: FrameRange


_WRONG = (Fault.FAILED, Fault.MISSING, Fault.DAMAGED, Fault.STALE, Fault.UNPROVED)


def problems_of(found: VerifyReport) -> list[Problem]:
    """What `verify` found of frames, those with one reason together."""
    reasons: dict[tuple[Fault, str], list[int]] = {}
    for one in found.findings:
        if one.frame is not None and one.fault in _WRONG:
            reasons.setdefault((one.fault, one.why), []).append(one.frame)
    problems = [
        Problem(str(fault), FrameRange.of(numbers), why or "no reason given")
        for (fault, why), numbers in reasons.items()
    ]
    return sorted(problems, key=lambda problem: _WRONG.index(Fault(problem.kind)))


def rules_of(manifest: Manifest, layout: OutputLayout) -> list[Rule]:
    """The override rules in force, from the copies of the files that frames were made with."""
    made: dict[str, set[int]] = {}
    for number, record in manifest.frames.items():
        request = manifest.requests.get(record.request)
        override = request.override if request is not None else ""
        if override and is_done(record):
            made.setdefault(override, set()).add(number)
    return [
        Rule(rule.id, rule.kind, inside)
        for sha256, numbers in made.items()
        for rule in _read_rules(layout.override(sha256), sha256)
        if (inside := rule.frames.intersection(FrameRange.of(numbers)))
    ][:_MOST_RULES]


def _read_rules(path: Path, sha256: str) -> list[Rule]:
    """Names and frames of a file's rules; none where it is not the file that it was."""
    found: list[Rule] = []
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        content = read_whole(path, MAX_BYTES)
        if hashlib.sha256(content).hexdigest() != sha256:
            return []
        for rule in json.loads(content)["rules"]:
            kinds = [k for k in ("params", "image", "polygon", "stroke") if k in rule]
            with suppress(FrameRangeError):
                frames = FrameRange.parse(str(rule["frames"]))
                found.append(Rule(str(rule["id"]), kinds[0] if kinds else "", frames))
    return found


def provenance(manifest: Manifest) -> list[tuple[str, str]]:
    """What the result was made of: label and value, in reading order."""
    plate, shot = manifest.plate, manifest.shot
    shown = plate.display_window
    size = f"{plate.width} × {plate.height}"
    display = shown.width, shown.height
    if display != (plate.width, plate.height):
        size += f" in a display window of {display[0]} × {display[1]}"
    facts: list[tuple[str, object]] = [
        ("Plate", plate.path),
        ("Plate's frames", plate.frames),
        ("Size", size),
        ("Pixel aspect", "" if plate.pixel_aspect == 1 else plate.pixel_aspect),
        ("Rate", plate.rate or ""),
        ("Timecode", plate.timecode or ""),
        ("Codec", " ".join(filter(None, (plate.codec, plate.pixel_format)))),
        ("Colour", plate.colour),
        ("Plate sha256", plate.digest),
        ("Weights", manifest.model),
        ("Weights sha256", manifest.weights),
        ("Override", shot.override or ""),
        ("Override sha256", manifest.override),
        *(("Assumed", note) for note in manifest.assumed),
        ("AdaMatte", manifest.version),
        ("Started", manifest.started),
        ("Ended", manifest.ended or "not ended, or killed"),
        ("Result", shot.out),
    ]
    return [(label, str(value)) for label, value in facts if value != ""]


def settings(manifest: Manifest) -> list[tuple[str, str]]:
    """Every setting that pixels depend on, by name."""
    request: Mapping[str, Any] = manifest.request.shot
    defaults = {name: info.default for name, info in Shot.model_fields.items()}
    return [
        (name, _said(value) + ("" if value != defaults.get(name) else " (default)"))
        for name, value in request.items()
        if name != "plate" and value not in (None, "", [])
    ]


def _said(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def corner_of(manifest: Manifest) -> tuple[int, int]:
    """Of the data window, in pixels of the display window, which overrides count in."""
    data, display = manifest.plate.data_window, manifest.plate.display_window
    return data.x_min - display.x_min, data.y_min - display.y_min


def stub(suspect: Suspect, manifest: Manifest, rules: int) -> str:
    """An override for a frame to begin with, as `document` writes it; nothing was tried."""
    number, shot = suspect.number, manifest.shot
    rule: dict[str, object] = {"id": f"look-{number}", "frames": str(number)}
    box = suspect.box
    if box is None:
        wider = {"erode": shot.erode * 1.5 or 8, "dilate": shot.dilate * 1.5 or 12}
        rule["params"] = wider
    else:
        corners = _corners(box, *corner_of(manifest))
        rule |= {"set": "unknown", "polygon": {str(number): corners}}
    return document(rule, manifest, rules)


def document(rule: Mapping[str, object], manifest: Manifest, rules: int) -> str:
    """A rule, to be copied: the whole override file, or the rule alone where there is a file.

    Args:
        rule: as it stands in the file.
        manifest: for the shot's name and size.
        rules: of the override file that the shot has; 0 where it has none.
    """
    if rules:
        return json.dumps(rule, ensure_ascii=False)
    shot, display = manifest.shot, manifest.plate.display_window
    width, height = display.width, display.height
    head = {
        "schema": "trimap-override/1",
        "shot": shot.name,
        "plate": {"width": width, "height": height},
    }
    lines = ",\n ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in head.items())
    return f'{{{lines},\n "rules": [\n  {json.dumps(rule, ensure_ascii=False)}\n ]}}\n'


def _corners(box: Box, x: int, y: int) -> list[list[int]]:
    left, top, right, bottom = box.left + x, box.top + y, box.right + x, box.bottom + y
    return [[left, top], [right, top], [right, bottom], [left, bottom]]
