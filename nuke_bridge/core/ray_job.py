"""A job on a Ray cluster: submitted or found again, watched through `progress.json`, stopped."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

from .errors import BridgeError
from .files import read_json
from .frames import format_range
from .jobs_client import JobInfo, RayJobs, UnreachableError, find_token
from .request import Request
from .status import Job, Status, passing

JOB_VARIABLE = "ADAMATTE_JOB"
"""The variable by which a job knows its name; it stands in its `progress.json`."""

_STOP_S = "30"
"""Seconds that a stopped job has to end cleanly, before Ray kills it."""

_MAX_PROGRESS = 1 << 20
_LOOK_EVERY_S = 1.0
_ASK_EVERY_S = 3.0
_SILENCE_S = 120.0
_PATIENCE = 5
"""Questions in a row that a cluster may leave unanswered before it is given up."""


def new_job_id(shot: str) -> str:
    """A name that no other job has: `adamatte-sh010-1f9c03ab`."""
    plain = "".join(c if (c.isalnum() and c.isascii()) or c in "_-" else "_" for c in shot)
    return f"adamatte-{plain[:40]}-{secrets.token_hex(4)}"


def _told(request: Request) -> dict[str, str]:
    """What the cluster remembers of a job."""
    frames = format_range(request.frames)
    return {"program": "adamatte", "shot": request.shot, "out": request.out, "frames": frames}


class FarmJob(Job):
    """Watches a job on a cluster; submits it first, where it is given a request to submit.

    Leaving it (the host closes) leaves the job alone; `FarmJob(job_id, out, address)` finds it
    again.

    Args:
        job_id: the job's name on the cluster.
        out: the shot's output folder, where `progress.json` is.
        address: of the cluster's Jobs API.
        request: what to do; None for a job that was submitted before.
        adamatte: how the program is called on the cluster.
        look_every: seconds between two looks at `progress.json`.
    """

    def __init__(
        self,
        job_id: str,
        out: str,
        address: str,
        *,
        request: Request | None = None,
        adamatte: list[str] | None = None,
        look_every: float = _LOOK_EVERY_S,
    ) -> None:
        super().__init__()
        self._id = job_id
        self._progress = Path(out) / "progress.json"
        self._address = address
        self._entrypoint = request.check().entrypoint(adamatte or ["adamatte"]) if request else None
        self._told = _told(request) if request else {}
        self._look_every = look_every
        self._unanswered = 0
        self._told_of_other = False
        self._written: Any = None
        self._heard = time.monotonic()
        total = len(request.frames) if request else 0
        self.status = Status("starting", total=total, job_id=job_id)

    def _work(self) -> None:
        self._say(self.status)
        try:
            jobs = RayJobs(self._address, find_token())
            if self._entrypoint is not None:
                variables = {JOB_VARIABLE: self._id, "RAY_JOB_STOP_WAIT_TIME_S": _STOP_S}
                jobs.submit(self._id, self._entrypoint, variables, self._told)
                self._say(self.status._replace(state="queued"))
            self._watch(jobs)
        except UnreachableError as error:
            submitted = self._entrypoint is None or self.status.state != "starting"
            self._say(
                self.status._replace(state="lost" if submitted else "failed", message=str(error))
            )

    def _watch(self, jobs: RayJobs) -> None:
        asked, stopped = 0.0, False
        while not self._left.is_set():
            if self._cancel.is_set() and not stopped:
                jobs.stop(self._id)
                stopped, asked = True, 0.0
            self._look()
            if time.monotonic() - asked >= (_LOOK_EVERY_S if stopped else _ASK_EVERY_S):
                asked = time.monotonic()
                if self._ended(jobs):
                    return
            if not stopped:
                self._pause()
            else:
                self._left.wait(self._look_every)

    def _pause(self) -> None:
        """Until the next look, or until someone cancels or leaves."""
        end = time.monotonic() + self._look_every
        while time.monotonic() < end and not self._left.is_set():
            if self._cancel.wait(min(0.1, self._look_every)):
                return

    def _look(self) -> None:
        """Say what `progress.json` says, if it is ours."""
        try:
            found = read_json(self._progress, _MAX_PROGRESS)
        except BridgeError:
            return  # the cluster is asked as well, and has the last word
        if found is None:
            return
        if found.get("job") != self._id:
            self._tell_of_other(found)
            return
        now = self.status.with_counts(found)._replace(
            message=self._silence(found) or passing(found)
        )
        if found.get("state") == "running":
            now = now._replace(state="running")
        if now != self.status:
            self._say(now)

    def _silence(self, found: dict[str, Any]) -> str:
        """A word on a file that says `running` and that nobody writes any more."""
        if found.get("time") != self._written:
            self._written, self._heard = found.get("time"), time.monotonic()
        silence = time.monotonic() - self._heard
        quiet = found.get("state") == "running" and silence > _SILENCE_S
        return f"nothing was heard of it for {silence / 60:.0f} minutes" if quiet else ""

    def _tell_of_other(self, found: dict[str, Any]) -> None:
        """Once: an older run's file is there until ours begins."""
        if not self._told_of_other and found.get("state") == "running":
            self._told_of_other = True
            other = str(found.get("job") or "a run on another machine")[:80]
            what = f"another job works in this folder: {other}"
            self._say(self.status._replace(message=what))

    def _ended(self, jobs: RayJobs) -> bool:
        """Ask the cluster, and say so where the job is over."""
        try:
            info = jobs.info(self._id)
            self._unanswered = 0
        except UnreachableError:
            self._unanswered += 1
            if self._unanswered >= _PATIENCE:
                raise
            return False
        if info is None:
            self._say(self.status._replace(state="lost", message="the cluster knows no such job"))
            return True
        if info.status in ("PENDING", "RUNNING"):
            if info.status == "RUNNING" and self.status.state == "queued":
                self._say(self.status._replace(state="running"))
            elif self.status.state == "starting":
                self._say(self.status._replace(state="queued"))
            return False
        self._look()
        self._say(self._last(info, jobs))
        return True

    def _last(self, info: JobInfo, jobs: RayJobs) -> Status:
        if info.status == "SUCCEEDED":
            return self.status._replace(state="done", message="")
        if info.status == "STOPPED":
            return self.status._replace(state="cancelled", message="what is done is kept")
        told = jobs.last_error(self._id) or " ".join(info.message.split())[:300]
        return self.status._replace(state="failed", message=told or info.status)
