"""What all farms have in common: a job file, a frame range, and the command of one task.

A task is the ordinary command on some of the frames. It may run twice, in any order, beside others
and on any machine that sees the files: who is first does a frame, who comes later finds it done.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

from plugin.disk.atomic import write_whole
from plugin.driver.probe import anchored, probed
from plugin.plates import KnownCanvas
from plugin.progress.modes import Progress
from plugin.request.job_file import write_job
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.segmentation import in_order
from workers.farm import deadline, opencue, openjd
from workers.farm.job import FarmJob

FarmName = Literal["openjd", "deadline", "opencue"]
FARMS: tuple[str, ...] = get_args(FarmName)

CHUNK = 16
"""Frames a task, unless asked otherwise. A task spends some seconds before its first frame."""


def plan_farm_job(shot: Shot, progress: Progress, program: str | None = None) -> FarmJob:
    """Probe the whole request, as `run` does before its first frame.

    Args:
        shot: what to do. `workers` is how many a task uses: with one, or as many as there are, a
            task is a single process without Ray.
        progress: is told what a person should know.
        program: path or name of `adamatte` on the farm; by default where it lies here.

    Raises:
        RequestError: what was asked for cannot be done; nothing was written.
    """
    shot = anchored(shot)
    with probed(shot, "alpha", progress, here=False) as (plan, plate, frames):
        canvas = KnownCanvas.of(plate, plan.canvas)
    runs_here = shot.workers <= 1
    whole = len(frames) == frames.last - frames.first + 1
    return FarmJob(
        shot=shot.model_copy(
            update={"frames": frames, "executor": "process" if runs_here else "ray"}
        ),
        frames=frames,
        chunk=(shot.chunk or CHUNK) if whole else 1,
        program=program or str(Path(sys.executable).with_name("adamatte")),
        in_order=plan.segment is not None and in_order(plan.segment),
        canvas=canvas,
    )


def write_farm_job(farm: FarmName, job: FarmJob) -> list[Path]:
    """Write the job file and the farm's own files into the output folder.

    Returns:
        The files, the one to submit first.

    Raises:
        OutputError: the folder cannot be written.
    """
    formats: Mapping[FarmName, Callable[[FarmJob], dict[str, str]]] = {
        "openjd": openjd.files,
        "deadline": deadline.files,
        "opencue": opencue.files,
    }
    OutputLayout.of(job.shot).prepare(())
    if job.canvas is not None:
        write_whole(OutputLayout.of(job.shot).canvas, job.canvas.model_dump_json().encode())
    write_job(job.job_file, job.shot, without=("chunk", "address"))
    written = []
    for name, text in formats[farm](job).items():
        path = job.shot.out / name
        write_whole(path, text.encode())
        written.append(path)
    return [*written, job.job_file]
