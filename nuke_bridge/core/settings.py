"""In what two requests differ, in words."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from .frames import is_pattern, of_pattern
from .options import OPTIONS

_FILES = ("plate", "mask", "trimap", "clean_plate", "holdout", "garbage")
_NUMBERS = {one.name for one in OPTIONS if one.kind == "number"}
_DEFAULTS = {one.name: one.default or None for one in OPTIONS if one.kind in ("text", "file")}
_DEFAULTS.update({one.name: one.default for one in OPTIONS if one.name not in _DEFAULTS})
"""What a manifest of an earlier version had of what it did not know yet."""


def difference(then: dict[str, Any], now: dict[str, Any]) -> str:
    """The first setting that differs, `erode was 8`; empty when none does."""
    for name, value in now.items():
        if name == "override":
            continue  # it is compared by its rules
        before = then.get(name, _DEFAULTS.get(name))
        if name in _FILES:
            if _file(before) != _file(value):
                return "made from another {}".format(name.replace("_", " "))
        elif name == "keyframe":
            if _keys(before) != _keys(value):
                return "made from other key frames"
        elif _plain(name, before) != _plain(name, value):
            return "{} was {}".format(
                name.replace("_", " "), "not set" if before is None else before
            )
    return ""


def _file(value: Any) -> str | None:
    """A path or pattern, however it was spelt."""
    if not value:
        return None
    path = Path(os.path.abspath(str(value)))
    return str(of_pattern(str(path), 0)) if is_pattern(str(path)) else str(path)


def _keys(given: Any) -> dict[str, str | None]:
    """`FRAME=FILE` by frame, however the files were spelt."""
    parts = [str(part).partition("=") for part in given or ()]
    return {number: _file(file) for number, _, file in parts}


def _plain(name: str, value: Any) -> Any:
    return float(value) if name in _NUMBERS and isinstance(value, (int, float)) else value
