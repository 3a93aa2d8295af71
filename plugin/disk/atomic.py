"""Writing files so that a name means it is whole.

    bytes ─► temporary beside ─► fsync ─► check (decode back) ─► rename ─► fsync of the folder

Whoever is killed on the way leaves a temporary, never a half-written final file. The next run
sweeps such orphans; whether their writer is dead is asked of the kernel, and no clock is compared.
"""

import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from plugin.errors import OutputError

_TEMPORARY = re.compile(
    r"\..+\.(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-(?P<start>\d+)-[0-9a-f]{12}\.tmp", re.DOTALL
)
_KEPT_OF_NAME = 120
"""Bytes of the final name that a temporary's repeats: file names end at 255."""

_NOT_OVER_FOLDERS = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}
"""What file systems answer that cannot fsync a folder."""

_AGAIN = "and run the same command again: frames that are done are kept"
_REASONS = {
    errno.ENOSPC: ("the disk is full", f"free some space {_AGAIN}"),
    errno.EDQUOT: ("the disk quota is used up", f"free some space {_AGAIN}"),
    errno.EROFS: ("the folder is read-only", f"mount it writable, or take another --out, {_AGAIN}"),
    errno.EACCES: ("no permission to write", f"get write permission there {_AGAIN}"),
    errno.EPERM: ("no permission to write", f"get write permission there {_AGAIN}"),
    errno.EFBIG: ("larger than a file may be here", f"raise the limit (ulimit -f) {_AGAIN}"),
    errno.ENAMETOOLONG: ("the file name is too long", "choose a shorter --shot"),
    errno.ENOENT: ("the folder is gone", f"find out what removed it {_AGAIN}"),
    errno.ENOTDIR: ("a file stands where a folder should be", f"move it away {_AGAIN}"),
    errno.EEXIST: ("a file stands where a folder should be", f"move it away {_AGAIN}"),
    errno.EISDIR: ("a folder stands where a file should be", f"move it away {_AGAIN}"),
}


def output_error(error: OSError, path: Path) -> OutputError:
    """The refusal of the operating system as the contract words it."""
    fallback = (
        f"cannot be written: {error.strerror or error}",
        f"look at the disk or the share {_AGAIN}",
    )
    what, fix = _REASONS.get(error.errno or 0, fallback)
    return OutputError(what, where=path, fix=fix)


@contextmanager
def disk_refuses(path: Path) -> Iterator[None]:
    """Around what is done on a disk: the system's refusals are told as `OutputError`s of `path`."""
    try:
        yield
    except OSError as error:
        raise output_error(error, path) from error


def made(folder: Path) -> Path:
    """The folder, made with those above it where it is missing.

    Raises:
        OutputError: it cannot be.
    """
    with disk_refuses(folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def refuse_escape(path: Path, root: Path) -> None:
    """Refuse a path that symbolic links lead out of `root`. The root itself may be a link.

    Raises:
        OutputError: if it leaves the root, or its links never end.
    """
    fix = "replace the symbolic link by a real folder or file"
    try:
        inside = path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:
        raise OutputError("its symbolic links never end", where=path, fix=fix) from error
    if not inside:
        raise OutputError("a symbolic link leads out of the output folder", where=path, fix=fix)


def write_whole(
    path: Path,
    data: bytes,
    *,
    check: Callable[[Path], None] | None = None,
    root: Path | None = None,
    durable: bool = True,
) -> None:
    """Put `data` under the name `path`, all of it or nothing.

    Args:
        path: the final name; its folder exists.
        data: the file's contents.
        check: called with the temporary before the rename; what it raises stops the write.
        root: the folder that no symbolic link may lead out of; by default the file's own.
        durable: survives a loss of power. Without it, only a kill; for what is soon replaced.

    Raises:
        OutputError: the disk is full or read-only, permission is missing, …. The temporary is
            gone and a file that had the name is as it was.
    """
    refuse_escape(path, root or path.parent)
    temporary = path.with_name(temporary_name(path.name))
    try:
        with disk_refuses(path):
            _write(temporary, data, durable=durable)
            if check is not None:
                check(temporary)
            temporary.replace(path)
            if durable:
                _sync_folder(path.parent)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def is_temporary(name: str) -> bool:
    """Whether a file of that name is one of ours, on its way or left by a dead process."""
    return _TEMPORARY.fullmatch(name) is not None


def sweep_orphans(folder: Path, *, alone: bool = False) -> int:
    """Remove the temporaries of dead processes.

    A temporary names its host (and container), its process and when that was started, as the kernel
    counts it; it is removed if that very process no longer is. What another host wrote stays,
    unless the caller is alone.

    Args:
        folder: where to look; a missing folder has no orphans.
        alone: the caller holds the folder for itself, so that no live writer can be elsewhere.

    Returns:
        How many were removed.
    """
    removed = 0
    try:
        entries = list(folder.iterdir())
    except OSError:
        return 0
    for entry in entries:
        name = _TEMPORARY.fullmatch(entry.name)
        if name is None or not _is_orphan(name, alone=alone):
            continue
        with suppress(OSError):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
            removed += 1
    return removed


def _is_orphan(name: re.Match[str], *, alone: bool) -> bool:
    if name["host"] != host_tag():
        return alone
    return process_start(int(name["pid"])) != name["start"]


def temporary_name(name: str) -> str:
    """A name beside `name` that `sweep_orphans` removes once this process is dead."""
    kept = name.encode()[:_KEPT_OF_NAME].decode(errors="ignore")
    pid = os.getpid()
    return f".{kept}.{host_tag()}-{pid}-{process_start(pid)}-{secrets.token_hex(6)}.tmp"


@cache
def host_tag() -> str:
    """Eight hex digits for this machine and its space of process numbers: containers differ."""
    machine = Path("/etc/machine-id")
    parts = [socket.gethostname(), str(Path("/proc/self/ns/pid").stat().st_ino)]
    with suppress(OSError):
        parts.append(machine.read_text(encoding="ascii").strip())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def process_start(pid: int) -> str:
    """Ticks from boot to the start of the process; empty when there is no such process.

    With the number it names a process for good: numbers are given again. Field 22 of proc(5) stat.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    after_name = stat[stat.rindex(b")") + 2 :].split()
    return "" if after_name[0] in (b"Z", b"X") else after_name[19].decode()


def text_of(path: Path) -> str:
    """What the system says in a small file of its own; empty where it does not."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _write(temporary: Path, data: bytes, *, durable: bool) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(temporary, flags, 0o666)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        if durable:
            os.fsync(handle)
    except BaseException:
        with suppress(OSError):
            os.close(handle)
        raise
    os.close(handle)  # network file systems report a full disk here at the latest


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NOT_OVER_FOLDERS:
            raise
    finally:
        os.close(handle)
