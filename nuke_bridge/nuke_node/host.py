"""Nuke itself, imported here and nowhere else."""

from __future__ import annotations

from typing import Any, cast

import nuke
from nuke import rotopaint

from ..core.errors import BridgeError

__all__ = ["nuke", "rotopaint"]


def text(node: nuke.Node, name: str) -> str:
    """A knob's value as text, stripped; empty where the node has no such knob."""
    knob = node.knob(name)
    return str(knob.value() or "").strip() if knob is not None else ""


def whole(node: nuke.Node, name: str) -> int:
    """A knob's value as a whole number; 0 where the node has no such knob."""
    knob = node.knob(name)
    return int(knob.value()) if knob is not None else 0


def evaluated(node: nuke.Node, name: str) -> str:
    """A file knob's path with its expressions worked out.

    Raises:
        BridgeError: an expression in it is wrong.
    """
    knob = cast(Any, node[name])
    if not str(knob.value() or "").strip():
        return ""
    try:
        return str(knob.evaluate() or "").strip()
    except RuntimeError as error:
        raise BridgeError(str(error), name, "correct the expression") from error
