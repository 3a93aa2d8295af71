"""Operators and a panel in Blender's compositor, on the same core as the Nuke node.

The plate is the active Movie Clip or Image node; the matte comes back as an Image node whose frame
numbers are the files' own, with a Set Alpha that lays it over the plate. Beyond the last matte
nothing is held: a frame without a file is empty.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import bpy

from ..core.desk import DeskJob
from ..core.errors import BridgeError
from ..core.frames import is_pattern, of_pattern
from ..core.local import LocalJob
from ..core.manifest import FrameStates
from ..core.options import OPTIONS, Option
from ..core.ray_job import FarmJob, new_job_id
from ..core.request import Request, program
from ..core.status import ENDED, Job, Status
from . import panel, reading
from .looking import Looking
from .reading import OURS, plate_of, tree_of

_OVER = "AdaMatte over"
_LONGEST = 300000
"""Frames that a Blender scene can have, more or less: an Image node holds its last frame after."""

_POLL_S = 0.3
_running: dict[str, Any] = {}
_desks: dict[str, DeskJob] = {}


def request_of(scene: Any) -> Request:
    """What the scene asks for now."""
    return reading.request_of(scene, bpy.path.abspath)


def show(scene: Any, request: Request, states: FrameStates, ended: Status | None) -> None:
    """Say what is there, and put the matte into the compositor."""
    wanted = states.key_wanted
    scene.adamatte.key_wanted = "" if wanted is None else str(wanted)
    said = [ended.line()] if ended is not None and ended.state != "done" else []
    scene.adamatte.status = " · ".join([*said, states.summary()])
    there = [n for n in request.frames if of_pattern(request.alpha, n).is_file()]
    if there:
        _place(scene, request, there[0])


def _place(scene: Any, request: Request, number: int) -> None:
    """The matte's Image node and the Set Alpha over the plate; made once, aimed again later."""
    tree, plate = tree_of(scene), plate_of(scene, bpy.path.abspath)
    path = str(of_pattern(request.alpha, number))
    node = tree.nodes.get(OURS)
    if node is None:
        node = tree.nodes.new("CompositorNodeImage")
        node.name = node.label = OURS
        node.location = (plate.node.location.x, plate.node.location.y - 300)
    if node.image is None:
        node.image = bpy.data.images.load(path)
    image = node.image
    image.filepath = path
    image.source = "SEQUENCE" if is_pattern(request.alpha) else "FILE"
    image.colorspace_settings.name = "Non-Color"
    image.alpha_mode = "CHANNEL_PACKED"
    image.reload()
    node.frame_start, node.frame_offset = 1, plate.shift
    node.frame_duration, node.use_cyclic, node.use_auto_refresh = _LONGEST, False, True
    if tree.nodes.get(_OVER) is None:
        over = tree.nodes.new("CompositorNodeSetAlpha")
        over.name = over.label = _OVER
        over.location = (plate.node.location.x + 300, plate.node.location.y)
        if hasattr(over, "mode"):
            over.mode = "APPLY"
        else:
            over.inputs["Type"].default_value = "Apply Mask"
        tree.links.new(plate.node.outputs["Image"], over.inputs["Image"])
        tree.links.new(node.outputs["Image"], over.inputs["Alpha"])


def _start(scene: Any, frames: list[int] | None) -> None:
    told = scene.adamatte
    if scene.name in _running and _running[scene.name][0].alive:
        raise BridgeError("a job is under way", scene.name, "wait for its end, or press Cancel")
    request = request_of(scene)
    wanted = request if frames is None else request._replace(frames=frames)
    if told.where == "farm":
        told.job_id = new_job_id(request.shot)
        words = program(told.command) if told.command else ["adamatte"]
        _watch(
            scene, FarmJob(told.job_id, request.out, told.address, request=wanted, adamatte=words)
        )
    else:
        _watch(scene, LocalJob(wanted, program(told.command)))


def _watch(scene: Any, job: Job) -> None:
    _running[scene.name] = (job, None)
    job.start()
    if bpy.app.background:
        job.wait()
        while _follow(scene.name) is not None:
            _running[scene.name][1].wait()
    else:
        bpy.app.timers.register(lambda: _follow(scene.name), first_interval=_POLL_S)


def _look(scene: Any) -> None:
    _running[scene.name] = (None, Looking(request_of(scene), None).start())
    if bpy.app.background:
        _running[scene.name][1].wait()
        _follow(scene.name)
    else:
        bpy.app.timers.register(lambda: _follow(scene.name), first_interval=_POLL_S)


def _follow(name: str) -> float | None:
    """Called by Blender's timer: show what was said; None when there is no more to come."""
    scene = bpy.data.scenes.get(name)
    job, looking = _running.get(name, (None, None))
    if scene is None or (job is None and looking is None):
        return None
    if looking is not None:
        if looking.alive:
            return _POLL_S
        if looking.states is not None:
            show(scene, looking.request, looking.states, looking.ended)
        else:
            scene.adamatte.status = looking.error
        _running[name] = (None, None)
        return None
    for status in job.poll():
        scene.adamatte.status = status.line()
    if job.alive:
        return _POLL_S
    if job.status.state in ENDED and job.status.state != "lost":
        scene.adamatte.job_id = ""
    _running[name] = (None, Looking(request_of(scene), job.status).start())
    return _POLL_S


def _cancel(scene: Any) -> None:
    job = _running.get(scene.name, (None, None))[0]
    if job is None:
        raise BridgeError("no job is under way", scene.name, "press Matte to start one")
    job.cancel()


def _refresh(scene: Any) -> None:
    told = scene.adamatte
    if told.job_id:
        _watch(scene, FarmJob(told.job_id, request_of(scene).out, told.address))
    else:
        _look(scene)


def _desk(scene: Any) -> None:
    desk = _desks.get(scene.name)
    if desk is not None and desk.alive:
        threading.Thread(target=desk.look, daemon=True).start()
        return
    _desks[scene.name] = DeskJob(request_of(scene), program(scene.adamatte.command))
    _desks[scene.name].start()
    if bpy.app.background:  # nobody can be told later
        while _follow_desk(scene.name) is not None and _desks[scene.name].status.state != "running":
            time.sleep(_POLL_S)
    else:
        bpy.app.timers.register(lambda: _follow_desk(scene.name), first_interval=_POLL_S)


def _follow_desk(name: str) -> float | None:
    """Called by Blender's timer: say how the desk stands; None once it is closed."""
    scene, desk = bpy.data.scenes.get(name), _desks.get(name)
    if scene is None or desk is None:
        return None
    for status in desk.poll():
        scene.adamatte.status = status.message
    return _POLL_S if desk.alive else None


def _matte_frame(scene: Any) -> None:
    _start(scene, [scene.frame_current + plate_of(scene, bpy.path.abspath).shift])


def _go_to_key(scene: Any) -> None:
    wanted = scene.adamatte.key_wanted
    if not wanted:
        raise BridgeError("no frame asks for a key", scene.name, "matte the shot from key frames")
    scene.frame_set(int(wanted) - plate_of(scene, bpy.path.abspath).shift)


def _operator(name: str, label: str, tooltip: str, action: Any) -> Any:
    def execute(self: Any, context: Any) -> set[str]:
        try:
            action(context.scene)
        except BridgeError as error:
            context.scene.adamatte.status = str(error)
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    told = {"bl_idname": "adamatte." + name, "bl_label": label, "bl_description": tooltip}
    kind = "ADAMATTE_OT_" + name
    return type(kind, (bpy.types.Operator,), {**told, "execute": execute})


def _property(one: Option) -> Any:
    if one.kind == "choice":
        return bpy.props.EnumProperty(items=[(c, c, "") for c in one.choices], description=one.help)
    kinds = {
        "number": bpy.props.FloatProperty,
        "whole": bpy.props.IntProperty,
        "switch": bpy.props.BoolProperty,
    }
    more: dict[str, Any] = {"subtype": "FILE_PATH"} if one.kind == "file" else {}
    more.update({"min": 0} if one.kind == "whole" else {})
    made = kinds.get(one.kind, bpy.props.StringProperty)
    return made(default=one.default, description=one.help, **more)


def _classes() -> list[Any]:
    """Made when the add-on is switched on, for their bases are Blender's."""
    properties = {one.name: _property(one) for one in OPTIONS}
    for name, tooltip in panel.TEXTS.items():
        properties[name] = bpy.props.StringProperty(description=tooltip)
    properties["out"] = bpy.props.StringProperty(subtype="DIR_PATH", description="Output folder")
    properties["mask"] = bpy.props.StringProperty(
        subtype="FILE_PATH", description="Masks from another tool: roto.%04d.png"
    )
    properties["version"] = bpy.props.IntProperty(default=1, min=0, description="out/v001 …")
    properties["where"] = bpy.props.EnumProperty(
        items=[("local", "local", ""), ("farm", "farm", "")], description="Where the job runs"
    )
    properties["status"] = bpy.props.StringProperty(default="not matted yet")
    properties["key_wanted"] = bpy.props.StringProperty(options={"HIDDEN"})
    properties["job_id"] = bpy.props.StringProperty(options={"HIDDEN"})
    group = type("AdaMatteSettings", (bpy.types.PropertyGroup,), {"__annotations__": properties})
    shown = {
        "bl_label": "AdaMatte",
        "bl_idname": "ADAMATTE_PT_panel",
        "bl_space_type": "NODE_EDITOR",
        "bl_region_type": "UI",
        "bl_category": "AdaMatte",
        "poll": classmethod(lambda _, c: c.space_data.tree_type == "CompositorNodeTree"),
        "draw": panel.draw,
    }
    return [
        group,
        _operator("matte", "Matte", "Matte this range", lambda scene: _start(scene, None)),
        _operator("matte_frame", "This frame", "Matte the current frame only", _matte_frame),
        _operator("cancel", "Cancel", "Stop the job; what is done is kept", _cancel),
        _operator("refresh", "Refresh", "See what is there, missing and stale", _refresh),
        _operator("desk", "Desk", "Correct the shot in the browser, frame by frame", _desk),
        _operator(
            "go_to_key",
            "Go where a key helps",
            "Go to the frame where another key frame would help most",
            _go_to_key,
        ),
        type("ADAMATTE_PT_panel", (bpy.types.Panel,), shown),
    ]


_registered: list[Any] = []


def register() -> None:
    """Switch the add-on on."""
    _registered.extend(_classes())
    for one in _registered:
        bpy.utils.register_class(one)
    bpy.types.Scene.adamatte = bpy.props.PointerProperty(type=_registered[0])


def unregister() -> None:
    """Switch it off; jobs that are under way are left: local ones end, farm jobs go on."""
    for job, _ in _running.values():
        if job is not None:
            job.leave()
    for desk in _desks.values():
        desk.leave()
    _running.clear()
    _desks.clear()
    del bpy.types.Scene.adamatte
    while _registered:
        bpy.utils.unregister_class(_registered.pop())
