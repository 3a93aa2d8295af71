"""Run inside Blender, without an interface: the add-on mattes a clip, and the comp is rendered.

    python blender_job.py FOLDER COMMAND          a plain Python that has bpy
    blender -b -P blender_job.py -- FOLDER COMMAND

FOLDER holds `plate.%04d.exr`, 1001 to 1003; COMMAND calls adamatte. The comp of each frame goes to
FOLDER/comp, and what was seen to FOLDER/seen.json.
"""

from __future__ import annotations

import json
import os
import sys
import webbrowser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import bpy

import addon_utils  # isort: skip

FIRST, LAST = 1001, 1003


def tree_of(scene: Any) -> Any:
    """An empty compositor, as this version of Blender makes one."""
    if hasattr(scene, "compositing_node_group"):
        tree = bpy.data.node_groups.new("Comp", "CompositorNodeTree")
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        scene.compositing_node_group = tree
        return tree
    scene.use_nodes = True
    scene.node_tree.nodes.clear()
    return scene.node_tree


def prepared(folder: Path) -> Any:
    """A scene with the plate in it, and the settings of the job."""
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = FIRST, LAST
    tree = tree_of(scene)
    plate = tree.nodes.new("CompositorNodeImage")
    plate.image = bpy.data.images.load(str(folder / f"plate.{FIRST}.exr"))
    plate.image.source = "SEQUENCE"
    plate.frame_start, plate.frame_offset = FIRST, FIRST - 1
    plate.frame_duration, plate.use_auto_refresh = LAST - FIRST + 1, True
    scene.render.resolution_x, scene.render.resolution_y = plate.image.size[:]
    scene.render.resolution_percentage = 100
    scene.view_settings.view_transform = "Raw" if old() else "Standard"
    told = scene.adamatte
    told.out, told.version = str(folder / "out"), 1
    told.segment, told.workers = "none", 1
    return scene


def old() -> bool:
    return bool(bpy.app.version < (5, 0, 0))


def linked_to_output(scene: Any) -> None:
    """What a compositor does by hand: the node that the add-on made, to the output."""
    tree = getattr(scene, "compositing_node_group", None) or scene.node_tree
    kind = "CompositorNodeComposite" if old() else "NodeGroupOutput"
    tree.links.new(tree.nodes["AdaMatte over"].outputs["Image"], tree.nodes.new(kind).inputs[0])


def render(scene: Any, folder: Path, name: str) -> None:
    """Every frame's comp as a float EXR."""
    settings = scene.render.image_settings
    settings.file_format = "OPEN_EXR"
    settings.color_mode, settings.color_depth, settings.exr_codec = "RGBA", "32", "ZIP"
    for number in range(FIRST, LAST + 1):
        scene.frame_set(number)
        scene.render.filepath = str(folder / name / f"comp.{number}.exr")
        bpy.ops.render.render(write_still=True)


def press(name: str) -> str:
    """A button; what the panel says then."""
    try:
        getattr(bpy.ops.adamatte, name)()
    except RuntimeError as error:
        return str(error).strip()
    return str(bpy.context.scene.adamatte.status)


class Browser(webbrowser.BaseBrowser):
    """Notes what the pages hold that it was asked to open."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self.pages: list[str] = []

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        """Not shown."""
        del new, autoraise
        self.pages.append(Path(urlsplit(url).path).read_text(encoding="utf-8"))
        return True


def main(folder: Path, command: str) -> None:
    """All of it."""
    os.environ["ADAMATTE"] = command
    addon_utils.enable("nuke_bridge", default_set=False)
    seen = {"version": bpy.app.version_string, "no_plate": press("matte")}
    scene = prepared(folder)
    seen["matted"] = press("matte")
    linked_to_output(scene)
    render(scene, folder, "comp")
    scene.adamatte.erode = 3.0
    seen["stale"] = press("refresh")
    scene.adamatte.erode = 8.0
    seen["no_key"] = press("go_to_key")
    manifest = folder / "out" / "v001" / "manifest.json"
    told = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps({**told, "key_wanted": 1003}), encoding="utf-8")
    seen["key"] = press("refresh")
    scene.frame_set(FIRST)
    press("go_to_key")
    seen["frame"] = str(scene.frame_current)
    manifest.write_text(json.dumps(told), encoding="utf-8")
    alpha = folder / "out" / "v001" / "alpha" / "plate_alpha.1002.exr"
    alpha.rename(folder / "taken_away.exr")
    seen["missing"] = press("refresh")
    render(scene, folder, "comp_missing")
    browser = Browser()
    webbrowser.register("recorder", None, browser, preferred=True)
    seen["desk"] = press("desk")
    seen["desk_page"] = " ".join(browser.pages)
    addon_utils.disable("nuke_bridge", default_set=False)
    seen["off"] = str(hasattr(bpy.types.Scene, "adamatte"))
    (folder / "seen.json").write_text(json.dumps(seen), encoding="utf-8")


if __name__ == "__main__":
    words = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    main(Path(words[0]), words[1])
