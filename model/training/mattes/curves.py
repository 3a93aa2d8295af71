"""Curves that strands follow: smooth random walks, and directions across them."""

import numpy as np

from model.training.mattes.base import Array, Floats


def walk(
    rng: np.random.Generator,
    roots: Floats,
    angle: Floats,
    length: Floats,
    *,
    steps: int = 40,
    wander: float = 1.0,
    gravity: float = 0.0,
    wind: float = 0.0,
) -> Array:
    """Curves whose direction drifts smoothly, N × steps × 2 px.

    Args:
        rng: source of randomness.
        roots: N × 2, px.
        angle: N, first direction in radians.
        length: N, px.
        steps: vertices.
        wander: standard deviation of the direction's drift over a whole strand, radians.
        gravity: pull of the direction towards `wind`'s vertical, per step, in [0, 1).
        wind: angle from straight down that gravity pulls to, radians.
    """
    n = roots.shape[0]
    position = roots.astype(np.float64)
    heading = angle.astype(np.float64)
    turn = rng.standard_normal(n) * wander * 2.5 / steps
    stride = length / (steps - 1)
    path = [position]
    for _ in range(steps - 1):
        turn = 0.86 * turn + rng.standard_normal(n) * wander * 1.1 / steps
        goal = np.pi / 2 + wind
        heading = heading + turn + gravity * np.sin(goal - heading)
        position = position + stride[:, None] * np.stack((np.cos(heading), np.sin(heading)), 1)
        path.append(position)
    return np.stack(path, axis=1).astype(np.float32)


def across(curves: Floats) -> Array:
    """Unit vectors across N × P × 2 curves, at every vertex."""
    along = np.gradient(curves, axis=1)
    along = along / (np.linalg.norm(along, axis=-1, keepdims=True) + 1e-6)
    return np.stack((-along[..., 1], along[..., 0]), axis=-1).astype(np.float32)
