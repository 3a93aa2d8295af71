"""Between halves and floats, by the processor's own instructions.

The values are numpy's to the bit, in a seventh of its time: of all that is done to a frame between
its file and the network's answer, `astype` was a tenth.
"""

import cv2
import numpy as np
import numpy.typing as npt

from plugin.types import FloatArray, Stored

_NOTHING = np.zeros(4)
"""A scalar, of as many channels as there may be."""


def as_floats(stored: Stored) -> FloatArray:
    """`H × W` or `H × W × C` of at most four channels as float32, exactly; floats as they are."""
    if stored.dtype == np.float32:
        return np.asarray(stored, np.float32)
    # To add would make of a negative zero a positive one.
    return np.asarray(cv2.subtract(stored, _NOTHING, dtype=cv2.CV_32F), np.float32)


def as_halves(values: Stored) -> npt.NDArray[np.float16]:
    """The same as float16: to the nearest, halves to even, infinite beyond its largest."""
    if values.dtype == np.float16:
        return np.asarray(values, np.float16)
    return np.asarray(cv2.subtract(values, _NOTHING, dtype=cv2.CV_16F), np.float16)
