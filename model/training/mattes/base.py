"""What every kind of procedural matte shares: the result, noise, polygons, point spread.

Coordinates are pixels, x to the right, y down; a pixel's centre has integer coordinates.
"""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]  # what may be given: any precision
Ints = NDArray[np.int64]

_SHIFT = 5  # fixed-point bits of OpenCV's drawing coordinates


@dataclass(frozen=True)
class ProceduralMatte:
    """One rendered matte.

    Attributes:
        kind: its name in `KINDS`.
        alpha: S × S float32 in [0, 1].
        colour: S × S × 3 float32 RGB in [0, 1], straight (not multiplied by alpha), defined
            everywhere; None where any photograph can be the foreground's texture.
    """

    kind: str
    alpha: Array
    colour: Array | None = None


def over(front: Floats, back: Floats) -> Array:
    """Coverage of two uncorrelated layers, 1 - (1 - f)(1 - b), any equal shapes in [0, 1]."""
    return np.asarray(1.0 - (1.0 - front) * (1.0 - back), np.float32)


def smoothstep(low: float, high: float, value: Floats) -> Array:
    """Hermite step from 0 at `low` to 1 at `high`; `low` may exceed `high`."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t), np.float32)


def fractal_noise(
    rng: np.random.Generator, size: int, cell: float, *, octaves: int = 1, gain: float = 0.5
) -> Array:
    """Value noise, S × S float32, mean 0 and standard deviation about 1.

    Args:
        rng: source of randomness.
        size: S, px.
        cell: lattice distance of the first octave, px; each next octave halves it.
        octaves: how many lattices are summed.
        gain: amplitude of an octave relative to the one before.
    """
    total = np.zeros((size, size), np.float32)
    power = 0.0
    for octave in range(octaves):
        step = max(1.0, cell / 2**octave)
        n = int(np.ceil(size / step)) + 3
        lattice = rng.standard_normal((n, n)).astype(np.float32)
        matrix = np.array([[1 / step, 0, 1.0], [0, 1 / step, 1.0]], np.float32)
        amplitude = gain**octave
        total += amplitude * cv2.warpAffine(
            lattice,
            matrix,
            (size, size),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT,
        )
        power += amplitude**2
    return np.asarray(total / (0.75 * np.sqrt(power)), np.float32)


def polygons_coverage(polygons: list[Array], size: int, *, scale: int = 4) -> Array:
    """Anti-aliased union of filled polygons, S × S float32 in [0, 1].

    Args:
        polygons: each K × 2, pixel coordinates.
        size: S, px.
        scale: linear supersampling; scale² + 1 levels of coverage.
    """
    canvas = np.zeros((size * scale, size * scale), np.uint8)
    for polygon in polygons:
        fixed = np.rint(((polygon + 0.5) * scale - 0.5) * 2**_SHIFT).astype(np.int32)
        cv2.fillPoly(canvas, [fixed.reshape(-1, 1, 2)], (255,), shift=_SHIFT)
    small = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / 255.0


def signed_distance(coverage: Floats, *, smooth: float = 0.0) -> Array:
    """Distance to the edge of `coverage` > 1/2, px, positive inside; S × S float32.

    The frame's border is no edge: a shape that it cuts goes on.
    """
    inside = (coverage > 0.5).astype(np.uint8)
    if inside.all() or not inside.any():
        return np.full(coverage.shape, 1e3 if inside.any() else -1e3, np.float32)
    near = cv2.distanceTransform(inside, cv2.DIST_L2, 5)
    far = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    distance = (near - far).astype(np.float32)
    if smooth > 0:
        distance = cv2.GaussianBlur(distance, (0, 0), smooth).astype(np.float32)
    return distance


def normals(distance: Array) -> Array:
    """Outward unit normals of a signed distance field, S × S × 2 (x, y)."""
    gx = cv2.Sobel(distance, cv2.CV_32F, 1, 0, ksize=3)
    gy = cv2.Sobel(distance, cv2.CV_32F, 0, 1, ksize=3)
    length = np.sqrt(gx * gx + gy * gy) + 1e-6
    return np.stack((-gx / length, -gy / length), axis=-1).astype(np.float32)


def sample(field: Array, points: Floats) -> Array:
    """Values of S × S (× C) `field` at the pixels nearest to N × 2 `points`, clamped."""
    height, width = field.shape[:2]
    x = np.clip(np.rint(points[..., 0]).astype(np.int64), 0, width - 1)
    y = np.clip(np.rint(points[..., 1]).astype(np.int64), 0, height - 1)
    return np.asarray(field[y, x], np.float32)


def finish(matte: ProceduralMatte, sigma: float) -> ProceduralMatte:
    """The camera's point spread (Gaussian, `sigma` px) over alpha, then the range made exact.

    Coverage below 1/512 is empty and above 511/512 solid: less than a code value of 8 bits.
    """
    alpha = cv2.GaussianBlur(matte.alpha, (0, 0), sigma) if sigma > 0.2 else matte.alpha
    alpha = np.clip(alpha, 0.0, 1.0).astype(np.float32)
    alpha[alpha < 1 / 512] = 0.0
    alpha[alpha > 511 / 512] = 1.0
    colour = matte.colour
    if colour is not None:
        colour = np.clip(colour, 0.0, 1.0).astype(np.float32)
    return replace(matte, alpha=alpha, colour=colour)
