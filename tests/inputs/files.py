"""Small pictures with tags that no writer of ours would write."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenEXR  # type: ignore[import-not-found]

from tests.media import rgb_channels, write_image

Array = npt.NDArray[Any]
WIDTH, HEIGHT = 12, 8
WINDOW = (WIDTH, HEIGHT)


def picture(dtype: type[Any] = np.uint8, channels: int = 3) -> Array:
    """A ramp, `8 × 12`, of a type's whole range."""
    ramp = np.linspace(0, 1, HEIGHT * WIDTH * channels).reshape(HEIGHT, WIDTH, channels)
    full = np.iinfo(dtype).max if issubclass(dtype, np.integer) else 1
    return (ramp * full).astype(dtype)


def chunk(name: bytes, content: bytes) -> bytes:
    """A PNG's chunk."""
    sum_ = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + sum_


def png(path: Path, *chunks: bytes, pixels: Array | None = None) -> Path:
    """An 8-bit PNG with these chunks before its pixels and none of the writer's."""
    write_image(path, picture() if pixels is None else pixels)
    data, kept, place = path.read_bytes(), [], 8
    while place < len(data):
        end = place + 12 + int.from_bytes(data[place : place + 4], "big")
        if data[place + 4 : place + 8] in (b"IHDR", b"PLTE", b"IDAT", b"IEND"):
            kept.append(data[place:end])
        place = end
    path.write_bytes(b"".join([data[:8], kept[0], *chunks, *kept[1:]]))
    return path


def gama(value: float) -> bytes:
    """The chunk of a gamma."""
    return chunk(b"gAMA", struct.pack(">I", round(value * 100_000)))


def dpx(
    path: Path, transfer: int, bits: int = 16, creator: bytes = b"", *, write: bool = True
) -> Path:
    """A DPX with that transfer characteristic (SMPTE ST 268, table 5A) and creator."""
    if write:
        write_image(path, picture(np.uint16), oiio__BitsPerSample=bits)
    data = bytearray(path.read_bytes())
    data[801], data[802] = transfer, transfer
    data[160:260] = creator.ljust(100, b"\0")
    path.write_bytes(bytes(data))
    return path


def parts(path: Path, *names: str, views: tuple[str, ...] = ()) -> Path:
    """A multi-part EXR with R, G, B in each part."""
    made = []
    for place, name in enumerate(names):
        header = {"type": OpenEXR.scanlineimage}
        if views:
            header["view"] = views[place]
        made.append(OpenEXR.Part(header, rgb_channels(picture(np.float16)), name))
    OpenEXR.File(made).write(str(path))
    return path
