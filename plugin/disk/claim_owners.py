"""Whose a claim is, and whether its owner lives: what `claims` asks of another's file."""

import errno
import fcntl
import getpass
import os
import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from plugin.disk.atomic import host_tag, process_start
from plugin.disk.inputs import read_whole
from plugin.errors import FrameRangeError
from plugin.framerange import FrameRange

_MOST_BYTES = 16 << 20
_BEAT = re.compile(rb'"beat": "(\d{12})"')


class ClaimRecord(BaseModel):
    """What stands in a claim.

    Attributes:
        beat: twelve digits that its owner counts up; the first field, so that it can be written
            over in place.
        frames: that are claimed.
        user: whose run it is.
        machine: where it runs, for people.
        host: the same for programs: tells machines and containers apart.
        process: its number there.
        start: when that process was started, as its kernel counts it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    beat: str = "0" * 12
    frames: FrameRange
    user: str
    machine: str
    host: str
    process: int
    start: str

    @classmethod
    def ours(cls, frames: FrameRange) -> Self:
        """The record of this process."""
        pid = os.getpid()
        return cls(
            frames=frames,
            user=_user(),
            machine=socket.gethostname(),
            host=host_tag(),
            process=pid,
            start=process_start(pid),
        )

    def __str__(self) -> str:
        return f"{self.user}, process {self.process} on {self.machine}"


@dataclass(slots=True)
class OtherClaim:
    """Somebody else's claim, and whether its owner is known to live or to be dead; else in doubt.

    A record that cannot be read claims everything for as long as its lock is held.
    """

    path: Path
    record: ClaimRecord | None
    alive: bool = False
    dead: bool = False
    beat: bytes = b""

    @classmethod
    def of(cls, path: Path) -> Self:
        """Look at a claim's file, its lock and its process."""
        data = b""
        with suppress(OSError):
            data = read_whole(path, _MOST_BYTES)
        record = None
        with suppress(ValidationError, FrameRangeError):
            record = ClaimRecord.model_validate_json(data)
        one = cls(path, record, beat=_beat_of(data))
        lock = _lock_of(path)
        if record is None or lock in ("gone", "held"):
            one.alive = lock == "held"
            one.dead = not one.alive  # it went while we looked, or died while it wrote
        elif record.host == host_tag():
            # On one machine locks always reach: a free one is that of a run that is over.
            one.alive = lock == "unknown" and process_start(record.process) == record.start
            one.dead = not one.alive
        return one

    def wants(self, frames: FrameRange) -> FrameRange:
        """Which of these frames it claims."""
        if self.record is None:
            return frames
        return self.record.frames.intersection(frames)

    def moved(self) -> bool:
        """Whether its owner has counted on since."""
        with suppress(OSError):
            return _beat_of(read_whole(self.path, _MOST_BYTES)) != self.beat
        return False


def _lock_of(path: Path) -> Literal["held", "free", "unknown", "gone"]:
    """How the file's lock stands; unknown where the file system has none."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return "gone"
    except OSError:
        return "held"  # not ours to open, then not ours to call dead
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return "held" if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else "unknown"
    else:
        return "free"
    finally:
        os.close(handle)


def _beat_of(data: bytes) -> bytes:
    found = _BEAT.search(data[:64])
    return found[1] if found else b""


def _user() -> str:
    with suppress(OSError, KeyError, ImportError):
        return getpass.getuser()
    return f"user {os.getuid()}"
