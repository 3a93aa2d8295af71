"""Foliage and flowers: leaves on stems, grass, needles, petals; crisp edges, many small gaps."""

import numpy as np

from model.training.mattes.base import (
    Array,
    Floats,
    ProceduralMatte,
    over,
    polygons_coverage,
    signed_distance,
    smoothstep,
)
from model.training.mattes.blur import defocus
from model.training.mattes.ribbons import ribbons
from model.training.mattes.shapes import blob, silhouette
from model.training.mattes.strands import across, walk


def leaves(
    rng: np.random.Generator, roots: Floats, angle: Floats, length: Floats, slim: float
) -> list[Array]:
    """Leaf outlines: pointed at the tip, curved, each a little different.

    Args:
        rng: source of randomness.
        roots: N × 2, where the leaf meets its stem, px.
        angle: N, radians.
        length: N, px.
        slim: width over length, about 0.08 (bamboo) to 0.8 (ivy).
    """
    n = roots.shape[0]
    spine = walk(rng, roots, angle, length, steps=14, wander=float(rng.uniform(0.05, 0.6)))
    t = np.linspace(0, 1, 14)[None, :]
    belly = float(rng.uniform(0.6, 1.3))
    profile = np.sin(np.pi * t**belly) ** float(rng.uniform(0.7, 1.3))
    # A leaf turned about its spine shows less of its width.
    turned = np.abs(np.cos(rng.uniform(-1.2, 1.2, (n, 1))))
    half = 0.5 * slim * length[:, None] * np.maximum(profile, 0.0) * turned
    teeth = 1.0 + float(rng.choice([0.0, 0.12])) * (np.arange(14) % 2)[None, :]
    side = across(spine) * (half * teeth)[..., None]
    return [
        np.concatenate((c + s, (c - s)[::-1])).astype(np.float32)
        for c, s in zip(spine, side, strict=True)
    ]


def foliage(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Bushes, house plants, branches, ferns: a dense middle, single leaves at the rim."""
    back = _plant(rng, size, 0.5)
    front = _plant(rng, size, 1.0)
    if rng.random() < 0.4:
        back = defocus(
            rng, ProceduralMatte("foliage", back), largest=float(rng.uniform(0.8, 3)) * size / 512
        ).alpha
    alpha = over(front, back)
    if rng.random() < 0.45:
        alpha = over(alpha, silhouette(rng, size))
    return ProceduralMatte("foliage", alpha)


def _plant(rng: np.random.Generator, size: int, share: float) -> Array:
    """Stems from a foot, leaves along them; `share` scales how many stems."""
    unit = size / 512
    n = max(3, int(rng.integers(10, 60) * share))
    foot = np.array([rng.uniform(0.3, 0.7), rng.uniform(0.6, 1.1)]) * size
    spread = float(rng.uniform(0.02, 0.2)) * size
    roots = foot + rng.normal(0, 1, (n, 2)) * [spread, 0.4 * spread]
    fan = float(rng.uniform(0.4, 1.1))
    angle = -np.pi / 2 + fan * rng.standard_normal(n)
    stems = walk(
        rng, roots, angle, rng.uniform(0.2, 0.75, n) * size, steps=32,
        wander=float(rng.uniform(0.2, 0.9)), gravity=float(rng.uniform(0, 0.03)),
    )  # fmt: skip
    thick = float(rng.uniform(1.0, 4.5)) * unit
    widths = thick * np.linspace(1, 0.4, 32)[None] * np.exp(0.2 * rng.standard_normal((n, 1)))
    each = int(rng.integers(5, 22))
    at = np.sort(rng.integers(4, 32, (n, each)), axis=1)
    rows = np.arange(n)[:, None]
    nodes = stems[rows, at].reshape(-1, 2)
    ahead = (stems[rows, at] - stems[rows, at - 3]).reshape(-1, 2)
    flip = np.where(np.arange(n * each) % 2 == 0, 1.0, -1.0)
    lean = flip * float(rng.uniform(0.3, 1.2)) + rng.normal(0, 0.35, n * each)
    length = float(np.exp(rng.uniform(np.log(18), np.log(85)))) * unit
    lengths = length * np.exp(0.3 * rng.standard_normal(n * each))
    slim = float(np.exp(rng.uniform(np.log(0.06), np.log(0.75))))
    heading = np.arctan2(ahead[:, 1], ahead[:, 0]) + lean
    green = polygons_coverage(leaves(rng, nodes, heading, lengths, slim), size)
    return over(green, ribbons(stems, widths, size))


def grass(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Blades, reeds, needles and bristles that rise from a solid lower part or a body."""
    unit = size / 512
    body = silhouette(rng, size, shape=str(rng.choice(["slab", "slab", "cluster", "animal"])))
    distance = signed_distance(body)
    y, x = np.nonzero((distance > 0) & (distance < 25 * unit))
    n = int(rng.integers(150, 700)) if x.size else 0
    chosen = rng.integers(0, max(1, x.size), n)
    roots = np.stack((x[chosen], y[chosen]), 1).astype(np.float32)
    length = float(rng.uniform(25, 170)) * unit * np.exp(0.35 * rng.standard_normal(n))
    angle = -np.pi / 2 + float(rng.uniform(0.1, 0.6)) * rng.standard_normal(n)
    blades = walk(
        rng, roots, angle, length, steps=16, wander=float(rng.uniform(0.1, 0.7)),
        gravity=float(rng.uniform(0, 0.06)), wind=float(rng.normal(0, 0.6)),
    )  # fmt: skip
    thick = float(np.exp(rng.uniform(np.log(0.9), np.log(8)))) * unit
    shape = np.linspace(1, 0.08, 16)[None] ** float(rng.uniform(0.5, 1.2))
    widths = thick * shape * np.exp(0.3 * rng.standard_normal((n, 1)))
    return ProceduralMatte("grass", over(body, ribbons(blades, widths, size)))


def flower(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """One to five flower heads of overlapping petals, stems below, large and crisp."""
    alpha = np.zeros((size, size), np.float32)
    heads = int(rng.integers(1, 6))
    for _ in range(heads):
        radius = float(rng.uniform(0.16, 0.42)) * size * (1.0 if heads < 3 else 0.7)
        cx, cy = rng.uniform(0.25, 0.75, 2) * size
        n = int(rng.integers(6, 40))
        theta = (np.arange(n) + rng.uniform(-0.4, 0.4, n)) / n * 2 * np.pi
        core = radius * float(rng.uniform(0.15, 0.45))
        along = np.stack((np.cos(theta), np.sin(theta)), 1)
        length = (radius - 0.6 * core) * np.exp(0.12 * rng.standard_normal(n))
        slim = float(np.clip(rng.uniform(2.5, 6) / n, 0.08, 0.6))
        petals = leaves(rng, np.array([cx, cy]) + 0.6 * core * along, theta, length, slim)
        petals.append(blob(rng, (cx, cy), (core, core), rough=0.05))
        lean = float(rng.normal(0, 0.4))
        stem = walk(
            rng, np.array([[cx, cy]]), np.array([np.pi / 2 + lean]), np.array([1.2 * size]),
            steps=32, wander=0.3, gravity=0.03,
        )  # fmt: skip
        width = np.full((1, 32), rng.uniform(3, 16) * size / 512)
        alpha = np.maximum(alpha, polygons_coverage(petals, size))
        alpha = np.maximum(alpha, ribbons(stem, width, size))
    if rng.random() < 0.5:
        distance = signed_distance(silhouette(rng, size, shape="slab"))
        alpha = np.maximum(alpha, smoothstep(-0.7, 0.7, distance))
    return ProceduralMatte("flower", alpha)
