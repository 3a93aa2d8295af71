"""What a file is by its first bytes, never by its name.

Naming the reader keeps others out: a script called `plate.mp4` would otherwise be opened by the
reader of scripts, which follows paths and addresses in it.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from plugin.disk.inputs import regular
from plugin.errors import PlateError

VIDEO_READERS = frozenset({"mov", "matroska", "mxf", "avi"})
"""FFmpeg's names of the containers that are read. `mov` is mp4 too, `matroska` webm."""

IMAGE_READERS = frozenset({"openexr", "dpx", "cineon", "tiff", "png", "jpeg"})
"""OpenImageIO's names of the image formats that are read."""

_PICTURES_TOO = (
    ("bmp", b"BM"),
    ("gif", b"GIF8"),
    ("sgi", b"\x01\xda"),
)
"""What masks come in besides."""

_TARGA_KINDS = frozenset({1, 2, 3, 9, 10, 11})

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


def picture_reader_of(path: Path, suffix: str = "") -> str:
    """The same for what lies beside a plate: its images, and Targa, BMP, WebP, SGI and GIF.

    Targa has no first bytes of its own: its last or its suffix say it, and a header that fits.

    Args:
        path: the file, or a name for an open one.
        suffix: of its own name.

    Raises:
        PlateError: as `reader_of`, or a video.
    """
    try:
        reader = reader_of(path)
    except PlateError:
        with suppress(OSError):
            if found := _other_picture(path, suffix):
                return found
        raise
    if reader in VIDEO_READERS:
        raise PlateError("a video", where=path, fix="give pictures")
    return reader


def _other_picture(path: Path, suffix: str) -> str:
    with regular(path, _ANY_SIZE) as handle:
        head = os.pread(handle, 18, 0)
        tail = os.pread(handle, 26, max(0, os.fstat(handle).st_size - 26))
    for name, magic in _PICTURES_TOO:
        if head.startswith(magic):
            return name
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    named = tail[8:24] == b"TRUEVISION-XFILE" or suffix.lower() in {".tga", ".targa"}
    fits = len(head) == 18 and head[1] in (0, 1) and head[2] in _TARGA_KINDS
    return "targa" if named and fits and head[16] in (8, 15, 16, 24, 32) else ""
