"""`submit`, `status`, `cancel`: a shot as a job of a Ray cluster.

The request travels as a file in the output folder, which the cluster sees under the same path; the
job is the ordinary command:

    adamatte run --job OUT/jobs/ID.toml --address auto --progress plain
"""

import secrets
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nuke_bridge.core.jobs_client import RayJobs
from plugin.driver.probe import anchored, probe_job
from plugin.errors import ClusterError, RequestError
from plugin.framerange import FrameRange
from plugin.progress.modes import Progress
from plugin.request.job_file import write_job
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import read_progress
from workers.jobs_api import jobs_url, refuse_open, require_token, told

_THAT_ID = "give the id that `adamatte submit` printed, and the address of that cluster"
_LIVE = frozenset({"PENDING", "RUNNING"})
_STOP_S = "30"
"""What Ray waits between SIGTERM and SIGKILL; 3 by itself, too short for frames in flight."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """How a job is getting on.

    Attributes:
        id: of the submission.
        state: PENDING, RUNNING, STOPPED, SUCCEEDED or FAILED.
        exit_code: of the command, once it has ended.
        shot: its name.
        frames: that were asked for.
        out: the output folder.
        message: Ray's own words.
        progress: of `progress.json`, where this machine sees the folder; empty elsewhere.
    """

    id: str
    state: str
    exit_code: int | None
    shot: str
    frames: str
    out: str
    message: str
    progress: dict[str, Any]


def connect(address: str | None) -> RayJobs:
    """The cluster's Jobs API.

    Raises:
        ShotError: no address.
        ClusterError: no token, or the cluster wants none.
    """
    url = jobs_url(address)
    token = require_token(url)
    refuse_open(url)
    return RayJobs(url, token)


@told()
def submit(shot: Shot, progress: Progress, *, program: str = "adamatte") -> str:
    """Hand a shot to a cluster.

    Args:
        shot: what to do; `address` is that of the Jobs API.
        progress: is told what a person should know.
        program: the command on the cluster's machines.

    Returns:
        The job's id.

    Raises:
        RequestError: what was asked for cannot be done; nothing was written.
        ClusterError: the cluster refuses, or works on these frames already.
        OutputError: the folder cannot be written.
    """
    client = connect(shot.address)
    shot = anchored(shot)
    _, _, frames = probe_job(shot, "alpha", progress, here=False)
    _refuse_twice(client, shot, frames)
    submission = f"adamatte-{shot.name.encode('ascii', 'ignore').decode()}-{secrets.token_hex(4)}"
    folder = shot.out / "jobs"
    OutputLayout.of(shot).prepare({"jobs"})
    spec = folder / f"{submission}.toml"
    write_job(spec, shot, without=("address",))
    words = [program, "run", "--job", str(spec), "--address", "auto", "--progress", "plain"]
    metadata = {"shot": shot.name, "out": str(shot.out), "frames": str(frames)}
    try:
        client.submit(
            submission,
            shlex.join(words),
            {"RAY_JOB_STOP_WAIT_TIME_S": _STOP_S, "ADAMATTE_JOB": submission},
            {"program": "adamatte", **metadata},
        )
    except BaseException:
        spec.unlink(missing_ok=True)
        raise
    return submission


@told()
def status(client: RayJobs, submission: str) -> JobStatus:
    """How a job is getting on.

    Raises:
        RequestError: the cluster knows no such job.
        ClusterError: it cannot be reached.
    """
    job = _known(client, submission)
    of_ours = _metadata(job)
    code = job.get("driver_exit_code")
    out = of_ours.get("out", "")
    return JobStatus(
        id=submission,
        state=str(job.get("status", "")),
        exit_code=code if isinstance(code, int) else None,
        shot=of_ours.get("shot", ""),
        frames=of_ours.get("frames", ""),
        out=out,
        message=" ".join(str(job.get("message") or "").split()),
        progress=read_progress(Path(out) / "progress.json") if out else {},
    )


@told()
def log_of(client: RayJobs, submission: str) -> str:
    """What the job has printed; raises as `status`."""
    _known(client, submission)
    return client.log(submission)


@told()
def cancel(client: RayJobs, submission: str) -> bool:
    """End a job: SIGTERM, and frames in flight may end. False where it had ended before.

    Raises:
        RequestError: the cluster knows no such job.
        ClusterError: it cannot be reached.
    """
    _known(client, submission)
    return client.stop(submission)


def _known(client: RayJobs, submission: str) -> dict[str, Any]:
    found = client.job(submission)
    if found is None:
        raise RequestError("the cluster knows no such job", where=submission, fix=_THAT_ID)
    return found


def _refuse_twice(client: RayJobs, shot: Shot, frames: FrameRange) -> None:
    """The folder's claims would stop the second job too, but only when its turn has come."""
    for job in client.jobs():
        known = _metadata(job)
        if job.get("status") not in _LIVE or known.get("out") != str(shot.out):
            continue
        shared = FrameRange.parse(known["frames"]).intersection(frames) if "frames" in known else ()
        if shared:
            raise ClusterError(
                f"job {job.get('submission_id')} works on frames {shared} of this folder",
                where=shot.out,
                fix="wait for it or cancel it, ask for other --frames, or take another --out",
            )


def _metadata(job: dict[str, Any]) -> dict[str, str]:
    told = job.get("metadata")
    return {str(key): str(value) for key, value in told.items()} if isinstance(told, dict) else {}
