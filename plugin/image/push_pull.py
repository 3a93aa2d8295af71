"""Known values spread smoothly over a picture."""

import cv2
import numpy as np

from plugin.types import FloatArray


def push_pull(weighted: FloatArray, weight: FloatArray) -> FloatArray:
    """Spread known values smoothly over the picture, by a pyramid of weighted means.

    Args:
        weighted: `H × W × 3`, the values times their weight.
        weight: `H × W`, 0 where nothing is known.
    """
    height, width = weight.shape
    if min(height, width) <= 2:
        total = max(float(weight.sum()), 1e-6)
        mean = weighted.reshape(-1, 3).sum(axis=0) / np.float32(total)
        coarse = np.broadcast_to(mean, weighted.shape).astype(np.float32)
    else:
        half = (width + 1) // 2, (height + 1) // 2
        coarse = push_pull(
            np.asarray(cv2.resize(weighted, half, interpolation=cv2.INTER_AREA), np.float32),
            np.asarray(cv2.resize(weight, half, interpolation=cv2.INTER_AREA), np.float32),
        )
        coarse = np.asarray(
            cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR), np.float32
        )
    own = weighted / np.maximum(weight, 1e-6)[..., None]
    share = np.minimum(weight, 1)[..., None]
    return np.asarray(own * share + coarse * (1 - share), np.float32)
