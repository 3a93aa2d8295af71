"""What all farms have in common: a job file, a frame range, and the command of one task.

A task is the ordinary command on some of the frames. It may run twice, in any order, beside others
and on any machine that sees the files: who is first does a frame, who comes later finds it done.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from plugin.driver.probe import anchored, settle
from plugin.errors import OutputError
from plugin.framerange import FrameRange
from plugin.progress.modes import Progress
from plugin.request.job_writing import write_job
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout

__all__ = ["FARMS", "FarmJob", "FarmName", "plan_farm_job", "write_farm_job"]

FarmName = Literal["openjd", "deadline", "opencue"]
FARMS: tuple[str, ...] = get_args(FarmName)

JOB_FILE = "adamatte.toml"
"""In the output folder: the whole request."""

CHUNK = 16
"""Frames a task, unless asked otherwise. A task spends some seconds before its first frame."""


@dataclass(frozen=True, slots=True)
class FarmJob:
    """A shot as a farm needs to know it.

    Attributes:
        shot: with absolute paths.
        frames: all that are to be done.
        chunk: frames a task; 1 where the frames have gaps, for a task is told its first and last.
        program: the `adamatte` that tasks call, as machines of the farm find it.
        in_order: a pass through the whole shot comes first, such as tracking: it is a task of its
            own, and the others wait for it.
    """

    shot: Shot
    frames: FrameRange
    chunk: int
    program: str
    in_order: bool

    @property
    def title(self) -> str:
        """How the farm lists it."""
        return f"AdaMatte {self.shot.name}"

    @property
    def job_file(self) -> Path:
        """The request, for `adamatte run --job`."""
        return self.shot.out / JOB_FILE

    def arguments(self, frames: str, *, progress: str = "plain") -> list[str]:
        """What follows the program's name.

        Args:
            frames: the farm's own token for the frames of a task.
            progress: how the task reports.
        """
        return ["run", "--job", str(self.job_file), "--frames", frames, "--progress", progress]


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
    plan, _, frames = settle(shot, "alpha", progress, here=False)
    runs_here = shot.workers <= 1
    whole = len(frames) == frames.last - frames.first + 1
    return FarmJob(
        shot=shot.model_copy(
            update={"frames": str(frames), "executor": "process" if runs_here else "ray"}
        ),
        frames=frames,
        chunk=(shot.chunk or CHUNK) if whole else 1,
        program=program or str(Path(sys.executable).with_name("adamatte")),
        in_order=plan.segment is not None and plan.segment.method == "track",
    )


def write_farm_job(farm: FarmName, job: FarmJob) -> list[Path]:
    """Write the job file and the farm's own files into the output folder.

    Returns:
        The files, the one to submit first.

    Raises:
        OutputError: the folder cannot be written.
    """
    from plugin.disk.atomic import output_error, write_whole
    from workers.farm import deadline, opencue, openjd

    formats: Mapping[FarmName, Callable[[FarmJob], dict[str, str]]] = {
        "openjd": openjd.files,
        "deadline": deadline.files,
        "opencue": opencue.files,
    }
    OutputLayout.of(job.shot).prepare(())
    write_job(job.job_file, job.shot, without=("chunk", "address"))
    written = []
    for name, text in formats[farm](job).items():
        path = job.shot.out / name
        try:
            write_whole(path, text.encode())
        except UnicodeEncodeError as error:
            raise output_error(OSError(22, "a name is not UTF-8"), path) from error
        written.append(path)
    if not written:
        raise OutputError("nothing to write", where=job.shot.out, fix="report it")
    return [*written, job.job_file]
