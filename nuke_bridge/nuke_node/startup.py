"""What Nuke is told when it starts: a menu entry, and callbacks for scripts that come and go."""

from __future__ import annotations

from . import build, buttons, running
from .host import nuke


def with_interface() -> None:
    """Menu entry and callbacks; called once, from `menu.py`."""
    nuke.menu("Nodes").addCommand("Keyer/AdaMatte", build.create)
    nuke.addOnScriptLoad(buttons.find_again)
    nuke.addOnScriptClose(running.leave_all)
    nuke.addKnobChanged(_knob_changed, nodeClass="Group")


def _knob_changed() -> None:
    node = nuke.thisNode()
    if build.is_ours(node):
        buttons.knob_changed(node, nuke.thisKnob().name())
