"""`Job`: "matte what changed": the ordinary run, a process of its own, on exactly the frames due.

The same command line, job file, claims and Ray as everywhere; the desk only reads its JSON lines.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

from plugin.desk import leash
from plugin.disk.atomic import temporary_name
from plugin.errors import RequestError
from plugin.request.job_file import write_job
from plugin.request.shot import Shot

_LINE = 1 << 20
_GRACE_S = 30.0
"""For a run to end in, when the desk is gone: the frames under way are kept."""

_TRIES = 50
"""Of a run that finds the override file another than when it began, while somebody paints on."""

_FAILURES = 200
"""That are told of by frame; the manifest has all."""


Again = Callable[[], Awaitable[Shot | None]]


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
        told: called whenever the status has changed.
    """

    def __init__(self, told: Callable[[], None]) -> None:
        self._told = told
        self._process: Process | None = None
        self._cancelled = False
        self._task: asyncio.Task[None] | None = None
        self.status = JobStatus()

    def start(self, shot: Shot, again: Again) -> None:
        """Begin.

        Args:
            shot: the request; its frames are those that are due.
            again: asked when the run has failed: the request to begin again with, because
                corrections were made before it had read them; None to leave it at that.

        Raises:
            RequestError: one is under way, or there is nothing to do.
        """
        if self.status.going_on:
            raise RequestError("a job is under way", where="the desk", fix="wait, or cancel it")
        if not shot.frames:
            raise RequestError("every frame is as it should be", where="the desk", fix="go on")
        self._cancelled = False
        self.status = _starting(shot)
        self._task = asyncio.get_running_loop().create_task(self._run(shot, again))
        self._told()

    async def cancel(self) -> None:
        """Ask it to end, as Ctrl-C does: what is done is kept."""
        self._cancelled = True
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()

    async def close(self) -> None:
        """Cancel it and wait for its end, which comes by force if it has to."""
        await self.cancel()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        if self._task is not None:
            await self._task

    async def _run(self, shot: Shot, again: Again) -> None:
        code = await self._once(shot)
        for _ in range(_TRIES):
            more = None if code == 0 or self._cancelled else await again()
            if more is None:
                break
            if not more.frames:  # what was due is no more
                code = 0
                break
            self.status = _starting(more)
            code = await self._once(more)
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
                *(sys.executable, "-P", leash.__file__, str(_GRACE_S)),
                *(sys.executable, *words),
                stdin=PIPE,
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


def _starting(shot: Shot) -> JobStatus:
    frames = shot.frames or ()
    return JobStatus("starting", str(shot.frames or ""), len(frames))
