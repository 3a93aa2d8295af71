"""OpenColorIO through OpenImageIO: the studio's configuration, or a built-in one pinned by name."""

import os
import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

import numpy as np
from OpenImageIO import ColorConfig, ImageBuf, ImageBufAlgo

from plugin.colour.config_files import config_digest
from plugin.colour.primaries import NAMED, REC709, recoloured, rgb_to_rgb, rgb_to_xyz
from plugin.disk.inputs import regular
from plugin.errors import PlateError
from plugin.types import FloatArray

BUILT_IN = "ocio://studio-config-v2.1.0_aces-v1.3_ocio-v2.3"
"""Pinned: OpenColorIO's `-latest` names move with its releases."""

_REC709 = ("lin_rec709_scene", "lin_rec709", "Linear Rec.709 (sRGB)", "Utility - Linear - Rec.709")
"""Names of linear Rec.709 in the configurations of the last ten years."""

_ALSO_REC709 = re.compile(
    r"(?:utility)?(?:scene)?(?:lin|linear)(?:rec709|itu709|bt709|srgb)(?:srgb|rec709)?(?:scene)?"
    r"|(?:rec709|bt709|srgb)(?:lin|linear)"
)
"""The same without case, blanks and signs, as others call it."""

_ROLES = {"aces_interchange": "ap0", "cie_xyz_d65_interchange": "xyzd65"}
"""Roles that OpenColorIO 2 defines to go between configurations by, and their primaries."""

_NAMED_LINEAR = {"acescg": "ap1", "linap1": "ap1", "aces20651": "ap0", "linap0": "ap0"}
"""What `scene_linear` is called where it is not Rec.709."""

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


def _config(name: str) -> ColorConfig:
    return _loaded(name, config_digest(name))


_MOST_NAMED = 6
"""Names that a refusal lists."""


@lru_cache(maxsize=4)
def _loaded(name: str, digest: str) -> ColorConfig:  # noqa: ARG001  of other contents, it is another
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

    Rules that look for names of spaces anywhere in the path see the file's name alone. A rule that
    says "no colour" (raw, data) says nothing about a plate.

    Raises:
        PlateError: the configuration cannot be read.
    """
    opened = _config(config)
    seen = Path(path).name if _searches_names(config) else path
    if opened.filepathOnlyMatchesDefaultRule(seen):
        return None
    name = opened.getColorSpaceFromFilepath(seen)
    return name if _index(opened, name) >= 0 and not opened.isData(name) else None


@lru_cache(maxsize=4)
def _searches_names(config: str) -> bool:
    """Whether the rules only look for names of spaces, which a folder may hold by chance.

    So do those of the built-in configuration and of every version 1.
    """
    if config == BUILT_IN:
        return True
    try:
        with regular(Path(config)) as handle:
            head = os.read(handle, 4096)
        return re.search(rb"^ocio_profile_version:\s*1\b", head, re.M) is not None
    except OSError:
        return False


def is_known(space: str, config: str) -> bool:
    """Whether the configuration has that space, role or alias.

    Raises:
        PlateError: the configuration cannot be read.
    """
    return _index(_config(config), space) >= 0 or is_ours(space)


def names_like(space: str, config: str) -> list[str]:
    """Names that the configuration has, near to one that it has not; some of all where none is.

    Raises:
        PlateError: the configuration cannot be read.
    """
    opened = _config(config)
    names = [*opened.getRoles(), *opened.getColorSpaceNames(), *_OURS]
    names = [name for name in dict.fromkeys(map(str, names)) if not opened.isData(name)]
    plain = {_plain(name): name for name in reversed(names)}
    near = get_close_matches(_plain(space), plain, n=_MOST_NAMED, cutoff=0.4)
    within = [name for key, name in plain.items() if _plain(space) and _plain(space) in key]
    return list(dict.fromkeys([*(plain[key] for key in near), *within]))[:_MOST_NAMED] or [
        *names[:_MOST_NAMED]
    ]


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
    if _index(_config(config), space) < 0 and is_ours(space):
        space, config = _OURS[space], BUILT_IN
    opened = _config(config)
    target, primaries = _linear(opened, config)
    source = opened.resolve(space)
    if primaries == "rec709":
        return lambda rgb: _convert(rgb, source, target, config)
    known = NAMED.get(primaries)
    # CIE XYZ of D65 is no RGB space: its 1, 1, 1 is not its white.
    home = np.asarray(np.linalg.inv(rgb_to_xyz(REC709)), np.float64)
    matrix = home if known is None else rgb_to_rgb(known, REC709)
    return lambda rgb: recoloured(_convert(rgb, source, target, config), matrix)


def _linear(opened: ColorConfig, config: str) -> tuple[str, str]:
    """The configuration's own name of a linear space whose primaries are known, and those.

    Linear Rec.709 by its names, else a role that says what it is, else `scene_linear`, which is
    Rec.709 where its name says nothing else (as in configurations of version 1).
    """
    names = {_plain(name): name for name in reversed(opened.getColorSpaceNames())}
    known = [name for name in _REC709 if _index(opened, name) >= 0]
    known += [name for plain, name in names.items() if _ALSO_REC709.fullmatch(plain)]
    if known:
        return opened.resolve(known[0]), "rec709"
    for role, primaries in _ROLES.items():
        if name := opened.getColorSpaceNameByRole(role):
            return name, primaries
    name = opened.getColorSpaceNameByRole("scene_linear")
    if not name:
        raise PlateError(
            "the OCIO configuration has no linear Rec.709, and no role that leads to it",
            where=config,
            fix=f"add one named or aliased {_REC709[0]}, or the role aces_interchange",
        )
    return name, _NAMED_LINEAR.get(_plain(name), "rec709")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


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


def is_ours(space: str) -> bool:
    """Whether a video's tags may name that space, and the built-in configuration has it."""
    return space in _OURS
