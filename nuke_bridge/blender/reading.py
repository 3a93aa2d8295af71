"""From a scene's compositor nodes and settings to a `Request`."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Callable, NamedTuple

from ..core.errors import BridgeError
from ..core.frames import parse_range
from ..core.options import OPTIONS
from ..core.request import Request, shot_name, versioned

OURS = "AdaMatte"
"""The name of the node that holds the matte."""

_NUMBER = re.compile(r"(\d+)(\D*)\Z")


class Plate(NamedTuple):
    """What is to be matted.

    Attributes:
        node: the Movie Clip or Image node.
        path: the file or pattern.
        shift: a file's number less the scene frame that shows it.
        first: number of the first frame.
        last: number of the last.
    """

    node: Any
    path: str
    shift: int
    first: int
    last: int


def tree_of(scene: Any) -> Any:
    """The scene's compositor nodes.

    Raises:
        BridgeError: it has none.
    """
    tree = getattr(scene, "compositing_node_group", None) or getattr(scene, "node_tree", None)
    if tree is None:
        raise BridgeError("no compositor nodes", scene.name, "switch Use Nodes on")
    return tree


def plate_of(scene: Any, absolute: Callable[[str], str]) -> Plate:
    """The plate: of the active node, else of the first that has one.

    Args:
        scene: with compositor nodes.
        absolute: Blender's way from a path of its own to one of the system.

    Raises:
        BridgeError: there is none.
    """
    tree = tree_of(scene)
    active = [tree.nodes.active] if tree.nodes.active is not None else []
    for node in [*active, *tree.nodes]:
        if node.bl_idname == "CompositorNodeMovieClip" and node.clip is not None:
            return _of_clip(node, absolute)
        if node.bl_idname == "CompositorNodeImage" and node.image and node.name != OURS:
            return _of_image(node, absolute)
    raise BridgeError("no plate", tree.name, "add a Movie Clip or an Image node")


def _of_clip(node: Any, absolute: Callable[[str], str]) -> Plate:
    clip = node.clip
    path = os.path.abspath(absolute(clip.filepath))
    start, offset, count = clip.frame_start, clip.frame_offset, clip.frame_duration
    if clip.source == "SEQUENCE":
        pattern, number = _pattern_of(path)
        return Plate(node, pattern, number + offset - start, number, number + count - 1)
    return Plate(node, path, 0, start - offset, start - offset + count - 1)


def _of_image(node: Any, absolute: Callable[[str], str]) -> Plate:
    path = os.path.abspath(absolute(node.image.filepath))
    start, offset, count = node.frame_start, node.frame_offset, node.frame_duration
    if node.image.source == "SEQUENCE":
        pattern, _ = _pattern_of(path)
        return Plate(node, pattern, offset + 1 - start, offset + 1, offset + count)
    if node.image.source == "MOVIE":
        return Plate(node, path, 0, start - offset, start - offset + count - 1)
    return Plate(node, path, 0, 1, 1)


def request_of(scene: Any, absolute: Callable[[str], str]) -> Request:
    """What the scene asks for now; nothing is written.

    Args:
        scene: with the add-on's settings.
        absolute: Blender's way from a path of its own to one of the system.

    Raises:
        BridgeError: plate or output folder are missing, or the range is none.
    """
    told = scene.adamatte
    plate = plate_of(scene, absolute)
    if not told.out:
        raise BridgeError("no output folder", "out", "name the shot's folder")
    out = os.path.abspath(versioned(absolute(told.out), told.version))
    frames = parse_range(told.frames) if told.frames else range(plate.first, plate.last + 1)
    settings = {one.name: getattr(told, one.name) for one in OPTIONS}
    for one in OPTIONS:
        if one.kind == "file" and settings[one.name]:
            settings[one.name] = os.path.abspath(absolute(settings[one.name]))
    return Request(
        plate=plate.path,
        out=out,
        shot=shot_name(told.shot, plate.path),
        frames=list(frames),
        start_frame=plate.first,
        mask=os.path.abspath(absolute(told.mask)) if told.mask else None,
        settings=settings,
    ).check()


def _pattern_of(path: str) -> tuple[str, int]:
    """A file of a sequence as pattern and number: `plate.1001.exr` is `plate.%04d.exr`, 1001."""
    name = Path(path).name
    match = _NUMBER.search(name)
    if match is None:
        raise BridgeError("no frame number in the name", path, "name frames like plate.1001.exr")
    digits, suffix = match.groups()
    pattern = f"{name[: match.start()]}%0{len(digits)}d{suffix}"
    return str(Path(path).parent / pattern), int(digits)
