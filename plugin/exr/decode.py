"""From bytes to an EXR header and the pixels of A, with limits before every allocation.

What came from disk is not trusted: the seal, if there is one, is looked at before the decoder sees
anything, the sizes are looked at before it decodes, and what it raises is a `FrameError`.
"""

import hashlib
import io
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import OpenEXR  # type: ignore[import-not-found]

from plugin.disk.inputs import read_whole
from plugin.errors import FrameError
from plugin.exr.header import OURS, window
from plugin.image.halves import as_floats
from plugin.types import FloatArray, Stored, Window

Bits = Literal["half", "float"]

MAX_SIDE = 65_536
"""Most pixels along one side."""

MAX_PIXELS = 1 << 28
"""Most pixels of a frame: 16384 × 16384."""

MAX_FILE = 5 << 30
"""Most bytes of a file: those of the most pixels, four channels, uncompressed."""

_DIGITS = 64
NO_SEAL = "0" * _DIGITS
"""What stands for the seal while the rest of the file is summed."""

_SEAL_START = f"{OURS}seal\0string\0".encode() + struct.pack("<i", _DIGITS)
_HEADER_REACH = 8 << 20
"""Bytes from the start of a file in which its seal must stand."""


def damaged(why: str, path: Path | str) -> FrameError:
    """The error of a file that is not what it should be."""
    return FrameError(f"damaged: {why}", where=path, fix="remove it and run the same command again")


def load(path: Path) -> bytes:
    """The bytes of a picture file of at most `MAX_FILE`.

    Raises:
        FrameError: there is none, or it cannot be read.
    """
    try:
        return read_whole(path, MAX_FILE)
    except FileNotFoundError as error:
        fix = "run the same command again"
        raise FrameError("the file is missing", where=path, fix=fix) from error
    except OSError as error:
        fix = "check the disk and the permissions"
        raise FrameError(f"cannot be read: {error.strerror}", where=path, fix=fix) from error


def add_seal(data: bytes) -> bytes:
    """Put the sum of all bytes where `NO_SEAL` stands in the header."""
    start = _seal_at(data)
    assert data[start : start + _DIGITS] == NO_SEAL.encode()  # noqa: S101  our own encoder wrote it
    seal = hashlib.sha256(data).hexdigest().encode()
    return data[:start] + seal + data[start + _DIGITS :]


def check_seal(data: bytes, path: Path) -> bool:
    """Whether there is a seal. It must be right then.

    Raises:
        FrameError: some byte is not as it was written.
    """
    start = _seal_at(data)
    if start < 0:
        return False
    view = memoryview(data)
    total = hashlib.sha256(view[:start])
    total.update(NO_SEAL.encode())
    total.update(view[start + _DIGITS :])
    if total.hexdigest().encode() != data[start : start + _DIGITS]:
        raise damaged("its bytes are not those that were written", path)
    return True


def read_header(data: bytes, path: Path) -> dict[str, Any]:
    """The header of a flat EXR of one part, nothing decoded yet.

    Raises:
        FrameError: it cannot be read, or the file is of another kind.
    """
    try:
        file = OpenEXR.File(io.BytesIO(data), separate_channels=True, header_only=True)
        parts = len(file.parts)
        header: dict[str, Any] = dict(file.header()) if parts == 1 else {}
    except Exception as error:
        raise damaged("its header cannot be read", path) from error
    if parts != 1 or header["type"] not in (OpenEXR.scanlineimage, OpenEXR.tiledimage):
        raise damaged("not a flat EXR of one part", path)
    return header


def refuse_size(area: Window, where: object) -> None:
    """Refuse a data window that no frame of ours has.

    Raises:
        FrameError: it is empty, or larger than `MAX_SIDE` or `MAX_PIXELS`.
    """
    largest = max(area.width, area.height)
    least = min(area.width, area.height)
    if least < 1 or largest > MAX_SIDE or area.width * area.height > MAX_PIXELS:
        raise FrameError(
            f"{area.width} × {area.height} pixels are not a frame's size",
            where=where,
            fix=f"at most {MAX_SIDE} a side and {MAX_PIXELS} in all are read and written",
        )


def decode_a(data: bytes, path: Path, name: str = "A") -> tuple[FloatArray, Bits]:
    """Every pixel of channel A, or of another, `H × W` float32, and their bits.

    Raises:
        FrameError: some pixel cannot be decoded, or there is no such channel.
    """
    planes, bits = decode_stored(data, (name,), path)
    return as_floats(planes[name]), bits


def colours_of(planes: Mapping[str, Stored]) -> FloatArray:
    """Planes R, G and B as one picture, `H × W × 3` float32."""
    return np.asarray(cv2.merge([as_floats(planes[name]) for name in "RGB"]), np.float32)


def decode_stored(
    data: bytes, names: tuple[str, ...], path: Path | str
) -> tuple[dict[str, Stored], Bits]:
    """Channels of one kind by their names, `H × W` as stored, and their bits.

    The library's older reader is used for what its newer one lacks: it raises on damage, where
    `OpenEXR.File` prints to stdout and returns no parts; and it decodes some channels alone. All of
    them are asked for at once: for each call it decompresses the whole file.

    Raises:
        FrameError: some pixel cannot be decoded, or one of the channels is missing.
    """
    try:
        file = OpenEXR.InputFile(io.BytesIO(data))
        header = file.header()
        there = [header["channels"].get(name) for name in names]
        whole = all(one is not None for one in there)
        pixels = file.channels(list(names)) if whole else []
        corners = header["dataWindow"]
        file.close()
    except Exception as error:
        raise damaged("its pixels cannot be decoded", path) from error
    if not whole or any((one.xSampling, one.ySampling) != (1, 1) for one in there):
        raise damaged(f"no channel {', '.join(names)}", path)
    kinds: dict[str, tuple[Bits, type]] = {
        "HALF": ("half", np.float16),
        "FLOAT": ("float", np.float32),
    }
    if len({str(one.type) for one in there}) > 1 or str(there[0].type) not in kinds:
        raise damaged(f"{', '.join(names)} holds whole numbers", path)
    bits, stored = kinds[str(there[0].type)]
    area = window(((corners.min.x, corners.min.y), (corners.max.x, corners.max.y)))
    shape = area.height, area.width
    planes: dict[str, Stored] = {
        name: np.frombuffer(plane, stored).reshape(shape)
        for name, plane in zip(names, pixels, strict=True)
    }
    return planes, bits


def _seal_at(data: bytes) -> int:
    found = data.find(_SEAL_START, 0, _HEADER_REACH)
    return found if found < 0 else found + len(_SEAL_START)
