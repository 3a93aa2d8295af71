"""Makes the node: a Group of Nuke's own nodes, so that a script renders without AdaMatte too.

plate ─────────────► copy ─► premult ─► output
alpha (a Read) ────────┘
"""

from __future__ import annotations

from typing import Any, cast

from ..core.options import OPTIONS, Option
from .host import nuke

_MARK = "adamatte_node"
"""The knob by which the node is known, whatever its name."""

VERSION = 1

_PRESS = (
    "try:\n"
    "    from nuke_bridge.nuke_node import buttons\n"
    "except ImportError:\n"
    "    nuke.message('AdaMatte is not installed here: put nuke_bridge on NUKE_PATH')\n"
    "else:\n"
    "    buttons.press(nuke.thisNode(), '{}')"
)

_BUTTONS = (
    ("matte", "Matte", "Matte this range. What is done and up to date is not done again.", True),
    ("matte_frame", "Matte this frame", "Matte the current frame only.", False),
    ("cancel", "Cancel", "Stop the job; what is done is kept.", False),
    ("refresh", "Refresh", "Look again at what is there, missing and stale.", False),
    ("report", "Open report", "Open the QC report of this result.", False),
    (
        "desk",
        "Open desk",
        "Correct the shot in the browser: paint, see the new matte at once, draw key frames.",
        False,
    ),
    (
        "go_to_key",
        "Go where a key helps",
        "Go to the frame on which another key frame would help most, as the last run has found.",
        False,
    ),
)

_ROTO_BUTTONS = (
    (
        "export_overrides",
        "Export overrides",
        "Write the closed shapes of the Roto into the override file. A layer named background, "
        "unknown or foreground says what its shapes are.",
        True,
    ),
    (
        "import_overrides",
        "Import overrides",
        "Make a Roto of the polygons in the override file.",
        False,
    ),
)


def create() -> nuke.Node:
    """What the menu does: a node on the selected one, its panel open."""
    selected = nuke.selectedNodes()
    node = build()
    if selected:
        node.setInput(0, selected[-1])
        node.setXYpos(selected[-1].xpos(), selected[-1].ypos() + 80)
    node.showControlPanel()
    return node


def build() -> nuke.Group:
    """A node with its inside and its knobs, connected to nothing."""
    group = nuke.nodes.Group()
    group.setName("AdaMatte1")
    with group:
        plate = nuke.nodes.Input(name="plate", number=0)
        nuke.nodes.Input(name="mask", number=1)
        alpha = nuke.nodes.Read(name="alpha")
        for name, value in (("raw", True), ("on_error", "checkerboard")):
            alpha[name].setValue(value)
        for end in ("before", "after"):
            alpha[end].setValue("black")  # never the nearest frame
        copy = nuke.nodes.Copy(name="copy", inputs=[plate, alpha])
        copy["from0"].setValue("rgba.alpha")
        copy["to0"].setValue("rgba.alpha")
        premult = nuke.nodes.Premult(name="premult", inputs=[copy])
        premult["disable"].setExpression("!parent.premultiply")
        nuke.nodes.Output(name="Output1", inputs=[premult])
    for knob in _knobs():
        group.addKnob(knob)
    group["go_to_key"].setVisible(False)  # until a run has asked for a key
    cast(nuke.Link_Knob, group["channel"]).makeLink("copy", "to0")
    return group


def is_ours(node: nuke.Node) -> bool:
    """Whether it is an AdaMatte node."""
    return node.knob(_MARK) is not None


def our_nodes() -> list[nuke.Node]:
    """All of the script, also within groups."""
    return [node for node in nuke.allNodes("Group", recurseGroups=True) if is_ours(node)]


def _knobs() -> list[nuke.Knob]:
    return [
        nuke.Tab_Knob("adamatte", "AdaMatte"),
        _told(
            nuke.File_Knob("out", "out"),
            "The shot's output folder: alpha/<shot>_alpha.%04d.exr and manifest.json go there.",
        ),
        _whole("version", 1, "Put the result into out/v001, out/v002 …; 0 is out itself."),
        _told(nuke.String_Knob("shot", "shot"), "Names the files. Empty: from the plate's name."),
        _told(
            nuke.String_Knob("frames", "frames"),
            "1001-1100, 1001-1100x2, or 1001,1005-1010. Empty: the plate's range.",
        ),
        *[_button(*one) for one in _BUTTONS],
        nuke.Text_Knob("status", "status", "not matted yet"),
        nuke.Text_Knob("divider", ""),
        *[_option(one) for one in OPTIONS if one.section == "matte"],
        nuke.Text_Knob("roto_divider", ""),
        _told(
            nuke.String_Knob("roto", "roto"),
            "The Roto or RotoPaint node to export. Empty: the selected one.",
        ),
        *[_button(*one) for one in _ROTO_BUTTONS],
        nuke.Text_Knob("result_divider", ""),
        _told(nuke.Link_Knob("channel", "channel"), "The channel that the matte goes to."),
        _switch("premultiply", "Multiply the plate by its alpha."),
        _choice(
            "missing",
            ("checkerboard", "black", "error"),
            "What a frame without a matte shows; error stops a render there.",
        ),
        nuke.Tab_Knob("job_tab", "Job"),
        _choice("where", ("local", "farm"), "Run on this machine, or on the Ray cluster."),
        _told(
            nuke.String_Knob("address", "address"),
            "The cluster's Jobs API: http://head-node:8265. Empty: $RAY_API_SERVER_ADDRESS. The "
            "token comes from $RAY_AUTH_TOKEN, $RAY_AUTH_TOKEN_PATH or ~/.ray/auth_token.",
        ),
        _told(
            nuke.String_Knob("command", "command"),
            "How the adamatte program is called where the job runs. Empty: $ADAMATTE, or adamatte.",
        ),
        *[_option(one) for one in OPTIONS if one.section == "job"],
        *_hidden_knobs(),
    ]


def _hidden_knobs() -> list[nuke.Knob]:
    """What the script remembers; the cluster's token is not among it."""
    found: list[nuke.Knob] = [nuke.Int_Knob(_MARK, _MARK)]
    found[0].setValue(VERSION)
    found += [nuke.String_Knob(name, name) for name in ("job_id", "plate_made_of", "key_wanted")]
    for knob in found:
        knob.setVisible(False)
    return found


def _option(one: Option) -> nuke.Knob:
    label = one.name.replace("_", " ")
    if one.kind == "choice":
        return _choice(one.name, one.choices, one.help)
    if one.kind == "switch":
        return _switch(one.name, one.help)
    if one.kind == "whole":
        return _whole(one.name, int(one.default), one.help)
    kinds: dict[str, Any] = {"file": nuke.File_Knob, "number": nuke.Double_Knob}
    knob = kinds.get(one.kind, nuke.String_Knob)(one.name, label)
    if one.kind == "number":
        knob.setRange(-50 if one.name == "choke" else 0, 100)
    knob.setValue(one.default)
    return _told(knob, one.help)


def _choice(name: str, choices: tuple[str, ...], tooltip: str) -> nuke.Knob:
    return _told(nuke.Enumeration_Knob(name, name.replace("_", " "), list(choices)), tooltip)


def _switch(name: str, tooltip: str) -> nuke.Knob:
    knob = _told(nuke.Boolean_Knob(name, name.replace("_", " ")), tooltip)
    knob.setFlag(nuke.STARTLINE)
    return knob


def _whole(name: str, value: int, tooltip: str) -> nuke.Knob:
    knob = nuke.Int_Knob(name, name.replace("_", " "))
    knob.setValue(value)
    return _told(knob, tooltip)


def _button(name: str, label: str, tooltip: str, first: bool) -> nuke.Knob:
    knob = _told(nuke.PyScript_Knob(name, label, _PRESS.format(name)), tooltip)
    if first:
        knob.setFlag(nuke.STARTLINE)
    return knob


def _told(knob: nuke.Knob, tooltip: str) -> nuke.Knob:
    knob.setTooltip(tooltip)
    return knob
