"""The options that hosts show, from the fields of `Shot`.

python -m tests.host_options         writes nuke_bridge/core/options.json anew
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

from plugin.request.job_file import help_of
from plugin.request.shot import Shot, asked_of

FILE = Path(__file__).parents[1] / "nuke_bridge" / "core" / "options.json"

_SHOWN = (
    "segment screen keyframe clean_plate trimap band edge erode dilate despill despeckle choke "
    "soften holdout garbage override model in_colour device workers force"
)
"""Which, and in which order: as they stand on the node from its first version."""

_ALSO = {
    "keyframe": "Several in one line: 1001=a.png 1025=b.png.",
    "override": "Export overrides writes a Roto's shapes into it.",
    "in_colour": "A plate that is rendered first is scene-linear.",
    "workers": "0 is auto.",
}
"""What is so in a host alone."""

_NOT_IN_HOSTS = frozenset({"onnx", "sam2"})
"""Ways to segment that take what a host has no knob for."""


def text() -> str:
    """The whole file."""
    return json.dumps([_row(name) for name in _SHOWN.split()], indent=1, ensure_ascii=False) + "\n"


def _row(name: str) -> dict[str, Any]:
    field, asked = Shot.model_fields[name], asked_of(name)
    choices = [c for c in get_args(field.annotation) if isinstance(c, str)]
    default = "" if field.default in (None, ()) else field.default
    return {
        "name": name,
        "kind": "choice" if choices else "file" if asked.path else _kind(field.annotation),
        "default": float(default) if field.annotation is float else default,
        "help": f"{help_of(name)} {_ALSO.get(name, '')}".strip(),
        "choices": [choice for choice in choices if choice not in _NOT_IN_HOSTS],
        "section": "matte" if asked.pixels else "job",
        "pixels": asked.pixels,
    }


def _kind(annotation: object) -> str:
    kinds = {bool: "switch", float: "number", int: "whole", tuple[str, ...]: "list"}
    return kinds.get(annotation, "text")  # type: ignore[call-overload,no-any-return]


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
