"""What a file is by its first bytes, never by its name.

Naming the reader keeps others out: a script called `plate.mp4` would otherwise be opened by the
reader of scripts, which follows paths and addresses in it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from plugin.disk.inputs import regular
from plugin.errors import PlateError

__all__ = ["IMAGE_READERS", "VIDEO_READERS", "reader_of"]

VIDEO_READERS = frozenset({"mov", "matroska", "mxf", "avi"})
"""FFmpeg's names of the containers that are read. `mov` is mp4 too, `matroska` webm."""

IMAGE_READERS = frozenset({"openexr", "dpx", "cineon", "tiff", "png", "jpeg"})
"""OpenImageIO's names of the image formats that are read."""

_MAGIC = (
    ("openexr", b"\x76\x2f\x31\x01"),
    ("dpx", b"SDPX"),
    ("dpx", b"XPDS"),
    ("cineon", b"\x80\x2a\x5f\xd7"),
    ("cineon", b"\xd7\x5f\x2a\x80"),
    ("tiff", b"II*\0"),
    ("tiff", b"MM\0*"),
    ("tiff", b"II+\0"),
    ("tiff", b"MM\0+"),
    ("png", b"\x89PNG\r\n\x1a\n"),
    ("jpeg", b"\xff\xd8\xff"),
    ("matroska", b"\x1a\x45\xdf\xa3"),
    ("mxf", b"\x06\x0e\x2b\x34\x02\x05\x01\x01"),
)
_ANY_SIZE = 1 << 62
_MOV_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"uuid"})
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:", re.ASCII)


def reader_of(path: Path) -> str:
    """Name of the reader for the file: one of `VIDEO_READERS` or `IMAGE_READERS`.

    Raises:
        PlateError: no such file, not a file, empty, or of a kind that is not read.
    """
    if _ADDRESS.match(str(path)) and not path.exists():
        raise PlateError(
            "not a file on a disk", where=path, fix="copy it here first; nothing is fetched"
        )
    try:
        with regular(path, _ANY_SIZE) as handle:
            head = os.read(handle, 16)
    except OSError as error:
        raise PlateError(
            f"cannot be read: {error.strerror or error}", where=path, fix="check path and rights"
        ) from error
    if not head:
        raise PlateError("the file is empty", where=path, fix="copy or render it again")
    for name, magic in _MAGIC:
        if head.startswith(magic):
            return name
    if head[4:8] in _MOV_BOXES:
        return "mov"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    raise PlateError(
        "not a plate that is read",
        where=path,
        fix="give mov, mp4, mkv, webm, mxf, avi, or EXR, DPX, Cineon, TIFF, PNG, JPEG",
    )
