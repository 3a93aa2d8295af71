"""Patches of a picture: where they are taken from, turned, bent, and how."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from model.segmenters.shot.planes import Seen
from plugin.types import FloatArray

SIDE = 192
"""Of a patch, pixels."""

Random = np.random.Generator
Affine = npt.NDArray[np.float64]
"""3 × 3, from a patch's pixels to the picture's."""

_ROWS, _COLUMNS = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)


def view_of(rng: Random, middle: tuple[float, float], side: float, stray: float) -> Affine:
    """A square about a middle, in pixels of the picture, that strays by that share of its side."""
    scale = side / SIDE
    x, y = np.array(middle) + rng.uniform(-stray, stray, 2) * side
    return np.array([[scale, 0, x - side / 2], [0, scale, y - side / 2], [0, 0, 1]])


def moved(rng: Random, view: Affine, much: float) -> Affine:
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


def bent_by(rng: Random, much: float) -> FloatArray:
    """A smooth displacement, `SIDE × SIDE × 2` in pixels of the patch."""
    cells = int(rng.choice([4, 6, 9]))
    coarse = rng.normal(0, much * SIDE * 4 / (cells + 2), (cells, cells, 2)).astype(np.float32)
    return np.asarray(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.float32)


def taken(
    source: npt.NDArray[np.uint8] | FloatArray,
    view: Affine,
    bent: FloatArray,
    border: int = cv2.BORDER_CONSTANT,
) -> FloatArray:
    """A patch of a picture or a mask, seen so and bent."""
    across, down = _COLUMNS + bent[..., 0], _ROWS + bent[..., 1]
    matrix = view.astype(np.float32)
    x = matrix[0, 0] * across + matrix[0, 1] * down + matrix[0, 2]
    y = matrix[1, 0] * across + matrix[1, 1] * down + matrix[1, 2]
    return np.asarray(cv2.remap(source, x, y, cv2.INTER_LINEAR, borderMode=border), np.float32)


def flat(source: Seen, view: Affine) -> FloatArray:
    """A patch of a picture, seen so; what is beyond its edge is mirrored."""
    whole = cv2.warpAffine(
        source,
        view[:2],
        (SIDE, SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(whole, np.float32)
