"""Feathers: barbs on both sides of a shaft, split vanes, down at the foot; alone or as plumage."""

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
from model.training.mattes.colour import palette, shade, strand_values
from model.training.mattes.ribbons import ribbons
from model.training.mattes.shapes import silhouette
from model.training.mattes.strands import Strands, across, rasterise, taper, walk

_SHAFT = 48
_BARB = 12


def feathers(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Plumes on a body or a bunch of loose feathers."""
    shafts = _bunch(rng, size) if rng.random() < 0.4 else None
    body = silhouette(rng, size, shape=str(rng.choice(["animal", "cluster", "toy", "slab"])))
    if shafts is None:
        shafts = _plumage(rng, size, signed_distance(body, smooth=2.0))
    else:
        body = body if rng.random() < 0.5 else np.zeros_like(body)
    strands, vanes, quills = _barbs(rng, shafts, size)
    image = rasterise(strands, size, size)
    solid = over(polygons_coverage(vanes, size), ribbons(shafts, quills, size))
    alpha = over(np.maximum(body, solid), image.coverage)
    colour = shade(rng, palette(rng), image.values, image.coverage)
    return ProceduralMatte("feathers", alpha, colour)


def _bunch(rng: np.random.Generator, size: int) -> Array:
    """Large feathers from about one foot, N × P × 2."""
    n = int(rng.integers(1, 8))
    foot = np.array([rng.uniform(0.3, 0.7), rng.uniform(0.75, 1.05)]) * size
    roots = foot + rng.normal(0, 0.05, (n, 2)) * size
    angle = -np.pi / 2 + 0.6 * rng.standard_normal(n)
    length = rng.uniform(0.5, 1.0, n) * size
    return walk(rng, roots, angle, length, steps=_SHAFT, wander=float(rng.uniform(0.1, 0.7)))


def _plumage(rng: np.random.Generator, size: int, distance: Array) -> Array:
    """Feathers that stick out of a body's outline, N × P × 2."""
    y, x = np.nonzero((distance > 0) & (distance < 0.06 * size))
    n = int(rng.integers(25, 110)) if x.size else 0
    chosen = rng.integers(0, max(1, x.size), n)
    roots = np.stack((x[chosen], y[chosen]), 1).astype(np.float32)
    outward = sample(normals(distance), roots)
    lean = float(rng.normal(0, 0.6))
    angle = np.arctan2(outward[:, 1], outward[:, 0]) + lean + 0.35 * rng.standard_normal(n)
    length = float(rng.uniform(0.07, 0.28)) * size * np.exp(0.25 * rng.standard_normal(n))
    return walk(rng, roots, angle, length, steps=_SHAFT, wander=float(rng.uniform(0.2, 0.8)))


def _barbs(
    rng: np.random.Generator, shafts: Array, size: int
) -> tuple[Strands, list[Array], Floats]:
    """Barbs of all shafts, the closed part of each vane as a polygon, widths of the shafts."""
    unit = size / 512
    n = shafts.shape[0]
    length = np.linalg.norm(np.diff(shafts, axis=1), axis=-1).sum(axis=1)
    broad = float(rng.uniform(0.08, 0.22))
    u = np.linspace(0, 1, _SHAFT)
    outline = np.sqrt(np.maximum(0.0, 1 - u ** float(rng.uniform(3, 8)))) * np.minimum(
        1, 0.4 + 2 * u
    )
    half = broad * length[:, None] * outline[None]
    closed = float(rng.choice([0.0, rng.uniform(0.3, 0.8)], p=[0.35, 0.65]))
    normal = across(shafts)
    vanes = []
    if closed:
        ragged = closed * half * np.clip(1 + 0.08 * rng.standard_normal(half.shape), 0.5, 1.2)
        ahead = np.stack((normal[..., 1], -normal[..., 0]), -1) * (0.5 * ragged)[..., None]
        side = normal * ragged[..., None]
        vanes = [
            np.concatenate((c + a + s, (c + a - s)[::-1])).astype(np.float32)
            for c, s, a in zip(shafts, side, ahead, strict=True)
        ]
    points, owner = _barb_curves(rng, shafts, normal, half, length)
    width = float(rng.uniform(0.45, 1.3)) * max(0.7, unit**0.5)
    widths = np.repeat(width * taper(_BARB, tip=0.3)[None], points.shape[0], axis=0)
    strands = Strands(
        points=points,
        widths=widths.astype(np.float32),
        opacity=rng.uniform(0.6, 1.0, owner.shape).astype(np.float32),
        values=strand_values(rng, owner, float(rng.uniform(0.05, 0.25))),
    )
    quills = np.linspace(1, 0.15, _SHAFT)[None] * (0.008 * length[:, None] + 0.6 * unit)
    return strands, vanes, np.broadcast_to(quills, (n, _SHAFT))


def _barb_curves(
    rng: np.random.Generator, shafts: Array, normal: Array, half: Floats, length: Floats
) -> tuple[Array, Ints]:
    """Barbs M × P × 2 and the shaft that each belongs to; clumped between splits of the vane."""
    n = shafts.shape[0]
    spacing = float(rng.uniform(0.7, 1.8))
    counts = np.minimum((2 * length / spacing).astype(np.int64), 60_000 // max(1, n))
    owner = np.repeat(np.arange(n, dtype=np.int64), counts)
    m = owner.size
    at = rng.uniform(0.04, 0.995, m)
    side = np.where(rng.random(m) < 0.5, 1.0, -1.0)
    step = np.minimum((at * (_SHAFT - 1)).astype(np.int64), _SHAFT - 2)
    part = (at * (_SHAFT - 1) - step)[:, None]
    base = shafts[owner, step] * (1 - part) + shafts[owner, step + 1] * part
    across_ = normal[owner, step]
    forward = np.stack((across_[:, 1], -across_[:, 0]), 1)
    # Splits: barbs between two splits lean the same way.
    block = np.floor(at * float(rng.uniform(4, 22))).astype(np.int64) + 40 * (side > 0)
    lean = 0.16 * rng.standard_normal((n, 80))[owner, block] + 0.05 * rng.standard_normal(m)
    downy = np.clip(1 - at / float(rng.uniform(0.08, 0.4)), 0, 1)
    angle = float(rng.uniform(0.5, 1.0)) + lean + 0.6 * downy * rng.standard_normal(m)
    reach = half[owner, step] / np.maximum(0.3, np.sin(angle))
    reach = reach * np.clip(1 + 0.06 * rng.standard_normal(m), 0.4, 1.3)
    t = np.linspace(0, 1, _BARB)[None, :]
    bend = float(rng.uniform(0, 0.35))
    wave = 0.12 * downy[:, None] * np.sin(9 * t + rng.uniform(0, 6.3, (m, 1))) * t
    out = (t * np.sin(angle)[:, None] + wave) * reach[:, None]
    ahead = (t * np.cos(angle)[:, None] + bend * t * t) * reach[:, None]
    curves = base[:, None] + out[..., None] * (side[:, None] * across_)[:, None]
    return (curves + ahead[..., None] * forward[:, None]).astype(np.float32), owner
