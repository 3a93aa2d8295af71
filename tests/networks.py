"""The smallest network that has every part, for tests that need a real one, and what to show it."""

from __future__ import annotations

import cv2
import numpy as np

from model.config import AdaMattingConfig
from plugin.types import UNKNOWN, FloatArray, LabelArray

TINY = AdaMattingConfig(
    blocks=(1, 1, 1, 1),
    widths=(8, 8, 8, 8),
    bottleneck=False,
    stem=8,
    decoder=(8, 8, 8, 8, 8),
    kernel=3,
    hidden=4,
    colour_planes=True,
)


def scene(height: int, width: int, seed: int = 0) -> tuple[FloatArray, LabelArray]:
    """A soft disc over a smooth background, a wide unknown band around it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height * 0.5, x - width * 0.45)
    radius = min(height, width) * 0.3
    noise = cv2.resize(rng.random((12, 16)).astype(np.float32), (width, height))
    alpha = np.clip((radius - distance + 20 * noise) / 12, 0, 1).astype(np.float32)
    colours = [
        cv2.resize(rng.random((7, 9, 3)).astype(np.float32), (width, height)) for _ in range(2)
    ]
    image = alpha[..., None] * colours[0] + (1 - alpha[..., None]) * colours[1]
    trimap = np.where(alpha > 0.5, 255, 0).astype(np.uint8)
    trimap[np.abs(distance - radius) < 28] = UNKNOWN
    return np.clip(image, 0, 1).astype(np.float32), trimap
