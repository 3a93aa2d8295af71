"""`Job`: "matte what changed": the ordinary run, a process of its own, on exactly the frames due.

The same command line, job file, claims and Ray as everywhere; the desk only reads its JSON lines.
"""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from plugin.disk.atomic import temporary_name
from plugin.errors import RequestError
from plugin.framerange import FrameRange
from plugin.request.job_writing import write_job
from plugin.request.shot import Shot

_LINE = 1 << 20
_GRACE_S = 30.0
_FAILURES = 200
"""That are told of by frame; the manifest has all."""


@dataclass(slots=True)
class JobStatus:
    """How the job is getting on.

    Attributes:
        state: `idle` before the first.
        frames: that it was given.
        total: how many.
        done: of them, those that were there already included.
        failed: why, by frame.
        left_s: seconds to go, as the run reckons.
        message: the last thing that was said.
    """

    state: Literal["idle", "starting", "running", "done", "failed", "cancelled"] = "idle"
    frames: str = ""
    total: int = 0
    done: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    left_s: float | None = None
    message: str = ""

    @property
    def going_on(self) -> bool:
        """Whether it is under way."""
        return self.state in ("starting", "running")


class Job:
    """One job at a time.

    Args:
        shot: the request, without an override.
        told: called whenever the status has changed.
    """

    def __init__(self, shot: Shot, told: Callable[[], None]) -> None:
        self._shot, self._told = shot, told
        self._process: Process | None = None
        self._cancelled = False
        self._task: asyncio.Task[None] | None = None
        self.status = JobStatus()

    def start(self, frames: FrameRange, override: Path | None) -> None:
        """Begin on these frames.

        Raises:
            RequestError: one is under way, or there is nothing to do.
        """
        if self.status.going_on:
            raise RequestError("a job is under way", where="the desk", fix="wait, or cancel it")
        if not frames:
            raise RequestError("every frame is as it should be", where="the desk", fix="go on")
        given = {"frames": frames, "override": None if override is None else str(override)}
        shot = self._shot.model_copy(update=given)
        self._cancelled = False
        self.status = JobStatus("starting", str(frames), len(frames))
        self._task = asyncio.get_running_loop().create_task(self._run(shot))
        self._told()

    async def cancel(self) -> None:
        """Ask it to end, as Ctrl-C does: what is done is kept."""
        self._cancelled = True
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()

    async def close(self) -> None:
        """Cancel it and wait for its end."""
        await self.cancel()
        if self._task is not None:
            try:
                await asyncio.wait_for(asyncio.shield(self._task), _GRACE_S)
            except TimeoutError:
                if self._process is not None:
                    self._process.kill()
                await self._task

    async def _run(self, shot: Shot) -> None:
        path = shot.out / temporary_name("desk.toml")
        status = self.status
        try:
            await asyncio.to_thread(write_job, path, shot)
            words = ["-m", "adamatte", "run", "--job", str(path), "--progress", "jsonl"]
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, *words),
                stdin=DEVNULL,
                stdout=PIPE,
                stderr=PIPE,
                limit=_LINE,
                start_new_session=True,  # Ctrl-C in the desk's terminal reaches it through us
            )
            if self._cancelled:
                self._process.terminate()
            await asyncio.gather(self._read_events(), self._read_errors())
            code = await self._process.wait()
        except Exception as error:
            status.message, code = str(error), 4
        with suppress(OSError):
            path.unlink(missing_ok=True)
        status.state = "done" if code == 0 else "cancelled" if self._cancelled else "failed"
        status.left_s = None
        self._told()

    async def _read_events(self) -> None:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018
        async for line in self._process.stdout:
            with suppress(ValueError, TypeError, KeyError):
                self._take(json.loads(line))

    def _take(self, event: dict[str, Any]) -> None:
        status = self.status
        if event["event"] == "start":
            status.state, status.total = "running", int(event["frames"])
        elif event["event"] == "frame":
            if event["state"] in ("failed", "quarantined"):
                if len(status.failed) < _FAILURES:
                    status.failed[int(event["frame"])] = str(event.get("error", ""))
            else:
                status.done += 1
        elif event["event"] == "progress":
            status.left_s = event.get("eta_s")
        else:
            return
        self._told()

    async def _read_errors(self) -> None:
        assert self._process is not None and self._process.stderr is not None  # noqa: S101, PT018
        async for line in self._process.stderr:
            text = line.decode("utf-8", "replace").strip()
            if text.startswith("adamatte: error: "):
                self.status.message = text.removeprefix("adamatte: error: ")
