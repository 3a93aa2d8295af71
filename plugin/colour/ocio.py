"""OpenColorIO through OpenImageIO: the studio's configuration, or a built-in one pinned by name."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from OpenImageIO import ColorConfig, ImageBuf, ImageBufAlgo

from plugin.errors import PlateError
from plugin.types import FloatArray

__all__ = [
    "BUILT_IN",
    "config_name",
    "from_file_rules",
    "is_known",
    "to_rec709",
]

BUILT_IN = "ocio://studio-config-v2.1.0_aces-v1.3_ocio-v2.3"
"""Pinned: OpenColorIO's `-latest` names move with its releases."""

_REC709 = ("lin_rec709_scene", "lin_rec709", "Linear Rec.709 (sRGB)", "Utility - Linear - Rec.709")
"""Names of linear Rec.709 in the configurations of the last ten years."""

_OURS = {
    "g24_rec2020_display": "Rec.1886 Rec.2020 - Display",
    "pq_rec2020_display": "Rec.2100-PQ - Display",
    "pq_p3d65_display": "ST2084-P3-D65 - Display",
    "hlg_rec2020_display": "Rec.2100-HLG - Display",
    "srgb_p3d65_display": "Display P3 - Display",
    "g24_p3d65_display": "Display P3 - Display",
}
"""The spaces that video tags name, in the built-in configuration."""


def config_name() -> str:
    """`$OCIO` where it is set, else `BUILT_IN`."""
    return os.environ.get("OCIO") or BUILT_IN


@lru_cache(maxsize=4)
def _config(name: str) -> ColorConfig:
    config = ColorConfig(name)
    message = config.geterror()
    if message:
        raise PlateError(
            f"the OCIO configuration cannot be read: {' '.join(message.split())[:200]}",
            where=name,
            fix="correct $OCIO, or unset it for the built-in configuration",
        )
    return config


def from_file_rules(path: str, config: str) -> str | None:
    """The space that the configuration's file rules give a file; None where only the default does.

    The built-in rules look for names of spaces anywhere in the path, so they see the file's name
    alone. A rule that says "no colour" (raw, data) says nothing about a plate.

    Raises:
        PlateError: the configuration cannot be read.
    """
    opened = _config(config)
    seen = Path(path).name if config == BUILT_IN else path
    if opened.filepathOnlyMatchesDefaultRule(seen):
        return None
    name = opened.getColorSpaceFromFilepath(seen)
    return name if _index(opened, name) >= 0 and not opened.isData(name) else None


def is_known(space: str, config: str) -> bool:
    """Whether the configuration has that space, role or alias.

    Raises:
        PlateError: the configuration cannot be read.
    """
    return _index(_config(config), space) >= 0 or _in_built_in(space)


def is_data(space: str, config: str) -> bool:
    """Whether values in that space are no colours.

    Raises:
        PlateError: the configuration cannot be read.
    """
    return bool(_config(config).isData(space))


def interop_id(space: str, config: str) -> str:
    """The space's name in the Color Interop Forum's list; empty where it has none.

    Raises:
        PlateError: the configuration cannot be read.
    """
    return str(_config(config).get_color_interop_id(space))


def to_rec709(space: str, config: str) -> Callable[[FloatArray], FloatArray]:
    """The function from the space's values to linear Rec.709, not tone-mapped.

    Raises:
        PlateError: the configuration cannot be read, or cannot convert.
    """
    if _index(_config(config), space) < 0 and _in_built_in(space):
        space, config = _OURS[space], BUILT_IN
    opened = _config(config)
    target = next((name for name in _REC709 if _index(opened, name) >= 0), None)
    if target is None:
        raise PlateError(
            "the OCIO configuration has no linear Rec.709",
            where=config,
            fix=f"add one named or aliased {_REC709[0]}",
        )
    source = opened.resolve(space)
    return lambda rgb: _convert(rgb, source, opened.resolve(target), config)


def _convert(rgb: FloatArray, source: str, target: str, config: str) -> FloatArray:
    image = ImageBuf(np.ascontiguousarray(rgb))
    result = ImageBufAlgo.colorconvert(image, source, target, False, "", "", config)
    if result.has_error:
        raise PlateError(
            f"no way from {source} to linear Rec.709: {' '.join(result.geterror().split())}",
            where=config,
            fix="name another space with --in-colour",
        )
    return np.asarray(result.get_pixels("float"), np.float32)


def _index(config: ColorConfig, name: str) -> int:
    return int(config.getColorSpaceIndex(config.resolve(name)))


def _in_built_in(space: str) -> bool:
    return space in _OURS
