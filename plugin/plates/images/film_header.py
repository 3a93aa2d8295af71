"""DPX and Cineon: lengths in the header that a reader would allocate before it looks further."""

import os
from pathlib import Path
from typing import Literal

from OpenImageIO import ImageSpec

from plugin.disk.inputs import regular
from plugin.errors import PlateError

_LENGTHS = {"dpx": (4, 24, 28, 32), "cineon": (4, 8, 12, 16)}
"""Where the offset of the pixels and the lengths of the three headers stand (SMPTE ST 268, 5)."""

_BIG_ENDIAN = (b"SDPX", b"\x80\x2a\x5f\xd7")
_UNDEFINED = 0xFFFFFFFF


_ENDS = {
    "smpte:TimeCode": 1928,
    "dpx:FrameRate": 1728,
    "dpx:TemporalFrameRate": 1944,
    "PixelAspectRatio": 1636,
}
"""Where fields of a DPX header end that a reader takes from their place, whatever lies there."""


def forget_what_is_picture(spec: ImageSpec, path: Path, reader: str) -> None:
    """Take off a DPX what was read from behind the beginning of its pixels (FFmpeg's begin early).

    Args:
        spec: what the reader found; changed.
        path: the file.
        reader: its name.
    """
    if reader != "dpx":
        return
    with regular(path) as handle:
        head = os.read(handle, 8)
    begin = int.from_bytes(head[4:], "big" if head.startswith(_BIG_ENDIAN) else "little")
    for name, end in _ENDS.items():
        if begin < end:
            spec.erase_attribute(name)


def check_film_header(path: Path, reader: str) -> None:
    """Refuse a file whose header says that it is longer than it is.

    Raises:
        PlateError: a header or the pixels would begin behind the file's end.
    """
    if reader not in _LENGTHS:
        return
    with regular(path) as handle:
        head = os.read(handle, 36)
        size = os.fstat(handle).st_size
    order: Literal["big", "little"] = "big" if head.startswith(_BIG_ENDIAN) else "little"
    for place in _LENGTHS[reader]:
        value = int.from_bytes(head[place : place + 4], order)
        if value > size and value != _UNDEFINED:
            raise PlateError(
                f"the image cannot be opened: a header of {value} bytes in a file of {size}",
                where=path,
                fix="render or copy it again",
            )
