"""`Job`: "matte what changed": the ordinary run, a process of its own, on exactly the frames due.

The same command line, job file, claims and Ray as everywhere; the desk only reads its JSON lines.
"""

import asyncio
import json
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from plugin.disk.atomic import temporary_name
from plugin.errors import RequestError
from plugin.framerange import FrameRange
from plugin.request.job_file import write_job
from plugin.request.shot import Shot

_LINE = 1 << 20
_GRACE_S = 30.0
_TRIES = 50
"""Of a run that finds the override file another than when it began, while somebody paints on."""

_FAILURES = 200
"""That are told of by frame; the manifest has all."""


Again = Callable[[], Awaitable[tuple[FrameRange, Path | None] | None]]


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

    def start(self, frames: FrameRange, override: Path | None, again: Again) -> None:
        """Begin on these frames.

        Args:
            frames: that are due.
            override: the override file.
            again: asked when the run has failed: the frames to begin again on and the file,
                because corrections were made before it had read them; None to leave it at that.

        Raises:
            RequestError: one is under way, or there is nothing to do.
        """
        if self.status.going_on:
            raise RequestError("a job is under way", where="the desk", fix="wait, or cancel it")
        if not frames:
            raise RequestError("every frame is as it should be", where="the desk", fix="go on")
        self._cancelled = False
        self.status = JobStatus("starting", str(frames), len(frames))
        work = self._run(self._asked(frames, override), again)
        self._task = asyncio.get_running_loop().create_task(work)
        self._told()

    def _asked(self, frames: FrameRange, override: Path | None) -> Shot:
        given = {"frames": frames, "override": None if override is None else str(override)}
        return self._shot.model_copy(update=given)

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

    async def _run(self, shot: Shot, again: Again) -> None:
        code = await self._once(shot)
        for _ in range(_TRIES):
            more = None if code == 0 or self._cancelled else await again()
            if more is None:
                break
            if not more[0]:  # what was due is no more
                code = 0
                break
            self.status = JobStatus("starting", str(more[0]), len(more[0]))
            code = await self._once(self._asked(*more))
        status = self.status
        status.state = "done" if code == 0 else "cancelled" if self._cancelled else "failed"
        status.left_s = None
        self._told()

    async def _once(self, shot: Shot) -> int:
        """One run; its exit code."""
        path = shot.out / temporary_name("desk.toml")
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
            return await self._process.wait()
        except Exception as error:  # the page is told, whatever it is
            self.status.message = str(error)
            return 4
        finally:
            with suppress(OSError):
                path.unlink(missing_ok=True)

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
