"""Alpha EXR files: encoded in memory, decoded back in full, proved by their own contents.

A file carries two sums: `adamatte/digest` over its pixels, and `adamatte/seal` over all its bytes
(with the seal's own digits as zeros), so that no flipped bit passes, in the header neither. The
seal is looked at before the decoder is: what was damaged never gets that far.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import OpenEXR  # type: ignore[import-not-found]

from plugin.atomic import write_whole
from plugin.errors import FrameError, OutputError
from plugin.exr_bytes import (
    NO_SEAL,
    Bits,
    add_seal,
    check_seal,
    damaged,
    decode_a,
    load,
    read_header,
    refuse_size,
)
from plugin.exr_header import OURS, make_header, window
from plugin.types import FloatArray, Frame, PlateInfo, Window

if TYPE_CHECKING:
    from plugin.shot import Shot

__all__ = [
    "AlphaFile",
    "AlphaFormat",
    "Bits",
    "Channels",
    "Compression",
    "encode_alpha",
    "is_current",
    "pixel_digest",
    "prove_alpha",
    "read_alpha",
    "write_alpha",
]

Channels = Literal["rgba", "a"]
Compression = Literal["none", "zip", "zips", "piz"]

_COMPRESSIONS = {
    "none": OpenEXR.NO_COMPRESSION,
    "zip": OpenEXR.ZIP_COMPRESSION,
    "zips": OpenEXR.ZIPS_COMPRESSION,
    "piz": OpenEXR.PIZ_COMPRESSION,
}
_AGAIN = "run the same command again"


@dataclass(frozen=True, slots=True)
class AlphaFormat:
    """How an alpha is stored; the default is the contract's.

    Attributes:
        channels: `rgba` writes R=G=B=A=alpha, `a` the channel A alone.
        bits: of each channel.
        compression: lossless; `zips` is what row by row readers like.
    """

    channels: Channels = "rgba"
    bits: Bits = "half"
    compression: Compression = "zips"

    @classmethod
    def of(cls, shot: Shot) -> AlphaFormat:
        """As the shot asks."""
        return cls(shot.channels, shot.bits, shot.compression)


_DEFAULT = AlphaFormat()


@dataclass(frozen=True, slots=True, eq=False)
class AlphaFile:
    """An alpha EXR, decoded in full.

    Attributes:
        alpha: `H × W` float32, finite, within [0, 1]: exactly the stored values.
        bits: as which they are stored.
        channels: the names of all channels in the file.
        compression: as OpenEXR names it: `ZIPS_COMPRESSION`, ….
        data_window: the pixels that are stored.
        display_window: the picture's frame.
        pixel_aspect: width of a pixel over its height.
        attributes: the whole header by attribute name.
        sealed: every byte of the file was proved to be as it was written.
    """

    alpha: FloatArray
    bits: Bits
    channels: tuple[str, ...]
    compression: str
    data_window: Window
    display_window: Window
    pixel_aspect: float
    attributes: Mapping[str, Any]
    sealed: bool

    @property
    def provenance(self) -> dict[str, str]:
        """The `adamatte/` attributes by their key."""
        names = (name for name in self.attributes if name.startswith(OURS))
        return {name.removeprefix(OURS): str(self.attributes[name]) for name in names}


def pixel_digest(alpha: FloatArray, bits: Bits = "half") -> str:
    """sha256 of an alpha's shape and pixels, as a file of that many bits stores them.

    Args:
        alpha: `H × W`; rounded to the nearest half when those are asked for.
        bits: `half` or `float`.
    """
    stored = _stored(alpha, bits)
    digest = hashlib.sha256(f"{bits} {stored.shape[0]}x{stored.shape[1]}\n".encode())
    digest.update(stored.astype(stored.dtype.newbyteorder("<"), copy=False).data)
    return digest.hexdigest()


def encode_alpha(
    alpha: FloatArray,
    *,
    info: PlateInfo,
    frame: Frame,
    provenance: Mapping[str, str],
    form: AlphaFormat = _DEFAULT,
) -> bytes:
    """The bytes of an alpha EXR.

    Args:
        alpha: `H × W` float32 of the plate's data window, finite, within [0, 1].
        info: the plate: windows, pixel aspect ratio, rate.
        frame: its timecode, and attributes to carry over; its pixels are not looked at.
        provenance: written as `adamatte/<key>`; `digest` is added, or checked if given.
        form: channels, bits, compression.

    Raises:
        FrameError: the alpha is of another size than the plate, or not within [0, 1].
    """
    _refuse_alpha(alpha, info.data_window, f"frame {frame.number}")
    digest = pixel_digest(alpha, form.bits)
    if provenance.get("digest", digest) != digest:
        raise FrameError("the digest is of other pixels", where=f"frame {frame.number}", fix=_AGAIN)
    sealed = {**provenance, "digest": digest, "seal": NO_SEAL}
    header = make_header(info, frame, sealed)
    header["compression"] = _COMPRESSIONS[form.compression]
    stored = _stored(alpha, form.bits)
    target = io.BytesIO()
    names = "RGBA" if form.channels == "rgba" else "A"
    OpenEXR.File(header, dict.fromkeys(names, stored)).write(target)
    return add_seal(target.getvalue())


def write_alpha(
    path: Path,
    alpha: FloatArray,
    *,
    info: PlateInfo,
    frame: Frame,
    provenance: Mapping[str, str],
    form: AlphaFormat = _DEFAULT,
    root: Path | None = None,
) -> str:
    """Encode, write beside, decode back, rename.

    Args:
        path: the frame's final name.
        alpha: as for `encode_alpha`, and so the next four.
        info: the plate.
        frame: of the plate.
        provenance: written as `adamatte/<key>`.
        form: channels, bits, compression.
        root: the output folder, which no symbolic link may lead out of.

    Returns:
        The digest of the pixels as stored.

    Raises:
        FrameError: the alpha cannot be a matte.
        OutputError: the disk refuses, or does not give back what was written.
    """
    data = encode_alpha(alpha, info=info, frame=frame, provenance=provenance, form=form)
    digest = pixel_digest(alpha, form.bits)
    write_whole(path, data, check=partial(_check_written, digest=digest), root=root)
    return digest


def read_alpha(path: Path) -> AlphaFile:
    """Decode an alpha EXR in full; sums that it carries are checked.

    Raises:
        FrameError: it is missing, damaged, too large, of a kind that is not read here (deep, tiled
            in parts, without A), or its alpha is not within [0, 1].
    """
    data = load(path)
    sealed = check_seal(data, path)
    header = read_header(data, path)
    data_window = window(header["dataWindow"])
    refuse_size(data_window, path)
    alpha, bits = decode_a(data, path)
    _refuse_alpha(alpha, data_window, str(path))
    told = header.get(f"{OURS}digest")
    if told is not None and told != pixel_digest(alpha, bits):
        raise damaged("its pixels are not those of its digest", path)
    return AlphaFile(
        alpha=alpha,
        bits=bits,
        channels=tuple(channel.name for channel in header["channels"]),
        compression=header["compression"].name,
        data_window=data_window,
        display_window=window(header["displayWindow"]),
        pixel_aspect=float(header["pixelAspectRatio"]),
        attributes=header,
        sealed=sealed,
    )


def prove_alpha(path: Path) -> AlphaFile:
    """`read_alpha` for the program's own files: the sums must be there, and right.

    Raises:
        FrameError: as `read_alpha`; or the file was not written by this program.
    """
    found = read_alpha(path)
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


def _check_written(path: Path, digest: str) -> None:
    fix = "look at the disk or the share, then run the same command again"
    try:
        found = prove_alpha(path)
    except FrameError as error:
        raise OutputError(
            f"what was written reads back wrong: {error.what}", where=path, fix=fix
        ) from error
    if found.provenance["digest"] != digest:
        raise OutputError("what was written reads back as other pixels", where=path, fix=fix)


def _stored(alpha: FloatArray, bits: Bits) -> npt.NDArray[np.float16 | np.float32]:
    return np.ascontiguousarray(alpha, dtype=np.float16 if bits == "half" else np.float32)


def _refuse_alpha(alpha: FloatArray, area: Window, where: str) -> None:
    refuse_size(area, where)
    if alpha.dtype != np.float32 or alpha.shape != (area.height, area.width):
        what = f"the alpha is {alpha.shape} {alpha.dtype}, not {area.height} × {area.width} float32"
        raise FrameError(what, where=where, fix="report it: a step before gave another size")
    # Comparisons with NaN are false, and min and max hand NaN on.
    if not (alpha.min() >= 0 and alpha.max() <= 1):
        raise FrameError("the alpha is not within [0, 1]", where=where, fix="report it")
