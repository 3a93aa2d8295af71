"""Masks and trimaps as 8-bit grey PNG, written whole and read with every sum checked.

A PNG carries a CRC for each of its chunks and ends with IEND; both are looked at, and its size,
before a decoder is: https://www.w3.org/TR/png-3/
"""

import hashlib
import struct
import zlib
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from plugin.disk.atomic import write_whole
from plugin.errors import FrameError, OutputError
from plugin.exr.decode import damaged, load, refuse_size
from plugin.types import LabelArray, Window

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = len(_SIGNATURE) + 25
"""IHDR comes first: length, name, 13 bytes, sum."""

_TEXT = b"tEXtadamatte/recipe\0"
_DIGITS = 64
_REACH = 4096
"""Bytes from the start of a file in which its recipe must stand."""

_ENCODING = [
    *(cv2.IMWRITE_PNG_COMPRESSION, 1),
    *(cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE),
]
"""On masks and labels slower levels save next to nothing, nor do differences of few values."""


def write_grey(
    path: Path, pixels: LabelArray, *, root: Path | None = None, recipe: str = ""
) -> None:
    """Write an 8-bit grey PNG, decoded back before it gets its name.

    Args:
        path: the final name.
        pixels: `H × W` uint8.
        root: the output folder, which no symbolic link may lead out of.
        recipe: sha256 of everything that determines the picture; kept in the file.

    Raises:
        FrameError: the picture is of another kind.
        OutputError: the disk refuses, or does not give back what was written.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 2:
        what = f"the picture is {pixels.shape} {pixels.dtype}, not H × W uint8"
        raise FrameError(what, where=path, fix="report it")
    refuse_size(Window.of_size(pixels.shape[1], pixels.shape[0]), path)
    done, data = cv2.imencode(".png", np.ascontiguousarray(pixels), _ENCODING)
    if not done:
        raise FrameError("the picture cannot be encoded as PNG", where=path, fix="report it")
    content = data.tobytes()
    if recipe:
        content = _with_text(content, recipe + _seal(pixels, recipe))
    write_whole(path, content, check=partial(_check_written, pixels=pixels), root=root)


def read_grey(path: Path) -> LabelArray:
    """An 8-bit grey PNG, `H × W` uint8.

    Raises:
        FrameError: it is missing, damaged, too large, or of another kind.
    """
    return _decoded(load(path), path)


def recipe_of(path: Path) -> str:
    """The recipe of a picture of ours; empty for one that carries none.

    Raises:
        FrameError: it is missing or damaged, or its pixels are not those that were written with it.
    """
    data = load(path)
    pixels = _decoded(data, path)
    start = data.find(_TEXT, 0, _REACH)
    if start < 0:
        return ""
    told = data[start + len(_TEXT) :][: 2 * _DIGITS].decode("ascii", "replace")
    if told[_DIGITS:] != _seal(pixels, told[:_DIGITS]):
        raise damaged("its pixels are not those that were written with its recipe", path)
    return told[:_DIGITS]


def kept_recipe(path: Path) -> str | None:
    """`recipe_of`; None where the picture is missing or damaged."""
    try:
        return recipe_of(path)
    except FrameError:
        return None


def _seal(pixels: LabelArray, recipe: str) -> str:
    head = f"{recipe} {pixels.shape[0]}x{pixels.shape[1]}\n".encode()
    return hashlib.sha256(head + pixels.tobytes()).hexdigest()


def _decoded(data: bytes, path: Path) -> LabelArray:
    _refuse_damage(data, path)
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint8 or pixels.ndim != 2:
        raise damaged("its pixels cannot be decoded", path)
    return np.asarray(pixels, np.uint8)


def _with_text(data: bytes, told: str) -> bytes:
    """A PNG with a text chunk behind its header."""
    body = _TEXT + told.encode("ascii")
    text = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return data[:_HEADER_END] + text + data[_HEADER_END:]


def _check_written(path: Path, pixels: LabelArray) -> None:
    fix = "look at the disk or the share, then run the same command again"
    try:
        same = np.array_equal(read_grey(path), pixels)
    except FrameError as error:
        what = f"what was written reads back wrong: {error.what}"
        raise OutputError(what, where=path, fix=fix) from error
    if not same:
        raise OutputError("what was written reads back as other pixels", where=path, fix=fix)


def _refuse_damage(data: bytes, path: Path) -> None:
    """Every chunk has its sum, IHDR comes first and says 8-bit grey, IEND last."""
    if not data.startswith(_SIGNATURE):
        raise damaged("not a PNG", path)
    place, name = len(_SIGNATURE), b""
    while place < len(data):
        first = not name
        place, name, body = _chunk(data, place, path)
        if first != (name == b"IHDR") or (name == b"IEND" and place != len(data)):
            raise damaged("its parts are out of order", path)
        if first:
            _refuse_kind(body, path)
    if name != b"IEND":
        raise damaged("it ends too early", path)


def _chunk(data: bytes, place: int, path: Path) -> tuple[int, bytes, memoryview]:
    """The chunk at `place`: where the next one starts, its name, its body."""
    head = data[place : place + 8]
    length = struct.unpack(">I", head[:4])[0] if len(head) == 8 else len(data)
    end = place + 12 + length
    if end > len(data):
        raise damaged("it ends too early", path)
    if (
        zlib.crc32(memoryview(data)[place + 4 : end - 4])
        != struct.unpack(">I", data[end - 4 : end])[0]
    ):
        raise damaged("its bytes are not those that were written", path)
    return end, head[4:], memoryview(data)[place + 8 : end - 4]


def _refuse_kind(body: memoryview, path: Path) -> None:
    if len(body) != 13:
        raise damaged("its header cannot be read", path)
    width, height, bits, colour = struct.unpack(">IIBB", body[:10])
    if (bits, colour) != (8, 0):
        raise damaged("not an 8-bit grey PNG", path)
    refuse_size(Window.of_size(width, height), path)
