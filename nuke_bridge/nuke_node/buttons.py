"""What the node's buttons do. None of them waits for a file, a process or the network."""

from __future__ import annotations

import threading
import webbrowser
from pathlib import Path
from typing import Callable

from ..core.desk import DeskJob
from ..core.errors import BridgeError
from ..core.local import LocalJob
from ..core.options import OPTIONS
from ..core.override_file import read_override, write_polygons
from ..core.ray_job import FarmJob, new_job_id
from ..core.request import Request, program
from ..core.status import Job
from . import roto, running, showing
from .build import our_nodes
from .host import evaluated, nuke, text
from .plate import plate_source
from .reading import changed_upstream, out_of, request_of, wanted_of


def press(node: nuke.Node, button: str) -> None:
    """A button was pressed. What is wrong is said in one line; without an interface it is raised.

    Raises:
        BridgeError: in a Nuke without an interface.
    """
    try:
        _BUTTONS[button](node)
    except BridgeError as error:
        if not nuke.GUI:
            raise
        showing.show_message(node, str(error))
        nuke.message(str(error))


def _matte(node: nuke.Node) -> None:
    _start(node, None)


def _matte_frame(node: nuke.Node) -> None:
    _start(node, [nuke.frame()])


def _start(node: nuke.Node, frames: list[int] | None) -> None:
    if running.job_of(node) is not None:
        raise BridgeError("a job is under way", node.name(), "wait for its end, or press Cancel")
    request = wanted_of(node, frames)
    job = _farm_job(node, request) if text(node, "where") == "farm" else _local_job(node, request)
    running.watch(node, job, request_of(node))


def _local_job(node: nuke.Node, request: Request) -> Job:
    return LocalJob(request, program(text(node, "command")))


def _farm_job(node: nuke.Node, request: Request) -> Job:
    job_id = new_job_id(request.shot)
    # Known before it is sent: a script that is saved meanwhile finds the job again.
    node["job_id"].setValue(job_id)
    command = text(node, "command")
    adamatte = program(command) if command else ["adamatte"]
    return FarmJob(job_id, request.out, text(node, "address"), request=request, adamatte=adamatte)


def _cancel(node: nuke.Node) -> None:
    job = running.job_of(node)
    if job is None and text(node, "job_id"):
        _find_again(node)
        job = running.job_of(node)
    if job is None:
        raise BridgeError("no job is under way", node.name(), "press Matte to start one")
    job.cancel()
    showing.show_message(node, "cancelling: frames that are done are kept")


def _refresh(node: nuke.Node) -> None:
    if text(node, "job_id") and running.job_of(node) is None:
        _find_again(node)
        return
    running.look(node, request_of(node), changed_upstream(node))


def _report(node: nuke.Node) -> None:
    folder = Path(out_of(node)) / "report"
    names = ("index.html", "report.html", "contact.png")
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise BridgeError("no report yet", folder, "matte some frames first")
    uri = found.as_uri()
    threading.Thread(target=webbrowser.open, args=(uri,), daemon=True).start()


def _go_to_key(node: nuke.Node) -> None:
    wanted = text(node, "key_wanted")
    if not wanted:
        raise BridgeError("no frame asks for a key", node.name(), "matte the shot from key frames")
    nuke.frame(int(wanted))


def _desk(node: nuke.Node) -> None:
    desk = running.desk_of(node)
    if desk is not None:
        threading.Thread(target=desk.look, daemon=True).start()
        return
    request = wanted_of(node)
    running.watch_desk(node, DeskJob(request, program(text(node, "command"))), request_of(node))


def _export(node: nuke.Node) -> None:
    request = request_of(node)
    drawn = roto.find(text(node, "roto"))
    area = roto.area_of(plate_source(node).node)
    polygons, left_out = roto.polygons_of(drawn, request.frames, area)
    path = _override_path(node, request)
    write_polygons(path, request.shot, (area.width, area.height), polygons)
    if not text(node, "override"):
        node["override"].setValue(str(path).replace("\\", "/"))
    said = f"{len(polygons)} shapes of {drawn.name()} written to {path}"
    showing.show_message(node, " · ".join([said, *left_out]))


def _import(node: nuke.Node) -> None:
    request = request_of(node)
    path = _override_path(node, request)
    found = read_override(path)
    if found is None:
        raise BridgeError("no override file", path, "name it in override, or export one")
    source = plate_source(node).node
    made = roto.draw(found.polygons(), request.frames, roto.area_of(source), source)
    left = len(found.rules) - len(found.polygons())
    said = f"{len(found.polygons())} shapes in {made.name()}"
    more = [f"{left} rules that are no polygons stay in the file"] if left else []
    showing.show_message(node, " · ".join([said, *more]))


def _override_path(node: nuke.Node, request: Request) -> Path:
    given = evaluated(node, "override")
    return Path(given) if given else Path(request.out).parent / f"{request.shot}.trimap.json"


def find_again() -> None:
    """After a script was opened: watch the farm jobs that it left, and see what is there."""
    for node in our_nodes():
        try:
            _refresh(node)
        except BridgeError:
            continue  # a node that is not connected yet has nothing to say


def _find_again(node: nuke.Node) -> None:
    request = request_of(node)
    job = FarmJob(text(node, "job_id"), request.out, text(node, "address"))
    running.watch(node, job, request, changed_upstream(node))


def knob_changed(node: nuke.Node, name: str) -> None:
    """Keep the Read inside on what the knobs say, and the marks of staleness true."""
    if name == "missing":
        read = nuke.toNode(node.fullName() + ".alpha")
        if read is not None:
            read["on_error"].setValue(text(node, "missing"))
    elif name in _STALE_BY:
        try:
            request = request_of(node)
        except BridgeError:
            return
        running.look(node, request, changed_upstream(node))


_STALE_BY = frozenset(
    ["out", "version", "shot", "frames", "inputChange", *(o.name for o in OPTIONS if o.pixels)]
)

_BUTTONS: dict[str, Callable[[nuke.Node], None]] = {
    "matte": _matte,
    "matte_frame": _matte_frame,
    "cancel": _cancel,
    "refresh": _refresh,
    "report": _report,
    "desk": _desk,
    "go_to_key": _go_to_key,
    "export_overrides": _export,
    "import_overrides": _import,
}
