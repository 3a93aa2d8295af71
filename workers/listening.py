"""Where a private Ray listens: on this machine alone, or for others too. For `adamatte doctor`."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from workers.cluster import Cluster, connected
from workers.private_ray import parent_of

_LISTENS = "0A"
_LOOPBACK = ("0100007F", "00000000000000000000000001000000")
"""127.0.0.1 and ::1, as the kernel writes them."""


def listening() -> dict[str, Any]:
    """Start a private Ray, look at its sockets, and end it.

    Returns:
        `version` of Ray, and `elsewhere`: the names of its processes that listen not on loopback
        alone, sorted.

    Raises:
        ClusterError: it cannot be started.
    """
    with connected(Cluster(None, 1)):
        import ray

        sockets = set(_open_to_others())
        names = {_name(pid) for pid in _descendants() if sockets & set(_sockets_of(pid))}
        return {"version": ray.__version__, "elsewhere": sorted(names)}


def _open_to_others() -> Iterator[str]:
    """Inodes of the sockets of this machine that listen not on loopback alone."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == _LISTENS and fields[1].partition(":")[0] not in _LOOPBACK:
                    yield fields[9]


def _sockets_of(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                target = str(link.readlink())
                if target.startswith("socket:["):
                    yield target[8:-1]


def _descendants() -> list[int]:
    """This process and all that it started."""
    parents = {int(e.name): parent_of(e) for e in Path("/proc").iterdir() if e.name.isdigit()}
    ours = [os.getpid()]
    for pid in ours:
        ours += [child for child, parent in parents.items() if parent == pid]
    return ours


def _name(pid: int) -> str:
    """What is run, without its interpreter: `raylet`, `ray::IDLE`, `driver`."""
    if pid == os.getpid():
        return "driver"
    words: list[str] = []
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    script = next((word for word in words if word.endswith(".py")), words[0] if words else "")
    return Path(script.split(" ")[0]).name or "ended"
