"""The shot's trimap override file, as a host reads and writes it.

A host writes polygons only. Whatever else stands in the file (bands, strokes, painted pictures,
polygons of another hand) is kept as it is; what an earlier export wrote is replaced.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any, List, NamedTuple, Tuple

from .errors import BridgeError
from .files import read_json, write_json
from .frames import format_range, parse_range

CLASSES = ("background", "unknown", "foreground")
_MAX_OVERRIDE = 4000000
_SCHEMA = "trimap-override/1"
_OURS = "roto."
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.-]+", re.ASCII)
_DIGITS = 3

Points = List[Tuple[float, float]]


class Polygon(NamedTuple):
    """A shape: a class for the pixels within, on some frames.

    Attributes:
        name: of the shape.
        label: one of `CLASSES`.
        frames: on which it counts.
        keys: corners by frame, as many on each; pixels of the display window, y down, pixel
            centres at .5. Linear between keys.
    """

    name: str
    label: str
    frames: list[int]
    keys: dict[int, Points]


class OverrideText(NamedTuple):
    """An override file as it stands on disk.

    Attributes:
        path: the file.
        document: its JSON.
    """

    path: Path
    document: dict[str, Any]

    @property
    def rules(self) -> list[dict[str, Any]]:
        """Its rules, in order."""
        found = self.document.get("rules")
        return [r for r in found if isinstance(r, dict)] if isinstance(found, list) else []

    def rules_of(self, number: int) -> list[dict[str, Any]]:
        """What it says of a frame, without the rules' names and other frames.

        A keyed polygon counts with the keys that its shape on this frame depends on.
        """
        found = []
        for rule in self.rules:
            if number in _frames_of(rule):
                told = {k: v for k, v in rule.items() if k not in ("id", "frames")}
                if isinstance(told.get("polygon"), dict):
                    told["polygon"] = _keys_around(told["polygon"], number)
                found.append(told)
        return found

    def polygons(self) -> list[Polygon]:
        """The polygons, in order. Rules of other kinds are left out."""
        found = []
        for rule in self.rules:
            keys, label = rule.get("polygon"), rule.get("set")
            if isinstance(keys, dict) and label in CLASSES:
                points = {int(k): [(float(x), float(y)) for x, y in v] for k, v in keys.items()}
                name = str(rule.get("id", ""))
                name = name[len(_OURS) :] if name.startswith(_OURS) else name
                found.append(Polygon(name, str(label), sorted(_frames_of(rule)), points))
        return found


def read_override(path: Path) -> OverrideText | None:
    """The override file; None where there is none.

    Raises:
        BridgeError: it is no override file.
    """
    document = read_json(path, _MAX_OVERRIDE)
    if document is None:
        return None
    if document.get("schema") != _SCHEMA or not isinstance(document.get("rules"), list):
        raise BridgeError(f"no {_SCHEMA} file", path, "take the shot's own file")
    return OverrideText(path, document)


def write_polygons(
    path: Path, shot: str, size: tuple[int, int], polygons: list[Polygon]
) -> OverrideText:
    """Write shapes into the shot's override file, after the rules that are not ours.

    Args:
        path: the file; created where missing.
        shot: the shot's name.
        size: width and height of the plate's display window.
        polygons: in order; the last one wins.

    Returns:
        What was written.

    Raises:
        BridgeError: the file there is for a plate of another size, or is no override file; the
            disk refuses.
    """
    before = read_override(path)
    plate = {"width": size[0], "height": size[1]}
    if before is not None and before.document.get("plate") != plate:
        what = "made for a plate of another size"
        raise BridgeError(what, path, "name another file in override")
    names = {polygon.name for polygon in polygons}
    kept = [rule for rule in (before.rules if before else []) if not _is_ours(rule, names)]
    taken = {str(rule.get("id")) for rule in kept}
    rules = kept + [_rule(polygon, taken) for polygon in polygons]
    document = {"schema": _SCHEMA, "shot": shot, "plate": plate, "rules": rules}
    write_json(path, document)
    return OverrideText(path, document)


def _is_ours(rule: dict[str, Any], names: Any) -> bool:
    """Written by an export before, or imported into a shape of that name."""
    name = str(rule.get("id", ""))
    return name.startswith(_OURS) or ("polygon" in rule and name in names)


def _rule(polygon: Polygon, taken: Any) -> dict[str, Any]:
    base = (_OURS + _NOT_IN_IDS.sub("_", polygon.name))[:56]
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base}.{count}"
    taken.add(name)
    keys = {
        str(frame): [[round(x, _DIGITS), round(y, _DIGITS)] for x, y in points]
        for frame, points in sorted(polygon.keys.items())
    }
    frames = format_range(polygon.frames)
    return {"id": name, "frames": frames, "set": polygon.label, "polygon": keys}


def _frames_of(rule: dict[str, Any]) -> frozenset[int]:
    return _frames_in(str(rule.get("frames", "")))


@functools.lru_cache(maxsize=256)
def _frames_in(text: str) -> frozenset[int]:
    try:
        return frozenset(parse_range(text))
    except BridgeError:
        return frozenset()


def _keys_around(polygon: dict[str, Any], number: int) -> list[Any]:
    """The shape on a frame when it is keyed there or held, else both keys that it lies between."""
    keys = sorted(int(key) for key in polygon)
    before = max((key for key in keys if key <= number), default=None)
    after = min((key for key in keys if key >= number), default=None)
    if before is None or after is None or before == after:
        held = before if before is not None else after
        return [polygon[str(held)]] if held is not None else []
    place = (number - before, after - before)
    return [polygon[str(before)], polygon[str(after)], place]
