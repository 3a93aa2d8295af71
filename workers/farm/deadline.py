"""Thinkbox Deadline: job info and plugin info for its CommandLine plugin.

`deadlinecommand deadline_job.info deadline_plugin.info` submits. Deadline puts a task's first and
last frame in the place of `<STARTFRAME>` and `<ENDFRAME>`, and a quotation mark for `<QUOTE>`.

Where a pass must come first there are two jobs, and `deadlinecommand -SubmitMultipleJobs -Dependent
-Job deadline_track_job.info deadline_track_plugin.info -Job deadline_job.info deadline_plugin.info`
makes the second wait for the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plugin.errors import ShotError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workers.farm.job import FarmJob

_FRAMES = "<STARTFRAME>-<ENDFRAME>"
_MATTER = ('"', "<", ">", "\n", "\r")
"""What Deadline would read as quotation, token or another line, wherever it stands."""


def files(job: FarmJob) -> dict[str, str]:
    """`deadline_job.info` and `deadline_plugin.info`; both for a pass that comes first, too.

    Raises:
        ShotError: a path holds what Deadline cannot be told.
    """
    out = _safe(str(job.shot.out))
    info = {
        "Plugin": "CommandLine",
        "Name": job.title,
        "Comment": "safe to run twice and in any order",
        "Frames": str(job.frames),
        "ChunkSize": str(job.chunk),
        "OutputDirectory0": f"{out}/alpha",
        "OutputFilename0": f"{job.shot.name}_alpha.####.exr",
        "OnTaskTimeout": "Error",
        "MachineLimit": "0",
    }
    made = {"deadline_job.info": _lines(info), "deadline_plugin.info": _plugin(job, _FRAMES)}
    if job.in_order:
        first = {**info, "Name": f"{job.title} track", "Frames": str(job.frames.first)}
        made["deadline_track_job.info"] = _lines(first)
        made["deadline_track_plugin.info"] = _plugin(job, job.first_frames)
    return made


def _plugin(job: FarmJob, frames: str) -> str:
    words = [_FRAMES if word == _FRAMES else _quoted(word) for word in job.arguments(frames)]
    return _lines(
        {
            "Executable": _safe(job.program),
            "Arguments": " ".join(words),
            "StartupDirectory": "",
            "Shell": "default",
            "ShellExecute": "False",
            "SingleFramesOnly": "False",
        }
    )


def _lines(fields: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in fields.items())


def _quoted(word: str) -> str:
    plain = all(c.isalnum() or c in "-_./:," for c in word)
    return _safe(word) if plain else f"<QUOTE>{_safe(word)}<QUOTE>"


def _safe(text: str) -> str:
    if any(mark in text for mark in _MATTER):
        raise ShotError(
            "Deadline cannot be told a path with quotation marks, < or >, or line breaks",
            where=text,
            fix="rename that folder, or take another --out",
        )
    return text
