"""What stands in the header of an alpha EXR: windows, time, what the plate says, provenance.

OpenEXR's standard attributes: https://openexr.com/en/latest/StandardAttributes.html
"""

import re
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import OpenEXR  # type: ignore[import-not-found]

from plugin.exr.colours import Colours
from plugin.types import Frame, PlateInfo, Window

OURS = "adamatte/"
"""Name space of the provenance attributes."""

_OWN = {
    "channels", "chunkCount", "compression", "dataWindow", "deepImageState", "displayWindow",
    "dwaCompressionLevel", "framesPerSecond", "lineOrder", "maxSamplesPerPixel", "multiView",
    "name", "pixelAspectRatio", "preview", "tiles", "timeCode", "type", "version",
}  # fmt: skip
"""Attributes that this module sets or that describe how another file was stored."""

_COLOUR = {
    "acesImageContainerFlag", "adoptedNeutral", "chromaticities", "colorInteropID", "gamma",
    "lookModTransform", "renderingTransform", "whiteLuminance",
}  # fmt: skip
"""A matte is data: what the plate says of its colour is not true of it."""

_FOREIGN_SPACES = ("adamatte/", "oiio:", "openexr:", "smpte:")

_MOST_CARRIED = 256
_LONGEST_TEXT = 16_384
_SHAPES = {(2,), (3,)}
_MATRICES = {(3, 3), (4, 4)}
_MOST_COUNTED = 30
_TIMECODE = re.compile(r"(\d\d):(\d\d):(\d\d)([:;])(\d\d)", re.ASCII)

Box = tuple[np.ndarray[Any, np.dtype[np.int32]], np.ndarray[Any, np.dtype[np.int32]]]


def make_header(info: PlateInfo, frame: Frame, provenance: Mapping[str, str]) -> dict[str, Any]:
    """The header of one frame's alpha, without compression and channels.

    Args:
        info: the plate: windows, pixel aspect ratio, rate.
        frame: its timecode and the attributes to carry over.
        provenance: written as `adamatte/<key>`.
    """
    header = carried(frame.attributes)
    header |= {
        "type": OpenEXR.scanlineimage,
        "dataWindow": box(info.data_window),
        "displayWindow": box(info.display_window),
        "pixelAspectRatio": float(info.pixel_aspect),
        "colorInteropID": "data",
    }
    header |= {f"{OURS}{key}": value for key, value in provenance.items()}
    if info.rate is not None:
        header["framesPerSecond"] = rational(info.rate)
    if frame.smpte is not None:
        header["timeCode"] = _timecode_of(*frame.smpte)
    elif frame.timecode is not None:
        code = timecode(frame.timecode, info.rate)
        header |= {f"{OURS}timecode": frame.timecode} if code is None else {"timeCode": code}
    return header


def colour_attributes(frame: Frame, colours: Colours) -> dict[str, Any]:
    """What a foreground's header says of its colours: it is the plate's, as far as that is known.

    Args:
        frame: of the plate, whose chromaticities are carried over where its tags were believed.
        colours: the foreground.
    """
    said: dict[str, Any] = {f"{OURS}colourSpace": colours.space} if colours.space else {}
    if colours.interop_id:
        said["colorInteropID"] = colours.interop_id
    primaries = frame.attributes.get("chromaticities")
    if colours.tagged and isinstance(primaries, tuple) and len(primaries) == 8:
        said["chromaticities"] = tuple(float(number) for number in primaries)
    return said


def box(area: Window) -> Box:
    """A window as OpenEXR's bindings want it."""
    low = np.array([area.x_min, area.y_min], np.int32)
    return low, np.array([area.x_max, area.y_max], np.int32)


def window(corners: Iterable[Iterable[int]]) -> Window:
    """The inverse of `box`."""
    (x_min, y_min), (x_max, y_max) = corners
    return Window(int(x_min), int(y_min), int(x_max), int(y_max))


def rational(rate: Fraction) -> Fraction:
    """The rate as OpenEXR can hold it: 32 bits over 32 bits."""
    return rate.limit_denominator(1_000_000) if max(rate.as_integer_ratio()) >= 1 << 31 else rate


def timecode(text: str, rate: Fraction | None = None) -> object | None:
    """`HH:MM:SS:FF` as SMPTE ST 12-1 counts it; None when OpenEXR cannot hold it.

    Its frames end at 29: above 30 frames a second they are counted in pairs, the second of each
    with the field mark (ST 12-1, 12). Rates above 60 go along as text, in every frame.
    """
    match = _TIMECODE.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds, frames = (int(match[index]) for index in (1, 2, 3, 5))
    pairs = rate is not None and rate > _MOST_COUNTED
    if rate is not None and rate > 2 * _MOST_COUNTED:
        return None
    frames, second = divmod(frames, 2) if pairs else (frames, 0)
    if hours > 23 or minutes > 59 or seconds > 59 or frames > 29:
        return None
    flags = (match[4] == ";", False, bool(second), False, False, False)
    code: object = OpenEXR.TimeCode(hours, minutes, seconds, frames, *flags, *[0] * 8)
    return code


def _timecode_of(time: int, user: int) -> object:
    """From the two words of a file's own timecode, nothing of it lost."""

    def digits(low: int, bits: int) -> int:
        return (time >> low + 4 & (1 << bits) - 1) * 10 + (time >> low & 0xF)

    flags = [bool(time >> bit & 1) for bit in (6, 7, 15, 23, 30, 31)]
    groups = [user >> 4 * group & 0xF for group in range(8)]
    numbers = digits(24, 2), digits(16, 3), digits(8, 3), digits(0, 2)
    code: object = OpenEXR.TimeCode(*numbers, *flags, *groups)
    return code


def carried(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """The plate's attributes that hold for its matte too: camera, lens, slate, film.

    Left out without a word: what describes storage or colour, and values of kinds that OpenEXR
    would refuse or change. They are a courtesy; a frame does not fail for them.
    """
    kept: dict[str, Any] = {}
    for name in sorted(attributes):
        value = _plain(attributes[name])
        if value is not None and _may_be_carried(name) and len(kept) < _MOST_CARRIED:
            kept[name] = value
    return kept


def _may_be_carried(name: str) -> bool:
    known = name in _OWN or name in _COLOUR or name.startswith(_FOREIGN_SPACES)
    return not known and 0 < len(name) < 256 and name.isascii() and name.isprintable()


def _plain(value: object) -> object | None:
    """The value as a type that OpenEXR stores exactly, or None."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return value if _is_plain_text(value) else None
    if isinstance(value, bool | int):
        return int(value) if -(1 << 31) <= value < 1 << 31 else None
    if isinstance(value, Fraction):
        return value if max(map(abs, value.as_integer_ratio())) < 1 << 31 else None
    if isinstance(value, float | OpenEXR.KeyCode):
        return value
    return _plain_array(value) if isinstance(value, np.ndarray) else None


def _is_plain_text(text: str) -> bool:
    if len(text) > _LONGEST_TEXT or "\0" in text:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in text)  # halves of UTF-16 pairs


def _plain_array(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    floats = value.dtype in (np.float32, np.float64)
    if value.shape in _MATRICES:
        return np.ascontiguousarray(value) if floats else None
    sound = value.shape in _SHAPES and (floats or value.dtype == np.int32)
    return np.ascontiguousarray(value) if sound else None
