"""Motion blur as an operation after rendering: a shutter open while the object or camera moves."""

import numpy as np

from model.training.mattes.base import Array, ProceduralMatte
from model.training.mattes.defocus import blurred, unpack
from model.training.mattes.shapes import silhouette


def path_kernel(dx: float, dy: float, bow: float = 0.0) -> Array:
    """Exposure along a path from (0, 0) to (dx, dy) px, bent sideways by `bow` px; unit sum."""
    reach = int(np.ceil(0.5 * np.hypot(dx, dy) + abs(bow))) + 2
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    steps = int(8 * np.hypot(dx, dy)) + 8
    t = np.linspace(-0.5, 0.5, steps)
    length = float(np.hypot(dx, dy)) + 1e-6
    side = bow * (1.0 - 4.0 * t * t)
    x = t * dx - side * dy / length + reach
    y = t * dy + side * dx / length + reach
    x0, y0 = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    fx, fy = x - x0, y - y0
    for ox, wx in ((0, 1 - fx), (1, fx)):
        for oy, wy in ((0, 1 - fy), (1, fy)):
            np.add.at(kernel, (y0 + oy, x0 + ox), (wx * wy).astype(np.float32))
    return np.asarray(kernel / kernel.sum(), np.float32)


def motion_blur(
    rng: np.random.Generator, matte: ProceduralMatte, *, longest: float | None = None
) -> ProceduralMatte:
    """The matte smeared along a short path; parts of the object may move less than others.

    Args:
        rng: source of randomness.
        matte: what to blur; a colour field is blurred as it was seen, weighted by alpha.
        longest: length of the path, px; drawn from 3 px to 8 % of S if None.
    """
    size = matte.alpha.shape[0]
    if longest is None:
        longest = float(np.exp(rng.uniform(np.log(3), np.log(0.08 * size))))
    angle = float(rng.uniform(0, np.pi))
    step = np.array([np.cos(angle), np.sin(angle)]) * longest
    bow = float(rng.normal(0, 0.12)) * longest
    fast = blurred(matte, path_kernel(step[0], step[1], bow))
    if rng.random() < 0.5:
        return unpack(matte, fast)
    # A limb that swings: still at a pivot, faster with the distance from it.
    middle = blurred(matte, path_kernel(step[0] * 0.4, step[1] * 0.4, bow * 0.4))
    still = blurred(matte, None)
    speed = _ramp(rng, size)[..., None] * 2.0
    slow = still * np.clip(1 - speed, 0, 1) + middle * np.clip(1 - np.abs(speed - 1), 0, 1)
    return unpack(matte, (slow + fast * np.clip(speed - 1, 0, 1)).astype(np.float32))


def moving_body(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """A solid body in motion: hands, arms, passers-by."""
    alpha = silhouette(rng, size, shape=str(rng.choice(["hand", "bust", "animal", "cluster"])))
    matte = ProceduralMatte("moving_body", alpha)
    return motion_blur(rng, matte, longest=float(rng.uniform(0.01, 0.09)) * size)


def _ramp(rng: np.random.Generator, size: int) -> Array:
    """Distance from a pivot, S × S, 0 there and 1 at the far side of the frame."""
    px, py = rng.uniform(-0.1, 1.1, 2) * size
    axis = np.arange(size, dtype=np.float32)
    distance = np.sqrt((axis[None, :] - px) ** 2 + (axis[:, None] - py) ** 2)
    return np.asarray(np.clip(distance / (0.8 * size), 0.0, 1.0), np.float32)
