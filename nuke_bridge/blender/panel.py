"""What stands in the panel, from top to bottom."""

from __future__ import annotations

from typing import Any

from ..core.options import OPTIONS

TEXTS = {
    "shot": "Names the files. Empty: from the plate's name",
    "frames": "1001-1100, or 1001,1005-1010. Empty: all of the plate",
    "address": "The cluster's Jobs API: http://head-node:8265",
    "command": "How the adamatte program is called. Empty: $ADAMATTE, or adamatte",
}
"""What is a text of the bridge's own, and its tooltip."""


def draw(self: Any, context: Any) -> None:
    """Called by Blender, with the panel."""
    told, layout = context.scene.adamatte, self.layout
    for name in ("out", "version", "shot", "frames", "mask"):
        layout.prop(told, name)
    row = layout.row(align=True)
    for name in ("matte", "matte_frame", "cancel", "refresh", "desk"):
        row.operator("adamatte." + name)
    if told.key_wanted:
        layout.operator("adamatte.go_to_key", text=f"Go to {told.key_wanted}: a key helps most")
    for part in str(told.status).split(" · "):
        layout.label(text=part)
    for name in [one.name for one in OPTIONS] + ["where", "address", "command"]:
        layout.prop(told, name)
