"""Lessons of a shot: patches with a subject moved, bent, lit and hidden in ways that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from model.segmenters.shot.grounds import ground_of
from model.segmenters.shot.planes import SLOWEST, UNKNOWN_MOTION, Seen, moves_known, planes_of
from model.segmenters.shot.views import SIDE, Affine, Random, bent_by, flat, moved, taken, view_of
from plugin.types import FloatArray

_AROUND = 1.45
"""A patch's side in sides of the subject's box."""

_ALONE = 0.3
"""Share of lessons in which subject and ground stay together as they were seen."""

_OWN_GROUND = 0.4
_NO_PRIOR = 0.12
_HIDDEN = 0.2

_MOTION_UNKNOWN = 0.25
_CALMER = 0.25
_STRANGE = 0.25
"""Shares of lessons that say nothing of motion, in which the subject moves less, at least in
places, and in which a part of it looks otherwise: without those, motion decides nothing."""

_OTHER_LIGHT = 0.35
"""Share of lessons in the light of another frame, where the shot's light changes."""

_SAME_LIGHT = 0.15
"""Logarithm by which a frame is brighter or darker than the keys through what it shows."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A frame whose mask is known.

    Attributes:
        picture: the frame.
        coverage: `h × w` float32.
        ground: the picture without its subject.
        weight: how much a pixel of its mask is believed, `h × w` float32; None is wholly.
    """

    @classmethod
    def of(cls, picture: Seen, coverage: FloatArray) -> Known:
        """With a ground made from the picture itself."""
        return cls(picture, coverage, ground_of(picture, coverage))

    picture: Seen
    coverage: FloatArray
    ground: Seen
    weight: FloatArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A patch: what the network is shown, and what it should say.

    Attributes:
        planes: `(LOOKS + MOTION) × SIDE × SIDE` float32.
        target: `SIDE × SIDE` float32.
        weight: `SIDE × SIDE` float32.
    """

    planes: FloatArray
    target: FloatArray
    weight: FloatArray


def box_of(coverage: FloatArray) -> tuple[float, float, float]:
    """Middle (x, y) and longer side of what a mask covers; the whole picture where it is empty."""
    inside = cv2.boundingRect((coverage > 0.5).astype(np.uint8))
    x, y, width, height = inside if inside[2] else (0, 0, *coverage.shape[::-1])
    return x + width / 2, y + height / 2, float(max(width, height))


def lights_of(keys: Sequence[Known], others: Sequence[Seen]) -> FloatArray:
    """The light of those frames whose light is another than the keys': `n × 3`, logarithms."""
    usual = np.mean([_light(known.picture) for known in keys], axis=0)
    lights = np.array([_light(other) - usual for other in others], np.float32).reshape(-1, 3)
    return np.asarray(lights[np.abs(lights).max(axis=1) > _SAME_LIGHT], np.float32)


def _light(picture: Seen) -> FloatArray:
    return np.asarray(np.log(picture[..., :3].mean(axis=(0, 1)) + 1), np.float32)


def lesson(rng: Random, known: Known, grounds: list[Seen], lights: FloatArray) -> Lesson:
    """One lesson of a known frame.

    Args:
        rng: decides everything.
        known: the frame.
        grounds: pictures that may lie behind the subject.
        lights: from `lights_of`.
    """
    x, y, side = box_of(known.coverage)
    side = max(side * _AROUND, 48.0)
    zoom = float(np.exp(rng.uniform(-0.3, 0.3)))
    view = view_of(rng, (x, y), side * zoom, 0.16)
    alone = rng.random() < _ALONE
    bent = bent_by(rng, 0.02 if alone else float(rng.choice([0.01, 0.03, 0.06])))
    place = moved(rng, view, 0.0 if alone else 0.1)
    target = taken(known.coverage, place, bent)
    rgb = taken(known.picture, place, bent, cv2.BORDER_REFLECT_101)
    moves = moves_known(known.picture)
    if moves and rng.random() < _CALMER:
        rgb[..., 3] *= _calm(rng)
    elif moves and not alone and rng.random() < _STRANGE and _stands_out(known):
        rgb = _strange(rng, rgb, view, grounds)
    if alone:
        weight = taken(_weight(known), place, bent)
    else:
        rgb, target = _composed(rng, rgb, target, _behind(rng, known, view, grounds))
        weight = np.ones((SIDE, SIDE), np.float32)
        if known.weight is not None:
            weight = np.maximum(taken(_weight(known), place, bent), 0.2)
    rgb, target = _hidden(rng, rgb, target, view, grounds)
    rgb = _lit(rng, rgb, 0.12)
    if len(lights) and rng.random() < _OTHER_LIGHT:
        stops = rng.uniform(0, 1.1) * lights[rng.integers(len(lights))]
        rgb[..., :3] = np.clip(rgb[..., :3] * np.exp(stops), 0, 255)
    if not moves or rng.random() < _MOTION_UNKNOWN:
        rgb[..., 3] = UNKNOWN_MOTION
    prior = None
    if rng.random() >= _NO_PRIOR:
        prior = _prior(rng, known, place, bent)
    return Lesson(planes_of(rgb, prior), target.astype(np.float32), weight)


def _weight(known: Known) -> FloatArray:
    return np.ones_like(known.coverage) if known.weight is None else known.weight


def _calm(rng: Random) -> FloatArray | float:
    """What is left of a subject's motion, of the whole or from part to part."""
    if rng.random() < 0.5:
        return float(rng.uniform(0, 1))
    coarse = rng.uniform(-0.4, 1.4, (4, 4)).astype(np.float32)
    parts = cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(parts, 0, 1), np.float32)


def _stands_out(known: Known) -> bool:
    """Whether the subject moves otherwise than what is around it."""
    inside, motion = known.coverage > 0.5, known.picture[..., 3]
    if not inside.any() or inside.all():
        return False
    return bool(motion[inside].mean() - motion[~inside].mean() > SLOWEST)


def _strange(rng: Random, rgb: FloatArray, view: Affine, grounds: list[Seen]) -> FloatArray:
    """A part of it looks as the key does not show it, and moves as before: it is the subject's."""
    other = flat(grounds[int(rng.integers(len(grounds)))], moved(rng, view, 0.5))
    shape = np.zeros((SIDE, SIDE), np.float32)
    middle = tuple(int(v) for v in rng.integers(0, SIDE, 2))
    axes = tuple(int(v) for v in rng.integers(SIDE // 8, SIDE // 2, 2))
    cv2.ellipse(shape, middle, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    rgb[..., :3] += shape[..., None] * (other - rgb)[..., :3]
    return rgb


def _behind(rng: Random, known: Known, view: Affine, grounds: list[Seen]) -> FloatArray:
    """A piece of the frame's own ground, mostly as it lies there, or of any, from anywhere."""
    if rng.random() < _OWN_GROUND:
        return flat(known.ground, moved(rng, view, 0.04 if rng.random() < 0.5 else 0.3))
    ground = grounds[int(rng.integers(len(grounds)))]
    if rng.random() < 0.5:
        height, width = ground.shape[:2]
        side = view[0, 0] * SIDE
        view = view_of(rng, (rng.uniform(0, width), rng.uniform(0, height)), side, 0.0)
    return flat(ground, moved(rng, view, 0.3))


def _composed(
    rng: Random, subject: FloatArray, alpha: FloatArray, behind: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The subject over a ground, lit by itself, now and then in motion."""
    before = _lit(rng, subject, 0.06)
    both = np.asarray(np.dstack([before * alpha[..., None], alpha]), np.float32)
    if rng.random() < 0.3:
        both = _blurred(rng, both)
        if rng.random() < 0.3:
            behind = _blurred(rng, behind)
    rgb = both[..., :4] + (1 - both[..., 4:]) * behind
    return rgb, both[..., 4]


def _blurred(rng: Random, values: FloatArray) -> FloatArray:
    """Motion blur in a direction."""
    length = int(rng.integers(3, 14))
    kernel = np.zeros((length, length), np.float32)
    angle = rng.uniform(0, np.pi)
    reach = (length - 1) / 2
    ends = [
        (round(reach + s * reach * np.cos(angle)), round(reach + s * reach * np.sin(angle)))
        for s in (-1, 1)
    ]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(cv2.filter2D(values, -1, kernel / kernel.sum()), np.float32)


def _hidden(
    rng: Random, rgb: FloatArray, target: FloatArray, view: Affine, grounds: list[Seen]
) -> tuple[FloatArray, FloatArray]:
    """Something of the scene in front of the subject, now and then."""
    if rng.random() >= _HIDDEN:
        return rgb, target
    ground = grounds[int(rng.integers(len(grounds)))]
    before = flat(ground, moved(rng, view, 0.5))
    shape = np.zeros((SIDE, SIDE), np.float32)
    middle = tuple(int(v) for v in rng.integers(0, SIDE, 2))
    if rng.random() < 0.5:
        axes = tuple(int(v) for v in rng.integers(8, 50, 2))
        cv2.ellipse(shape, middle, axes, float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
    else:
        angle = rng.normal(np.pi / 2, 0.4)
        reach = np.array([np.cos(angle), np.sin(angle)]) * SIDE * 2
        ends = [tuple(int(v) for v in np.array(middle) + s * reach) for s in (-1, 1)]
        cv2.line(shape, ends[0], ends[1], 1.0, int(rng.integers(4, 46)))
    cover = cv2.GaussianBlur(shape, (0, 0), float(rng.uniform(0.5, 2)))
    rgb = rgb * (1 - cover[..., None]) + before * cover[..., None]
    return rgb, target * (1 - cover)


def _lit(rng: Random, rgb: FloatArray, much: float) -> FloatArray:
    """Another exposure, tint and contrast, and noise."""
    gain = np.exp(rng.normal(0, much, 3) * 0.5 + rng.normal(0, much)).astype(np.float32)
    shift = np.float32(rng.normal(0, much * 60))
    lit = rgb.copy()
    lit[..., :3] = np.clip(rgb[..., :3] * gain + shift, 0, 255)
    return lit


def _prior(rng: Random, known: Known, place: Affine, bent: FloatArray) -> FloatArray:
    """A mask as it might have been carried here: shifted, bent, thinned, with pieces missing."""
    kind = rng.random()
    much = 0.015 if kind < 0.4 else 0.05 if kind < 0.85 else 0.12
    other = bent + bent_by(rng, much) + rng.normal(0, much * SIDE * 0.5, 2).astype(np.float32)
    prior = taken(known.coverage, moved(rng, place, min(much, 0.049)), other)
    if rng.random() < 0.5:
        size = int(rng.integers(2, 12))
        tool = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        change = cv2.erode if rng.random() < 0.5 else cv2.dilate
        prior = np.asarray(change(prior, tool), np.float32)
    for _ in range(int(rng.integers(0, 4))):
        middle = tuple(int(v) for v in rng.integers(20, SIDE - 20, 2))
        axes = tuple(int(v) for v in rng.integers(4, 30, 2))
        value = float(rng.random() < 0.5)
        cv2.ellipse(prior, middle, axes, float(rng.uniform(0, 180)), 0, 360, value, -1)
    if rng.random() < 0.3:
        soft = float(rng.uniform(0.5, 4))
        prior = np.asarray(cv2.GaussianBlur(prior, (0, 0), soft), np.float32)
    return prior
