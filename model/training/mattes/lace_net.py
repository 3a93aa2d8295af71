"""Nets, meshes and lace: many small holes, regular or not, over a solid part."""

from typing import NamedTuple

import cv2
import numpy as np

from model.training.mattes.base import (
    Array,
    Floats,
    ProceduralMatte,
    fractal_noise,
    over,
    signed_distance,
    smoothstep,
)
from model.training.mattes.shapes import silhouette


class _Plane(NamedTuple):
    """Fabric coordinates u, v of every pixel (S × S, in cells) and px per cell."""

    u: Floats
    v: Floats
    cell: float


def net(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Wire mesh, fishing net, fabric net, sieve: one weave bent in perspective."""
    plane = _plane(rng, size, float(np.exp(rng.uniform(np.log(5), np.log(36)))) * size / 512)
    weave = str(rng.choice(["square", "honeycomb", "round", "woven"]))
    # Share of a cell's half-width that is thread; px below which a thread is not drawn.
    thread = max(float(rng.uniform(0.12, 0.5)), 0.8 / plane.cell)
    cover = _weave(plane, weave, thread)
    return _dressed(rng, size, cover, plane.cell, "net")


def lace(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Lace, doilies, crochet: a net with motifs of solid cloth and holes of several sizes."""
    plane = _plane(rng, size, float(rng.uniform(7, 22)) * size / 512)
    ground = _weave(plane, str(rng.choice(["honeycomb", "round", "woven"])), 0.35)
    big = _Plane(plane.u / 5, plane.v / 5, plane.cell * 5)
    fu, fv = big.u - np.floor(big.u) - 0.5, big.v - np.floor(big.v) - 0.5
    radius, theta = np.sqrt(fu * fu + fv * fv), np.arctan2(fv, fu)
    petals = int(rng.integers(3, 9))
    edge = float(rng.uniform(0.2, 0.38)) * (
        1 + float(rng.uniform(0.1, 0.5)) * np.cos(petals * theta)
    )
    soft = 0.7 / big.cell
    motif = smoothstep(soft, -soft, radius - edge)
    holes = smoothstep(-soft, soft, np.abs(radius - 0.55 * edge) - float(rng.uniform(0.02, 0.07)))
    eye = smoothstep(-soft, soft, radius - float(rng.uniform(0.02, 0.08)))
    cover = np.maximum(ground * (1 - motif), motif * np.minimum(holes, eye))
    return _dressed(rng, size, cover, plane.cell, "lace")


def _plane(rng: np.random.Generator, size: int, cell: float) -> _Plane:
    """A cloth turned, stretched, in perspective, with folds."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    x, y = np.meshgrid(axis, axis)
    angle = float(rng.uniform(0, np.pi))
    slope = rng.uniform(-0.6, 0.6, 2)
    depth = 1.0 + slope[0] * x + slope[1] * y
    cos, sin = np.cos(angle), np.sin(angle)
    scale = size / cell
    fold = float(rng.uniform(0.0, 0.035))
    u = (cos * x - sin * y) / depth + fold * fractal_noise(rng, size, size * 0.25)
    v = (sin * x + cos * y) / depth + fold * fractal_noise(rng, size, size * 0.25)
    stretch = float(rng.uniform(0.7, 1.3))
    return _Plane(
        (u * scale * stretch).astype(np.float32), (v * scale / stretch).astype(np.float32), cell
    )


def _weave(plane: _Plane, weave: str, thread: float) -> Array:
    """Coverage of one weave; `thread` is the share of a cell's half that is covered."""
    u, v = plane.u, plane.v
    if weave in ("honeycomb", "round"):
        u = u + 0.5 * (np.floor(v) % 2)
    fu, fv = np.abs(u - np.floor(u) - 0.5), np.abs(v - np.floor(v) - 0.5)
    soft = 0.6 / plane.cell
    if weave == "round":
        distance = 0.5 - np.sqrt(fu * fu + fv * fv)
    elif weave == "honeycomb":
        distance = 0.5 - np.maximum(fu, 0.5 * fu + 0.87 * fv)
    else:
        distance = 0.5 - np.maximum(fu, fv)
    swell: Floats = np.ones_like(u)
    if weave == "woven":
        # Threads swell and thin out as they pass over and under each other.
        swell = 1.0 + 0.3 * np.cos(2 * np.pi * u) * np.cos(2 * np.pi * v)
    return smoothstep(soft, -soft, distance - 0.5 * thread * swell)


def _dressed(
    rng: np.random.Generator, size: int, cover: Floats, cell: float, kind: str
) -> ProceduralMatte:
    """The cloth on a body: its hem, what is solid behind it, torn threads, larger gaps."""
    cloth = silhouette(rng, size, shape=str(rng.choice(["cluster", "slab", "bust"])))
    distance = signed_distance(cloth)
    hem = smoothstep(cell * 0.8 + 1.5, cell * 0.8 - 0.5, distance) * cloth
    alpha = np.maximum(cover * cloth, hem)
    share = float(rng.uniform(0.15, 0.85))
    if share < 0.75:
        spread = fractal_noise(rng, size, size * 0.3, octaves=2)
        patch = signed_distance((spread > share * 1.6 - 0.8).astype(np.float32), smooth=2.0)
        alpha = np.maximum(alpha, smoothstep(-0.7, 0.7, patch) * cloth)
    if rng.random() < 0.5:
        alpha = over(alpha, silhouette(rng, size))
    jitter = 1.0 + 0.06 * fractal_noise(rng, size, 3.0)
    worn = np.where(alpha < 0.98, np.clip(alpha * jitter, 0, 1), alpha)
    return ProceduralMatte(kind, cv2.GaussianBlur(worn.astype(np.float32), (0, 0), 0.4))
