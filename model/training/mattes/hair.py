"""Hair: locks along guide curves from a scalp, and flyaways."""

import numpy as np

from model.training.mattes.base import (
    Array,
    Floats,
    Ints,
    ProceduralMatte,
    normals,
    over,
    polygons_coverage,
    sample,
    signed_distance,
)
from model.training.mattes.colour import palette, shade, slow_colour, strand_values
from model.training.mattes.shapes import silhouette
from model.training.mattes.strands import Strands, across, rasterise, taper, walk

_VERTICES = 40
_WISPS = 7


def hair(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """A head (or any body) with hair: straight, wavy, curly, wind-blown, cropped, loose."""
    unit = size / 512
    body = silhouette(rng, size, shape=str(rng.choice(["bust", "bust", "toy", "cluster"])))
    distance = signed_distance(body, smooth=2.0)
    length = float(np.exp(rng.uniform(np.log(30), np.log(300)))) * unit
    locks = _locks(rng, distance, length)
    strands, ribbons = _strands(rng, locks, size)
    flying = _flyaways(rng, locks, size)
    both = _join(strands, flying)
    image = rasterise(both, size, size)
    core = polygons_coverage(ribbons, size, scale=3)
    alpha = over(np.maximum(body, core), image.coverage)
    colour = shade(rng, palette(rng), image.values, image.coverage)
    # Skin and clothes show where no hair lies over the body.
    hairy = over(core, image.coverage) + 1e-3
    share = (hairy / (hairy + (1.0 - np.minimum(hairy, 1.0)) * body))[..., None]
    colour = colour * share + slow_colour(rng, size) * (1.0 - share)
    return ProceduralMatte("hair", alpha, colour.astype(np.float32))


def _locks(rng: np.random.Generator, distance: Array, length: float) -> Array:
    """Guide curves of the locks, G × P × 2, from the upper outline of the body."""
    size = distance.shape[0]
    y, x = np.nonzero((distance > 0) & (distance < 0.06 * size))
    top, reach = float(y.min(initial=size)), float(rng.uniform(0.16, 0.4)) * size
    near = np.flatnonzero(y < top + reach)
    count = int(rng.integers(24, 70))
    chosen = near[rng.integers(0, near.size, count)] if near.size else np.zeros(0, np.int64)
    roots = np.stack((x[chosen], y[chosen]), 1).astype(np.float32)
    outward = sample(normals(distance), roots)
    angle = np.arctan2(outward[:, 1], outward[:, 0]) + 0.3 * rng.standard_normal(roots.shape[0])
    lengths = length * np.exp(0.25 * rng.standard_normal(roots.shape[0]))
    limp = float(rng.choice([0.0, rng.uniform(0.03, 0.1), rng.uniform(0.1, 0.25)]))
    return walk(
        rng, roots, angle, lengths, wander=float(rng.uniform(0.2, 1.1)), gravity=limp,
        wind=float(rng.normal(0, 0.5)),
    )  # fmt: skip


def _strands(rng: np.random.Generator, locks: Array, size: int) -> tuple[Strands, list[Array]]:
    """Strands around every lock, and the locks' solid middles as polygons."""
    unit = size / 512
    each = int(rng.integers(40, 90))
    groups = locks.shape[0]
    cells = np.repeat(np.arange(groups, dtype=np.int64), each)
    n = cells.size
    t = np.linspace(0, 1, _VERTICES)[None, :]
    spread = float(rng.uniform(2.5, 11)) * unit * np.exp(0.3 * rng.standard_normal(groups))
    opening = float(rng.uniform(-0.5, 1.6))
    profile = (0.5 + 0.5 * np.minimum(1, 5 * t)) * (1 + opening * t)
    # Within a lock strands gather into wisps that share their place and their wave.
    wisp = cells * _WISPS + rng.integers(0, _WISPS, n)
    place = 0.85 * rng.standard_normal(groups * _WISPS)[wisp]
    own = (
        float(rng.uniform(0.2, 0.7)) * rng.standard_normal(n) * np.where(rng.random(n) < 0.25, 2, 1)
    )
    side = (place + own)[:, None] * spread[cells, None] * profile
    side = side + _wave(rng, wisp, groups * _WISPS, unit)
    side_of = across(locks)
    points = locks[cells] + side[..., None] * side_of[cells]
    points = _shorten(points, np.clip(1.0 - np.abs(rng.normal(0, 0.2, (n, 1))), 0.3, 1.0))
    width = float(rng.uniform(0.35, 1.0)) * max(0.7, unit**0.5)
    widths = width * np.exp(0.2 * rng.standard_normal((n, 1))) * taper(_VERTICES, start=0.6)[None]
    strands = Strands(
        points=points.astype(np.float32),
        widths=widths.astype(np.float32),
        opacity=rng.uniform(0.6, 1.0, n).astype(np.float32),
        values=strand_values(rng, wisp, float(rng.uniform(0.08, 0.35))),
    )
    core = float(rng.choice([0.0, rng.uniform(0.3, 1.0)], p=[0.35, 0.65])) * spread[:, None]
    half = core * profile * np.clip(1.0 - t / rng.uniform(0.3, 0.9, (groups, 1)), 0.0, 1.0) ** 0.7
    ribbons = [
        np.concatenate((c + h[:, None] * a, (c - h[:, None] * a)[::-1])).astype(np.float32)
        for c, h, a in zip(locks, half, side_of, strict=True)
    ]
    return strands, ribbons


def _wave(rng: np.random.Generator, wisp: Ints, wisps: int, unit: float) -> Floats:
    """Sideways waves, N × P px: shared within a wisp, slightly out of step between strands."""
    n = wisp.size
    t = np.linspace(0, 1, _VERTICES)[None, :]
    amplitude = float(rng.choice([0.5, rng.uniform(1, 4), rng.uniform(4, 11)])) * unit
    turns = float(rng.uniform(1, 5)) * np.exp(0.2 * rng.standard_normal((wisps, 1)))[wisp]
    lock_phase = np.repeat(rng.uniform(0, 2 * np.pi, wisps // _WISPS), _WISPS)
    phase = (lock_phase + 0.9 * rng.standard_normal(wisps))[wisp, None]
    phase = phase + 0.3 * rng.standard_normal((n, 1))
    # Turns tighten or widen along a strand: no comb of parallel sines.
    warp = t + 0.12 * rng.standard_normal((wisps, 1))[wisp] * np.sin(np.pi * t)
    shape = np.sin(2 * np.pi * turns * warp + phase) * np.minimum(1, 3 * t)
    return np.asarray(amplitude * np.exp(0.3 * rng.standard_normal((n, 1))) * shape, np.float32)


def _shorten(curves: Array, stop: Floats) -> Array:
    """Curves that end at the fraction `stop` (N × 1) of their vertices, resampled to as many."""
    p = curves.shape[1]
    where = np.linspace(0, 1, p)[None, :] * stop * (p - 1)
    low = np.minimum(where.astype(np.int64), p - 2)
    part = (where - low)[..., None]
    rows = np.arange(curves.shape[0])[:, None]
    return np.asarray(curves[rows, low] * (1 - part) + curves[rows, low + 1] * part, np.float32)


def _flyaways(rng: np.random.Generator, locks: Array, size: int) -> Strands:
    """Single hairs that leave the locks anywhere and wander off."""
    unit = size / 512
    n = int(np.exp(rng.uniform(np.log(40), np.log(700)))) if locks.shape[0] else 0
    chosen = rng.integers(0, max(1, locks.shape[0]), n)
    at = rng.integers(0, _VERTICES - 6, n)
    roots = locks[chosen, at] + rng.normal(0, 4 * unit, (n, 2))
    ahead = locks[chosen, at + 5] - locks[chosen, at]
    angle = np.arctan2(ahead[:, 1], ahead[:, 0]) + rng.normal(0, 0.5, n)
    points = walk(
        rng, roots.astype(np.float32), angle, rng.uniform(20, 160, n) * unit,
        wander=float(rng.uniform(0.6, 3.0)), gravity=float(rng.uniform(0, 0.05)),
    )  # fmt: skip
    width = float(rng.uniform(0.2, 0.7)) * max(0.7, unit**0.5)
    widths = width * np.exp(0.3 * rng.standard_normal((n, 1))) * taper(_VERTICES, start=0.7)[None]
    return Strands(
        points=points,
        widths=widths.astype(np.float32),
        opacity=rng.uniform(0.25, 1.0, n).astype(np.float32),
        values=strand_values(rng, chosen, 0.25),
    )


def _join(first: Strands, second: Strands) -> Strands:
    pairs = zip(vars(first).values(), vars(second).values(), strict=True)
    return Strands(*(np.concatenate(pair) for pair in pairs))
