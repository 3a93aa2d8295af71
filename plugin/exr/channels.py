"""The channels of an alpha EXR: which values they hold, and the sum over them."""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from plugin.errors import FrameError
from plugin.exr.decode import Bits
from plugin.image.halves import as_floats, as_halves
from plugin.types import FloatArray, Stored

Channels = Literal["rgba", "a", "fg"]

_LARGEST = {"half": np.float32(65504), "float": np.finfo(np.float32).max}


def stored_channels(
    alpha: Stored, rgb: FloatArray | None, channels: Channels, bits: Bits
) -> dict[str, Stored]:
    """Every channel of the file by its name, as stored.

    Args:
        alpha: `H × W` float32 or float16.
        rgb: `H × W × 3` float32, premultiplied, for `fg`.
        channels: what the file holds.
        bits: `half` (rounded to nearest, beyond ±65504 held there) or `float`.
    """
    a = _stored(alpha, bits)
    if rgb is None:
        return dict.fromkeys("RGBA" if channels == "rgba" else "A", a)
    most = _LARGEST[bits]
    planes = (np.clip(np.asarray(plane, np.float32), -most, most) for plane in cv2.split(rgb))
    return {**{n: _stored(p, bits) for n, p in zip("RGB", planes, strict=True)}, "A": a}


def pixel_digest(alpha: FloatArray, bits: Bits = "half", rgb: FloatArray | None = None) -> str:
    """sha256 of a matte's shape and pixels, as a file of that many bits stores them.

    Args:
        alpha: `H × W`; rounded to the nearest half when those are asked for.
        bits: `half` or `float`.
        rgb: `H × W × 3`, the foreground where the file holds one.
    """
    return stored_digest(stored_channels(alpha, rgb, "a", bits), bits)


def stored_digest(planes: Mapping[str, Stored], bits: Bits) -> str:
    """`pixel_digest` of what is stored: A alone, or A, R, G and B."""
    height, width = planes["A"].shape
    digest = hashlib.sha256(f"{bits} {height}x{width}\n".encode())
    for name in sorted(planes):  # A before R, G and B, as they stand in the file
        plane = planes[name]
        digest.update(plane.astype(plane.dtype.newbyteorder("<"), copy=False).data)
        if len(planes) > 1:
            digest.update(name.encode())
    return digest.hexdigest()


def refuse_colours(rgb: FloatArray, alpha: Stored, where: str) -> None:
    """Refuse a foreground that cannot go with an alpha.

    Raises:
        FrameError: it is of another size, or not finite.
    """
    if rgb.dtype != np.float32 or rgb.shape != (*alpha.shape, 3):
        what = f"the foreground is {rgb.shape} {rgb.dtype}, the alpha {alpha.shape}"
        raise FrameError(what, where=where, fix="report it: a step before gave another size")
    if not np.isfinite(rgb).all():
        raise FrameError("the foreground is not finite", where=where, fix="report it")


def _stored(plane: Stored, bits: Bits) -> npt.NDArray[Any]:
    return np.ascontiguousarray(as_halves(plane) if bits == "half" else as_floats(plane))
