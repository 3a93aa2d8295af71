"""Partly transparent by nature: smoke, steam, glass, plastic film, veils."""

import cv2
import numpy as np

from model.training.mattes.base import (
    Array,
    ProceduralMatte,
    fractal_noise,
    over,
    signed_distance,
    smoothstep,
)
from model.training.mattes.colour import slow_colour
from model.training.mattes.ribbons import ribbons
from model.training.mattes.shapes import silhouette


def smoke(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Smoke, steam, clouds and spray, drifting from a body or by themselves; nearly one colour."""
    density = fractal_noise(rng, size, size * float(rng.uniform(0.15, 0.45)), octaves=6, gain=0.55)
    density = _swirled(rng, density, size * float(rng.uniform(0.02, 0.09)))
    envelope = cv2.GaussianBlur(
        silhouette(rng, size), (0, 0), size * float(rng.uniform(0.02, 0.08))
    )
    floor = float(rng.uniform(-0.6, 0.3))
    thick = np.maximum(0.0, density - floor + 2.2 * (envelope - 0.6)) * envelope
    # Beer-Lambert: opacity of a medium of this optical depth.
    alpha = 1.0 - np.exp(-float(rng.uniform(0.7, 5.0)) * thick)
    colour = slow_colour(rng, size, grey=True)
    if rng.random() < 0.5:
        alpha = over(alpha, silhouette(rng, size))
    return ProceduralMatte("smoke", alpha.astype(np.float32), colour)


def glass(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Glasses, bottles, bubbles: nearly constant opacity, denser rims, solid highlights."""
    unit = size / 512
    body = silhouette(rng, size, shape=str(rng.choice(["vessel", "vessel", "cluster"])))
    distance = signed_distance(body, smooth=1.0)
    base = float(rng.uniform(0.04, 0.5))
    rim = float(rng.uniform(0.3, 1.0)) * np.exp(
        -np.maximum(distance, 0) / (rng.uniform(1.5, 14) * unit)
    )
    shine = fractal_noise(rng, size, size * float(rng.uniform(0.08, 0.25)), octaves=2)
    highlights = smoothstep(1.3, 1.9, shine) * float(rng.uniform(0.3, 1.0))
    streaks = 0.08 * np.abs(fractal_noise(rng, size, size * 0.2))
    inner = over(over(np.full_like(body, base), rim), np.clip(over(highlights, streaks), 0, 1))
    alpha = body * inner
    alpha = _held(rng, size, alpha)
    colour = slow_colour(rng, size, grey=rng.random() < 0.6)
    glint = (smoothstep(1.2, 1.8, shine) * 0.8)[..., None]
    colour = colour * (1 - glint) + glint
    return ProceduralMatte("glass", alpha.astype(np.float32), colour.astype(np.float32))


def veil(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """Plastic film, tulle, curtains: one thin sheet, denser in its folds and creases."""
    body = silhouette(rng, size, shape=str(rng.choice(["slab", "cluster", "bust"])))
    distance = signed_distance(body, smooth=1.0)
    stretch = float(rng.uniform(1.5, 8))
    field = fractal_noise(rng, size, size * float(rng.uniform(0.2, 0.5)), octaves=3)
    axis = np.linspace(0, stretch, size, dtype=np.float32)
    along = axis[None, :] if rng.random() < 0.5 else axis[:, None]
    phase = field * float(rng.uniform(0.1, 0.6)) + along * float(rng.uniform(0.5, 3))
    slant = np.abs(np.sin(np.pi * phase))
    creases = np.exp(-((np.abs(fractal_noise(rng, size, size * 0.12, octaves=3)) / 0.06) ** 1.0))
    # A sheet of opacity o seen at the angle φ from its normal: 1 - (1 - o)^(1/cos φ).
    sheet = -np.log1p(-float(rng.uniform(0.08, 0.65)))
    depth = sheet / np.maximum(0.12, slant) + float(rng.uniform(0, 0.8)) * creases
    hem = float(rng.uniform(0, 2)) * np.exp(-np.maximum(distance, 0) / (0.008 * size))
    alpha = body * (1.0 - np.exp(-(depth + hem)))
    alpha = _held(rng, size, alpha.astype(np.float32))
    colour = slow_colour(rng, size, grey=rng.random() < 0.5)
    light = np.exp(0.18 * (slant - 0.6))[..., None]
    return ProceduralMatte("veil", alpha, np.clip(colour * light, 0, 1).astype(np.float32))


def _held(rng: np.random.Generator, size: int, alpha: Array) -> Array:
    """Something solid with it: who holds it, a cap, a label, wires."""
    draw = float(rng.random())
    if draw < 0.55:
        return over(alpha, silhouette(rng, size))
    if draw < 0.75:
        ends = rng.uniform(0, size, (4, 2, 2))
        points = ends[:, :1] + np.linspace(0, 1, 8)[None, :, None] * (ends[:, 1:] - ends[:, :1])
        widths = np.repeat(rng.uniform(2, 0.08 * size, (4, 1)), 8, axis=1)
        return over(alpha, ribbons(points, widths, size))
    return alpha


def _swirled(rng: np.random.Generator, field: Array, strength: float) -> Array:
    """A field warped by another: noise becomes wisps."""
    size = field.shape[0]
    grid = np.arange(size, dtype=np.float32)
    mx = grid[None, :] + strength * fractal_noise(rng, size, size * 0.2, octaves=3)
    my = grid[:, None] + strength * fractal_noise(rng, size, size * 0.2, octaves=3)
    warped = cv2.remap(field, mx, my, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(warped, np.float32)
