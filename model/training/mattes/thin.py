"""Thin structures: wires, ropes, sticks, fringes, spokes, spider-webs."""

import cv2
import numpy as np

from model.training.mattes.base import Array, Floats, ProceduralMatte, over
from model.training.mattes.colour import palette
from model.training.mattes.ribbons import paint, ribbons
from model.training.mattes.shapes import silhouette
from model.training.mattes.strands import walk


def wires(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Wires, ropes and sticks of 0.5 to 9 px that cross the frame from or beside a body."""
    unit = size / 512
    body = silhouette(rng, size)
    n = int(rng.integers(5, 28))
    y, x = np.nonzero(body > 0.5)
    chosen = rng.integers(0, max(1, x.size), n)
    roots = np.stack((x[chosen], y[chosen]), 1).astype(np.float32)
    points = walk(
        rng, roots, rng.uniform(0, 2 * np.pi, n), rng.uniform(120, 500, n) * unit, steps=48,
        wander=float(rng.choice([0.02, 0.3, 1.2])), gravity=float(rng.choice([0.0, 0.04])),
    )  # fmt: skip
    thick = np.exp(rng.uniform(np.log(0.5), np.log(9), n)) * max(0.7, unit)
    widths = thick[:, None] * np.linspace(1, rng.uniform(0.4, 1, n), 48).T
    drawn = ribbons(points, widths, size)
    return ProceduralMatte("wires", over(body, drawn))


def fringe(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Tassels and mops: many threads of 3 to 12 px that hang from a solid edge, gaps between."""
    unit = size / 512
    body = silhouette(rng, size, shape="slab")[::-1].copy()
    edge = np.clip((body > 0.5).sum(axis=0) - 8 * unit, 0, size - 1)
    thick = float(rng.uniform(2.5, 11)) * unit
    n = int(size / thick * rng.uniform(0.5, 2.6))
    x = rng.uniform(-0.02, 1.02, n) * size
    y = edge[np.clip(x.astype(np.int64), 0, size - 1)]
    roots = np.stack((x, y), 1).astype(np.float32)
    length = rng.uniform(0.12, 0.5) * size * np.exp(0.3 * rng.standard_normal(n))
    points = walk(
        rng, roots, np.pi / 2 + rng.uniform(0.08, 0.25) * rng.standard_normal(n), length, steps=32,
        wander=float(rng.uniform(0.2, 0.9)), gravity=0.06, wind=float(rng.normal(0, 0.25)),
    )  # fmt: skip
    wobble = 1 + 0.12 * rng.standard_normal((n, 32))
    widths = thick * np.exp(0.2 * rng.standard_normal((n, 1))) * wobble
    yarn = _yarn(rng, n, 32)
    drawn = paint(points, widths, size, yarn)
    if drawn.colour is None or rng.random() < 0.3:
        return _turned(rng, ProceduralMatte("fringe", over(body, drawn.coverage)))
    shown = drawn.coverage[..., None]
    colour = drawn.colour * shown + yarn.mean(axis=(0, 1)) * (1 - shown)
    return _turned(
        rng, ProceduralMatte("fringe", over(body, drawn.coverage), colour.astype(np.float32))
    )


def _yarn(rng: np.random.Generator, n: int, steps: int) -> Floats:
    """Colours of n threads along their length, n × steps × 3: a few dyes, each shaded."""
    dyes = np.concatenate([palette(rng) for _ in range(int(rng.integers(1, 4)))])
    dye = dyes[rng.integers(0, dyes.shape[0], n)][:, None]
    light = np.exp(
        0.25 * rng.standard_normal((n, 1, 1)) + 0.12 * rng.standard_normal((n, steps, 1))
    )
    return np.asarray(np.clip(dye * light, 0.0, 1.0), np.float32)


def _turned(rng: np.random.Generator, matte: ProceduralMatte) -> ProceduralMatte:
    """A matte as it is, or in three cases of ten turned by a right angle."""
    turns = int(rng.choice([0, 1, 2, 3], p=[0.7, 0.1, 0.1, 0.1]))
    colour = None if matte.colour is None else np.ascontiguousarray(np.rot90(matte.colour, turns))
    return ProceduralMatte(matte.kind, np.ascontiguousarray(np.rot90(matte.alpha, turns)), colour)


def spokes(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """A wheel: rim and tyre, hub, crossed spokes; seen at a slant."""
    unit = size / 512
    radius = float(rng.uniform(0.3, 0.6)) * size
    centre = np.array([0.5, 0.5]) * size + rng.normal(0, 0.1, 2) * size
    tilt, turn = float(rng.uniform(0.35, 1.0)), float(rng.uniform(0, np.pi))
    hub, n = radius * rng.uniform(0.04, 0.12), int(rng.integers(12, 44))
    cross = float(rng.uniform(-1.4, 1.4))
    start = np.arange(n) / n * 2 * np.pi
    ends = start + cross * np.where(np.arange(n) % 2 == 0, 1, -1) * 0.5
    inner = np.stack((np.cos(ends), np.sin(ends)), 1) * hub
    outer = np.stack((np.cos(start), np.sin(start)), 1) * radius
    lines = inner[:, None] + np.linspace(0, 1, 4)[None, :, None] * (outer - inner)[:, None]
    widths = np.full((n, 4), float(rng.uniform(0.6, 3.5)) * unit)
    theta = np.linspace(0, 2 * np.pi, 181)
    drawn = ribbons(_slant(lines, centre, tilt, turn), widths, size)
    for r, w in ((radius, rng.uniform(8, 30) * unit), (hub, hub * 1.6)):
        circle = np.stack((np.cos(theta), np.sin(theta)), 1) * r
        ring = _slant(circle[None], centre, tilt, turn)
        drawn = over(drawn, ribbons(ring, np.full((1, 181), w), size))
    if rng.random() < 0.6:
        drawn = over(drawn, silhouette(rng, size))
    return ProceduralMatte("spokes", drawn)


def web(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """A spider-web: radial threads, sagging spiral, on twigs; threads of 0.3 to 1.2 px."""
    unit = max(0.7, size / 512)
    n, rounds = int(rng.integers(9, 26)), int(rng.integers(7, 26))
    centre = np.array([0.5, 0.5]) * size + rng.normal(0, 0.12, 2) * size
    radius = float(rng.uniform(0.3, 0.62)) * size
    angle = (np.arange(n) + rng.uniform(-0.3, 0.3, n)) / n * 2 * np.pi
    reach = radius * rng.uniform(0.75, 1.25, n)
    along = np.stack((np.cos(angle), np.sin(angle)), 1)
    radial = centre + np.linspace(0, 1, 12)[None, :, None] * (along * reach[:, None])[:, None]
    steps = np.linspace(0.12, 0.92, rounds)[:, None] * (1 + rng.normal(0, 0.012, (rounds, n)))
    knots = centre + (steps * reach)[..., None] * along
    first = knots.reshape(-1, 2)
    last = np.roll(knots, -1, axis=1).reshape(-1, 2)
    t = np.linspace(0, 1, 12)[None, :, None]
    sag = float(rng.uniform(0.06, 0.2)) * (4 * t * (1 - t))
    spiral = first[:, None] * (1 - t) + last[:, None] * t
    spiral = spiral + (centre - spiral) * sag * 0.5
    thread = float(rng.uniform(0.3, 1.2)) * unit
    points = np.concatenate((radial, spiral[rng.random(spiral.shape[0]) < 0.95]))
    widths = np.full(points.shape[:2], thread) * np.exp(
        0.2 * rng.standard_normal((points.shape[0], 1))
    )
    drawn = ribbons(points, widths, size)
    sticks = _twigs(rng, size)
    body = silhouette(rng, size, shape="slab")
    turned = np.ascontiguousarray(np.rot90(body, int(rng.integers(0, 4))))
    edge = cv2.GaussianBlur(turned, (0, 0), 0.5)
    return ProceduralMatte("web", over(over(drawn, sticks), edge.astype(np.float32)))


def _twigs(rng: np.random.Generator, size: int) -> Array:
    """Two to five sticks that enter from the frame's border."""
    n = int(rng.integers(2, 6))
    theta = rng.uniform(0, 2 * np.pi, n)
    roots = size * (0.5 + 0.72 * np.stack((np.cos(theta), np.sin(theta)), 1))
    heading = theta + np.pi + rng.normal(0, 0.5, n)
    points = walk(
        rng, roots.astype(np.float32), heading, rng.uniform(0.4, 1.3, n) * size, steps=32,
        wander=0.5,
    )  # fmt: skip
    thick = rng.uniform(3, 20, (n, 1)) * size / 512
    return ribbons(points, thick * np.linspace(1, 0.3, 32)[None], size)


def _slant(points: Floats, centre: Floats, tilt: float, turn: float) -> Array:
    """Points about the origin seen at a slant (y times `tilt`), turned, moved to `centre`."""
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, -sin * tilt], [sin, cos * tilt]])
    return np.asarray(points @ matrix.T + centre, np.float32)
