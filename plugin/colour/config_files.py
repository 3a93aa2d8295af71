"""What an OCIO configuration holds: its file, and the tables that its transforms name."""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from plugin.disk.inputs import read_whole, sum_of

_MOST = 64 << 20
_MOST_FILES = 4096
_TABLE = re.compile(rb"\bsrc:\s*(\"[^\"\n]*\"|'[^'\n]*'|[^,}\s]+)")
_PATH = re.compile(rb"^search_path:\s*(.*(?:\n\s*-.*)*)", re.MULTILINE)


def config_digest(config: str) -> str:
    """sha256 of a configuration's file and of the tables it names; empty for a built-in one.

    Of tables that cannot be found nothing is known but their names: OpenColorIO will say so.
    """
    if config.startswith("ocio://"):
        return ""
    path, total = Path(config), hashlib.sha256()
    with suppress(OSError):
        text = read_whole(path, _MOST)
        total.update(text)
        for table in _tables(text, path.parent):
            with suppress(OSError):
                total.update(sum_of(table).sha256.encode())
    return total.hexdigest()


def _tables(text: bytes, folder: Path) -> Iterator[Path]:
    """The files that are named, each where it is found first."""
    said = _PATH.search(text)
    parts = re.split(rb"[:\n]\s*-?\s*", said[1]) if said else []
    places = [folder / os.fsdecode(p.strip(b" \"'[]")) for p in parts if p.strip()] + [folder]
    names = dict.fromkeys(match[1].strip(b"\"'") for match in _TABLE.finditer(text))
    for name in list(names)[:_MOST_FILES]:
        found = (place / os.fsdecode(name) for place in places)
        yield from [path for path in found if path.is_file()][:1]
