"""Lessons of a shot: patches with a subject moved, bent, lit and hidden in ways that are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from model.segmenters.shot.grounds import ground_of
from plugin.types import FloatArray

SIDE = 192
"""Of a patch, pixels."""

Random = np.random.Generator
Picture = npt.NDArray[np.uint8]
_Affine = npt.NDArray[np.float64]

_AROUND = 1.45
"""A patch's side in sides of the subject's box."""

_ALONE = 0.3
"""Share of lessons in which subject and ground stay together as they were seen."""

_OWN_GROUND = 0.4
_NO_PRIOR = 0.12
_HIDDEN = 0.2

_OTHER_LIGHT = 0.35
"""Share of lessons in the light of another frame, where the shot's light changes."""

_SAME_LIGHT = 0.15
"""Logarithm by which a frame is brighter or darker than the keys through what it shows."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A frame whose mask is known.

    Attributes:
        picture: `h × w × 3` uint8.
        coverage: `h × w` float32.
        ground: the picture without its subject, `h × w × 3` uint8.
        weight: how much a pixel of its mask is believed, `h × w` float32; None is wholly.
    """

    @classmethod
    def of(cls, picture: Picture, coverage: FloatArray) -> Known:
        """With a ground made from the picture itself."""
        return cls(picture, coverage, ground_of(picture, coverage))

    picture: Picture
    coverage: FloatArray
    ground: Picture
    weight: FloatArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A patch: what the network is shown, and what it should say.

    Attributes:
        planes: `PLANES × SIDE × SIDE` float32.
        target: `SIDE × SIDE` float32.
        weight: `SIDE × SIDE` float32.
    """

    planes: FloatArray
    target: FloatArray
    weight: FloatArray


def planes_of(rgb: FloatArray, prior: FloatArray | None) -> FloatArray:
    """What the network is shown of a patch.

    Args:
        rgb: `h × w × 3`, 0 to 255.
        prior: `h × w`, 0 to 1; None where there is none.
    """
    height, width = rgb.shape[:2]
    planes = np.zeros((5, height, width), np.float32)
    planes[:3] = (rgb.transpose(2, 0, 1) - 128) / np.float32(90)
    if prior is not None:
        planes[3] = prior * 2 - 1
        planes[4] = 1
    return planes


def box_of(coverage: FloatArray) -> tuple[float, float, float]:
    """Middle (x, y) and longer side of what a mask covers; the whole picture where it is empty."""
    inside = cv2.boundingRect((coverage > 0.5).astype(np.uint8))
    x, y, width, height = inside if inside[2] else (0, 0, *coverage.shape[::-1])
    return x + width / 2, y + height / 2, float(max(width, height))


def lights_of(keys: Sequence[Known], others: Sequence[Picture]) -> FloatArray:
    """The light of those frames whose light is another than the keys': `n × 3`, logarithms."""
    usual = np.mean([_light(known.picture) for known in keys], axis=0)
    lights = np.array([_light(other) - usual for other in others], np.float32).reshape(-1, 3)
    return np.asarray(lights[np.abs(lights).max(axis=1) > _SAME_LIGHT], np.float32)


def _light(picture: Picture) -> FloatArray:
    return np.asarray(np.log(picture.mean(axis=(0, 1)) + 1), np.float32)


def lesson(rng: Random, known: Known, grounds: list[Picture], lights: FloatArray) -> Lesson:
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
    view = _view(rng, (x, y), side * zoom, 0.16)
    alone = rng.random() < _ALONE
    bent = _bent(rng, 0.02 if alone else float(rng.choice([0.01, 0.03, 0.06])))
    place = _moved(rng, view, 0.0 if alone else 0.1)
    target = _taken(known.coverage, place, bent)
    rgb = _taken(known.picture, place, bent, cv2.BORDER_REFLECT_101)
    if alone:
        weight = _taken(_weight(known), place, bent)
    else:
        rgb, target = _composed(rng, rgb, target, _behind(rng, known, view, grounds))
        weight = np.ones((SIDE, SIDE), np.float32)
        if known.weight is not None:
            weight = np.maximum(_taken(_weight(known), place, bent), 0.2)
    rgb, target = _hidden(rng, rgb, target, view, grounds)
    rgb = _lit(rng, rgb, 0.12)
    if len(lights) and rng.random() < _OTHER_LIGHT:
        stops = rng.uniform(0, 1.1) * lights[rng.integers(len(lights))]
        rgb = np.clip(rgb * np.exp(stops), 0, 255)
    prior = None
    if rng.random() >= _NO_PRIOR:
        prior = _prior(rng, known, place, bent)
    return Lesson(planes_of(rgb, prior), target.astype(np.float32), weight)


def _weight(known: Known) -> FloatArray:
    return np.ones_like(known.coverage) if known.weight is None else known.weight


def _view(rng: Random, middle: tuple[float, float], side: float, stray: float) -> _Affine:
    """From a patch's pixels to the picture's."""
    scale = side / SIDE
    x, y = np.array(middle) + rng.uniform(-stray, stray, 2) * side
    return np.array([[scale, 0, x - side / 2], [0, scale, y - side / 2], [0, 0, 1]])


def _moved(rng: Random, view: _Affine, much: float) -> _Affine:
    """Another view: turned, scaled, sheared and shifted about the patch's middle."""
    turn = rng.normal(0, 1.2 * much)
    scale = np.exp(rng.normal(0, 1.0 * much))
    shear = rng.normal(0, 0.6 * much)
    flip = -1 if much > 0.05 and rng.random() < 0.5 else 1
    cos, sin = np.cos(turn) * scale, np.sin(turn) * scale
    linear = np.array([[cos, -sin], [sin, cos]]) @ np.array([[flip, shear], [0, 1]])
    middle = np.array([SIDE / 2, SIDE / 2])
    offset = middle - linear @ (middle + rng.normal(0, 0.6 * much, 2) * SIDE)
    whole = np.eye(3)
    whole[:2, :2], whole[:2, 2] = linear, offset
    return np.asarray(view @ whole)


def _bent(rng: Random, much: float) -> FloatArray:
    """A smooth displacement, `SIDE × SIDE × 2` in pixels of the patch."""
    cells = int(rng.choice([4, 6, 9]))
    coarse = rng.normal(0, much * SIDE * 4 / (cells + 2), (cells, cells, 2)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.float32)


_ROWS, _COLUMNS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)


def _taken(
    source: npt.NDArray[np.uint8] | FloatArray,
    view: _Affine,
    bent: FloatArray,
    border: int = cv2.BORDER_CONSTANT,
) -> FloatArray:
    across, down = _COLUMNS + bent[..., 0], _ROWS + bent[..., 1]
    matrix = view.astype(np.float32)
    x = matrix[0, 0] * across + matrix[0, 1] * down + matrix[0, 2]
    y = matrix[1, 0] * across + matrix[1, 1] * down + matrix[1, 2]
    return np.asarray(cv2.remap(source, x, y, cv2.INTER_LINEAR, borderMode=border), np.float32)


def _flat(source: Picture, view: _Affine) -> FloatArray:
    whole = cv2.warpAffine(
        source,
        view[:2],
        (SIDE, SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(whole, np.float32)


def _behind(rng: Random, known: Known, view: _Affine, grounds: list[Picture]) -> FloatArray:
    """A piece of the frame's own ground, mostly as it lies there, or of any, from anywhere."""
    if rng.random() < _OWN_GROUND:
        return _flat(known.ground, _moved(rng, view, 0.04 if rng.random() < 0.5 else 0.3))
    ground = grounds[int(rng.integers(len(grounds)))]
    if rng.random() < 0.5:
        height, width = ground.shape[:2]
        side = view[0, 0] * SIDE
        view = _view(rng, (rng.uniform(0, width), rng.uniform(0, height)), side, 0.0)
    return _flat(ground, _moved(rng, view, 0.3))


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
    rgb = both[..., :3] + (1 - both[..., 3:]) * behind
    return rgb, both[..., 3]


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
    rng: Random, rgb: FloatArray, target: FloatArray, view: _Affine, grounds: list[Picture]
) -> tuple[FloatArray, FloatArray]:
    """Something of the scene in front of the subject, now and then."""
    if rng.random() >= _HIDDEN:
        return rgb, target
    ground = grounds[int(rng.integers(len(grounds)))]
    before = _flat(ground, _moved(rng, view, 0.5))
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
    return np.asarray(np.clip(rgb * gain + shift, 0, 255), np.float32)


def _prior(rng: Random, known: Known, place: _Affine, bent: FloatArray) -> FloatArray:
    """A mask as it might have been carried here: shifted, bent, thinned, with pieces missing."""
    kind = rng.random()
    much = 0.015 if kind < 0.4 else 0.05 if kind < 0.85 else 0.12
    other = bent + _bent(rng, much) + rng.normal(0, much * SIDE * 0.5, 2).astype(np.float32)
    prior = _taken(known.coverage, _moved(rng, place, min(much, 0.049)), other)
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
