"""How often each file of a folder is opened, by whatever library: the kernel says it (inotify)."""

from __future__ import annotations

import ctypes
import os
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_IN_OPEN, _IN_CLOSE = 0x20, 0x18
"""Closes are watched too: the kernel makes one of two alike in a row."""

_EVENT = struct.Struct("iIII")


@contextmanager
def opens_in(folder: Path) -> Iterator[Counter[str]]:
    """Count the opens of the folder's files by name, and of itself as `.`, until the block ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    found: Counter[str] = Counter()
    try:
        if libc.inotify_add_watch(handle, os.fsencode(folder), _IN_OPEN | _IN_CLOSE) < 0:
            raise OSError(ctypes.get_errno(), "no watch", str(folder))
        yield found
        found.update(_names(handle))
    finally:
        os.close(handle)


def _names(handle: int) -> Iterator[str]:
    while True:
        try:
            events = os.read(handle, 1 << 16)
        except BlockingIOError:
            return
        place = 0
        while place < len(events):
            _, kind, _, length = _EVENT.unpack_from(events, place)
            place += _EVENT.size
            if kind & _IN_OPEN:
                yield os.fsdecode(events[place : place + length].rstrip(b"\0")) or "."
            place += length
