"""`run`: a shot from request to manifest. The driver probes, plans, feeds and keeps the books."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from plugin.errors import Interrupted, OutputError, SurroundingsError
from plugin.framerange import FrameRange
from plugin.layout import OutputLayout, estimate_bytes
from plugin.manifest import Manifest, ManifestFile, PlateRecord, write_progress
from plugin.plan import Goal, Plan, plan_file
from plugin.progress import Progress, QuietProgress
from plugin.qc import contact_sheet, evenly
from plugin.settle import anchored, settle, settle_in_order
from plugin.shot import Shot
from plugin.tally import Tally
from plugin.types import Executor, FrameResult, FrameState, PlateInfo

__all__ = ["run", "segment", "trimap"]

_BOOKS_EVERY_S = 2.0
_PROGRESS_EVERY_S = 0.5
_CHUNK = 16


def run(
    shot: Shot, *, progress: Progress | None = None, executor: Executor | None = None
) -> Manifest:
    """What `adamatte run` does: mattes a shot into its output folder.

    Args:
        shot: what to do.
        progress: is told of every event.
        executor: where frames are computed; by default Ray's workers.

    Returns:
        The manifest as it now stands in the folder; frames that could not be done are in it.

    Raises:
        RequestError: the request is wrong; nothing was written.
        SurroundingsError: disk, device or cluster failed; what is done stays done.
        Interrupted: by a signal; the same call goes on from there.
    """
    return _job(shot, "alpha", progress or QuietProgress(), executor)


def segment(
    shot: Shot, *, progress: Progress | None = None, executor: Executor | None = None
) -> Manifest:
    """What `adamatte segment` does: only the masks. As `run` in all else."""
    return _job(shot, "mask", progress or QuietProgress(), executor)


def trimap(
    shot: Shot, *, progress: Progress | None = None, executor: Executor | None = None
) -> Manifest:
    """What `adamatte trimap` does: only the trimaps. As `run` in all else."""
    return _job(shot, "trimap", progress or QuietProgress(), executor)


def _job(shot: Shot, goal: Goal, progress: Progress, executor: Executor | None) -> Manifest:
    shot = anchored(shot)
    plan, info, frames = settle(shot, goal, progress)
    layout = OutputLayout.of(shot)
    kinds = {goal, *shot.keep}
    layout.prepare(kinds)
    layout.probe_writable(_needed(shot, info, frames), kinds)
    plan = settle_in_order(plan, layout, progress)
    executor = executor or _executor(plan, len(frames))
    progress.start(len(frames), shot=shot.name, model=shot.model, device=plan.device)
    manifest = Manifest(
        version=plan.version,
        shot=shot,
        plate=PlateRecord.of(info),
        model=shot.model,
        weights=plan.weights,
        override=plan.override,
        started=_now(),
        asked=str(frames),
    )
    return _work(plan, manifest, frames, executor, progress)


def _needed(shot: Shot, info: PlateInfo, frames: FrameRange) -> int:
    return estimate_bytes(
        info,
        len(frames),
        channels=shot.channels,
        bits=shot.bits,
        compression=shot.compression,
        pictures=len(shot.keep),
    )


def _executor(plan: Plan, frames: int) -> Executor:
    from workers.cluster import plan_cluster
    from workers.ray_executor import RayExecutor

    cluster = plan_cluster(plan.shot, plan.device, frames)
    return RayExecutor(cluster, retries=plan.shot.retries)


def _work(
    plan: Plan,
    manifest: Manifest,
    frames: FrameRange,
    executor: Executor,
    progress: Progress,
) -> Manifest:
    layout = OutputLayout.of(plan.shot)
    books = _Books(layout, manifest)
    tasks = frames.chunks(plan.shot.chunk or _CHUNK)
    tally = Tally()
    tally.start(len(frames))
    try:
        with plan_file(plan) as job, _reported(layout, tally):
            for result in executor.run(job, tasks):
                tally.add(result)
                progress.frame(result)
                books.add(result)
    except KeyboardInterrupt as error:
        books.close(ended=None)
        raise Interrupted(
            f"stopped with {tally.left} frames to do",
            where=plan.shot.out,
            fix="the same command goes on from there",
        ) from error
    except BaseException:
        books.close(ended=None)
        raise
    if tally.left:
        books.close(ended=None)
        raise SurroundingsError("frames were lost", where=plan.shot.out, fix="run it again")
    written = books.close(ended=_now())
    if plan.goal == "alpha":
        _show(plan.shot, written, frames)
    return written


def _show(shot: Shot, manifest: Manifest, frames: FrameRange) -> None:
    """A picture of a few frames beside the result."""
    there = frames.without(manifest.in_state(FrameState.FAILED))
    if there:
        contact_sheet(shot, evenly(there, 5), OutputLayout.of(shot).report / "contact.png")


class _Books:
    """The manifest, brought up to date every few seconds and at the end."""

    def __init__(self, layout: OutputLayout, manifest: Manifest) -> None:
        self._file = ManifestFile(layout.manifest)
        self._head = manifest
        self._new: list[FrameResult] = []
        self._written = time.monotonic()
        self._file.update(manifest)

    def add(self, result: FrameResult) -> None:
        self._new.append(result)
        if time.monotonic() - self._written > _BOOKS_EVERY_S:
            self._write(self._head)

    def close(self, *, ended: str | None) -> Manifest:
        return self._write(self._head.model_copy(update={"ended": ended}))

    def _write(self, head: Manifest) -> Manifest:
        written = self._file.update(head.with_results(self._new))
        self._new.clear()
        self._written = time.monotonic()
        return written


@contextmanager
def _reported(layout: OutputLayout, tally: Tally) -> Iterator[None]:
    """Keep `progress.json` fresh from a thread of its own: one frame may take minutes."""
    over = threading.Event()

    def tell(exit_code: int | None = None) -> None:
        # A disk that fails shows in the frames and the manifest; progress is a courtesy.
        with suppress(OutputError):
            write_progress(layout.progress, tally.as_progress_json(exit_code))

    def report() -> None:
        while not over.wait(_PROGRESS_EVERY_S):
            tell()

    thread = threading.Thread(target=report, name="progress", daemon=True)
    tell()
    thread.start()
    code = 4
    try:
        yield
        code = 3 if tally.failed else 0
    except KeyboardInterrupt:
        code = 130
        raise
    finally:
        over.set()
        thread.join()
        tell(code)


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
