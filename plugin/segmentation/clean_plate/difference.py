"""What a frame and its clean plate differ by, shadows left out.

Two differences: one in which a pixel's error of position does not count (a value within the range
of the clean plate's neighbourhood is none), which finds the subject; and the plain one, which tells
what lies before a hard edge of the place from the edge itself. A shadow is the place, darkened: of
one hue, and either smooth or with the place's own texture in it.
"""

import cv2
import numpy as np

from plugin.image.channels import dot, least, mean, most
from plugin.image.regions import Flags
from plugin.segmentation.clean_plate.registration import expose, shift
from plugin.types import FloatArray

_DARKEST_SMOOTH, _DARKEST_TEXTURED, _DARKEST_COLOURED = 0.6, 0.3, 0.4
"""Of the clean plate's light, what is left in the darkest shadow that is seen as such."""

_STRONG, _SAME_HUE = 0.2, 0.2
"""From what difference of its channels on a darkened colour is strong, display values, and how far
from its hue a shadow may be, as a share of that."""

_LIGHTEST = 1.02

_HUE = 0.08
"""How far from the darkened clean plate a shadow's colour may be, display values."""

_SPREAD = 0.06
"""How much a smooth shadow may vary around a pixel."""

_TEXTURE = 0.01
"""Standard deviation of a texture that can be known again, display values."""

_ALIKE, _SCALED = 0.6, 0.3
"""Least correlation of a texture in the shade with the clean plate's, and how far its contrast may
be from what the darkness makes of it."""


def differences_of(rgb: FloatArray, clean: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How far each pixel is from the clean plate: with tolerance of position, and as it is.

    Args:
        rgb: the frame, display-referred, `H × W × 3`.
        clean: its clean plate, alike.

    Returns:
        Two of `H × W` float32, display values, 0 in shadows; the second is the mean of a few
        pixels around.
    """
    clean = expose(shift(clean, rgb), rgb)
    side = 2 * max(1, round(rgb.shape[0] / 720)) + 1
    cell = np.ones((side, side), np.uint8)
    above = rgb - cv2.dilate(clean, cell)
    below = cv2.erode(clean, cell) - rgb
    tolerant = np.maximum(most(np.maximum(above, below)), 0)
    around = (2 * side - 1, 2 * side - 1)
    exact = cv2.blur(most(np.abs(rgb - clean)), around)
    lit = ~_shadow(rgb, clean, side)
    return (tolerant * lit).astype(np.float32), np.asarray(exact * lit, np.float32)


def _shadow(rgb: FloatArray, clean: FloatArray, side: int) -> Flags:
    """Where the frame is the clean plate, darkened without a change of hue."""
    ratio = dot(rgb, clean) / np.maximum(dot(clean, clean), np.float32(1e-4))
    share: FloatArray = np.asarray(cv2.blur(ratio, (side, side)), np.float32)
    hue = most(np.abs(rgb - share[..., None] * clean))
    wide = (4 * side + 1, 4 * side + 1)
    middle = cv2.blur(share, wide)
    spread = np.sqrt(np.maximum(cv2.blur(share * share, wide) - middle * middle, 0))
    smooth = (share > _DARKEST_SMOOTH) & (spread < _SPREAD)
    textured = (share > _DARKEST_TEXTURED) & _same_texture(mean(rgb), mean(clean), share, wide)
    # Of a strong colour, the same hue is no accident.
    strength = share * (most(clean) - least(clean))
    coloured = (share > _DARKEST_COLOURED) & (strength > _STRONG) & (hue < _SAME_HUE * strength)
    shadow: Flags = (share < _LIGHTEST) & (hue < _HUE) & (smooth | textured | coloured)
    return shadow


def _same_texture(
    grey: FloatArray, clean: FloatArray, share: FloatArray, around: tuple[int, int]
) -> Flags:
    """Where the clean plate has a texture, and the frame has it too, as dark as `share` says."""
    middle, middle_clean = cv2.blur(grey, around), cv2.blur(clean, around)
    own = np.maximum(cv2.blur(grey * grey, around) - middle * middle, 1e-8)
    theirs = np.maximum(cv2.blur(clean * clean, around) - middle_clean * middle_clean, 1e-8)
    common = cv2.blur(grey * clean, around) - middle * middle_clean
    alike = common > _ALIKE * np.sqrt(own * theirs)
    scaled = np.abs(common / theirs - share) < _SCALED
    same: Flags = (theirs > _TEXTURE**2) & alike & scaled
    return same
