"""`Scene`: painted layers in front of a moving camera, at any moment, motion-blurred."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from plugin.synthetic import scenery
from plugin.synthetic.noise import motion_blur
from plugin.synthetic.shot import UNITS, SyntheticShot
from plugin.types import FloatArray

_HORIZON = 300.0
_MARGIN = 40.0
_TREE = 190.0

_Offset = Callable[[float], tuple[float, float]]
Painted = tuple[FloatArray, FloatArray | None]


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """A painting that is slid across the picture.

    Attributes:
        colour: `h × w × 3`, premultiplied where there is coverage.
        cover: `h × w`, or None for a painting without holes.
        offset: where its upper left corner is at a time, in units.
    """

    colour: FloatArray
    cover: FloatArray | None
    offset: _Offset

    def at(self, shot: SyntheticShot, time: float) -> Painted:
        """Colour and coverage over the whole picture, averaged over the open shutter."""
        x, y = (shot.unit * v for v in self.offset(time))
        half = 0.5 * shot.direction.shutter
        before, after = self.offset(time - half), self.offset(time + half)
        move = shot.unit * (after[0] - before[0]), shot.unit * (after[1] - before[1])
        place = np.array([[1, 0, x], [0, 1, y]], np.float64)
        size = (shot.width, shot.height)

        def slide(image: FloatArray) -> FloatArray:
            border = cv2.BORDER_REPLICATE if self.cover is None else cv2.BORDER_CONSTANT
            slid = cv2.warpAffine(image, place, size, flags=cv2.INTER_LINEAR, borderMode=border)
            return motion_blur(np.asarray(slid, np.float32), *move)

        return slide(self.colour), None if self.cover is None else slide(self.cover)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """All that a shot shows besides its subject."""

    shot: SyntheticShot
    behind: tuple[_Layer, ...]
    before: _Layer | None

    def background(self, time: float, subject: tuple[float, float]) -> FloatArray:
        """What is behind the subject, `H × W × 3` within [0, 1].

        Args:
            time: middle of the open shutter, in frames.
            subject: where the subject stands and how high above ground it is, in units.
        """
        picture = self.behind[0].at(self.shot, time)[0]
        for layer in self.behind[1:]:
            colour, cover = layer.at(self.shot, time)
            picture = colour if cover is None else _over(colour, cover, picture)
        return np.clip(self._shaded(picture, *subject), 0, 1)

    def occluder(self, time: float) -> tuple[FloatArray, FloatArray] | None:
        """What is in front of the subject: premultiplied colour and coverage; None if nothing."""
        if self.before is None:
            return None
        colour, cover = self.before.at(self.shot, time)
        return (colour, np.clip(cover, 0, 1)) if cover is not None else None

    def _shaded(self, picture: FloatArray, x: float, above: float) -> FloatArray:
        """The subject's shadow on the ground, wider and fainter the higher it hops."""
        shot = self.shot
        across = (np.arange(shot.width, dtype=np.float32) + 0.5) / shot.unit
        down = (np.arange(shot.height, dtype=np.float32) + 0.5) / shot.unit
        wide = 62 + 0.6 * above
        ellipse = np.outer(
            np.exp(-(((down - 325) / (9 + 0.1 * above)) ** 2)),
            np.exp(-(np.abs((across - x) / wide) ** 3)),
        )
        strength = 0.55 / (1 + 0.02 * above)
        return np.asarray(picture * (1 - strength * ellipse[..., None]), np.float32)


def _over(colour: FloatArray, cover: FloatArray, below: FloatArray) -> FloatArray:
    return colour + below * (1 - cover[..., None])


@lru_cache(maxsize=2)
def scene_of(shot: SyntheticShot) -> Scene:
    """Paint the scene of a shot. Painted once and kept: it depends on the shot alone."""
    if shot.direction.screen:
        painting = scenery.screen(shot.seed, shot.height, shot.width, shot.unit)
        behind = (_Layer(painting, None, lambda _time: (0.0, 0.0)),)
        return Scene(shot, behind, None)
    return Scene(shot, _paint_behind(shot), _paint_tree(shot) if shot.direction.occluder else None)


def _paint_behind(shot: SyntheticShot) -> tuple[_Layer, ...]:
    """Back wall or garden, ground, pennants, and lights that drift."""
    seed, u = shot.seed, shot.unit
    paint = scenery.garden if seed % 3 == 1 else scenery.shelves
    size = shot.height, _width(shot, 0.55)
    wall = _Layer(paint(seed, size[0] + round(2 * _MARGIN * u), size[1], u), None, _pan(shot, 0.55))
    rug = scenery.floor(seed, round((UNITS - _HORIZON + _MARGIN) * u), _width(shot, 1.0), u)
    whole = np.ones(rug.shape[:2], np.float32)
    ground = _Layer(rug, whole, _pan(shot, 1.0, down=_HORIZON + _MARGIN))
    pennants = _Layer(*scenery.bunting(seed, round(110 * u), _width(shot, 0.8), u), _pan(shot, 0.8))
    lights = _Layer(*scenery.bokeh(seed, size[0], _width(shot, 1.3), u), _pan(shot, 1.3, sway=1.0))
    return wall, ground, pennants, lights


def _width(shot: SyntheticShot, parallax: float) -> int:
    """Pixels that a layer needs so that the camera never sees its end."""
    return shot.width + round(2 * (shot.direction.camera * parallax + _MARGIN) * shot.unit)


def _pan(shot: SyntheticShot, parallax: float, *, down: float = 0.0, sway: float = 0.0) -> _Offset:
    """Offset of a layer: the nearer, the faster it passes; `sway` adds a drift of its own."""
    staging = shot.direction
    moving = min(1.0, staging.camera)

    def offset(time: float) -> tuple[float, float]:
        angle = 2 * math.pi * time / staging.camera_period + 0.9 * shot.seed
        x = -staging.camera * parallax * math.sin(angle)
        y = 5 * parallax * moving * math.sin(2 * math.pi * time / 61)
        drift = sway * moving * math.sin(2 * math.pi * time / 83)
        margin = staging.camera * parallax + _MARGIN
        return x - margin + 18 * drift, y + down - _MARGIN + 9 * drift

    return offset


def _paint_tree(shot: SyntheticShot) -> _Layer:
    """A tree that passes in front of the subject, there and back."""
    u = shot.unit
    tall = shot.height + round(2 * _MARGIN * u)
    colour, cover = scenery.trunk(shot.seed, tall, round(_TREE * u), u)
    middle = shot.centre[0] - _TREE / 2

    def offset(time: float) -> tuple[float, float]:
        return middle + 190 * math.cos(2 * math.pi * time / 96 + 0.4 * shot.seed), -_MARGIN

    return _Layer(colour, cover, offset)
