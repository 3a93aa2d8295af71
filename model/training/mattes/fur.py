"""Fur, plush and wool: short dense strands over the outline of a solid body."""

from dataclasses import dataclass

import numpy as np

from model.training.mattes.base import (
    Array,
    Floats,
    Ints,
    ProceduralMatte,
    fractal_noise,
    normals,
    over,
    sample,
    signed_distance,
    smoothstep,
)
from model.training.mattes.colour import palette, shade, strand_values
from model.training.mattes.shapes import silhouette
from model.training.mattes.strands import Strands, rasterise, taper, walk


@dataclass(frozen=True)
class Coat:
    """How a coat grows; lengths in px.

    Attributes:
        length: of a strand, before its variation over the body.
        width: at the root.
        density: roots per square px of the band along the outline.
        clump: how far tips are drawn to their clump's, [0, 1].
        clump_size: distance between clumps' middles.
        curl: amplitude of the curl relative to the length; above 0.14 strands wander freely.
        turns: of the curl along a strand.
        wild: standard deviation of a strand's direction, radians.
        bend: how far gravity or wind turns a strand, relative to its length.
    """

    length: float
    width: float
    density: float
    clump: float
    clump_size: float
    curl: float
    turns: float
    wild: float
    bend: float


def fur(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Animals and plush toys: from a fine even pile to long shaggy tufts."""
    unit = size / 512
    length = float(np.exp(rng.uniform(np.log(6), np.log(48)))) * unit
    width = float(rng.uniform(0.45, 1.3)) * max(0.7, unit**0.5)
    coat = Coat(
        length=length,
        width=width,
        density=float(rng.uniform(1.2, 3.5)) / max(2.0, width * length) * 1.6,
        clump=float(rng.choice([0.0, 0.4, 0.75], p=[0.15, 0.4, 0.45])) * float(rng.uniform(0.7, 1)),
        clump_size=float(rng.uniform(4, 12)) * unit + 0.12 * length,
        curl=float(rng.choice([0.0, rng.uniform(0.03, 0.13)])),
        turns=float(rng.uniform(0.5, 2.5)),
        wild=float(rng.uniform(0.1, 0.55)),
        bend=float(rng.uniform(0.0, 0.7)),
    )
    return _grow(rng, size, coat, "fur")


def wool(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Woolly, looped, curly edges: knitwear, poodles, terry cloth."""
    unit = size / 512
    length = float(rng.uniform(8, 34)) * unit
    width = float(rng.uniform(0.4, 1.6)) * max(0.7, unit**0.5)
    coat = Coat(
        length=length,
        width=width,
        density=float(rng.uniform(0.9, 2.5)) / max(2.0, width * length),
        clump=float(rng.uniform(0, 0.5)),
        clump_size=float(rng.uniform(8, 20)) * unit,
        curl=float(rng.uniform(0.15, 0.45)),
        turns=float(rng.uniform(1.0, 3.5)),
        wild=float(rng.uniform(0.5, 1.2)),
        bend=float(rng.uniform(0.0, 0.4)),
    )
    return _grow(rng, size, coat, "wool")


def _grow(rng: np.random.Generator, size: int, coat: Coat, kind: str) -> ProceduralMatte:
    """Body, coat and colour put together."""
    body = silhouette(
        rng, size, shape=str(rng.choice(["animal", "toy", "cluster", "slab", "bust"]))
    )
    distance = signed_distance(body, smooth=max(0.8, coat.length * 0.12))
    strands = _fur_strands(rng, distance, coat)
    image = rasterise(strands, size, size)
    # The skin lies a little below the roots, so that the outline is made by hair alone.
    depth = 0.35 * coat.length + 1.0
    skin = smoothstep(depth - 0.75, depth + 0.75, distance)
    alpha = over(skin, image.coverage)
    colour = shade(rng, palette(rng), image.values, image.coverage)
    return ProceduralMatte(kind, alpha, colour)


def _fur_strands(rng: np.random.Generator, distance: Array, coat: Coat) -> Strands:
    """Strands that grow out of a body."""
    size = distance.shape[0]
    roots = _roots(rng, distance, coat)
    n = roots.shape[0]
    direction = sample(normals(distance), roots)
    swirl = 0.5 * fractal_noise(rng, size, size * 0.12) + np.float32(rng.normal(0, 0.3))
    angle: Floats = np.arctan2(direction[:, 1], direction[:, 0]) + sample(swirl, roots)
    cells, guide = _clumps(roots, coat.clump_size)
    tuft = rng.standard_normal((int(cells.max(initial=0)) + 1, 2))[cells]
    angle = angle + coat.wild * (0.6 * tuft[:, 0] + 0.8 * rng.standard_normal(n))
    region = sample(fractal_noise(rng, size, size * 0.15, octaves=2), roots)
    spread = 0.4 * region + 0.25 * tuft[:, 1] + 0.2 * rng.standard_normal(n)
    long = np.where(rng.random(n) < 0.02, rng.uniform(1.2, 1.8, n), 1.0)
    points = _curves(rng, roots, angle, coat.length * np.exp(spread) * long, coat)
    points = _gather(points, guide, cells, coat.clump * rng.uniform(0.6, 1.0, (n,)))
    thick = coat.width * np.exp(0.25 * rng.standard_normal((n, 1)))
    widths = thick * taper(points.shape[1], tip=float(rng.uniform(0.1, 0.5)))[None]
    return Strands(
        points=points,
        widths=np.asarray(widths, np.float32),
        opacity=rng.uniform(0.65, 1.0, (n,)).astype(np.float32),
        values=strand_values(rng, cells, float(rng.uniform(0.05, 0.3))),
    )


def _roots(rng: np.random.Generator, distance: Array, coat: Coat) -> Array:
    """Root positions N × 2: dense along the outline, sparse inside (there only for the colour)."""
    band = (distance > 0) & (distance < 1.1 * coat.length + 2.0)
    inner = (distance > 0) & ~band
    picks = []
    for region, wanted in ((inner, 0.02), (band, coat.density)):
        y, x = np.nonzero(region)
        n = int(min(9000, wanted * x.size))
        if n:
            chosen = rng.integers(0, x.size, n)
            picks.append(np.stack((x[chosen], y[chosen]), 1) + rng.uniform(-0.5, 0.5, (n, 2)))
    return np.concatenate(picks or [np.zeros((0, 2))]).astype(np.float32)


def _clumps(roots: Array, spacing: float) -> tuple[Ints, Ints]:
    """Clump number of every root and the clump's first strand, by cells of a sheared grid."""
    if roots.shape[0] == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    cell_y = np.floor(roots[:, 1] / spacing)
    cell_x = np.floor((roots[:, 0] + 0.5 * spacing * (cell_y % 2)) / spacing)
    keys = cell_y.astype(np.int64) * 100_003 + cell_x.astype(np.int64)
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    return number.astype(np.int64), first.astype(np.int64)


def _curves(
    rng: np.random.Generator, roots: Array, angle: Floats, length: Floats, coat: Coat
) -> Array:
    """Polylines N × P × 2 from roots, directions (radians) and lengths."""
    n = roots.shape[0]
    if coat.curl > 0.14:  # Wool: no two curls alike.
        return walk(rng, roots, angle, 1.4 * length, steps=20, wander=12 * coat.curl)
    steps = 10 if coat.curl == 0 else int(10 + 7 * coat.turns)
    t = np.linspace(0, 1, steps)[None, :]
    along = np.stack((np.cos(angle), np.sin(angle)), 1)
    across = np.stack((-along[:, 1], along[:, 0]), 1)
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    turns = coat.turns * np.exp(0.3 * rng.standard_normal((n, 1)))
    wave = coat.curl * t * np.sin(2 * np.pi * turns * t + phase)
    bow = 0.25 * rng.standard_normal((n, 1)) * t * t
    pull = rng.normal(0, 0.6)
    down = coat.bend * np.array([np.sin(pull), np.cos(pull)])
    local = t[..., None] * along[:, None] + (wave + bow)[..., None] * across[:, None]
    local = local + (t * t)[..., None] * down
    return np.asarray(roots[:, None] + length[:, None, None] * local, np.float32)


def _gather(points: Array, guide: Ints, cells: Ints, pull: Floats) -> Array:
    """Tips drawn towards the clump's first strand, more the nearer to the tip."""
    if points.shape[0] == 0:
        return points
    t = np.linspace(0, 1, points.shape[1])[None, :, None] ** 1.3
    weight = pull[:, None, None] * t
    return np.asarray(points * (1 - weight) + points[guide[cells]] * weight, np.float32)
