"""What the network of a shot is shown of a patch: colours, a prior, and what moves by itself."""

import numpy as np
import numpy.typing as npt

from plugin.types import FloatArray

LOOKS, MOTION = 5, 2
"""Planes of a patch: red, green, blue, the prior, and whether there is one; how much moves by
itself, and whether that is known."""

UNKNOWN_MOTION = 255
"""In the fourth channel of a whole picture: how it moves is not known."""

FASTEST = 200
"""The most that channel holds where it is known: moves by itself as fast as counts."""

SLOWEST = 20
"""Slower than that, nothing can be said to move by itself."""

Seen = npt.NDArray[np.uint8]
"""A frame, `h × w × 4`: red, green, blue, and how much moves by itself, 0 to `FASTEST`; or
`UNKNOWN_MOTION` throughout. Bending, shifting and mixing pictures takes it along."""


def moves_known(picture: npt.NDArray[np.generic]) -> bool:
    """Whether it is known how a picture or a patch moves."""
    return bool(picture[..., 3].min() <= FASTEST)


def planes_of(patch: FloatArray, prior: FloatArray | None) -> FloatArray:
    """What the network is shown of a patch, `LOOKS + MOTION` planes.

    Args:
        patch: `h × w × 4`, of a `Seen`.
        prior: `h × w`, 0 to 1; None where there is none.
    """
    height, width = patch.shape[:2]
    planes = np.zeros((LOOKS + MOTION, height, width), np.float32)
    planes[:3] = (patch[..., :3].transpose(2, 0, 1) - 128) / np.float32(90)
    if prior is not None:
        planes[3] = prior * 2 - 1
        planes[4] = 1
    if moves_known(patch):
        planes[5] = patch[..., 3] / np.float32(FASTEST / 2) - 1
        planes[6] = 1
    return planes
