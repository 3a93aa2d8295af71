"""OpenCue: an outline script for pyoutline.

`python opencue_outline.py` launches the job on the cuebot that the environment names. The frames of
a task stand in for `#FRAME_START#` and `#FRAME_END#`. A render host gives the command to a shell,
so every word of it is quoted here, once and for all.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from plugin.errors import ShotError

if TYPE_CHECKING:
    from workers.farm.job import FarmJob

_FRAMES = "#FRAME_START#-#FRAME_END#"
_TOKEN = re.compile(r"#[A-Z_]+#")

_SCRIPT = '''\
"""Made by `adamatte farm opencue`: launches the shot on OpenCue. Safe to run twice."""

import outline
import outline.cuerun
from outline.modules.shell import Shell


def build():
    job = outline.Outline({name!r})
{layers}    return job


if __name__ == "__main__":
    # Without pycuerun: each task runs its command as it stands, once for all its frames.
    outline.cuerun.launch(build(), use_pycuerun=False)
'''

_TRACK = """\
    track = Shell("track", command={command!r}, range={range!r}, chunk=1{more})
    job.add_layer(track)
"""
_MATTE = """\
    matte = Shell("matte", command={command!r}, range={range!r}, chunk={chunk}{more})
    job.add_layer(matte)
"""
_AFTER = "    matte.depend_all(track)\n"


def files(job: FarmJob) -> dict[str, str]:
    """`opencue_outline.py`.

    Raises:
        ShotError: a path holds what OpenCue takes for a token.
    """
    more = ", gpus=1" if job.shot.device == "cuda" else ""
    layers = _MATTE.format(
        command=_command(job, _FRAMES), range=str(job.frames), chunk=job.chunk, more=more
    )
    if job.in_order:
        first = str(job.frames.first)
        command = _command(job, job.first_frames)
        track = _TRACK.format(command=command, range=first, more=more)
        layers = track + layers + _AFTER
    name = re.sub(r"[^A-Za-z0-9_]", "_", job.shot.name)
    return {"opencue_outline.py": _SCRIPT.format(name=f"adamatte_{name}", layers=layers)}


def _command(job: FarmJob, frames: str) -> list[str]:
    words = []
    for word in [job.program, *job.arguments(frames)]:
        if word != _FRAMES and _TOKEN.search(word):
            fix = "rename that folder, or take another --out"
            raise ShotError("OpenCue would take this for one of its tokens", where=word, fix=fix)
        words.append(word if word == _FRAMES else shlex.quote(word))
    return words
