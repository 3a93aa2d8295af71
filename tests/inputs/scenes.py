"""A disc that moves from frame to frame, whose place tells the frame, on any window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from plugin.types import Window

Floats = npt.NDArray[np.float32]

SUBJECT, GROUND = (0.75, 0.30, 0.25), (0.15, 0.55, 0.30)
"""Display colours, below where the shoulder of what the network sees begins."""

AP1_FROM_709 = np.array(
    [
        [0.6131324, 0.3395381, 0.0474167],
        [0.0701244, 0.9163940, 0.0134515],
        [0.0205877, 0.1095746, 0.8697854],
    ]
)
"""Linear Rec.709 to ACEScg, whites adapted by Bradford's response."""

STEP, RADIUS = 7.0, 7.0


@dataclass(frozen=True)
class Scene:
    """A moving disc.

    Attributes:
        display: the display window.
        data: the window that the plate stores.
        first: the frame in which the disc is at the left.
    """

    display: Window
    data: Window
    first: int

    def alpha(self, number: int, window: Window | None = None) -> Floats:
        """The disc of one frame, soft by a pixel, on the plate's data window or another."""
        area = window or self.data
        x = self.display.x_min + RADIUS + 3 + STEP * (number - self.first)
        y = self.display.y_min + self.display.height / 2
        columns = np.arange(area.x_min, area.x_max + 1) + 0.5
        rows = np.arange(area.y_min, area.y_max + 1)[:, None] + 0.5
        far = np.hypot(columns - x, rows - y)
        return np.asarray(np.clip(RADIUS - far + 0.5, 0, 1), np.float32)

    def picture(self, number: int, window: Window | None = None) -> Floats:
        """The frame as it is displayed, `H × W × 3`."""
        alpha = self.alpha(number, window)[..., None]
        mixed = alpha * np.array(SUBJECT) + (1 - alpha) * np.array(GROUND)
        return np.asarray(mixed, np.float32)


def to_linear(display: Floats) -> Floats:
    """The sRGB curve undone."""
    low, high = display / 12.92, ((display + 0.055) / 1.055) ** 2.4
    return np.asarray(np.where(display <= 0.04045, low, high), np.float32)
