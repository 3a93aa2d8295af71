"""Silhouettes: solid bodies that hair, fur and edges are put on."""

from collections.abc import Callable

import cv2
import numpy as np

from model.training.mattes.base import Array, fractal_noise, polygons_coverage


def blob(
    rng: np.random.Generator,
    centre: tuple[float, float],
    radii: tuple[float, float],
    *,
    rough: float = 0.06,
    points: int = 160,
) -> Array:
    """A wobbly ellipse, `points` × 2; `rough` is the wobble relative to the radius."""
    theta = np.linspace(0, 2 * np.pi, points, endpoint=False)
    radius = np.ones_like(theta)
    for k in range(2, 10):
        radius += rough * rng.normal() / k**0.9 * np.cos(k * theta + rng.uniform(0, 2 * np.pi))
    radius = np.maximum(radius, 0.3)
    x = centre[0] + radii[0] * radius * np.cos(theta)
    y = centre[1] + radii[1] * radius * np.sin(theta)
    return np.stack((x, y), axis=-1).astype(np.float32)


def _capsule(
    start: tuple[float, float], stop: tuple[float, float], first: float, last: float
) -> Array:
    """A limb: two discs of radius `first` and `last` and what is between, K × 2."""
    dx, dy = stop[0] - start[0], stop[1] - start[1]
    base = float(np.arctan2(dy, dx))
    half = np.linspace(-np.pi / 2, np.pi / 2, 16)
    end = np.stack((np.cos(base + half) * last + stop[0], np.sin(base + half) * last + stop[1]), 1)
    back = base + np.pi + half
    begin = np.stack((np.cos(back) * first + start[0], np.sin(back) * first + start[1]), 1)
    return np.concatenate((end, begin)).astype(np.float32)


def _bust(rng: np.random.Generator) -> list[Array]:
    """Head, neck and shoulders; the shoulders leave the unit square below."""
    head = float(rng.uniform(0.15, 0.22))
    lean, y = float(rng.normal(0, 0.03)), float(rng.uniform(0.28, 0.42))
    shoulder = float(rng.uniform(0.24, 0.42))
    top = y + head * rng.uniform(1.5, 1.9)
    return [
        blob(rng, (0.5 + lean, y), (head * rng.uniform(0.72, 0.9), head), rough=0.02),
        _capsule((0.5 + lean, y), (0.5, top + 0.05), head * 0.5, head * 0.6),
        _capsule((0.5 - shoulder * 0.7, top + 0.1), (0.5 + shoulder * 0.7, top + 0.1), 0.1, 0.1),
        blob(rng, (0.5, 1.1), (shoulder, 1.12 - top), rough=0.03),
    ]


def _animal(rng: np.random.Generator) -> list[Array]:
    """Body, head, ears, legs, perhaps a tail."""
    side = 0.26 * rng.uniform(0.7, 1.2)
    hx, hy = 0.5 + rng.choice([-1, 1]) * rng.uniform(0.05, 0.28), rng.uniform(0.22, 0.42)
    head = float(rng.uniform(0.11, 0.17))
    parts = [
        blob(rng, (0.5, 0.62), (side * 1.2, side), rough=0.05),
        blob(rng, (hx, hy), (head * rng.uniform(0.8, 1.2), head), rough=0.04),
        _capsule((hx, hy), (0.5, 0.6), head * 0.75, side * 0.7),
    ]
    long = float(rng.uniform(0.3, 1.9))
    for sign in (-1, 1):
        ex, ey = hx + sign * head * rng.uniform(0.4, 0.8), hy - head * 0.75
        tip = (ex + sign * head * rng.uniform(0, 0.7), ey - head * long)
        parts.append(_capsule((ex, ey), tip, head * rng.uniform(0.25, 0.45), head * 0.22))
    for x in rng.uniform(0.5 - side, 0.5 + side, int(rng.integers(0, 5))):
        parts.append(_capsule((x, 0.68), (x, rng.uniform(0.85, 1.1)), 0.07, 0.05))
    if rng.random() < 0.4:
        end = (0.5 - np.sign(hx - 0.5) * rng.uniform(0.35, 0.5), rng.uniform(0.3, 0.7))
        parts.append(_capsule((0.5, 0.65), end, 0.06, 0.04))
    return parts


def _toy(rng: np.random.Generator) -> list[Array]:
    """A big head on a round body, with arms: plush toys, sitting figures."""
    head = float(rng.uniform(0.16, 0.24))
    parts = [
        blob(rng, (0.5, 0.34), (head * rng.uniform(0.9, 1.3), head), rough=0.03),
        blob(rng, (0.5, 0.75), (rng.uniform(0.2, 0.34), 0.28), rough=0.04),
    ]
    ear = head * rng.uniform(0.25, 0.5)
    for sign in (-1, 1):
        parts.append(blob(rng, (0.5 + sign * head * 0.85, 0.34 - head * 0.75), (ear, ear)))
        hand = (0.5 + sign * rng.uniform(0.25, 0.42), rng.uniform(0.45, 0.9))
        parts.append(_capsule((0.5 + sign * 0.15, 0.62), hand, 0.08, 0.06))
    return parts


def _hand(rng: np.random.Generator) -> list[Array]:
    """A palm with four fingers and a thumb, and the arm it belongs to."""
    palm = float(rng.uniform(0.12, 0.16))
    parts = [blob(rng, (0.5, 0.55), (palm, palm * 1.15), rough=0.03)]
    spread = rng.uniform(0.15, 0.42)
    for i in range(4):
        angle = -np.pi / 2 + (i - 1.5) * spread + rng.normal(0, 0.06)
        reach = palm * rng.uniform(1.9, 2.5)
        root = (0.5 + np.cos(angle) * palm * 0.7, 0.55 + np.sin(angle) * palm * 0.8)
        tip = (0.5 + np.cos(angle) * reach, 0.55 + np.sin(angle) * reach)
        parts.append(_capsule(root, tip, 0.034, 0.024))
    side = rng.choice([-1, 1])
    parts.append(_capsule((0.5, 0.6), (0.5 + side * palm * 1.7, 0.45), 0.05, 0.03))
    parts.append(_capsule((0.5, 0.6), (0.5 + rng.normal(0, 0.1), 1.2), palm * 0.75, palm * 0.9))
    return parts


def _cluster(rng: np.random.Generator) -> list[Array]:
    """One to five blobs about the middle."""
    parts = [blob(rng, (0.5, 0.5), (rng.uniform(0.2, 0.36), rng.uniform(0.2, 0.36)), rough=0.12)]
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.uniform(0.22, 0.78, 2)
        parts.append(blob(rng, (x, y), tuple(rng.uniform(0.06, 0.2, 2)), rough=0.1))
    return parts


def _vessel(rng: np.random.Generator) -> list[Array]:
    """A turned thing, symmetric about its axis: bottle, vase, glass, lamp."""
    t = np.linspace(0, 1, 120)
    knots = rng.uniform(0.04, 0.26, int(rng.integers(3, 7)))
    smooth = 0.5 - 0.5 * np.cos(np.pi * np.clip(t * (knots.size - 1) % 1.0, 0, 1))
    low = np.minimum((t * (knots.size - 1)).astype(np.int64), knots.size - 2)
    half = knots[low] * (1 - smooth) + knots[low + 1] * smooth
    half[-1] = knots[-1]
    y = 0.5 + float(rng.uniform(0.3, 0.46)) * (2 * t - 1)
    x = np.concatenate((0.5 + half, (0.5 - half)[::-1]))
    return [np.stack((x, np.concatenate((y, y[::-1]))), 1).astype(np.float32)]


def _slab(rng: np.random.Generator) -> list[Array]:
    """A shape that fills one side of the frame with a wandering edge."""
    x = np.linspace(-0.3, 1.3, 200)
    y = np.full_like(x, rng.uniform(0.35, 0.6))
    for k in range(1, 12):
        y += 0.08 * rng.normal() / k * np.sin(2 * np.pi * k * x / 1.6 + rng.uniform(0, 6.3))
    return [np.stack((np.r_[x, 1.3, -0.3], np.r_[y, 1.5, 1.5]), 1).astype(np.float32)]


_SHAPES: dict[str, tuple[Callable[[np.random.Generator], list[Array]], float]] = {
    "bust": (_bust, 2.0),
    "animal": (_animal, 2.0),
    "toy": (_toy, 1.5),
    "hand": (_hand, 0.7),
    "cluster": (_cluster, 1.5),
    "slab": (_slab, 1.0),
    "vessel": (_vessel, 0.8),
}


def place(rng: np.random.Generator, parts: list[Array], size: int) -> list[Array]:
    """Unit-square polygons into the frame: scaled, turned, mirrored, perhaps cut by its border."""
    scale = size * float(rng.uniform(0.8, 1.25))
    angle = float(rng.normal(0, 0.12))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    shift = rng.normal(0, 0.07, 2) * size + 0.5 * size
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos * mirror, -sin], [sin * mirror, cos]]) * scale
    return [((part - 0.5) @ matrix.T + shift).astype(np.float32) for part in parts]


def silhouette(rng: np.random.Generator, size: int, *, shape: str | None = None) -> Array:
    """Coverage of a random body, S × S in [0, 1], with 8 % to 85 % of the frame solid.

    Args:
        rng: source of randomness.
        size: S, px.
        shape: bust, animal, toy, hand, cluster, slab or vessel; None draws one.
    """
    if shape is None:
        weights = np.array([weight for _, weight in _SHAPES.values()])
        shape = str(rng.choice(list(_SHAPES), p=weights / weights.sum()))
    for _ in range(8):
        coverage = polygons_coverage(place(rng, _SHAPES[shape][0](rng), size), size)
        coverage = _round(coverage, size * float(rng.uniform(0.004, 0.014)))
        if rng.random() < 0.5:
            coverage = _wobble(rng, coverage, size)
        if 0.08 < float(coverage.mean()) < 0.85:
            break
    return coverage


def _round(coverage: Array, sigma: float) -> Array:
    """Joints of the parts made round: blurred, then its half-level edge drawn sharp again."""
    soft = cv2.GaussianBlur(coverage, (0, 0), sigma)
    slope = max(1.0, sigma * 2.5)
    return np.asarray(np.clip((soft - 0.5) * slope + 0.5, 0.0, 1.0), np.float32)


def _wobble(rng: np.random.Generator, coverage: Array, size: int) -> Array:
    """A smooth warp of a few per cent, so that no two edges are the same curve."""
    cell, strength = size * float(rng.uniform(0.06, 0.2)), size * float(rng.uniform(0.003, 0.014))
    grid = np.arange(size, dtype=np.float32)
    mx = grid[None, :] + strength * fractal_noise(rng, size, cell)
    my = grid[:, None] + strength * fractal_noise(rng, size, cell)
    warped = cv2.remap(coverage, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return warped.astype(np.float32)
