"""Metadata of an EXR that travels with the plate into the matte: camera, lens, slate."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR  # type: ignore[import-not-found]

_OF_THE_FILE = frozenset(
    (
        *("name", "type", "version", "view", "multiView", "channels", "compression", "lineOrder"),
        *("dataWindow", "displayWindow", "screenWindowCenter", "screenWindowWidth"),
        *("pixelAspectRatio", "framesPerSecond", "timeCode", "colorInteropID", "preview"),
        *("chunkCount", "tiles", "deepImageState", "maxSamplesPerPixel", "dwaCompressionLevel"),
        *("envmap", "wrapmodes"),
    )
)
_MAX_TEXT = 65_536
_KINDS = (str, int, float, bytes, tuple, Fraction, np.ndarray, OpenEXR.KeyCode)


def carried_attributes(path: Path, part: int) -> Mapping[str, Any]:
    """Attributes by their EXR names, with values as the `OpenEXR` module reads and writes them.

    What describes this one file (windows, compression, tiles) and what `Frame` holds by itself
    stays behind. A header that only OpenImageIO can read gives none.
    """
    try:
        header = OpenEXR.File(str(path), header_only=True).header(part)
    except (RuntimeError, ValueError, TypeError, IndexError):
        return {}
    return {
        name: value
        for name, value in header.items()
        if name not in _OF_THE_FILE and isinstance(value, _KINDS) and _small(value)
    }


def _small(value: Any) -> bool:  # noqa: ANN401  attributes have any type
    if isinstance(value, np.ndarray):
        return value.nbytes <= _MAX_TEXT
    return not isinstance(value, str | bytes | tuple) or len(value) <= _MAX_TEXT
