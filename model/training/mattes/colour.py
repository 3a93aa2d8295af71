"""Foreground colour of strands: a base that varies slowly, times each strand's own brightness."""

import cv2
import numpy as np

from model.training.mattes.base import Array, Ints, fractal_noise, smoothstep

# Hair, fur, wool and plush as they come, RGB: black, browns, chestnut, red, blond, grey, white,
# cream, tan, and a few dyed ones. A drawn colour lies between two of them, then moves a little.
_PIGMENTS = np.array(
    [
        (0.05, 0.04, 0.04),
        (0.16, 0.10, 0.07),
        (0.30, 0.18, 0.11),
        (0.42, 0.22, 0.12),
        (0.62, 0.30, 0.12),
        (0.78, 0.58, 0.34),
        (0.90, 0.78, 0.55),
        (0.45, 0.44, 0.43),
        (0.72, 0.72, 0.72),
        (0.95, 0.94, 0.91),
        (0.88, 0.80, 0.66),
        (0.70, 0.50, 0.30),
    ],
    np.float32,
)


def palette(rng: np.random.Generator) -> Array:
    """Two related colours, 2 × 3 RGB in [0, 1]; one in six is of any hue (dyed, toys, flowers)."""
    if rng.random() < 1 / 6:
        first = rng.uniform(0.05, 0.95, 3)
    else:
        first = _PIGMENTS[rng.integers(len(_PIGMENTS))] * rng.uniform(0.8, 1.15)
        first = first + rng.normal(0, 0.02, 3)
    second = first * rng.uniform(0.55, 1.5) + rng.normal(0, 0.05, 3)
    return np.clip(np.stack((first, second)), 0.01, 1.0).astype(np.float32)


def strand_values(rng: np.random.Generator, clump: Ints, contrast: float) -> Array:
    """Per strand (brightness factor, mix of the two colours), N × 2.

    Args:
        rng: source of randomness.
        clump: N integers; strands of one clump share most of their shade.
        contrast: standard deviation of log brightness.
    """
    n = clump.shape[0]
    groups = int(clump.max(initial=0)) + 1
    shared = rng.standard_normal((groups, 2))[clump]
    own = rng.standard_normal((n, 2))
    z = 0.75 * shared + 0.65 * own
    bright = np.exp(contrast * z[:, 0])
    mix = np.clip(0.5 + 0.35 * z[:, 1], 0.0, 1.0)
    return np.stack((bright, mix), axis=1).astype(np.float32)


def shade(
    rng: np.random.Generator, colours: Array, values: Array, shown: Array, *, light: float = 0.25
) -> Array:
    """Colour field S × S × 3 in [0, 1] from the strands' averaged values.

    Where no strand shows, values spread from the nearest that do, so that the colour is defined
    at every pixel and has no edge where alpha has one.

    Args:
        rng: source of randomness.
        colours: 2 × 3, from `palette`.
        values: S × S × 2, from `rasterise` on `strand_values`.
        shown: S × S, the strands' coverage: weight of `values`.
        light: standard deviation of the slow light variation, in log units.
    """
    size = shown.shape[0]
    filled = _spread(values, shown)
    slow = fractal_noise(rng, size, size * float(rng.uniform(0.2, 0.6)), octaves=6)
    tint = fractal_noise(rng, size, size * float(rng.uniform(0.1, 0.5)), octaves=2)
    bright = filled[..., 0] * np.exp(light * slow)
    mix = np.clip(filled[..., 1] + 0.2 * tint, 0.0, 1.0)[..., None]
    colour = (colours[0] * (1.0 - mix) + colours[1] * mix) * bright[..., None]
    return np.asarray(np.clip(colour, 0.0, 1.0), np.float32)


def slow_colour(rng: np.random.Generator, size: int, *, grey: bool = False) -> Array:
    """One material whose colour varies slowly, S × S × 3; `grey`: from dark smoke to steam."""
    base = palette(rng)
    if grey:
        tone = float(rng.uniform(0.15, 0.97)) + rng.normal(0, 0.02, (2, 3))
        base = np.clip(tone * np.array([[1.0], [rng.uniform(0.75, 1.2)]]), 0.02, 1.0)
    mix = smoothstep(-1.5, 1.5, fractal_noise(rng, size, size * 0.4, octaves=2))[..., None]
    return np.asarray(base[0] * (1 - mix) + base[1] * mix, np.float32)


def _spread(values: Array, shown: Array) -> Array:
    """Normalised blurs, fine over coarse: near strands' values where there are any."""
    weight = np.clip(shown, 0.0, 1.0)
    default = np.array([1.0, 0.5], np.float32)
    result = np.broadcast_to(default, values.shape).astype(np.float32)
    data = np.dstack((values * weight[..., None], weight))
    for shrink in (16, 4, 1):
        part = data
        if shrink > 1:
            small = (max(1, data.shape[1] // shrink), max(1, data.shape[0] // shrink))
            part = cv2.resize(data, small, interpolation=cv2.INTER_AREA)
        part = cv2.GaussianBlur(part, (0, 0), 1.0 if shrink > 1 else 0.6)
        if shrink > 1:
            size = (data.shape[1], data.shape[0])
            part = cv2.resize(part, size, interpolation=cv2.INTER_LINEAR)
        local = part[..., :2] / np.maximum(part[..., 2:], 1e-4)
        trust = np.clip(part[..., 2:] * 4.0, 0.0, 1.0)
        result = result * (1.0 - trust) + local * trust
    return result.astype(np.float32)
