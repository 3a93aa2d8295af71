"""Many holes over a solid part: nets, meshes and lace; plates, gears, racks and fences."""

from typing import NamedTuple

import cv2
import numpy as np

from model.training.mattes.base import (
    Array,
    Floats,
    ProceduralMatte,
    fractal_noise,
    over,
    polygons_coverage,
    signed_distance,
    smoothstep,
)
from model.training.mattes.ribbons import ribbons
from model.training.mattes.shapes import place, silhouette


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


def pierced(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Plates, rings and gears with holes punched, scattered or in a pattern."""
    solid, cut = [], []
    for _ in range(int(rng.integers(1, 5))):
        x, y = rng.uniform(0.3, 0.7, 2)
        solid.append(_regular(rng, x, y, float(rng.uniform(0.14, 0.34))))
    if rng.random() < 0.5:
        n, radius = int(rng.integers(3, 14)), float(rng.uniform(0.02, 0.05))
        turn, orbit = rng.uniform(0, 6.3), float(rng.uniform(0.1, 0.25))
        for i in range(n):
            angle = turn + 2 * np.pi * i / n
            x, y = 0.5 + orbit * np.cos(angle), 0.5 + orbit * np.sin(angle)
            cut.append(_regular(rng, x, y, radius))
    for _ in range(int(rng.integers(1, 14))):
        x, y = rng.uniform(0.25, 0.75, 2)
        cut.append(_regular(rng, x, y, float(np.exp(rng.uniform(np.log(0.008), np.log(0.1))))))
    placed = place(rng, solid + cut, size)
    body = polygons_coverage(placed[: len(solid)], size)
    body = np.maximum(body, silhouette(rng, size)) if rng.random() < 0.4 else body
    alpha = np.minimum(body, 1.0 - polygons_coverage(placed[len(solid) :], size))
    return ProceduralMatte("pierced", alpha.astype(np.float32))


def fence(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Bars, racks, ladders and railings in perspective, perhaps with someone behind."""
    n, rails = int(rng.integers(4, 22)), int(rng.integers(1, 5))
    bar = np.linspace(-0.5, 0.5, n)
    rail = np.linspace(-0.4, 0.4, rails) + rng.normal(0, 0.03, rails)
    upright = np.stack((np.stack((bar, bar), 1), np.tile([-0.5, 0.5], (n, 1))), -1)
    level = np.stack((np.tile([-0.55, 0.55], (rails, 1)), np.stack((rail, rail), 1)), -1)
    lines = np.concatenate((upright, level))
    lines = lines[:, :1] + np.linspace(0, 1, 12)[None, :, None] * (lines[:, 1:] - lines[:, :1])
    depth = 1.0 + float(rng.uniform(-0.7, 0.7)) * lines[..., :1]
    angle = float(rng.normal(0, 0.35)) + float(rng.choice([0, np.pi / 2]))
    cos, sin = np.cos(angle), np.sin(angle)
    turned = (lines / depth) @ np.array([[cos, sin], [-sin, cos]])
    points = (turned * float(rng.uniform(0.7, 1.3)) + 0.5) * size + rng.normal(0, 0.04, 2) * size
    thick = np.exp(rng.uniform(np.log(1.2), np.log(0.05 * size)))
    per_line = np.concatenate((np.full(n, thick), np.full(rails, thick * rng.uniform(0.7, 2.5))))
    widths = per_line[:, None] / depth[..., 0]
    alpha = ribbons(points, widths, size)
    if rng.random() < 0.7:
        alpha = over(alpha, silhouette(rng, size))
    return ProceduralMatte("fence", alpha)


def _regular(rng: np.random.Generator, x: float, y: float, radius: float) -> Array:
    """A disc, rectangle, rounded polygon, gear or slot about (x, y), K × 2, unit square."""
    form = str(rng.choice(["disc", "box", "polygon", "gear", "slot"]))
    theta = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    turn = float(rng.uniform(0, 2 * np.pi))
    stretch = 1.0
    if form == "disc":
        r = np.ones_like(theta)
    elif form in ("box", "polygon"):
        sides = 4 if form == "box" else int(rng.integers(3, 9))
        sector = (theta % (2 * np.pi / sides)) - np.pi / sides
        r = np.cos(np.pi / sides) / np.cos(sector)
        stretch = float(rng.uniform(0.3, 1.0)) if form == "box" else 1.0
    elif form == "gear":
        teeth = int(rng.integers(8, 24))
        r = 1.0 + 0.12 * np.tanh(4 * np.sin(teeth * theta))
    else:
        r, stretch = np.ones_like(theta), float(rng.uniform(0.15, 0.4))
    shape = np.stack((r * np.cos(theta), stretch * r * np.sin(theta)), 1) * radius
    cos, sin = np.cos(turn), np.sin(turn)
    return np.asarray(shape @ np.array([[cos, sin], [-sin, cos]]) + [x, y], np.float32)
