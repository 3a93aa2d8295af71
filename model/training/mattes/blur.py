"""Defocus and motion blur, operations after rendering, and the bodies they are most used on."""

import cv2
import numpy as np

from model.training.mattes.base import Array, ProceduralMatte, fractal_noise
from model.training.mattes.shapes import silhouette


def disk(radius: float) -> Array:
    """Anti-aliased disc kernel of unit sum; `radius` px. The image of a point out of focus."""
    reach = int(np.ceil(radius + 0.5))
    axis = np.arange(-reach, reach + 1, dtype=np.float32)
    distance = np.sqrt(axis[:, None] ** 2 + axis[None, :] ** 2)
    kernel = np.clip(radius + 0.5 - distance, 0.0, 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)


def defocus(
    rng: np.random.Generator, matte: ProceduralMatte, *, largest: float | None = None
) -> ProceduralMatte:
    """The matte out of focus, the same everywhere or by depths that vary over the frame.

    Args:
        rng: source of randomness.
        matte: what to blur; a colour field is blurred as it was seen, weighted by alpha.
        largest: radius of the largest circle of confusion, px; drawn from 1 to 2.5 % of S if None.
    """
    size = matte.alpha.shape[0]
    if largest is None:
        largest = float(np.exp(rng.uniform(np.log(1.2), np.log(0.025 * size))))
    radii = [largest]
    if rng.random() < 0.6:
        radii = [0.0, *(largest * np.linspace(0.25, 1.0, 4)).tolist()]
    layers = [blurred(matte, disk(radius) if radius > 0.3 else None) for radius in radii]
    level = fractal_noise(rng, size, size * float(rng.uniform(0.3, 0.8)))
    where = np.clip(0.5 + 0.45 * level, 0.0, 1.0) * (len(radii) - 1)
    mixed = np.zeros_like(layers[0])
    for number, layer in enumerate(layers):
        mixed += layer * np.clip(1.0 - np.abs(where - number), 0.0, 1.0)[..., None]
    return unpack(matte, mixed)


def soft_blob(rng: np.random.Generator, size: int) -> ProceduralMatte:
    """A plain body with an edge from crisp to very soft, softness varying along it."""
    alpha = silhouette(rng, size)
    largest = float(np.exp(rng.uniform(np.log(0.6), np.log(0.03 * size))))
    matte = ProceduralMatte("soft_blob", alpha)
    return defocus(rng, matte, largest=largest)


def blurred(matte: ProceduralMatte, kernel: Array | None) -> Array:
    """Premultiplied colour (if any) and alpha in one S × S × C array, filtered."""
    packed = matte.alpha[..., None]
    if matte.colour is not None:
        packed = np.dstack((matte.colour * packed, packed, matte.colour * 1e-3))
    if kernel is None:
        return np.asarray(packed, np.float32)
    out = cv2.filter2D(packed, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(out.reshape(packed.shape), np.float32)


def unpack(matte: ProceduralMatte, packed: Array) -> ProceduralMatte:
    """Alpha and straight colour out of what `blurred` packed."""
    if matte.colour is None:
        return ProceduralMatte(matte.kind, np.ascontiguousarray(packed[..., 0]))
    alpha = packed[..., 3]
    # Where alpha vanishes the colour goes over to the field's own blur, kept at a small weight.
    colour = (packed[..., :3] + packed[..., 4:]) / (alpha[..., None] + 1e-3)
    return ProceduralMatte(matte.kind, np.ascontiguousarray(alpha), colour.astype(np.float32))


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
