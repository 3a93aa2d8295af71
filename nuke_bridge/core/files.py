"""Files of others: regular ones alone, read with a cap, never waited for; ours written whole."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
import struct
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Iterator

from .errors import BridgeError

_PIECE = 1 << 20
_HEADER = 1 << 20
_ENDLESS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def regular(path: Path) -> Iterator[IO[bytes]]:
    """A regular file, open; what is a pipe or a device is never waited for.

    Raises:
        OSError: it is missing, cannot be opened, or is of another kind.
    """
    handle = os.open(str(path), os.O_RDONLY | _ENDLESS)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        yield file


def read_json(path: Path, most: int) -> dict[str, Any] | None:
    """The JSON object of a file; None where there is no file.

    Raises:
        BridgeError: it cannot be read, is over `most` bytes, or holds no JSON object.
    """
    try:
        with regular(path) as file:
            content = file.read(most + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        what = f"cannot be read: {error.strerror}"
        raise BridgeError(what, path, "check its permissions") from error
    if len(content) > most:
        raise BridgeError("larger than it can be", path, "check that it is the file you mean")
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise BridgeError("not JSON", path, "move it away and run again") from error
    if not isinstance(found, dict):
        raise BridgeError("no JSON object", path, "move it away and run again")
    return found


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Replace a file in one step.

    Raises:
        BridgeError: the disk refuses.
    """
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=str(path.parent), prefix="." + path.name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, str(path))
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        what = f"cannot be written: {error.strerror}"
        raise BridgeError(what, path, "check the folder and the disk") from error


def sha256(path: Path) -> str:
    """Of a file's bytes; empty where it cannot be read."""
    summed = hashlib.sha256()
    try:
        with regular(path) as file:
            for piece in iter(lambda: file.read(_PIECE), b""):
                summed.update(piece)
    except OSError:
        return ""
    return summed.hexdigest()


class Files:
    """What files hold by now, each summed once.

    A file whose inode, size and times are those of when the program summed it is not read again.
    Times of contents alone, which anyone may set, would prove nothing; the kernel's time of any
    change goes with them.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}
        self._now: dict[str, str] = {}

    def know(self, path: str, summed: str, stamp: str) -> None:
        """What a file was in a certain state."""
        if stamp:
            self._known[path] = (stamp, summed)

    def now(self, path: str) -> str:
        """sha256 of a file; empty where there is none that can be read."""
        if path not in self._now:
            stamp, summed = self._known.get(path, ("", ""))
            same = bool(stamp) and _stamp(path) == stamp
            self._now[path] = summed if same else sha256(Path(path))
        return self._now[path]


class NoFiles(Files):
    """Files that are not looked at: of none is it known that it is another."""

    def now(self, path: str) -> str:  # noqa: ARG002  as `Files`
        """Nothing."""
        return ""


def _stamp(path: str) -> str:
    """A file's state, as the program writes it; empty without a file."""
    try:
        with regular(Path(path)) as file:
            status = os.fstat(file.fileno())
    except OSError:
        return ""
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return "{}-{}-{}-{}".format(status.st_ino, status.st_size, *times)


def told_by(path: Path) -> dict[str, str] | None:
    """What an alpha's header says of its recipe and digest; None where there is no file.

    Its pixels are not looked at: that is `adamatte verify`'s.
    """
    try:
        with regular(path) as file:
            start = file.read(_HEADER)
    except OSError:
        return None
    found = {}
    for name in ("recipe", "digest"):
        mark = f"adamatte/{name}".encode("ascii") + b"\0string\0"
        place = start.find(mark) + len(mark)
        if place >= len(mark):
            length = struct.unpack("<i", start[place : place + 4].ljust(4, b"\0"))[0]
            text = start[place + 4 : place + 4 + max(0, min(length, 256))]
            found[name] = text.decode("ascii", "replace")
    return found
