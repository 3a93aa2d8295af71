"""Files of others: opened once, never waited for, and summed in the very bytes that are decoded.

    path ─► one open: a regular file, of a size that can be ─► bytes ─► sha256 and pixels

Between two looks at a path another file may stand there. So a file is copied into the memory of
the process, summed on the way, and what is decoded is that copy; a library that wants a name gets
the copy's. A video is too long for that: it is opened once, and its state is compared.

What is read for one frame is kept in a ledger, by path. A path that stands for two contents within
one ledger is an error of that frame, so that a sum that was taken for a recipe and the pixels that
follow are of one file.
"""

import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from plugin.errors import FrameError

LARGEST = 5 << 30
"""Most bytes of a picture: those of the most pixels, four channels of float, uncompressed."""

_PIECE = 1 << 20
_ZEROS = bytes(_PIECE)

YOUNG_NS = 2_000_000_000
"""A file that was changed within this of being summed may change again and keep its times."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What a file held when it was looked at.

    Attributes:
        sha256: of its bytes.
        stamp: its inode, size and times as the kernel keeps them: while they are the same, so are
            its bytes. Empty where it was changed just before, and they prove nothing.
    """

    sha256: str
    stamp: str = ""


Ledger = dict[str, Sum]
"""What was read, by path."""

_LEDGER: ContextVar[Ledger | None] = ContextVar("ledger", default=None)

_KEPT: ContextVar[dict[str, tuple[int, Sum]] | None] = ContextVar("kept", default=None)
"""Copies of files that were summed and not decoded yet, by path."""


@dataclass(frozen=True, slots=True)
class Held:
    """A file's bytes in memory.

    Attributes:
        place: a name under which this process may open them, as often as it likes.
        sum: of these very bytes.
    """

    place: Path
    sum: Sum


@contextmanager
def ledger(*, keep: bool = False) -> Iterator[Ledger]:
    """Keep account of what this thread reads until the end of the block.

    Args:
        keep: a picture that is summed will be decoded soon: its bytes are kept until it is, so that
            it is opened once.
    """
    book: Ledger = {}
    kept: dict[str, tuple[int, Sum]] = {}
    before, kept_before = _LEDGER.set(book), _KEPT.set(kept if keep else None)
    try:
        yield book
    finally:
        _LEDGER.reset(before)
        _KEPT.reset(kept_before)
        for memory, _ in kept.values():
            os.close(memory)


def note(path: Path | str, found: Sum) -> None:
    """Enter what was found at a path into the ledger that is open, if one is.

    Raises:
        FrameError: the path stood for other bytes before.
    """
    book = _LEDGER.get()
    if book is None:
        return
    if book.setdefault(str(path), found).sha256 != found.sha256:
        raise FrameError(
            "it changed while the frame was worked on", where=path, fix="run the same command again"
        )


@contextmanager
def regular(path: Path, most: int = LARGEST) -> Iterator[int]:
    """A file descriptor of a regular file; what is a pipe or a device is never waited for.

    Args:
        path: the file.
        most: bytes beyond which it is refused, before they are read.

    Raises:
        OSError: it is missing, cannot be opened, is larger (`EFBIG`), or is no regular file
            (`EINVAL`). What that means is the caller's to say.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        if status.st_size > most:
            raise OSError(errno.EFBIG, f"larger than {most >> 20} MB", str(path))
        yield handle
    finally:
        os.close(handle)


def place_of(handle: int) -> Path:
    """A name for what a descriptor holds, for this process alone."""
    return Path(f"/proc/self/fd/{handle}")


def read_whole(path: Path, most: int) -> bytes:
    """The bytes of a regular file.

    Args:
        path: the file.
        most: bytes beyond which it is refused, before they are read.

    Raises:
        OSError: as `regular`.
    """
    with regular(path, most) as handle, open(handle, "rb", closefd=False) as file:
        # Never `most`: Python would make room for all of it.
        return file.read(os.fstat(handle).st_size)


@contextmanager
def held(path: Path, most: int = LARGEST) -> Iterator[Held]:
    """A file's bytes in memory, summed, whatever becomes of the file.

    Raises:
        OSError: as `regular`.
        FrameError: the ledger has it with other bytes.
    """
    kept = _KEPT.get() or {}
    memory, found = kept.pop(str(path)) if str(path) in kept else _copied(path, most)
    try:
        note(path, found)
        yield Held(place_of(memory), found)
    finally:
        os.close(memory)


def _copied(path: Path, most: int) -> tuple[int, Sum]:
    with regular(path, most) as handle:
        memory = os.memfd_create("input", os.MFD_CLOEXEC)
        try:
            return memory, _summed(handle, into=memory)
        except BaseException:
            os.close(memory)
            raise


def sum_of(path: Path, most: int = 1 << 62) -> Sum:
    """sha256 of a file's bytes, and the state in which it was.

    Raises:
        OSError: as `regular`.
        FrameError: the ledger has it with other bytes.
    """
    with regular(path, most) as handle:
        found = _summed(handle)
    note(path, found)
    return found


def sum_to_decode(path: Path) -> Sum:
    """`sum_of` a picture; where the ledger keeps them, its bytes are those of the next `held`."""
    kept = _KEPT.get()
    if kept is None:
        return sum_of(path, LARGEST)
    if str(path) not in kept:
        memory, found = _copied(path, LARGEST)
        kept[str(path)] = memory, found
        note(path, found)
    return kept[str(path)][1]


def sum_now(path: Path, known: Sum) -> str | None:
    """The sha256 of what stands at a path by now; None where there is no file to be read.

    Args:
        path: the file.
        known: of an earlier look; if the file's state is that one still, it is not read again.
    """
    with suppress(OSError), regular(path, 1 << 62) as handle:
        if known.stamp and stamp(os.fstat(handle)) == known.stamp:
            return known.sha256
        return _summed(handle).sha256
    return None


def stamp_of(handle: int) -> str:
    """The state of an open file, as `Sum.stamp` but however young: to compare within a process."""
    return stamp(os.fstat(handle))


def stamp(status: os.stat_result) -> str:
    """The state of a file: what is the same only while its bytes are."""
    # Not the device: a share has another number on every machine.
    return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"


def _summed(handle: int, into: int | None = None) -> Sum:
    """Sum an open file from its start, and copy it."""
    before = os.fstat(handle)
    digest = hashlib.sha256()
    os.lseek(handle, 0, os.SEEK_SET)
    while piece := os.read(handle, _PIECE):
        digest.update(piece)
        if into is not None:
            _append(into, piece)
    state = stamp(before)
    if before.st_ctime_ns > time.time_ns() - YOUNG_NS or stamp(os.fstat(handle)) != state:
        state = ""
    return Sum(digest.hexdigest(), state)


def _append(handle: int, piece: bytes) -> None:
    """Write at the end; zeros take no memory, so that a file of holes takes none either."""
    if piece == _ZEROS[: len(piece)]:
        os.ftruncate(handle, os.lseek(handle, len(piece), os.SEEK_CUR))
        return
    view = memoryview(piece)
    while view:
        view = view[os.write(handle, view) :]
