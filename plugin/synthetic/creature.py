"""The creature: what it is made of, and where every part is at every moment."""

import colorsys
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from plugin.synthetic.fur import Coat, Tufts, grow
from plugin.synthetic.noise import generator
from plugin.synthetic.shot import SyntheticShot
from plugin.types import FloatArray

FOOT = 104.0
"""Units from the creature's origin down to its soles."""

GROUND = 322.0
"""Units down to where its soles are at the foot of a hop."""

_HOP_FRAMES = 18.0
_HUES = (0.53, 0.055, 0.74, 0.90, 0.12, 0.62)
"""Coats without green, which a screen would take."""

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Part:
    """An ellipsoid of the body. Lengths in units from the creature's origin, y down.

    Attributes:
        centre: of the ellipsoid.
        radii: half axes across and down, before it is tilted.
        coat: its fur.
        tilt: degrees clockwise at rest.
        pivot: where it is hung.
        swing: degrees that it swings to either side.
        pace: swings in 48 frames.
        phase: where in its swing it begins, in radians.
    """

    centre: tuple[float, float]
    radii: tuple[float, float]
    coat: Coat
    tilt: float = 0.0
    pivot: tuple[float, float] = (0.0, 40.0)
    swing: float = 0.0
    pace: float = 1.0
    phase: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Creature:
    """A grown creature.

    Attributes:
        parts: from the back to the front; the last two are the head and the snout, which
            carries the face.
        fur: of each part.
        skin: sRGB of the skin under the fur of each part.
        iris: sRGB of the eyes.
        phase: where in its movements it begins, in radians.
    """

    parts: tuple[Part, ...]
    fur: tuple[Tufts, ...]
    skin: tuple[Colour, ...]
    iris: Colour
    phase: float


@dataclass(frozen=True, slots=True)
class _Palette:
    main: Colour
    dark: Colour
    cream: Colour
    length: float

    def coat(
        self, tufts: int, length: float, lift: float, comb: tuple[float, float], stray: float = 0.03
    ) -> Coat:
        return Coat(tufts, length * self.length, lift, comb, self.main, self.dark, stray=stray)


@lru_cache(maxsize=4)
def creature_of(seed: int, length: float) -> Creature:
    """Grow the creature of a seed, with fur of that length (1 is plush)."""
    rng = generator("creature", seed)
    hue = _HUES[seed % len(_HUES)] + float(rng.uniform(-0.01, 0.01))
    palette = _Palette(
        main=colorsys.hsv_to_rgb(hue, 0.64, 0.97),
        dark=colorsys.hsv_to_rgb(hue + 0.05, 0.82, 0.62),
        cream=(1.0, 0.92, 0.79),
        length=length,
    )
    parts = tuple(_anatomy(palette, long_ears=seed % 2 == 1))
    hair = tuple(
        grow(part.coat, part.radii, math.radians(part.tilt), seed, number)
        for number, part in enumerate(parts)
    )
    return Creature(
        parts=parts,
        fur=hair,
        skin=tuple(_scaled(part.coat.colour, 0.40) for part in parts),
        iris=colorsys.hsv_to_rgb((hue + 0.55) % 1, 0.80, 0.66),
        phase=float(rng.uniform(0, 2 * math.pi)),
    )


def _scaled(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _anatomy(palette: _Palette, *, long_ears: bool) -> list[Part]:
    """The parts from the back to the front."""
    coat = palette.coat
    tail = Part((74, 52), (19, 50), coat(190, 30, 0.9, (0.1, -0.5), 0.1), 38, (40, 84), 14, 2, 0.4)
    parts = [tail]
    for side in (-1, 1):
        tall = (15.0, 40.0) if long_ears else (27.0, 27.0)
        centre = (side * (34.0 if long_ears else 55.0), -108.0 if long_ears else -88.0)
        ear = coat(105, 13, 1.0, (0, -0.45), 0.06)
        parts.append(Part(centre, tall, ear, side * 17, (side * 30, -74), 9, 3, side))
    trunk = Coat(470, 17, 0.75, (0, 0.75), palette.main, palette.cream, stray=0.04, belly=0.92)
    parts.append(Part((0, 46), (60, 55), _longer(trunk, palette.length)))
    for side in (-1, 1):
        foot = coat(90, 11, 0.8, (0, 0.35))
        parts.append(Part((side * 30, 92), (26, 15), foot, side * 6, (side * 26, 80), 5, 2, side))
    for side in (-1, 1):
        arm = coat(140, 15, 0.8, (side * 0.2, 0.7), 0.06)
        place = (side * 70.0, 40.0), (15.0, 37.0)
        parts.append(Part(*place, arm, -side * 32, (side * 50, 16), 22, 2, 2.1 * side))
    tuft = coat(64, 42, 1.3, (0, -1.0), 0.35)
    parts.append(Part((0, -74), (24, 12), tuft, 0, (0, 4), 5, 1, 0.6))
    head = coat(600, 18, 0.85, (0, 0.25), 0.05)
    parts.append(Part((0, -34), (67, 56), head, 0, (0, 4), 5, 1, 0.6))
    snout = Coat(130, 9, 0.6, (0, 0.5), palette.cream, palette.cream, stray=0.0)
    parts.append(Part((0, -13), (30, 21), _longer(snout, palette.length), 0, (0, 4), 5, 1, 0.6))
    return parts


def _longer(coat: Coat, factor: float) -> Coat:
    return Coat(
        coat.tufts, coat.length * factor, coat.lift, coat.comb, coat.colour, coat.second,
        coat.stray, coat.belly,
    )  # fmt: skip


def root_place(shot: SyntheticShot, phase: float, time: float) -> FloatArray:
    """`2 × 3` from the creature's units to the picture's: path, hop, lean and squash.

    Args:
        shot: who moves how.
        phase: of the creature.
        time: in frames, fractional inside the shutter.
    """
    staging = shot.direction
    middle = shot.centre[0]
    along = 2 * math.pi * time / staging.period + phase
    height = abs(math.sin(math.pi * time / _HOP_FRAMES + phase))
    tall = 1 + 0.010 * math.sin(2 * math.pi * time / 44) * min(1.0, staging.waving * 4)
    if staging.hop:
        tall *= 0.94 + 0.08 * min(1.0, 2 * height)
    lean = math.radians(3.0 * staging.waving) * math.sin(2 * math.pi * time / 52 + phase)
    cos, sin = math.cos(lean), math.sin(lean)
    turn = np.array([[cos, -sin], [sin, cos]]) @ np.diag([1 / tall, tall])
    x = middle + staging.travel * math.sin(along)
    y = GROUND - staging.hop * height - FOOT * tall
    return np.column_stack([turn, [x, y]]).astype(np.float32)


def part_place(part: Part, root: FloatArray, waving: float, time: float) -> FloatArray:
    """`2 × 3` from the part's own frame to the picture's, both in units."""
    swing = part.swing * waving * math.sin(2 * math.pi * part.pace * time / 48 + part.phase)
    swung, tilted = _turn(swing), _turn(part.tilt)
    pivot, centre = np.array(part.pivot), np.array(part.centre)
    offset = pivot + swung @ (centre - pivot)
    return np.column_stack(
        [root[:, :2] @ swung @ tilted, root[:, :2] @ offset + root[:, 2]]
    ).astype(np.float32)


def _turn(degrees: float) -> FloatArray:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, -sin], [sin, cos]], np.float32)


def velocity(shot: SyntheticShot, phase: float, time: float, over: float = 1.0) -> FloatArray:
    """Units a frame that the creature moves, `(x, y)`, averaged over `over` frames."""
    after = root_place(shot, phase, time + over / 2)[:, 2]
    before = root_place(shot, phase, time - over / 2)[:, 2]
    return np.asarray((after - before) / over, np.float32)
