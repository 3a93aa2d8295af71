"""What is connected to the node, as files: an untouched Read's own, else rendered to EXR first."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from ..core.errors import BridgeError
from ..core.frames import is_pattern, of_pattern, parse_range, runs
from .host import nuke, text, whole

_READABLE = (
    *("exr", "dpx", "tif", "tiff", "png", "jpg", "jpeg"),
    *("mov", "mp4", "m4v", "mkv", "mxf", "avi", "webm"),
)
"""File types that the program reads; any other is rendered first."""

_NO_PICTURE = ("xpos", "ypos", "selected", "name", "label", "note_font", "tile_color", "gl_color")
"""Knobs that no pixel depends on."""


class Source(NamedTuple):
    """What is connected to an input.

    Attributes:
        node: the node, Dots passed over.
        file: of an untouched Read; empty where it has to be rendered.
        first: number of its first frame.
        last: number of its last frame.
    """

    node: nuke.Node
    file: str
    first: int
    last: int


def source_of(node: nuke.Node, index: int) -> Source | None:
    """What is connected to an input; None where nothing is.

    Raises:
        BridgeError: proxy mode is on, in which files and sizes are not the plate's.
    """
    source = node.input(index)
    while source is not None and source.Class() == "Dot":
        source = source.input(0)
    if source is None:
        return None
    if nuke.root()["proxy"].value():
        raise BridgeError("proxy mode is on", "the script", "switch it off to matte the plate")
    file = _file_of(source)
    if file:
        return Source(source, file, whole(source, "first"), whole(source, "last"))
    return Source(source, "", source.firstFrame(), source.lastFrame())


def plate_source(node: nuke.Node) -> Source:
    """What is connected to the plate input.

    Raises:
        BridgeError: nothing is.
    """
    source = source_of(node, 0)
    if source is None:
        raise BridgeError("no plate", node.name(), "connect a Read or any other node to plate")
    return source


def _file_of(source: nuke.Node) -> str:
    """The file of a Read whose frames have their files' numbers; empty for any other."""
    if source.Class() != "Read" or source["disable"].value():
        return ""
    moved = text(source, "frame_mode") not in ("", "expression") or text(source, "frame")
    file = nuke.filename(source) or ""
    views = "%v" in file or "%V" in file
    kind = os.path.splitext(file)[1].lower().lstrip(".")
    if moved or views or kind not in _READABLE:
        return ""
    return os.path.abspath(file)


def start_frame(source: Source) -> int:
    """The number of a video's first frame, as the host counts it."""
    whole_range = source.file and not is_pattern(source.file)
    return whole(source.node, "origfirst") if whole_range else source.first


def frames_of(node: nuke.Node, source: Source) -> list[int]:
    """The frames that the node stands for: as given, or the plate's.

    Raises:
        BridgeError: `frames` is no frame range.
    """
    given = text(node, "frames")
    return parse_range(given) if given else list(range(source.first, source.last + 1))


def made_of(source: Source) -> str:
    """sha256 of everything upstream that pixels depend on, the same after a restart.

    It follows nodes and their knobs; files that a Read upstream reads are not looked at.
    """
    summed, seen = hashlib.sha256(), set()
    left = [source.node]
    while left:
        node = left.pop()
        if node.fullName() in seen:
            continue
        seen.add(node.fullName())
        summed.update("\n".join([node.Class(), *_told(node)]).encode("utf-8", "replace"))
        left += reversed(node.dependencies(nuke.INPUTS | nuke.HIDDEN_INPUTS | nuke.EXPRESSIONS))
        if isinstance(node, nuke.Group):
            left += node.nodes()
    return summed.hexdigest()


def _told(node: nuke.Node) -> list[str]:
    script = node.writeKnobs(nuke.TO_SCRIPT | nuke.WRITE_NON_DEFAULT_ONLY)
    return [line for line in script.splitlines() if line.split(" ", 1)[0] not in _NO_PICTURE]


def render(
    source: Source, pattern: str, frames: list[int], *, channels: str, datatype: str, again: bool
) -> None:
    """Write frames of a node as EXR, each under its number, with its numbers as they are.

    Nuke shows its own progress for it, and its Cancel stops it.

    Args:
        source: what to render.
        pattern: of the files.
        frames: which.
        channels: `rgb` or `alpha`.
        datatype: as the Write node calls it.
        again: also those that are there.

    Raises:
        BridgeError: a frame could not be rendered, or the render was cancelled.
    """
    wanted = [n for n in frames if again or not of_pattern(pattern, n).is_file()]
    if not wanted:
        return
    Path(pattern).parent.mkdir(parents=True, exist_ok=True)
    write = nuke.nodes.Write(inputs=[source.node])
    try:
        for name, value in (
            ("file", pattern.replace("\\", "/")),
            ("file_type", "exr"),
            ("channels", channels),
            ("raw", True),
            ("datatype", datatype),
            ("compression", "Zip (1 scanline)"),
        ):
            write[name].setValue(value)
        for first, last in runs(wanted):
            nuke.execute(write, first, last, 1)
    except (RuntimeError, OSError) as error:
        what = f"the input could not be rendered: {error}"
        raise BridgeError(what, source.node.name(), "see the error there") from error
    finally:
        nuke.delete(write)
