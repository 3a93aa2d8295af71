"""`run`: a shot from request to manifest. The driver probes, plans, feeds and keeps the books."""

import datetime
import hashlib
from contextlib import suppress
from pathlib import Path

from plugin.disk.atomic import disk_refuses, write_whole
from plugin.disk.claims import Claim, claimed
from plugin.disk.inputs import read_whole
from plugin.driver.belonging import Belonging
from plugin.driver.books import Books, reported, unchanged
from plugin.driver.executor import choose_executor
from plugin.driver.plan import Goal, Plan, plan_file
from plugin.driver.probe import anchored, pass_in_order, probed
from plugin.errors import Interrupted, OutputError, SurroundingsError
from plugin.framerange import FrameRange
from plugin.progress.draining import Drain, draining
from plugin.progress.modes import Progress, QuietProgress
from plugin.progress.tally import Tally
from plugin.report.sprites import FOLDER as REPORT_FRAMES
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout, estimate_bytes
from plugin.result.manifest import Manifest, PlateRecord
from plugin.result.raw_files import drop_raws
from plugin.segmentation.track.method import CarriedSettings
from plugin.trimap.override.document import MAX_BYTES
from plugin.types import Executor, PlateInfo, PlateSource

_CHUNK = 16

_REPORT_SHARE = 0.04
"""Of the run's time, that the report may take."""

_REPORT_AT_LEAST_S = 2.0
"""Seconds that it may take after the shortest run."""


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
    with probed(shot, goal, progress) as (plan, plate, frames):
        return _claimed(plan, plate, frames, progress, executor)


def _claimed(
    plan: Plan,
    plate: PlateSource,
    frames: FrameRange,
    progress: Progress,
    executor: Executor | None,
) -> Manifest:
    shot, goal, info = plan.shot, plan.goal, plate.info
    belonging = Belonging(shot, plate)
    belonging.check_folder()
    layout = OutputLayout.of(shot)
    kinds = {goal, *shot.keep} | ({"overlay"} if goal == "trimap" else set())
    kinds |= {"raw"} if goal == "alpha" else set()
    layout.prepare(kinds)
    with claimed(shot.out, frames) as claim:
        if claim.alone:
            layout.prepare(kinds, alone=True)
        left = frames.without(layout.pattern(goal).scan())  # a resumed run needs room for no more
        layout.probe_writable(_needed(shot, info, len(left)), kinds)
        if goal == "alpha" and shot.report:
            with suppress(OutputError):  # the report says so at the end, and nothing else does
                layout.prepare({REPORT_FRAMES})
        _keep_override(plan, layout)
        progress.start(len(frames), shot=shot.name, model=shot.model, device=plan.device)
        drain, tally = Drain(), Tally()
        tally.start(len(frames))
        with reported(layout, tally, drain):
            plan = pass_in_order(plan, plate, layout, _Stepping(progress, tally))
            plate.close()  # each worker has its own
            head = _head(plan, info, frames)
            executor = executor or choose_executor(
                plan, frames, info.width * info.height, head, progress.note
            )
            books = Books(layout, head, pictures=goal != "alpha", admit=belonging.check)
            written = _work(plan, books, executor, progress, tally=tally, drain=drain, claim=claim)
        if goal == "alpha":
            _tell_unsafe(written, frames, progress)
            _show(plan, written, progress, tally.seconds, claim.alone)
        layout.prepare(kinds)  # sweeps what workers left that died on the way
        if goal == "alpha" and "raw" not in shot.keep:
            drop_raws(layout, plan.stabilise, written.promised)
        return written


class _Stepping(QuietProgress):
    """Tells of a pass before the frames, for people and for `progress.json`."""

    def __init__(self, told: Progress, tally: Tally) -> None:
        self._told, self._tally = told, tally

    def note(self, text: str) -> None:
        """Passed on."""
        self._told.note(text)

    def step(self, name: str, done: int, total: int) -> None:
        """Passed on, and counted."""
        self._tally.step(name, done, total)
        self._told.step(name, done, total)


def _head(plan: Plan, info: PlateInfo, frames: FrameRange) -> Manifest:
    """The manifest of this run, no frame in it yet."""
    shot, masks = plan.shot, plan.segment
    carried = masks.settings if masks is not None else None
    return Manifest(
        version=plan.version,
        shot=shot,
        plate=PlateRecord.of(info, plan.plate),
        model=shot.model,
        weights=plan.weights,
        override=plan.override,
        started=_now(),
        assumed=plan.assumed,
        key_wanted=carried.key_wanted if isinstance(carried, CarriedSettings) else None,
        asked=frames,
    ).with_results(())


def _keep_override(plan: Plan, layout: OutputLayout) -> None:
    """A copy beside the result, so that it can be told later what a frame was made with."""
    if plan.shot.override is not None and plan.override:
        path = layout.override(plan.override)
        with disk_refuses(path):
            path.parent.mkdir(exist_ok=True)
            content = read_whole(Path(plan.shot.override), MAX_BYTES)
        if hashlib.sha256(content).hexdigest() != plan.override:
            what, fix = "the override file has changed meanwhile", "run the same command again"
            raise SurroundingsError(what, where=plan.shot.override, fix=fix)
        write_whole(path, content, root=layout.out)


def _needed(shot: Shot, info: PlateInfo, frames: int) -> int:
    return estimate_bytes(
        info,
        frames,
        channels=shot.channels,
        bits=shot.bits,
        compression=shot.compression,
        pictures=len(shot.keep - {"raw"}),
        raw=True,
    )


def _work(
    plan: Plan,
    books: Books,
    executor: Executor,
    progress: Progress,
    *,
    tally: Tally,
    drain: Drain,
    claim: Claim,
) -> Manifest:
    tasks = books.asked.chunks(plan.shot.chunk or _CHUNK)
    ended = None
    try:
        with draining(executor.stop, drain), plan_file(plan) as job:
            for result in unchanged(executor.run(job, tasks), lambda: drain.asked):
                tally.add(result)
                progress.frame(result)
                books.add(result)
                claim.check()
        if tally.left and drain.asked:
            raise _stopped(plan.shot, tally, drained=True)
        if tally.left:
            raise SurroundingsError("frames were lost", where=plan.shot.out, fix="run it again")
        ended = _now()
    except KeyboardInterrupt as error:
        raise _stopped(plan.shot, tally, drained=drain.asked) from error
    finally:
        written = books.close(ended=ended)
    return written


def _stopped(shot: Shot, tally: Tally, *, drained: bool) -> Interrupted:
    return Interrupted(
        f"stopped with {tally.left} frames to do",
        where=shot.out,
        fix="the same command goes on from there",
        exit_code=143 if drained else 130,
    )


def _tell_unsafe(manifest: Manifest, frames: FrameRange, progress: Progress) -> None:
    """Say where the plate's pixels were no numbers, and where a matte leaves nothing, or all."""
    records = {n: manifest.frames[n] for n in frames if n in manifest.frames}
    for share, what in ((0.0, "leave nothing"), (1.0, "leave everything")):
        whole = FrameRange.of(
            n for n, record in records.items() if record.statistics.get("coverage") == share
        )
        if whole:
            progress.note(f"the mattes {what} of frames {whole.brief}")
    kinds = {record.device for record in records.values() if record.device}
    if len(kinds) > 1:
        told = (
            f"{kind}: {FrameRange.of(n for n, r in records.items() if r.device == kind).brief}"
            for kind in sorted(kinds)
        )
        progress.note(f"devices of several kinds, whose mattes differ a little: {'; '.join(told)}")
    counts = {n: record.statistics.get("non_finite", 0) for n, record in records.items()}
    wrong = FrameRange.of(number for number, count in counts.items() if count)
    if wrong:
        total = int(sum(counts.values()))
        progress.note(f"NaN or infinite in the plate, made safe: {total} pixels, frames {wrong}")


def _show(plan: Plan, manifest: Manifest, progress: Progress, seconds: float, alone: bool) -> None:
    """The report beside the result, in a small part of the run's time; it never fails the run.

    The last of several runs in a folder makes it. A farm's task, which is one of many that may
    come one by one, leaves it to `adamatte report`, unless it had the whole plate.
    """
    shot = plan.shot
    whole = not manifest.plate.frames.without(manifest.promised)
    if not shot.report or not alone or (shot.executor == "process" and not whole):
        return
    try:
        from plugin.report.build import build_report

        limit = max(_REPORT_AT_LEAST_S, _REPORT_SHARE * seconds)
        build_report(shot.out, thorough=False, seconds=limit)
    except Exception as error:  # the frames are done, whatever became of the report
        progress.note(f"no report: {error}")


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
