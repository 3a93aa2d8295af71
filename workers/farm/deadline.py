"""Thinkbox Deadline: job info and plugin info for its CommandLine plugin.

`deadlinecommand deadline_job.info deadline_plugin.info` submits. Deadline puts a task's first and
last frame in the place of `<STARTFRAME>` and `<ENDFRAME>`, and a quotation mark for `<QUOTE>`.
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
    """`deadline_job.info` and `deadline_plugin.info`.

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
    words = [_FRAMES if word == _FRAMES else _quoted(word) for word in job.arguments(_FRAMES)]
    plugin = {
        "Executable": _safe(job.program),
        "Arguments": " ".join(words),
        "StartupDirectory": "",
        "Shell": "default",
        "ShellExecute": "False",
        "SingleFramesOnly": "False",
    }
    return {"deadline_job.info": _lines(info), "deadline_plugin.info": _lines(plugin)}


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
