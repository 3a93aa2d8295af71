"""A short lock on an output folder, for reading, merging and replacing the manifest.

The kernel gives it back when its holder dies, so that no lock is ever stale.
"""

import errno
import fcntl
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from plugin.disk.atomic import disk_refuses, output_error
from plugin.errors import OutputError

LOCK_NAME = ".manifest.lock"

_NOT_HERE = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
"""What file systems answer that know no flock."""

_PATIENCE = 120.0
"""Seconds: a farm may suspend a process that holds the lock, but then someone should know."""

_PAUSE = 0.02


@contextmanager
def folder_lock(folder: Path, *, patience: float = _PATIENCE) -> Iterator[None]:
    """Hold the folder's lock; not reentrant, excludes other threads as well as other processes.

    On a file system without locks it holds nothing: one writer is safe there, of several the
    manifest may miss a record, which the next run finds again from the frame's own file.

    Args:
        folder: the output folder.
        patience: seconds to wait for another holder.

    Raises:
        OutputError: the folder cannot be written, or the lock is not to be had; the error names
            its holder.
    """
    path = folder / LOCK_NAME
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    with disk_refuses(path):
        handle = os.open(path, flags, 0o666)
    try:
        _acquire(handle, path, patience)
        yield
    finally:
        os.close(handle)


def _acquire(handle: int, path: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _NOT_HERE:
                return
            if error.errno not in (errno.EWOULDBLOCK, errno.EINTR):
                raise output_error(error, path) from error
        else:
            break
        if time.monotonic() >= deadline:
            raise _in_use(handle, path)
        time.sleep(_PAUSE)
    with suppress(OSError):  # for the error message of others; the lock does not need it
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)


def _in_use(handle: int, path: Path) -> OutputError:
    holder = "another process"
    with suppress(OSError):
        holder = os.pread(handle, 200, 0).decode(errors="replace") or holder
    return OutputError(
        f"the manifest is held by {holder}",
        where=path,
        fix="end or resume that process, then run the same command again",
    )
