"""A private Ray's place on a machine that others use too, and whether its servants live.

Ray makes its session folder for all to write, sockets and all. So it lies in a folder of ours that
nobody else can enter, with a name short enough for a socket's path.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from plugin.disk.atomic import host_tag, process_start
from plugin.doctor import LONGEST_TEMPORARY, SHORT_TEMPORARY

_NAME = re.compile(r"adm-(?P<host>[0-9a-f]{4})(?P<pid>[0-9a-f]+)\.(?P<start>[0-9a-f]+)-\w+")

_NEEDED = ("gcs_server", "raylet")


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder of mode 0700 for Ray's session; removed at the end, kept after an error to be read.

    What killed runs left is removed by the next one.
    """
    base = short_folder()
    _sweep(base)
    folder = Path(tempfile.mkdtemp(prefix=mark_of(os.getpid()), dir=base))
    yield folder / "r"
    shutil.rmtree(folder, ignore_errors=True)


def short_folder() -> Path:
    """The folder for temporaries, or another where its name leaves no room for sockets' paths."""
    folder = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
    return Path(folder if len(os.fsencode(folder)) <= LONGEST_TEMPORARY else SHORT_TEMPORARY)


def mark_of(pid: int) -> str:
    """How the names of a process's folders begin."""
    return f"adm-{host_tag()[:4]}{pid:x}.{int(process_start(pid)):x}-"


def _sweep(base: Path) -> None:
    for entry in base.iterdir():
        name = _NAME.fullmatch(entry.name)
        if name is None or name["host"] != host_tag()[:4]:
            continue
        started = process_start(int(name["pid"], 16))
        if started != str(int(name["start"], 16)) and _is_ours(entry):
            shutil.rmtree(entry, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    try:
        return folder.lstat().st_uid == os.getuid() and not folder.is_symlink()
    except OSError:
        return False


class Servants:
    """The processes without which a private Ray answers nothing, as they are by now."""

    def __init__(self) -> None:
        self._started = {
            pid: (name, process_start(pid)) for pid, name in _children() if name in _NEEDED
        }

    def fallen(self) -> str:
        """The name of one that is dead; empty while all live."""
        dead = (n for pid, (n, start) in self._started.items() if process_start(pid) != start)
        return next(dead, "")


def _children() -> Iterator[tuple[int, str]]:
    """Number and name of this process's children."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and parent_of(entry) == os.getpid():
            with suppress(OSError):
                yield int(entry.name), (entry / "comm").read_text(errors="replace").strip()


def parent_of(process: Path) -> int:
    """The parent of `/proc/<number>`; 0 where there is none any more."""
    try:
        stat = (process / "stat").read_bytes()
    except OSError:
        return 0
    return int(stat[stat.rindex(b")") + 2 :].split()[1])
