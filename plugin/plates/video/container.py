"""Whether a video file is all there, from what its own structure promises.

Decoders return what they find of half a file without a word, so the promise is read from the
container: sizes of its outermost elements, and the sample count of its index.
"""

import os
import struct
from collections.abc import Iterator
from fractions import Fraction
from io import FileIO
from pathlib import Path

_MAX_BOXES = 10_000_000
_MOST = 256 << 20
"""Bytes of a movie's header that are searched."""


def promised_bytes(path: Path, reader: str) -> int | None:
    """The file size that the container's outermost elements add up to; None where it is open.

    A file that is shorter was cut: by a copy that broke off, or a recording that was not closed.
    """
    measure = {"mov": _mov, "matroska": _matroska, "avi": _avi, "mxf": _mxf}[reader]
    with path.open("rb", buffering=0) as file:
        return measure(file)


def is_fragmented(path: Path) -> bool:
    """Whether an mp4 goes on in fragments (`moof`) that its sample table does not know."""
    with path.open("rb", buffering=0) as file:
        return any(kind == b"moof" for kind, _ in _boxes(file))


def timecode_rate(path: Path) -> Fraction | None:
    """Frames a second that a mov's timecode track counts, which need not be the video's.

    QuickTime File Format, timecode sample description: 6 zeros, a reference, 4 zeros, flags, time
    scale, frame duration, frames a second.
    """
    with path.open("rb", buffering=0) as file:
        position = 0
        for kind, after in _boxes(file):
            if kind == b"moov":
                content = _read_at(file, position, min((after or _MOST) - position, _MOST))
                return _rate_in(content)
            position = after or 0
    return None


def _rate_in(movie: bytes) -> Fraction | None:
    place = movie.find(b"tmcd")
    while place >= 0:
        entry = movie[place + 4 : place + 29]
        if len(entry) == 25 and not any(entry[:6]) and not any(entry[8:12]):
            scale, duration = struct.unpack(">II", entry[16:24])
            if 0 < duration <= scale <= 1000 * duration:
                return Fraction(scale, duration)
        place = movie.find(b"tmcd", place + 4)
    return None


def _read_at(file: FileIO, position: int, count: int) -> bytes:
    """Bytes from a place that the file itself names, which may lie anywhere."""
    if position >= os.fstat(file.fileno()).st_size:
        return b""
    file.seek(position)
    return file.read(count)


def _mov(file: FileIO) -> int | None:
    end = 0
    for _, after in _boxes(file):
        if after is None:
            return None
        end = after
    return end


def _boxes(file: FileIO) -> Iterator[tuple[bytes, int | None]]:
    """Type and end of the outermost boxes; an end of None where it is not to be known.

    ISO/IEC 14496-12, 4.2: 32-bit size and type; size 1 means a 64-bit size, 0 to the end.
    """
    position = 0
    for _ in range(_MAX_BOXES):
        head = _read_at(file, position, 16)
        if not head:
            return
        if len(head) < 8:
            yield b"", position + 8
            return
        size = int.from_bytes(head[:4], "big")
        if size == 1 and len(head) == 16:
            size = int.from_bytes(head[8:], "big")
        if size < 8:
            yield head[4:8], None
            return
        position += size
        yield head[4:8], position


def _matroska(file: FileIO) -> int | None:
    """RFC 8794: the EBML header, then the Segment with its size, all ones where it is unknown."""
    _, header_size, header_length = _ebml_element(_read_at(file, 0, 16))
    if header_size is None:
        return None
    start = header_length + header_size
    kind, size, length = _ebml_element(_read_at(file, start, 16))
    if kind != b"\x18\x53\x80\x67" or size is None:
        return None
    return start + length + size


def _ebml_element(head: bytes) -> tuple[bytes, int | None, int]:
    """Identifier, payload size (None when unknown) and the length of both."""
    if len(head) < 13:
        return b"", None, 0
    length_of_id = 9 - head[0].bit_length()
    if length_of_id > 4:
        return b"", None, 0
    first = head[length_of_id]
    length_of_size = 9 - first.bit_length()
    if length_of_size > 8:
        return b"", None, 0
    raw = int.from_bytes(head[length_of_id : length_of_id + length_of_size], "big")
    ones = (1 << 7 * length_of_size) - 1
    size = raw & ones
    return head[:length_of_id], None if size == ones else size, length_of_id + length_of_size


def _avi(file: FileIO) -> int | None:
    """RIFF: 32-bit sizes; OpenDML files go on with more `RIFF` chunks."""
    position = 0
    for _ in range(_MAX_BOXES):
        head = _read_at(file, position, 8)
        if len(head) < 8 or head[:4] != b"RIFF":
            return position
        size = struct.unpack("<I", head[4:])[0]
        if size in {0, 0xFFFFFFFF}:
            return None
        position += 8 + size + (size & 1)
    return None


def _mxf(file: FileIO) -> int | None:
    """SMPTE ST 377-1: keys, lengths (BER) and values; the header names where the footer starts."""
    position = footer = 0
    for _ in range(_MAX_BOXES):
        head = _read_at(file, position, 25)
        if len(head) == 0:
            return max(position, footer + 1)
        if len(head) < 17 or not head.startswith(b"\x06\x0e\x2b\x34"):
            return position + 17 if len(head) < 17 else None
        extra = head[16] & 0x7F if head[16] & 0x80 else 0
        if extra > 8 or head[16] == 0x80:
            return None
        size = int.from_bytes(head[17 : 17 + extra], "big") if extra else head[16]
        start = position + 17 + extra
        if position == 0 and size >= 32:
            footer = int.from_bytes(_read_at(file, start + 24, 8), "big")
        position = start + size
    return None
