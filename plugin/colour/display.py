"""From the plate's colour space to what the network sees: display-referred sRGB with a shoulder.

The plate's space is what the user says, else what OpenColorIO's file rules say, else what the
file's tags say. Then:

- SDR video and sRGB pictures are taken as they are: the network's training pictures were both.
- Everything else goes to linear Rec.709, un-tone-mapped, and through the sRGB curve.
- All of them go through one shoulder, so that a picture looks the same from whichever space it
  came: what an ACEScg plate gives is what its sRGB twin gives.

The shoulder: a plain clip would make one white of everything above 1, and the edge of a bright
sleeve before a window would be gone. Display values up to 0.9 (0.79 linear) stay exactly what they
are; above, each stop gets a share of the last tenth, up to 64 times white:

    y = k + (1 - k) · ln(1 + a·t) / ln(1 + a·T),   t = (x - k) / (1 - k),   k = 0.9

with `a` such that the slope at the knee is 1. White (1.0) becomes 0.934, four times white 0.970.
Each channel for itself, without regard to the picture: a frame's result depends on nothing else.
What it costs a plate that ends at white is in `docs/decisions/0008-input-colour.md`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from plugin.colour import ocio as colour_ocio
from plugin.colour.by_value import Transform, by_table, in_strips
from plugin.colour.config_files import config_digest
from plugin.colour.primaries import NAMED, REC709, linear_primaries, recoloured, rgb_to_rgb
from plugin.errors import PlateError
from plugin.types import FloatArray, PlateInfo

_SEEN = "shouldered sRGB 1"
"""Names what the transforms give; changed whenever they give something else."""

_KNEE = np.float32(0.9)
_BRIGHTEST = 64.0
"""Linear value, white being 1, that becomes display white."""

_END = (1.055 * _BRIGHTEST ** (1 / 2.4) - 0.055 - float(_KNEE)) / (1 - float(_KNEE))
_STEEP = 5.649752158916511
"""Solves a = ln(1 + a·T): the curve leaves the knee at the slope at which it came."""

_SDR = frozenset(
    f"{curve}_rec709_{state}" for curve in ("srgb", "g24", "g22") for state in ("display", "scene")
) | {"srgb"}
_SDR_NAMES = frozenset({"Camera Rec.709"})
_INTEROP = frozenset(
    f"lin_{name}_scene" for name in ("ap0", "ap1", "rec709", "rec2020", "p3d65", "adobergb")
)
"""Linear spaces of our own names that the Color Interop Forum lists."""

_TAGS = "by the plate's tags and format"
_RULES = "by the file rules of"

_CURVE = re.compile(r"(pq|g\d\d)_(\w+)_display\Z")


@dataclass(frozen=True, slots=True)
class InputColour:
    """The space that a plate's values are taken to be in; small enough for a job's spec.

    Attributes:
        space: its name: of the Color Interop Forum, of the OCIO configuration, `cineon_log`, or
            `lin(x,y,…)` with the chromaticities of red, green, blue and white.
        why: who said so, for the manifest.
        config: the OCIO configuration that names are looked up in.
        sha256: of what that holds; empty for a built-in one.
    """

    space: str
    why: str
    config: str = colour_ocio.BUILT_IN
    sha256: str = ""

    @property
    def by_tags(self) -> bool:
        """Whether the files say it, each for itself."""
        return self.why == _TAGS

    @property
    def note(self) -> str:
        """What a person should know: the space, where neither they nor the file said it."""
        return f"colour space {self.space} {self.why}" if self.why.startswith(_RULES) else ""

    @property
    def recipe(self) -> str:
        """What determines the network's picture besides the plate, for recipes of what is made."""
        parts = [_SEEN, self.space, self.config, *filter(None, [self.sha256])]
        # Said for all frames, those whose tags name another space are not brought to the first's.
        return " · ".join(parts if self.by_tags else [*parts, self.why])


def input_colour(info: PlateInfo, in_colour: str | None = None) -> InputColour:
    """Find the plate's space: by option, by file rules, by tags, in that order.

    Args:
        info: the plate.
        in_colour: a space, role or alias of the OCIO configuration, or one of our own names.

    Raises:
        PlateError: no such space, or `$OCIO` cannot be read.
    """
    config = colour_ocio.config_name()
    holds = config_digest(config)
    if in_colour:
        chosen = InputColour(in_colour, "by --in-colour", config, holds)
    elif ruled := colour_ocio.from_file_rules(info.path, config):
        chosen = InputColour(ruled, f"{_RULES} {config}", config, holds)
    else:
        chosen = InputColour(info.colour, _TAGS, config, holds)
    if not _is_known(chosen):
        raise PlateError(
            f"colour space {chosen.space!r} is not known",
            where=info.path,
            fix=f"name one of {config} with --in-colour, such as "
            + ", ".join(colour_ocio.names_like(chosen.space, config)),
        )
    return chosen


def interop_id(chosen: InputColour) -> str:
    """The space's name in the Color Interop Forum's list; empty where it has none, or is data.

    Raises:
        PlateError: the configuration cannot be read.
    """
    name = chosen.space.lower()
    if _own(chosen.space) is None:
        known = colour_ocio.interop_id(chosen.space, chosen.config)
        return "" if known in ("data", "unknown") else known
    scene = f"{name}_scene" if f"{name}_scene" in _INTEROP else name
    return scene if scene in _INTEROP or name in _SDR - {"srgb"} else ""


def _is_known(chosen: InputColour) -> bool:
    try:
        return _own(chosen.space) is not None or colour_ocio.is_known(chosen.space, chosen.config)
    except ValueError:
        return False  # chromaticities that make no colours


def display_transform(info: PlateInfo, in_colour: str | InputColour | None = None) -> Transform:
    """The function from the plate's pixels to what the network and the segmenters see.

    Args:
        info: the plate.
        in_colour: its space, where it is not to be found out, or what `input_colour` found.

    Returns:
        A function of `H × W × 3` float32 to a new array of the same shape within [0, 1]: sRGB up
        to 0.9, shouldered above.

    Raises:
        PlateError: no such space, or no way from it.
    """
    chosen = in_colour if isinstance(in_colour, InputColour) else input_colour(info, in_colour)
    own = _own(chosen.space)
    if own is not None:
        return own
    space, config = chosen.space, chosen.config
    if colour_ocio.is_data(space, config) or space in _SDR_NAMES:
        return _from_display
    if colour_ocio.interop_id(space, config) in _SDR:
        return _from_display
    to_linear = colour_ocio.to_rec709(space, config)
    return lambda rgb: _from_linear(to_linear(rgb))


def _own(space: str) -> Transform | None:
    """The transforms that need no OCIO: SDR, linear spaces by their primaries, Cineon."""
    name = space.lower()
    if name in _SDR:
        return _from_display
    if name == "cineon_log":
        return in_strips(_cineon, srgb_encode, shoulder)
    if (coded := _coded(name)) is not None:
        return coded
    primaries = linear_primaries(name)
    if primaries is None:
        return None
    return _from_linear if primaries == REC709 else in_strips(*_to_display(primaries))


def _to_display(primaries: Sequence[float]) -> tuple[Transform, ...]:
    """The steps from linear light of these primaries."""
    if primaries == REC709:
        return srgb_encode, shoulder
    matrix = rgb_to_rgb(primaries, REC709)
    return (lambda rgb: recoloured(rgb, matrix)), srgb_encode, shoulder


def _coded(name: str) -> Transform | None:
    """Pictures that say their curve and primaries and are in no configuration: PQ, a gamma."""
    match = _CURVE.match(name)
    if match is None or match[2] not in NAMED or colour_ocio.is_ours(name):
        return None
    gamma = 0.0 if match[1] == "pq" else int(match[1][1:]) / 10
    decode = _from_pq if not gamma else lambda rgb: _float(np.power(_not_negative(rgb), gamma))
    return in_strips(decode, *_to_display(NAMED[match[2]]))


def _from_pq(code: FloatArray) -> FloatArray:
    """SMPTE ST 2084: code values to light, 100 candelas a square metre being 1."""
    powered = np.power(np.clip(code, 0, 1), np.float32(32 / 2523))
    ratio = np.maximum(powered - np.float32(0.8359375), 0) / (
        np.float32(18.8515625) - np.float32(18.6875) * powered
    )
    return _float(np.float32(100) * np.power(ratio, np.float32(8192 / 1305)))


def srgb_encode(linear: FloatArray) -> FloatArray:
    """The sRGB curve (IEC 61966-2-1), continued above 1; negative values become 0."""
    linear = np.maximum(linear, np.float32(0))
    curved = np.power(linear, np.float32(1 / 2.4))
    curved *= np.float32(1.055)
    curved -= np.float32(0.055)
    np.copyto(curved, linear * np.float32(12.92), where=linear <= np.float32(0.0031308))
    return curved


def shoulder(display: FloatArray) -> FloatArray:
    """Bring display values above the knee below 1; see the module's head.

    Args:
        display: any shape, 0 and up, sRGB-encoded.

    Returns:
        A new array of the same shape, at most 1.
    """
    result = display.copy()
    high = display > _KNEE
    above = (display[high] - _KNEE) / (1 - _KNEE)
    share = np.log1p(np.float32(_STEEP) * above) / np.float32(np.log1p(_STEEP * _END))
    result[high] = np.minimum(_KNEE + (1 - _KNEE) * share, np.float32(1))
    return result


def _cineon(code: FloatArray) -> FloatArray:
    """Kodak Cineon film scans: 0.002 density a code value, gamma 0.6, black 95, white 685."""
    black = 10 ** ((95 - 685) * 0.002 / 0.6)
    linear = np.power(10, (code * np.float32(1023) - 685) * np.float32(0.002 / 0.6))
    return _float((linear - np.float32(black)) / np.float32(1 - black))


def _not_negative(rgb: FloatArray) -> FloatArray:
    return np.maximum(rgb, np.float32(0))


def _float(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> FloatArray:
    return values.astype(np.float32, copy=False)


_from_display = in_strips(_not_negative, shoulder)
_from_linear = by_table(in_strips(srgb_encode, shoulder))
