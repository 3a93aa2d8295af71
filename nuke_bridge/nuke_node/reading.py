"""From the node's knobs and inputs to a `Request`."""

from __future__ import annotations

import os
from typing import Any

from ..core.errors import BridgeError
from ..core.options import OPTIONS
from ..core.request import Request, shot_name, versioned
from .host import evaluated, nuke, text, whole
from .plate import frames_of, made_of, plate_source, render, source_of, start_frame


def out_of(node: nuke.Node) -> str:
    """The output folder with its version.

    Raises:
        BridgeError: none is given.
    """
    out = evaluated(node, "out")
    if not out:
        raise BridgeError("no output folder", f"{node.name()}, out", "name the shot's folder")
    return os.path.abspath(versioned(out, whole(node, "version")))


def request_of(node: nuke.Node) -> Request:
    """What the node stands for now; nothing is rendered or written.

    Raises:
        BridgeError: there is no plate or output folder, or a knob is wrong.
    """
    plate = plate_source(node)
    out = out_of(node)
    named = plate.file or plate.node.name() + ".%04d.exr"
    shot = shot_name(text(node, "shot"), named)
    settings = _settings(node)
    if not plate.file and not settings["in_colour"]:
        settings["in_colour"] = _working_space()
    return Request(
        plate=plate.file or os.path.join(out, "plate", f"{shot}_plate.%04d.exr"),
        out=out,
        shot=shot,
        frames=frames_of(node, plate),
        start_frame=start_frame(plate),
        mask=_mask(node, out, shot),
        settings=settings,
    ).check()


def wanted_of(node: nuke.Node, frames: list[int] | None = None) -> Request:
    """The same, with everything rendered that has to be before the job can start.

    Args:
        node: the AdaMatte node.
        frames: which; None is all that the node stands for.

    Raises:
        BridgeError: as for `request_of`, or an input could not be rendered.
    """
    request = request_of(node)
    if frames is not None:
        request = request._replace(frames=frames)
    again = changed_upstream(node) or bool(node["force"].value())
    plate, mask = plate_source(node), source_of(node, 1)
    if not plate.file:
        render(
            plate,
            request.plate,
            request.frames,
            channels="rgb",
            datatype="32 bit float",
            again=again,
        )
    if mask is not None and not mask.file and request.mask:
        render(
            mask,
            request.mask,
            request.frames,
            channels="alpha",
            datatype="16 bit half",
            again=again,
        )
    node["plate_made_of"].setValue(_rendered_from(node))
    return request


def changed_upstream(node: nuke.Node) -> bool:
    """Whether what was rendered for the job is not what is connected now."""
    then, now = text(node, "plate_made_of"), _rendered_from(node)
    return bool(then) and then != now


def _rendered_from(node: nuke.Node) -> str:
    """What rendered inputs are made of; empty where both are files."""
    sources = [source_of(node, index) for index in (0, 1)]
    return " ".join(made_of(s) for s in sources if s is not None and not s.file)


def _mask(node: nuke.Node, out: str, shot: str) -> str | None:
    source = source_of(node, 1)
    if source is None:
        return None
    return source.file or os.path.join(out, "mask_input", f"{shot}_mask_input.%04d.exr")


def _settings(node: nuke.Node) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in OPTIONS:
        if one.kind == "file":
            path = evaluated(node, one.name)
            found[one.name] = os.path.abspath(path) if path else ""
        elif one.kind in ("text", "choice", "list"):
            found[one.name] = text(node, one.name) or one.default
        else:
            found[one.name] = node[one.name].value()
    return found


def _working_space() -> str:
    """The name of the script's working space, in which a plate is rendered as it is."""
    root = nuke.root()
    managed = (
        text(root, "colorManagement") == "OCIO" and text(root, "OCIO_config") != "nuke-default"
    )
    return "scene_linear" if managed else "lin_rec709_scene"
