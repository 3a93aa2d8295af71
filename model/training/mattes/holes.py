"""Made things with holes: plates, gears, racks, fences, chairs; straight lines and clean arcs."""

import numpy as np

from model.training.mattes.base import Array, ProceduralMatte, over, polygons_coverage
from model.training.mattes.ribbons import ribbons
from model.training.mattes.shapes import place, silhouette


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
