"""Jobs that run while the artist works: threads wait, the interface is only ever told.

In a Nuke without an interface nobody can be told later, so everything is waited for instead.
"""

from __future__ import annotations

import threading
import time
from typing import Any, Callable

from ..core.desk import DeskJob
from ..core.errors import BridgeError
from ..core.manifest import FrameStates, frame_states
from ..core.ray_job import FarmJob
from ..core.request import Request
from ..core.status import ENDED, Job, Status
from . import showing
from .host import nuke

_POLL_S = 0.25

_running: list[tuple[nuke.Node, Job]] = []
_desks: list[tuple[nuke.Node, DeskJob]] = []
_lock = threading.Lock()


def job_of(node: nuke.Node) -> Job | None:
    """The node's job, if one is under way."""
    with _lock:
        return next((job for known, job in _running if known == node and job.alive), None)


def watch(node: nuke.Node, job: Job, request: Request, upstream_changed: bool = False) -> None:
    """Start a job, and keep the node told of it until its end.

    Args:
        node: the AdaMatte node.
        job: not started yet.
        request: what the node stands for, to look at the frames when the job is over.
        upstream_changed: what the job was rendered from is not what is connected.
    """
    with _lock:
        _running[:] = [(n, j) for n, j in _running if j.alive]
        _running.append((node, job))
    job.start()

    def follow() -> None:
        while job.alive:
            _tell(node, job)
            time.sleep(_POLL_S)
        _tell(node, job)
        if job.status.state in ENDED:
            _look(node, request, upstream_changed, job.status)

    _in_thread(follow)


def desk_of(node: nuke.Node) -> DeskJob | None:
    """The node's desk, if one is open; it is no job that another would have to wait for."""
    with _lock:
        return next((desk for known, desk in _desks if known == node and desk.alive), None)


def watch_desk(node: nuke.Node, desk: DeskJob, request: Request) -> None:
    """Open a desk; say when it is there, and see what became of the frames when it is closed.

    Args:
        node: the AdaMatte node.
        desk: not started yet.
        request: what the node stands for.
    """
    with _lock:
        _desks[:] = [(n, d) for n, d in _desks if d.alive]
        _desks.append((node, desk))
    desk.start()

    def follow() -> None:
        while desk.alive:
            for status in desk.poll():
                _in_main(showing.show_message, node, status.message)
            time.sleep(_POLL_S)
        if desk.status.state == "done":
            _look(node, request, False, None)

    # Never waited for: without an interface too it stays open until it is closed.
    threading.Thread(target=follow, name="adamatte desk", daemon=True).start()


def look(node: nuke.Node, request: Request, upstream_changed: bool) -> None:
    """See what is there, missing and stale, and show it on the node."""
    _in_thread(lambda: _look(node, request, upstream_changed, None))


def leave_all() -> None:
    """The script is closed: local jobs end, farm jobs go on."""
    with _lock:
        for _, job in (*_running, *_desks):
            job.leave()
        _running.clear()
        _desks.clear()


def _look(node: nuke.Node, request: Request, upstream_changed: bool, ended: Status | None) -> None:
    try:
        states = frame_states(request)
    except BridgeError as error:
        _in_main(showing.show_message, node, str(error))
        return
    if upstream_changed:
        states = states.all_stale("the plate input has changed")
    _in_main(_show_states, node, request, states, ended)


def _show_states(
    node: nuke.Node, request: Request, states: FrameStates, ended: Status | None
) -> None:
    showing.show_states(node, request, states, ended)


def _tell(node: nuke.Node, job: Job) -> None:
    said = job.poll()
    if said:
        _in_main(_show_status, node, job, said[-1])


def _show_status(node: nuke.Node, job: Job, status: Status) -> None:
    if status.state in ENDED and isinstance(job, FarmJob) and status.state != "lost":
        node["job_id"].setValue("")
    showing.show_status(node, status)


def _in_thread(call: Callable[[], None]) -> None:
    if not nuke.GUI:
        call()
        return
    threading.Thread(target=call, name="adamatte watch", daemon=True).start()


def _in_main(call: Callable[..., None], *args: Any) -> None:
    if nuke.GUI:
        nuke.executeInMainThread(_unless_deleted, args=(call, *args))
    else:
        _unless_deleted(call, *args)


def _unless_deleted(call: Callable[..., None], *args: Any) -> None:
    """A node may be deleted while its job runs; Nuke raises ValueError for such a one."""
    try:
        call(*args)
    except ValueError:
        return
