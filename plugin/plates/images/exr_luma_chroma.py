"""Luminance-chroma EXRs: Y at full size, RY and BY at half, which OpenImageIO does not open.

OpenEXR technical introduction, "Luminance/Chroma Images": RY = (R - Y) / Y, BY = (B - Y) / Y, with
Y weighted by the luminances of the file's primaries; chroma samples lie on every second pixel of
every second line, beginning with the first.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR  # type: ignore[import-not-found]

from plugin.colour.primaries import REC709, rgb_to_xyz
from plugin.types import FloatArray, Window

_NEEDED = {"Y", "RY", "BY"}
_UNREADABLE = (RuntimeError, ValueError, TypeError, IndexError, KeyError)


def is_luma_chroma(path: Path) -> Mapping[str, Any] | None:
    """The first part's header if the file is one of these, else None. Decodes nothing."""
    try:
        header: Mapping[str, Any] = OpenEXR.File(str(path), header_only=True).header(0)
        names = {channel.name for channel in header["channels"]}
    except _UNREADABLE:
        return None
    return header if names >= _NEEDED else None


def window_of(header: Mapping[str, Any], name: str) -> Window:
    """`dataWindow` or `displayWindow`."""
    low, high = header[name]
    return Window(int(low[0]), int(low[1]), int(high[0]), int(high[1]))


def read(path: Path) -> FloatArray | None:
    """Decode the file to `H × W × 3` float32 linear RGB; None where it is damaged."""
    try:
        header = OpenEXR.File(str(path), separate_channels=True)
        found = header.channels(0)
        luma = _pixels(found["Y"])
        planes = [_upsampled(_pixels(found[name]), luma.shape) for name in ("RY", "BY")]
        weights = rgb_to_xyz(header.header(0).get("chromaticities", REC709))[1]
    except _UNREADABLE:
        return None
    red, blue = ((plane + 1) * luma for plane in planes)
    green = (luma - weights[0] * red - weights[2] * blue) / weights[1]
    return np.stack([red, green, blue], axis=2).astype(np.float32)


def _pixels(channel: Any) -> FloatArray:  # noqa: ANN401  the module has no types
    return np.asarray(channel.pixels, np.float32)


def _upsampled(plane: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    for axis, size in enumerate(shape):
        if plane.shape[axis] < size:
            plane = np.moveaxis(_doubled(np.moveaxis(plane, axis, 0)), 0, axis)
    return plane[: shape[0], : shape[1]]


def _doubled(plane: FloatArray) -> FloatArray:
    """Twice the rows, each sample on the first of the two that it becomes."""
    tall = np.empty((2 * plane.shape[0], *plane.shape[1:]), np.float32)
    tall[0::2] = plane
    tall[1:-1:2] = (plane[:-1] + plane[1:]) / 2
    tall[-1] = plane[-1]
    return tall
