"""Pictures that come with a plate: masks, trimaps, clean plates, painted overrides.

They are read as stored values (8 and 16 bit as 0 to 1, half and float as they are) and laid on the
plate's data window, as `companion_places` says. Windows come from EXR alone, as for plates.

What is wrong with one is a `PictureError`, which callers tell as what it is to them: `told_as`.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import OpenImageIO as oiio  # noqa: N813

from plugin.disk.inputs import held, place_of, regular, sum_to_decode
from plugin.errors import PictureError, PlateError
from plugin.image.channels import least, most
from plugin.plates.companions.layers import choose_matte
from plugin.plates.companions.places import PictureHeader, laid, refuse_misfit
from plugin.plates.images.facts import bits_of
from plugin.plates.images.header import complaint, parts_of, windows_of
from plugin.plates.sniff import picture_reader_of
from plugin.types import FloatArray, PlateInfo

PICTURE_SUFFIXES = frozenset(
    {".png", ".tif", ".tiff", ".exr", ".jpg", ".jpeg", ".dpx", ".cin", ".tga", ".bmp", ".webp"}
    | {".sgi", ".rgb", ".gif"}
)
_MAX_CHANNELS = 256
_BYTE = 255.0
_SAME = 1.5 / 255
_REPAIR = "render it again"


def is_picture(path: str | Path) -> bool:
    """Whether the name is one of a still picture, rather than of a video."""
    return Path(path).suffix.lower() in PICTURE_SUFFIXES


def digest_of(path: Path) -> str:
    """The sha256 of a file.

    Raises:
        PictureError: it is missing, cannot be read, or no regular file.
        FrameError: the ledger has it with other bytes.
    """
    with _readable(path):
        return sum_to_decode(path).sha256


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """The system's refusals as the caller's."""
    _refuse_missing(path)
    try:
        yield
    except OSError as problem:
        raise _unreadable(path, problem.strerror or "not readable") from problem


def read_header(path: Path) -> PictureHeader:
    """Sizes and channels, without decoding a pixel.

    Raises:
        PictureError: the file is missing, no picture, deep, or holds more than 256 channels.
    """
    with (
        _readable(path),
        regular(path) as handle,
        _open(place_of(handle), path) as (picture, reader),
    ):
        return _header(picture, reader, path)


def _header(picture: oiio.ImageInput, reader: str, path: Path) -> PictureHeader:
    parts, spec = parts_of(picture), picture.spec(0, 0)
    if spec.deep or spec.depth > 1 or not 0 < spec.nchannels <= _MAX_CHANNELS:
        raise _unreadable(path, "not a flat picture")
    exr = reader == "openexr"
    data, display = windows_of(spec, reader)
    whole = str(spec.channelformat(0)) not in {"half", "float", "double"}
    full = float((1 << bits_of(spec, 0)) - 1) if whole else 1.0
    return PictureHeader(
        path, data, display, tuple(parts if exr else parts[:1]), full, exr, len(parts)
    )


def read_picture(path: Path, info: PlateInfo) -> tuple[PictureHeader, FloatArray]:
    """All channels on the plate's data window, `H × W × C` float32, as stored; finite.

    NaN is 0, infinities are the largest float16.

    Raises:
        PictureError: the file is missing, damaged, or of another size.
    """
    return _read(path, info, lambda _: (0, ()))


def read_named(
    path: Path,
    info: PlateInfo,
    part: int,
    names: tuple[str, ...],
    *,
    scaled: bool = False,
) -> tuple[PictureHeader, FloatArray]:
    """The header of a file, and channels of the very same by name, as stored.

    They lie on the plate's data window, `H × W × C` float32, finite.

    Args:
        path: the file.
        info: the plate.
        part: place of the part in the file.
        names: full names of the channels; none is all of them.
        scaled: the picture has the plate's shape, and another size.

    Raises:
        PictureError: the file is missing, damaged, of another size, or lacks a channel.
    """
    return _read(path, info, lambda _: (part, names), scaled=scaled)


def _read(
    path: Path,
    info: PlateInfo,
    pick: Callable[[PictureHeader], tuple[int, tuple[str, ...]]],
    *,
    scaled: bool = False,
) -> tuple[PictureHeader, FloatArray]:
    """The header, and the part's channels that `pick` names by it; all of them where it names none.

    Header and pixels are of the same bytes.
    """
    with _readable(path), held(path) as file, _open(file.place, path) as (picture, reader):
        header = _header(picture, reader, path)
        refuse_misfit(header, info, scaled=scaled)
        part, names = pick(header)
        there = header.parts[part].channels if part < len(header.parts) else ()
        missing = [name for name in names if name not in there]
        if missing or not there:
            what = f"no channel {missing[0] if missing else ''}; there are {', '.join(there[:8])}"
            raise PictureError(what, where=path, fix="render it like the others")
        pixels = _pixels(picture, part, [there.index(name) for name in names or there], path)
    return header, laid(pixels, header, info)


def read_labels(path: Path, info: PlateInfo) -> FloatArray:
    """A picture of a few greys, `H × W` float32, as stored; 8-bit values in 16 bits are made whole.

    Raises:
        PictureError: the file is missing, damaged, of another size, coloured, or of several layers.
    """

    def pick(header: PictureHeader) -> tuple[int, tuple[str, ...]]:
        layer = choose_matte(header.parts, "", path)
        return layer.part, layer.colours or layer.names

    header, values = _read(path, info, pick)
    grey = most(values)
    if values.shape[2] > 1 and float((grey - least(values)).max()) > _SAME:
        what = "its colours differ"
        raise PictureError(what, where=path, fix="save it as grey, or with equal channels")
    whole = header.full > _BYTE and 0 < grey.max() <= _BYTE / header.full
    return np.ascontiguousarray(grey * np.float32(header.full / _BYTE) if whole else grey)


def _pixels(picture: oiio.ImageInput, part: int, wanted: list[int], path: Path) -> FloatArray:
    first = min(wanted)
    pixels = picture.read_image(part, 0, first, max(wanted) + 1, oiio.FLOAT)
    message = complaint(picture.geterror)
    if pixels is None or message:
        raise _unreadable(path, f"damaged ({_one_line(message)})")
    places = [channel - first for channel in wanted]
    chosen = pixels if places == list(range(pixels.shape[2])) else pixels[..., places]
    chosen = np.asarray(chosen, np.float32)
    return (
        chosen if np.isfinite(chosen).all() else np.nan_to_num(chosen, posinf=65504, neginf=-65504)
    )


@contextmanager
def _open(place: Path, path: Path) -> Iterator[tuple[oiio.ImageInput, str]]:
    """Open with the one reader that the file's first bytes name."""
    try:
        reader = picture_reader_of(place, path.suffix)
    except PlateError as problem:
        raise _unreadable(path, f"not a picture ({problem.what})") from problem
    # Colours as they are stored: by default they come multiplied by alpha.
    straight = oiio.ImageSpec()
    straight["oiio:UnassociatedAlpha"] = 1
    picture: oiio.ImageInput | None = oiio.ImageInput.open(str(place), straight)
    if picture is None or picture.format_name() != reader:
        raise _unreadable(path, f"not a picture ({_one_line(complaint(oiio.geterror))})")
    with closing(picture):
        yield picture, reader


def _refuse_missing(path: Path) -> None:
    if not path.is_file():
        raise PictureError("no such file", where=path, fix="check the name")


def _one_line(message: str) -> str:
    return next((line.strip() for line in message.splitlines() if line.strip()), "no reason given")


def _unreadable(path: Path, what: str) -> PictureError:
    return PictureError(what, where=path, fix=_REPAIR)
