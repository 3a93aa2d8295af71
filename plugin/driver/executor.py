"""Where frames are computed: beside each other under Ray, or here where that is sooner."""

from collections.abc import Callable

from plugin.driver.plan import Plan
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest, load
from plugin.types import Executor

_RAY_S = 12.0
"""Seconds that a private Ray takes to start and to end; a machine of two cores took 12 to 19."""

_FRAME_S, _PIXEL_S = 0.2, 1e-6
"""Seconds of a frame, and of each of its pixels, on one core; a likely figure is enough here."""

_SHARE = {"mask": 0.1, "trimap": 0.2}
"""Of that, what stops before the network takes."""

_PROVED_S = 0.05
"""Of a frame that is there already."""


def choose_executor(
    plan: Plan,
    frames: FrameRange,
    pixels: int,
    head: Manifest,
    say: Callable[[str], None] = lambda _: None,
) -> Executor:
    """The executor that a shot asks for; for `auto`, whichever ends sooner.

    Args:
        plan: the job.
        frames: all that were asked for.
        pixels: of a frame.
        head: this run's manifest, no frame in it yet.
        say: is told what a person should know while it runs.
    """
    if plan.shot.executor == "process":
        return _here(say)
    from workers.cluster import plan_cluster
    from workers.ray_executor import RayExecutor

    cluster = plan_cluster(plan.shot, plan.device, len(frames), pixels)
    if plan.shot.executor == "auto" and _is_little(plan, frames, pixels, head, cluster.workers):
        return _here(say)
    return RayExecutor(cluster, retries=plan.shot.retries, say=say)


def refuse_share(shot: Shot, gpus: int) -> None:
    """Refuse a share of GPUs that no worker of this machine will ever be given.

    Raises:
        ShotError: `--gpus-per-worker` is more than there is, or one and a part.
    """
    from workers import shares

    if shot.gpus_per_worker is not None and shot.executor != "process":
        shares.refuse_share(shot.gpus_per_worker, gpus)


def lacking(layout: OutputLayout, frames: FrameRange, head: Manifest) -> FrameRange:
    """The frames that are likely to be computed: not there, or last made by another request.

    It is a look at names and at the manifest; what is there is proved by who computes it.
    """
    try:
        before = load(layout.manifest)
    except Exception:  # none, or a damaged one, of which others will speak
        return frames
    key, there = head.request.key, layout.pattern("alpha").scan()
    made = {n for n, record in before.frames.items() if record.request == key and record.digest}
    return frames.without(there.intersection(FrameRange.of(made)))


def _is_little(plan: Plan, frames: FrameRange, pixels: int, head: Manifest, workers: int) -> bool:
    """Whether Ray would cost more than its workers save."""
    if plan.shot.address is not None:
        return False
    layout = OutputLayout.of(plan.shot)
    wanted = frames if plan.shot.force else lacking(layout, frames, head)
    done = len(frames) - len(wanted)
    matted = wanted if plan.stabilise is None or not wanted else plan.stabilise.reach(wanted)
    share = _SHARE.get(plan.goal, 1.0)
    seconds = len(matted) * (_FRAME_S + _PIXEL_S * pixels) * share + done * _PROVED_S
    saved = 1 - 1 / max(2, workers)
    return seconds * saved < _RAY_S


def _here(say: Callable[[str], None]) -> Executor:
    from workers.in_process import InProcessExecutor

    return InProcessExecutor(settled=True, say=say)
