"""`Canvas`: premultiplied colour and coverage in bytes, at more pixels than the picture has."""

import cv2
import numpy as np
import numpy.typing as npt

from plugin.synthetic.shot import UNITS
from plugin.types import FloatArray, LabelArray

SHIFT = 4
"""Fractional bits of the coordinates that OpenCV draws at."""

_FINE_ENOUGH = 720
_HAIR = 0.5
"""Width of a strand in units."""


class Canvas:
    """What one sub-frame is drawn on.

    Attributes:
        pixels: `sH × sW × 4` uint8: colour premultiplied by coverage, and coverage.
        scale: canvas pixels in a unit.
        hair: width of a strand in canvas pixels.
    """

    def __init__(self, width: int, height: int) -> None:
        factor = 2 if height <= _FINE_ENOUGH else 1
        self.pixels: LabelArray = np.zeros((height * factor, width * factor, 4), np.uint8)
        self.scale = height * factor / UNITS
        self.hair = max(1, round(self.scale * _HAIR))

    def clear(self) -> None:
        """Empty it for the next sub-frame."""
        self.pixels[:] = 0

    def fixed(self, points: FloatArray) -> npt.NDArray[np.int32]:
        """Points in units as OpenCV's fixed-point pixels; a unit's origin is a pixel's corner."""
        fixed = np.rint((points * self.scale - 0.5) * (1 << SHIFT))
        return np.asarray(fixed, np.int32)

    def fill(self, outline: FloatArray, colour: tuple[float, float, float]) -> None:
        """Fill an outline, `N × 2` in units, with an sRGB colour."""
        inks = (*(round(255 * c) for c in colour), 255)
        cv2.fillPoly(self.pixels, [self.fixed(outline)], inks, cv2.LINE_AA, SHIFT)

    def stroke(
        self, line: FloatArray, colour: tuple[float, float, float], thickness: float
    ) -> None:
        """Draw a line, `N × 2` in units, `thickness` units wide."""
        inks = (*(round(255 * c) for c in colour), 255)
        width = max(1, round(thickness * self.scale))
        cv2.polylines(self.pixels, [self.fixed(line)], False, inks, width, cv2.LINE_AA, SHIFT)
