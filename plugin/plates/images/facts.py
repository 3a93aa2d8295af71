"""What an image's header says besides colour and windows: rate, timecode, depth, pixel shape.

Of DPX and Cineon also lengths in the header that a reader would allocate before it looks further.
"""

import os
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from OpenImageIO import ImageSpec

from plugin.disk.inputs import regular
from plugin.errors import PlateError
from plugin.plates.timecode import from_smpte_words


def pixel_aspect_of(spec: ImageSpec) -> float:
    """Width of a pixel over its height; 1 where the file says nothing that makes sense."""
    aspect = float(spec.get_float_attribute("PixelAspectRatio", 1.0))
    return aspect if 0.01 < aspect < 100 else 1.0


def rate_of(spec: ImageSpec) -> Fraction | None:
    """Frames a second, where the file says."""
    pair: Any = spec.getattribute("framesPerSecond")
    if isinstance(pair, tuple) and len(pair) == 2 and pair[0] > 0 and pair[1] > 0:
        return Fraction(pair[0], pair[1])
    for name in ("dpx:FrameRate", "dpx:TemporalFrameRate", "cineon:FrameRate"):
        rate = float(spec.get_float_attribute(name, 0.0))
        if 1 <= rate <= 1000:
            return _exact_rate(rate)
    return None


def _exact_rate(rate: float) -> Fraction:
    """A float's rate as broadcast means it: 23.976 is 24000/1001."""
    whole = round(rate)
    ntsc = Fraction(round(rate * 1.001) * 1000, 1001)
    return Fraction(whole) if abs(rate - whole) <= abs(rate - float(ntsc)) else ntsc


def smpte_of(spec: ImageSpec, reader: str) -> tuple[int, int] | None:
    """Both words of the frame's timecode (SMPTE ST 12-1): digits and flags, and user bits."""
    words: Any = spec.getattribute("smpte:TimeCode")
    if not isinstance(words, tuple) or not words:
        return None
    if reader != "openexr" and not any(words):
        return None  # writers leave the header's field at zero when there is no timecode
    first, second = (int(word) & 0xFFFFFFFF for word in (*words, 0)[:2])
    return None if from_smpte_words(first) is None else (first, second)


def codec_of(spec: ImageSpec, reader: str) -> str:
    """Format and compression: `exr/zips`, `png`, …."""
    name = "exr" if reader == "openexr" else reader
    compression = spec.get_string_attribute("compression")
    return f"{name}/{compression}" if compression and name in {"exr", "tiff"} else name


def bits_of(spec: ImageSpec, channel: int) -> int:
    """Bits that the file keeps of a channel."""
    stored = int(spec.get_int_attribute("oiio:BitsPerSample", 0))
    size = 8 * int(spec.channelformat(channel).size())
    return stored if 0 < stored <= size else size


def notes_of(spec: ImageSpec, reader: str, pages: int) -> list[str]:
    """What is left alone or passed over: orientation, profile, pixel shape, further pages."""
    turn = int(spec.get_int_attribute("Orientation", 1))
    notes = [f"orientation tag {turn} left alone, as compositors do"] if turn != 1 else []
    profile = spec.get_string_attribute("ICCProfile:profile_description")
    if profile and "srgb" not in profile.lower():
        notes.append(f"ICC profile {profile[:60]!r} is not applied")
    if not profile and spec.get_int_attribute("Exif:ColorSpace", 1) not in (0, 1):
        notes.append("its EXIF says that its colours are not sRGB: taken as sRGB")
    if reader != "openexr" and (aspect := pixel_aspect_of(spec)) != 1:
        notes.append(f"pixel aspect {aspect:.4g} by its resolution tags")
    if pages > 1:
        notes.append(f"page 1 of {pages} is taken")
    return notes


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
