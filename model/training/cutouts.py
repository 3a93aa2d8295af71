"""The mattes of cut-outs as training and test sets have them."""

from functools import partial
from typing import Final

import cv2
import numpy as np

from model.training.data_split import rendered_kind
from plugin.types import FloatArray, LabelArray

_CUTOUT_NOISE: Final = 6
"""8-bit levels at both ends that cut-outs use for opaque pixels: many say 254 or 1 throughout."""


def clean_alpha(alpha: LabelArray) -> FloatArray:
    """A cut-out's 8-bit matte, stretched so that what is meant opaque is exactly 0 or 1.

    Levels up to `_CUTOUT_NOISE` become 0, those from 255 − that become 1, linear between.
    Without it Eq. 2 would call the whole inside of many cut-outs unknown.
    """
    stretched = (alpha.astype(np.float32) - _CUTOUT_NOISE) / (255 - 2 * _CUTOUT_NOISE)
    return np.asarray(np.clip(stretched, 0, 1), dtype=np.float32)


def cutout_alpha(bgra: LabelArray, name: str) -> FloatArray:
    """A cut-out's matte as training and test sets have it, `H × W` float32 within [0, 1].

    Args:
        bgra: the picture as stored, `H × W × 4` uint8.
        name: of its file: rendered hair has a renderer's noise in its alpha.
    """
    alpha = clean_alpha(np.asarray(bgra[:, :, 3], dtype=np.uint8))
    return alpha if rendered_kind(name) is None else _without_noise(alpha)


def _without_noise(alpha: FloatArray) -> FloatArray:
    """Smooth where a renderer's samples show: 0.03 to 0.05 of noise all over what is out of focus.

    There everything around is mixed and varies little from pixel to pixel. A lone faint hair has
    clear pixels around it, and hair in focus varies much more; both are left as they are.
    """
    blur = partial(cv2.GaussianBlur, ksize=(0, 0))
    fine = alpha - blur(alpha, sigmaX=1.2)
    amount = np.sqrt(blur(fine * fine, sigmaX=3))
    mixed = blur(((alpha > 0.02) & (alpha < 0.98)).astype(np.float32), sigmaX=3)
    noisy = np.clip((0.07 - amount) / 0.02, 0, 1) * np.clip((mixed - 0.7) / 0.25, 0, 1)
    smooth = np.clip(alpha - blur(noisy, sigmaX=1) * fine, 0, 1)
    return np.asarray(np.where((alpha > 0) & (alpha < 1), smooth, alpha), dtype=np.float32)
