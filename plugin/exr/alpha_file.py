"""Alpha EXR files: encoded in memory, decoded back in full, proved by their own contents.

A file carries two sums: `adamatte/digest` over its pixels, and `adamatte/seal` over all its bytes
(with the seal's own digits as zeros), so that no flipped bit passes, in the header neither. The
seal is looked at before the decoder is: what was damaged never gets that far.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR  # type: ignore[import-not-found]

from plugin.disk.atomic import write_whole
from plugin.errors import FrameError, OutputError
from plugin.exr.channels import (
    Channels,
    refuse_colours,
    stored_channels,
    stored_digest,
)
from plugin.exr.colours import Colours
from plugin.exr.decode import (
    NO_SEAL,
    Bits,
    add_seal,
    check_seal,
    colours_of,
    damaged,
    decode_a,
    decode_stored,
    load,
    read_header,
    refuse_size,
)
from plugin.exr.form import COMPRESSIONS, LOSSY, AlphaFile, AlphaFormat, Compression
from plugin.exr.header import OURS, colour_attributes, make_header, window
from plugin.image.halves import as_floats
from plugin.types import FloatArray, Frame, PlateInfo, Stored, Window

__all__ = ["AlphaFile", "AlphaFormat", "Bits", "Channels", "Colours", "Compression"]

FOREGROUND = "foreground"
"""Key of the provenance that says that RGB is a foreground, not the alpha again."""
_AGAIN = "run the same command again"

_HALF_ONE = 0x3C00
"""The code of 1 in half floats: those of 0 and up are in the order of their values."""

Layers = Mapping[str, FloatArray]
"""Planes `H × W` float32 within [0, 1], by the name of their layer."""


_DEFAULT = AlphaFormat()


def encode_alpha(
    alpha: Stored,
    *,
    info: PlateInfo,
    frame: Frame,
    provenance: Mapping[str, str],
    form: AlphaFormat = _DEFAULT,
    colours: Colours | None = None,
    layers: Layers | None = None,
) -> bytes:
    """The bytes of an alpha EXR.

    Args:
        alpha: `H × W` float32 or float16 of the plate's data window, finite, within [0, 1].
        info: the plate: windows, pixel aspect ratio, rate.
        frame: its timecode, and attributes to carry over; its pixels are not looked at.
        provenance: written as `adamatte/<key>`; `digest` is added, or checked if given.
        form: channels, bits, compression.
        colours: the foreground, for `fg` and for nothing else.
        layers: further planes by the layer's name, as alpha; each is channel A of its layer.

    Raises:
        FrameError: the alpha or a layer is of another size than the plate, or not within [0, 1];
            or the foreground is of another size, or not finite.
    """
    return _encoded(alpha, info, frame, provenance, form, colours, layers).data


@dataclass(frozen=True, slots=True, eq=False)
class _Encoded:
    """A file's bytes, the digest that stands in them, and the planes that it is of."""

    data: bytes
    digest: str
    planes: Mapping[str, Stored]


def _encoded(  # noqa: PLR0917  as `encode_alpha`
    alpha: Stored,
    info: PlateInfo,
    frame: Frame,
    provenance: Mapping[str, str],
    form: AlphaFormat,
    colours: Colours | None,
    layers: Layers | None,
) -> _Encoded:
    where = f"frame {frame.number}"
    _refuse_alpha(alpha, info.data_window, where)
    lossless = form.compression not in LOSSY
    if (colours is None) == (form.channels == "fg") or (colours is None and not lossless):
        what = "a foreground goes with fg, and DWA with a foreground"
        raise FrameError(what, where=where, fix="report it")
    header = make_header(info, frame, provenance)
    header["compression"] = COMPRESSIONS[form.compression]
    rgb = None
    if colours is not None:
        rgb = colours.rgb
        refuse_colours(rgb, alpha, where)
        header.pop("colorInteropID")
        header |= colour_attributes(frame, colours)
        header[f"{OURS}{FOREGROUND}"] = "premultiplied"
    planes = stored_channels(alpha, rgb, form.channels, form.bits)
    summed = {"A": planes["A"]} if rgb is None else planes
    if rgb is not None and not lossless:
        summed, _ = decode_stored(_written(header, planes), tuple("ARGB"), where)
    for name, plane in (layers or {}).items():
        _refuse_alpha(plane, info.data_window, f"{where}, layer {name}")
        planes = planes | {f"{name}.A": stored_channels(plane, None, "a", form.bits)["A"]}
    digest = stored_digest(summed, form.bits)
    if provenance.get("digest", digest) != digest:
        raise FrameError("the digest is of other pixels", where=where, fix=_AGAIN)
    header |= {f"{OURS}digest": digest, f"{OURS}seal": NO_SEAL}
    return _Encoded(add_seal(_written(header, planes)), digest, summed)


def _written(header: dict[str, Any], planes: Mapping[str, Any]) -> bytes:
    target = io.BytesIO()
    OpenEXR.File(dict(header), dict(planes)).write(target)
    return target.getvalue()


def write_alpha(
    path: Path,
    alpha: Stored,
    *,
    info: PlateInfo,
    frame: Frame,
    provenance: Mapping[str, str],
    form: AlphaFormat = _DEFAULT,
    colours: Colours | None = None,
    layers: Layers | None = None,
    root: Path | None = None,
) -> str:
    """Encode, write beside, decode back, rename.

    Arguments as of `encode_alpha`; no symbolic link may lead out of `root`, the output folder.

    Returns:
        The digest of the pixels as stored.

    Raises:
        FrameError: the alpha cannot be a matte.
        OutputError: the disk refuses, or does not give back what was written.
    """
    made = _encoded(alpha, info, frame, provenance, form, colours, layers)
    write_whole(path, made.data, check=partial(_check_written, made=made), root=root)
    return made.digest


def read_layer(path: Path, name: str) -> FloatArray | None:
    """A layer that `encode_alpha` wrote, `H × W` float32; None where the file has none of the name.

    Raises:
        FrameError: the file cannot be read.
    """
    data = load(path)
    check_seal(data, path)
    channels = {channel.name for channel in read_header(data, path)["channels"]}
    return decode_a(data, path, f"{name}.A")[0] if f"{name}.A" in channels else None


def read_alpha(path: Path, layer: str = "") -> AlphaFile:
    """Decode an alpha EXR in full; sums that it carries are checked.

    Args:
        path: the file.
        layer: one that `encode_alpha` wrote, to be read with the alpha where the file has it.

    Raises:
        FrameError: it is missing, damaged, too large, of a kind that is not read here (deep, tiled
            in parts, without A), or its alpha is not within [0, 1].
    """
    data = load(path)
    sealed = check_seal(data, path)
    header = read_header(data, path)
    data_window = window(header["dataWindow"])
    refuse_size(data_window, path)
    coloured = f"{OURS}{FOREGROUND}" in header
    channels = tuple(channel.name for channel in header["channels"])
    beside = tuple({f"{layer}.A"}.intersection(channels))
    planes, bits = decode_stored(data, (*("ARGB" if coloured else "A"), *beside), path)
    further = [as_floats(planes.pop(name)) for name in beside]
    alpha = as_floats(planes["A"])
    _refuse_alpha(alpha, data_window, str(path))
    rgb = colours_of(planes) if coloured else None
    told = header.get(f"{OURS}digest")
    if told is not None and told != stored_digest(planes, bits):
        raise damaged("its pixels are not those of its digest", path)
    return AlphaFile(
        alpha=alpha,
        bits=bits,
        channels=channels,
        compression=header["compression"].name,
        data_window=data_window,
        display_window=window(header["displayWindow"]),
        pixel_aspect=float(header["pixelAspectRatio"]),
        attributes=header,
        sealed=sealed,
        foreground=rgb,
        layer=further[0] if further else None,
    )


def prove_alpha(path: Path, layer: str = "") -> AlphaFile:
    """`read_alpha` for the program's own files: the sums must be there, and right.

    Raises:
        FrameError: as `read_alpha`; or the file was not written by this program.
    """
    found = read_alpha(path, layer)
    if not found.sealed or "digest" not in found.provenance:
        raise FrameError(
            "it does not carry AdaMatte's sums: another program wrote it", where=path, fix=_AGAIN
        )
    return found


def is_current(path: Path, recipe: str) -> str | None:
    """Whether a frame need not be computed again: proved by its contents, never by its name.

    Args:
        path: the frame's final name.
        recipe: sha256 of everything that determines the file: plate, weights, trimap, settings,
            channels and bits.

    Returns:
        The digest of its pixels if the file is whole and of this recipe, else None.
    """
    try:
        found = prove_alpha(path)
    except FrameError:
        return None
    told = found.provenance
    return told["digest"] if told.get("recipe") == recipe else None


def _check_written(path: Path, made: _Encoded) -> None:
    """The disk gives back every byte that was written, and they decode to every pixel."""
    fix = "look at the disk or the share, then run the same command again"
    try:
        data = load(path)
        planes, _ = decode_stored(data, tuple(made.planes), path)
    except FrameError as error:
        raise OutputError(
            f"what was written reads back wrong: {error.what}", where=path, fix=fix
        ) from error
    same = (_same_bits(plane, made.planes[name]) for name, plane in planes.items())
    if data != made.data or not all(same):
        raise OutputError("what was written reads back as other pixels", where=path, fix=fix)


def _same_bits(one: Stored, other: Stored) -> bool:
    bits = np.dtype(f"u{one.itemsize}")
    return one.dtype == other.dtype and np.array_equal(one.view(bits), other.view(bits))


def _refuse_alpha(alpha: Stored, area: Window, where: str) -> None:
    refuse_size(area, where)
    known = alpha.dtype in (np.float16, np.float32)
    if not known or alpha.shape != (area.height, area.width):
        what = f"the alpha is {alpha.shape} {alpha.dtype}, not {area.height} × {area.width} float32"
        raise FrameError(what, where=where, fix="report it: a step before gave another size")
    if alpha.dtype == np.float16 and alpha.view(np.uint16).max() <= _HALF_ONE:
        return
    # Comparisons with NaN are false, and min and max hand NaN on.
    if not (alpha.min() >= 0 and alpha.max() <= 1):
        raise FrameError("the alpha is not within [0, 1]", where=where, fix="report it")
