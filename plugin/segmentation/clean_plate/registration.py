"""Bringing two pictures of one place together: a small shift, and a change of exposure."""

import cv2
import numpy as np
import numpy.typing as npt

from plugin.image.channels import least, mean, most
from plugin.types import FloatArray

_COARSE, _FINE = 192, 768
"""Widths of the pictures that are compared: over the whole reach, then about what was found."""

_FARTHEST = 0.03
"""Largest shift that is looked for, as a share of the frame's width."""

_LEAST = 0.15
"""A shift under this many pixels is left alone: moving a picture softens it."""

_ENOUGH = 0.1
"""An edge that differs by this much counts no more than this: there the subject is."""

_NEARER = 0.3
"""How much better the farthest shift has to fit: boards and bricks fit again a board further on."""

_CLIPPED = 0.93
"""Display values from here on may have lost light: 0.98 of white, seen through the shoulder."""

_ENOUGH_FOR_MEDIANS = 480
"""Columns that an exposure is measured on, about; as many rows as go with them."""


def shift(clean: FloatArray, rgb: FloatArray) -> FloatArray:
    """`clean` moved by the shake between it and `rgb`: one translation, at most 3 % of the width.

    It is the one under which their edges differ least, where no pixel counts for more than a tenth:
    the subject, which differs under any, does not pull. Borders that it uncovers go on.
    """
    height, width = rgb.shape[:2]
    right, down = _best_shift(clean, rgb)
    if max(abs(right), abs(down)) < _LEAST:
        return clean
    move = np.array([[1, 0, right], [0, 1, down]], np.float64)
    warped = cv2.warpAffine(
        clean, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.float32)


def _best_shift(clean: FloatArray, rgb: FloatArray) -> tuple[float, float]:
    """Right and down, pixels of the frame."""
    width = rgb.shape[1]
    greys = mean(clean), mean(rgb)
    coarse = min(1.0, _COARSE / width)
    reach = max(1, round(_FARTHEST * width * coarse))
    right, down, _ = _search(greys, coarse, (0, 0), reach=reach, nearer=_NEARER)
    fine = min(1.0, _FINE / width)
    about = round(right / coarse * fine), round(down / coarse * fine)
    reach = max(1, round(fine / coarse))
    right, down, costs = _search(greys, fine, about, reach=reach, nearer=0)
    return (right + _vertex(costs, axis=1)) / fine, (down + _vertex(costs, axis=0)) / fine


def _search(
    greys: tuple[FloatArray, FloatArray],
    scale: float,
    about: tuple[int, int],
    *,
    reach: int,
    nearer: float,
) -> tuple[int, int, npt.NDArray[np.float64]]:
    """The best whole shift of the first within `reach` of `about`, and the 3 × 3 costs there."""
    one, other = (_edges(grey, scale) for grey in greys)
    height, width = one.shape
    far = reach + 1
    margin = far + max(abs(about[0]), abs(about[1]))
    inner = other[margin : height - margin : 2, margin : width - margin : 2]
    tall, wide = height - 2 * margin, width - 2 * margin
    costs = np.empty((2 * far + 1, 2 * far + 1))
    for row, column in np.ndindex(costs.shape):
        top = margin - (about[1] + row - far)
        left = margin - (about[0] + column - far)
        moved = one[top : top + tall : 2, left : left + wide : 2]
        costs[row, column] = np.minimum(np.abs(moved - inner), _ENOUGH).mean()
    down, right = np.mgrid[-far : far + 1, -far : far + 1]
    farther = 1 + nearer * np.hypot(down, right) / far
    best = np.argmin((costs * farther)[1:-1, 1:-1])
    row, column = (int(i) + 1 for i in np.unravel_index(best, (2 * far - 1, 2 * far - 1)))
    near = costs[row - 1 : row + 2, column - 1 : column + 2]
    return about[0] + column - far, about[1] + row - far, near


def _vertex(costs: npt.NDArray[np.float64], *, axis: int) -> float:
    """Where between whole shifts the least cost lies, along one axis: a parabola's vertex."""
    low, middle, high = (costs[1] if axis == 1 else costs[:, 1]).tolist()
    bend = low - 2 * middle + high
    return min(max(0.5 * (low - high) / bend, -0.5), 0.5) if bend > 0 else 0.0


def expose(clean: FloatArray, rgb: FloatArray) -> FloatArray:
    """`clean` with each channel scaled to the exposure of `rgb`, by what most of the frame says."""
    step = max(1, round(max(rgb.shape[:2]) / _ENOUGH_FOR_MEDIANS))
    some, some_clean = rgb[::step, ::step], clean[::step, ::step]
    usable = (least(some_clean) > 0.04) & (most(some) < _CLIPPED)
    gain = np.ones(3, np.float32)
    for reach in (1.0, 0.1):
        near = usable & (most(np.abs(some - some_clean * gain)) < reach)
        if np.count_nonzero(near) < 100:
            break
        gain = np.median(some[near] / some_clean[near], axis=0).astype(np.float32)
    return np.asarray(clean * gain, np.float32)


def _edges(grey: FloatArray, scale: float) -> FloatArray:
    height, width = grey.shape
    size = max(16, round(width * scale)), max(16, round(height * scale))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    across = cv2.Sobel(small, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(small, cv2.CV_32F, 0, 1)
    return np.asarray(np.hypot(across, down), np.float32)
