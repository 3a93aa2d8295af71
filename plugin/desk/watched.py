"""`Watched`: the files that a shot is made of, looked at for being others by now."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from plugin.errors import AdaMatteError
from plugin.framerange import FrameRange
from plugin.pattern import FramePattern
from plugin.request.shot import Shot

_FIELDS = ("plate", "mask", "clean_plate", "trimap", "holdout", "garbage", "segment_model", "model")

State = Mapping[str, tuple[int, int, int]]
"""Inode, size and time of each file that is there, by path."""


class Watched:
    """The files of one request. For any thread.

    Args:
        shot: with absolute paths.
        frames: of the plate; of sequences those frames' files count.
    """

    def __init__(self, shot: Shot, frames: FrameRange) -> None:
        self._shot, self._frames = shot, frames
        self._state = {field: self._of(field) for field in (*_FIELDS, "keyframe")}

    def changed(self) -> frozenset[str]:
        """The options whose files are others than when it was last asked, or than at first."""
        now = {field: self._of(field) for field in self._state}
        others = frozenset(field for field, state in now.items() if state != self._state[field])
        self._state = now
        return others

    def _of(self, field: str) -> State:
        if field == "keyframe":
            return _states(self._shot.keyframes.values())
        text = getattr(self._shot, field)
        if not text or not Path(text).is_absolute():  # a network's name
            return {}
        pattern = None
        with suppress(AdaMatteError):
            pattern = FramePattern.of(text)
        if pattern is None:
            return _states([text])
        wanted = {pattern.name(number) for number in self._frames}
        found = {}
        with suppress(OSError), os.scandir(pattern.folder) as entries:
            for entry in entries:
                if entry.name in wanted:
                    status = entry.stat()
                    found[entry.name] = status.st_ino, status.st_size, status.st_mtime_ns
        return found


def _states(files: Iterable[str]) -> State:
    found = {}
    for file in files:
        with suppress(OSError):
            status = Path(file).stat()
            found[file] = status.st_ino, status.st_size, status.st_mtime_ns
    return found
