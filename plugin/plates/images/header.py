"""What an image file says of itself, read without decoding a pixel."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from OpenImageIO import ImageInput, ImageSpec, geterror
from pydantic import ValidationError

from plugin.errors import PlateError
from plugin.framerange import FrameRange
from plugin.plate_info import no_plate
from plugin.plates.images.colour import colour_of, exr_colour
from plugin.plates.images.exr_layers import Part, Picture, choose
from plugin.plates.images.exr_luma_chroma import is_luma_chroma, window_of
from plugin.plates.images.facts import (
    bits_of,
    check_film_header,
    codec_of,
    forget_what_is_picture,
    notes_of,
    pixel_aspect_of,
    rate_of,
    smpte_of,
)
from plugin.plates.limits import MAX_PIXELS, check_size
from plugin.plates.sniff import IMAGE_READERS, reader_of
from plugin.plates.timecode import from_smpte_words
from plugin.types import PlateInfo, PlateKind, Window

_MAX_PARTS = 256
_LAB = "its values are lightness and hue"
_NO_RGB = {"CIELAB": _LAB, "ICCLAB": _LAB, "ITULAB": _LAB, "CMYK": "its values are inks"}
"""Colour models of TIFF and JPEG that are no RGB, as OpenImageIO calls them."""


class ImageHeader(PlateInfo):
    """The header of one image file: what it says of the plate, had that no other frame.

    Attributes:
        reader: OpenImageIO's name of the format.
        picture: the part and channels that make the plate.
        smpte: the timecode's two words, with its flags and user bits.
    """

    kind: PlateKind = PlateKind.IMAGE
    frames: FrameRange = FrameRange(())
    reader: str
    picture: Picture
    smpte: tuple[int, int] | None = None


def _open_image(path: Path, named: Path | None = None) -> tuple[ImageInput, str]:
    """Open with the one reader that the file's first bytes name."""
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


@contextmanager
def reading(
    path: Path, layer: str = "", named: Path | None = None
) -> Iterator[tuple[ImageHeader, ImageInput | None]]:
    """Open one file for its header and, as long as the block lasts, its pixels.

    Args:
        path: the file, or a name for an open one.
        named: how it is called in errors, if not so.
        layer: the EXR layer, view or part to take; empty for the main picture.

    Yields:
        The header, and the open file; None for luminance and chroma (`exr_luma_chroma`).

    Raises:
        PlateError: missing, damaged, oversized, deep, without colour, or without that layer.
    """
    named = named or path
    image: ImageInput | None = None
    try:
        image, reader = _open_image(path, named)
    except PlateError:
        header = is_luma_chroma(path)
        if header is None or layer:
            raise
        found = _luma_chroma(header, named)
    try:
        if image is not None:
            try:
                found = _header(image, reader, path, named, layer)
            except ValidationError as error:
                raise _damaged(no_plate(error), named) from error
            except (UnicodeDecodeError, RuntimeError, MemoryError) as error:
                raise _damaged(f"{type(error).__name__} in its header", named) from error
        yield found, image
    finally:
        if image is not None:
            image.close()


def read_header(path: Path, layer: str = "", named: Path | None = None) -> ImageHeader:
    """One file's header; arguments and errors as of `reading`."""
    with reading(path, layer, named) as (header, _):
        return header


def _luma_chroma(header: Mapping[str, Any], path: Path) -> ImageHeader:
    data, display = window_of(header, "dataWindow"), window_of(header, "displayWindow")
    check_size(data.width, data.height, path)
    check_size(display.width, display.height, path)
    chromaticities = header.get("chromaticities")
    colour, note = exr_colour(chromaticities)
    rate = header.get("framesPerSecond")
    return ImageHeader(
        path=str(path),
        reader="openexr",
        picture=Picture(0, (), None, ("luminance and half-size chroma",)),
        data_window=data,
        display_window=display,
        pixel_aspect=float(header.get("pixelAspectRatio", 1.0)),
        rate=rate if isinstance(rate, Fraction) and rate > 0 else None,
        codec="exr/luminance-chroma",
        pixel_format="half",
        bits=16,
        colour=colour,
        notes=tuple(text for text in (note, "luminance and half-size chroma") if text),
    )


def _header(image: ImageInput, reader: str, path: Path, named: Path, layer: str) -> ImageHeader:
    parts = parts_of(image) if reader == "openexr" else parts_of(image, 1)
    pages = len(parts_of(image)) if reader == "tiff" else 1
    picture = choose(parts, layer, named)
    spec = image.spec(picture.part, 0)
    _check(spec, named)
    forget_what_is_picture(spec, path, reader)
    colour, colour_note = colour_of(spec, reader, path)
    data, display = windows_of(spec, reader)
    smpte = smpte_of(spec, reader)
    return ImageHeader(
        path=str(named),
        reader=reader,
        picture=picture,
        data_window=data,
        display_window=display,
        pixel_aspect=pixel_aspect_of(spec),
        rate=rate_of(spec),
        timecode=from_smpte_words(smpte[0]) if smpte else None,
        smpte=smpte,
        codec=codec_of(spec, reader),
        pixel_format=str(spec.channelformat(picture.rgb[0])),
        bits=bits_of(spec, picture.rgb[0]),
        colour=colour,
        notes=tuple(
            note for note in (colour_note, *picture.notes, *notes_of(spec, reader, pages)) if note
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
