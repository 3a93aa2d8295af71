"""Frame ranges and file patterns, as the command line writes them.

1001-1100         all of them, both ends included
1001-1100x2,1105  every second one, and one more
plate.%04d.exr    or plate.####.exr
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterable

from .errors import BridgeError

MAX_FRAMES = 1000000
_PART = re.compile(r"(-?\d{1,7})(?:-(-?\d{1,7})(?:x(\d{1,7}))?)?\Z", re.ASCII)
_TOKEN = re.compile(r"%0?(\d{0,2})d|(#+)", re.ASCII)


def parse_range(text: str) -> list[int]:
    """The numbers of `1001-1100x2,1105`, ascending, each once.

    Raises:
        BridgeError: it is no frame range.
    """
    numbers: set[int] = set()
    for part in text.replace(" ", "").split(","):
        match = _PART.match(part)
        first = int(match.group(1)) if match else 0
        last = int(match.group(2)) if match and match.group(2) else first
        step = int(match.group(3)) if match and match.group(3) else 1
        if match is None or last < first or step < 1 or (last - first) // step >= MAX_FRAMES:
            fix = "write it like 1001-1100, 1001-1100x2 or 1,5"
            raise BridgeError("not a frame range", repr(text), fix)
        numbers.update(range(first, last + 1, step))
    return sorted(numbers)


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Stretches of consecutive numbers, as first and last."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and number == found[-1][1] + 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def format_range(numbers: Iterable[int]) -> str:
    """What `parse_range` reads back: `1001-1004,1007`."""
    return ",".join(str(a) if a == b else f"{a}-{b}" for a, b in runs(numbers))


def is_pattern(path: str) -> bool:
    """Whether the file name has a place for the frame number."""
    return _TOKEN.search(Path(path).name) is not None


def split_pattern(path: str) -> tuple[str, str, int, str]:
    """Folder, prefix, digits and suffix of a pattern.

    Raises:
        BridgeError: it has no place for a frame number, or several.
    """
    name = Path(path).name
    tokens = list(_TOKEN.finditer(name))
    if len(tokens) != 1:
        raise BridgeError("not a file pattern", path, "name it like plate.%04d.exr")
    token = tokens[0]
    digits = len(token.group(2)) if token.group(2) else int(token.group(1) or 1)
    return str(Path(path).parent), name[: token.start()], digits, name[token.end() :]


def of_pattern(path: str, number: int) -> Path:
    """The file of one frame; a path without a pattern is its own."""
    if not is_pattern(path):
        return Path(path)
    folder, prefix, digits, suffix = split_pattern(path)
    return Path(folder) / "{}{:0{}d}{}".format(prefix, number, digits, suffix)
