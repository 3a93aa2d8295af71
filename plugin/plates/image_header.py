"""What an image file says of itself, read without decoding a pixel."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from OpenImageIO import ImageInput, ImageSpec, geterror

from plugin.errors import PlateError
from plugin.plates.exr_layers import Part, Picture, choose
from plugin.plates.exr_luma_chroma import is_luma_chroma, window_of
from plugin.plates.film_header import check_film_header
from plugin.plates.image_colour import colour_of, exr_colour
from plugin.plates.limits import MAX_PIXELS, check_size
from plugin.plates.sniff import IMAGE_READERS, reader_of
from plugin.plates.timecode import from_smpte_words
from plugin.types import Window

__all__ = [
    "ImageHeader",
    "complaint",
    "open_image",
    "parts_of",
    "plain_reason",
    "read_header",
    "windows_of",
]

_MAX_PARTS = 256
_LAB = "its values are lightness and hue"
_NO_RGB = {"CIELAB": _LAB, "ICCLAB": _LAB, "ITULAB": _LAB, "CMYK": "its values are inks"}
"""Colour models of TIFF and JPEG that are no RGB, as OpenImageIO calls them."""


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The header of one image file.

    Attributes:
        reader: OpenImageIO's name of the format.
        picture: the part and channels that make the plate.
        data_window: the pixels that are stored.
        display_window: the picture's frame.
        pixel_aspect: width of a pixel over its height.
        rate: frames a second, where the file says.
        timecode: of this frame, where the file says.
        codec: format and compression: `exr/zips`, `png`, ….
        pixel_format: `half`, `float`, `uint8`, `uint16`, ….
        bits: bits a channel in the file.
        colour: the space of its values, as in `PlateInfo.colour`.
        notes: what was assumed.
    """

    reader: str
    picture: Picture
    data_window: Window
    display_window: Window
    pixel_aspect: float
    rate: Fraction | None
    timecode: str | None
    codec: str
    pixel_format: str
    bits: int
    colour: str
    notes: tuple[str, ...]


def open_image(path: Path, named: Path | None = None) -> tuple[ImageInput, str]:
    """Open with the one reader that the file's first bytes name.

    Args:
        path: what is opened.
        named: how it is called in errors, if not so.

    Raises:
        PlateError: not an image that is read, or its header is damaged.
    """
    named = named or path
    reader = reader_of(path)
    if reader not in IMAGE_READERS:
        raise PlateError(
            "a video where an image is wanted", where=named, fix="give it without a frame number"
        )
    check_film_header(path, reader)
    try:
        image = _opened(path)
        reason = "" if image is not None else complaint(geterror)
        if image is None and path != named:
            reason = _complaint_of(path, named.suffix)
    except (MemoryError, RuntimeError) as error:
        raise _damaged(f"{type(error).__name__} in its header", named) from error
    if image is None:
        raise _damaged(reason, named)
    if image.format_name() != reader:
        image.close()
        raise _damaged(f"opened as {image.format_name()}, it begins like {reader}", named)
    return image, reader


def _opened(path: Path) -> ImageInput | None:
    config = ImageSpec()
    config.attribute("oiio:UnassociatedAlpha", 1)  # colours stay as stored, not times alpha
    image: ImageInput | None = ImageInput.open(str(path), config)
    return image


def _complaint_of(path: Path, suffix: str) -> str:
    """What is wrong with a file that has no name: the library asks the right reader by suffix."""
    with TemporaryDirectory() as folder:
        link = Path(folder, f"image{suffix}")
        link.symlink_to(path)
        image = _opened(link)
        return plain_reason(complaint(geterror), link) if image is None else ""


def read_header(path: Path, layer: str = "", named: Path | None = None) -> ImageHeader:
    """Read one file's header.

    Args:
        path: the file, or a name for an open one.
        named: how it is called in errors, if not so.
        layer: the EXR layer, view or part to take; empty for the main picture.

    Raises:
        PlateError: missing, damaged, oversized, deep, without colour, or without that layer.
    """
    named = named or path
    try:
        image, reader = open_image(path, named)
    except PlateError:
        header = is_luma_chroma(path)
        if header is None or layer:
            raise
        return _luma_chroma(header, named)
    try:
        return _header(image, reader, path, named, layer)
    except (UnicodeDecodeError, RuntimeError, MemoryError) as error:
        raise _damaged(f"{type(error).__name__} in its header", named) from error
    finally:
        image.close()


def _luma_chroma(header: Mapping[str, Any], path: Path) -> ImageHeader:
    data, display = window_of(header, "dataWindow"), window_of(header, "displayWindow")
    check_size(data.width, data.height, path)
    check_size(display.width, display.height, path)
    chromaticities = header.get("chromaticities")
    colour, note = exr_colour(chromaticities)
    rate = header.get("framesPerSecond")
    return ImageHeader(
        reader="openexr",
        picture=Picture(0, (), None, ("luminance and half-size chroma",)),
        data_window=data,
        display_window=display,
        pixel_aspect=float(header.get("pixelAspectRatio", 1.0)),
        rate=rate if isinstance(rate, Fraction) and rate > 0 else None,
        timecode=None,
        codec="exr/luminance-chroma",
        pixel_format="half",
        bits=16,
        colour=colour,
        notes=tuple(text for text in (note, "luminance and half-size chroma") if text),
    )


def _header(image: ImageInput, reader: str, path: Path, named: Path, layer: str) -> ImageHeader:
    parts = parts_of(image) if reader == "openexr" else parts_of(image, 1)
    picture = choose(parts, layer, named)
    spec = image.spec(picture.part, 0)
    _check(spec, named)
    colour, colour_note = colour_of(spec, reader, path)
    data, display = windows_of(spec, reader)
    return ImageHeader(
        reader=reader,
        picture=picture,
        data_window=data,
        display_window=display,
        pixel_aspect=_pixel_aspect(spec),
        rate=_rate(spec),
        timecode=_timecode(spec, reader),
        codec=_codec(spec, reader),
        pixel_format=str(spec.channelformat(picture.rgb[0])),
        bits=_bits(spec, picture.rgb[0]),
        colour=colour,
        notes=tuple(
            note for note in (colour_note, *picture.notes, *_notes(image, spec, reader)) if note
        ),
    )


def windows_of(spec: ImageSpec, reader: str) -> tuple[Window, Window]:
    """Data and display window: from EXR alone, which means them.

    What PNG (`oFFs`), TIFF (positions) and film headers (where a frame lay in its scan) say of
    places is left over from cropping and scanning, and no compositor follows it.
    """
    if reader != "openexr":
        whole = Window.of_size(spec.width, spec.height)
        return whole, whole
    return (
        _window(spec.x, spec.y, spec.width, spec.height),
        _window(spec.full_x, spec.full_y, spec.full_width, spec.full_height),
    )


def parts_of(image: ImageInput, most: int = _MAX_PARTS) -> list[Part]:
    """The parts of an open file, no more than so many."""
    parts: list[Part] = []
    while len(parts) < most:
        number = len(parts)
        if not image.seek_subimage(number, 0):
            break
        spec = image.spec()
        name = spec.get_string_attribute("oiio:subimagename")
        view = spec.get_string_attribute("view")
        parts.append(Part(number, name, view, tuple(spec.channelnames), bool(spec.deep)))
    complaint(image.geterror)  # that there is no further part
    return parts


def _check(spec: ImageSpec, path: Path) -> None:
    check_size(spec.width, spec.height, path)
    check_size(spec.full_width, spec.full_height, path)
    inks = {spec.get_string_attribute(name) for name in ("tiff:ColorSpace", "jpeg:ColorSpace")}
    for what in inks & _NO_RGB.keys():
        raise PlateError(f"a picture in {what}", where=path, fix=f"save it as RGB: {_NO_RGB[what]}")
    if spec.depth > 1:
        raise PlateError("a volume, not a picture", where=path, fix="render it as flat images")
    if spec.tile_width * spec.tile_height > MAX_PIXELS:
        raise _damaged(f"tiles of {spec.tile_width} × {spec.tile_height} pixels", path)


def _damaged(why: str, path: Path) -> PlateError:
    reason = plain_reason(why, path) or "its header makes no sense"
    return PlateError(
        f"the image cannot be opened: {reason}", where=path, fix="render or copy it again"
    )


def complaint(ask: Callable[[], str]) -> str:
    """OpenImageIO's pending message; it may quote bytes of a damaged file that are no text."""
    try:
        return ask()
    except UnicodeDecodeError:
        return "a name in it is no text"


def plain_reason(message: str, path: Path) -> str:
    """The first complaint of a library's message, without the file's name and line breaks."""
    for line in message.splitlines():
        text = re.sub(r"^EXR Error\s*", "", line.replace(f"({path})", "").replace(str(path), ""))
        if text := text.strip(" :,\"'"):
            return text[:160]
    return ""


def _window(x: int, y: int, width: int, height: int) -> Window:
    return Window(x, y, x + width - 1, y + height - 1)


def _pixel_aspect(spec: ImageSpec) -> float:
    aspect = float(spec.get_float_attribute("PixelAspectRatio", 1.0))
    return aspect if 0.01 < aspect < 100 else 1.0


def _rate(spec: ImageSpec) -> Fraction | None:
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


def _timecode(spec: ImageSpec, reader: str) -> str | None:
    words: Any = spec.getattribute("smpte:TimeCode")
    if not isinstance(words, tuple) or not words:
        return None
    if reader != "openexr" and not any(words):
        return None  # writers leave the header's field at zero when there is no timecode
    return from_smpte_words(int(words[0]))


def _codec(spec: ImageSpec, reader: str) -> str:
    name = "exr" if reader == "openexr" else reader
    compression = spec.get_string_attribute("compression")
    return f"{name}/{compression}" if compression and name in {"exr", "tiff"} else name


def _bits(spec: ImageSpec, channel: int) -> int:
    stored = int(spec.get_int_attribute("oiio:BitsPerSample", 0))
    size = 8 * int(spec.channelformat(channel).size())
    return stored if 0 < stored <= size else size


def _notes(image: ImageInput, spec: ImageSpec, reader: str) -> list[str]:
    turn = int(spec.get_int_attribute("Orientation", 1))
    notes = [f"orientation tag {turn} left alone, as compositors do"] if turn != 1 else []
    profile = spec.get_string_attribute("ICCProfile:profile_description")
    if profile and "srgb" not in profile.lower():
        notes.append(f"ICC profile {profile[:60]!r} is not applied")
    if reader != "openexr" and (aspect := _pixel_aspect(spec)) != 1:
        notes.append(f"pixel aspect {aspect:.4g} by its resolution tags")
    if reader == "tiff":
        pages = 1
        while pages < _MAX_PARTS and image.seek_subimage(pages, 0):
            pages += 1
        complaint(image.geterror)  # that there is no further page
        if pages > 1:
            notes.append(f"page 1 of {pages} is taken")
    return notes
