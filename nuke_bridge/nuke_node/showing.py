"""What the artist sees on the node: how far the job is, what is missing, what is stale."""

from __future__ import annotations

from ..core.frames import format_range
from ..core.manifest import FAILED, MISSING, STALE, FrameStates
from ..core.request import Request
from ..core.status import Status
from .host import nuke, text

_STALE_COLOUR = 0xC8641EFF
_PLAIN_COLOUR = 0
_MOST = 120


def show_status(node: nuke.Node, status: Status) -> None:
    """One line while a job runs."""
    node["status"].setValue(status.line())
    if status.total:
        _label(node, f"{status.state} {status.done}/{status.total}")


def show_message(node: nuke.Node, message: str) -> None:
    """One line that is about no job."""
    node["status"].setValue(message)


def show_states(
    node: nuke.Node, request: Request, states: FrameStates, ended: Status | None
) -> None:
    """What there is of the node's frames; the Read inside is pointed at it.

    Args:
        node: the AdaMatte node.
        request: what the node stands for.
        states: of its frames.
        ended: how the job ended that this comes after; None when there was none.
    """
    said = [] if ended is None or ended.state == "done" else [ended.line()]
    node["status"].setValue(" · ".join([*said, states.summary()]))
    wrong = [(name, states.frames(name)) for name in (STALE, MISSING, FAILED)]
    marks = [f"{name} {format_range(frames)}"[:_MOST] for name, frames in wrong if frames]
    _label(node, "\n".join(marks))
    # The colour says: something here is not what it should be.
    stale = bool(states.frames(STALE) or states.frames(FAILED))
    node["tile_color"].setValue(_STALE_COLOUR if stale else _PLAIN_COLOUR)
    _offer_key(node, states.key_wanted)
    _aim(node, request)


def _offer_key(node: nuke.Node, wanted: int | None) -> None:
    """The button that goes to the frame where a key helps most is there while one would."""
    kept, button = node.knob("key_wanted"), node.knob("go_to_key")
    if kept is not None and button is not None:  # a node of an earlier version has neither
        kept.setValue("" if wanted is None else str(wanted))
        button.setVisible(wanted is not None)


def _aim(node: nuke.Node, request: Request) -> None:
    """Point the Read inside at the alpha sequence, and let it look at the files again."""
    read = nuke.toNode(node.fullName() + ".alpha")
    if read is None or not request.frames:
        return
    first, last = min(request.frames), max(request.frames)
    read["file"].setValue(request.alpha.replace("\\", "/"))
    for name, value in (("first", first), ("last", last), ("origfirst", first), ("origlast", last)):
        read[name].setValue(value)
    read["origset"].setValue(True)
    for end in ("before", "after"):
        read[end].setValue("black")
    read["raw"].setValue(True)
    read["on_error"].setValue(text(node, "missing"))
    reload_knob = read["reload"]
    if isinstance(reload_knob, nuke.Script_Knob):
        reload_knob.execute()


def _label(node: nuke.Node, label: str) -> None:
    if text(node, "label") != label:
        node["label"].setValue(label)
