"""How much memory a worker takes, and how many of them a machine has room for."""

from pathlib import Path

from plugin.disk.atomic import text_of
from workers.neighbours import LARGE
from workers.overlap import BESIDE

_PROCESS = 700 << 20
"""Interpreter, libraries, weights."""

_TILE = 1300 << 20
"""All layers of the network over the largest tile on a CPU."""

_FRAME = 24
"""Bytes a pixel of a plate's frame: float32 RGB as it is, and as the network sees it."""

_DECODING = 18
"""Bytes a pixel while a frame is decoded: the file's own channels, and their float32."""

_SUMS = 40
"""Bytes a pixel while the network is at work: sums of its tiles, planes of the whole frame."""

_KEPT = 10
"""Bytes a pixel that stabilisation keeps of a frame: alpha, two trimaps, 8-bit picture, region.

Two less where alphas are stored as halves.
"""

_FLOW = 4
"""Bytes a pixel of one pair's flow, both ways, at half size."""

_SHARE = 0.85
"""Of the memory that is free: the rest is the file cache's, and Ray's own processes'."""


def worker_bytes(pixels: int, radius: int) -> int:
    """The most that one CPU worker has resident, estimated.

    Args:
        pixels: of a frame.
        radius: frames on each side that stabilisation looks at; 0 where it is off.
    """
    large = pixels > LARGE and radius > 0
    at_once = (1 if large else BESIDE) * _FRAME + _DECODING + _SUMS
    kept = 0
    if radius:
        kept = (2 * radius + BESIDE) * _KEPT + (radius * (radius + 1) // 2 + 2 * radius) * _FLOW
        if not large:
            kept += radius * _FRAME  # of the frames ahead, kept until their own turn
    return _PROCESS + _TILE + pixels * (at_once + kept)


def room_for(pixels: int, radius: int, free: int | None) -> int:
    """How many CPU workers fit into that many bytes, 1 at least; None knows no bounds."""
    if free is None or pixels <= 0:
        return 1_000_000
    return max(1, int(_SHARE * free) // worker_bytes(pixels, radius))


def available_bytes(root: Path = Path("/")) -> int | None:
    """Memory that can be taken without swapping: the machine's, or this container's if less.

    What a container's files have in the page cache counts as used there, though it is given up
    when somebody needs it; the kernel's own figure for the machine, `MemAvailable`, knows that.

    Args:
        root: where `proc` and `sys` are.

    Returns:
        Bytes; None where the system does not tell.
    """
    free = _meminfo(root / "proc" / "meminfo")
    group = root / "sys" / "fs" / "cgroup"
    limit, used = _number(group / "memory.max"), _number(group / "memory.current")
    if limit is not None and used is not None:
        left = max(0, limit - max(0, used - _cached(group / "memory.stat")))
        free = left if free is None else min(free, left)
    return free


def _meminfo(path: Path) -> int | None:
    lines = text_of(path).splitlines()
    words = [line.split() for line in lines if line.startswith("MemAvailable:")]
    return int(words[0][1]) * 1024 if words and words[0][1].isdigit() else None


def _cached(path: Path) -> int:
    """Bytes of clean files in a container's page cache; what waits to be written is not."""
    words = [line.split() for line in text_of(path).splitlines()]
    kinds = {word[0]: int(word[1]) for word in words if len(word) == 2 and word[1].isdigit()}
    files = kinds.get("active_file", 0) + kinds.get("inactive_file", 0)
    return max(0, files - kinds.get("file_dirty", 0) - kinds.get("file_writeback", 0))


def _number(path: Path) -> int | None:
    text = text_of(path).strip()
    return int(text) if text.isdigit() else None
