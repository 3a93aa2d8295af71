"""What a frame might look like without its subject: enough of it to put the subject elsewhere."""

import cv2
import numpy as np
import numpy.typing as npt

from model.segmenters.shot.planes import SLOWEST, Seen, moves_known
from plugin.types import FloatArray

_SMALL = 160
"""Longest side of the pictures in which the shift is looked for."""

_RIM = 15
"""How much around the subject is filled too, pixels: its blur and its shadow."""


def ground_of(picture: Seen, coverage: FloatArray) -> Seen:
    """The picture with its subject papered over by what lies beside it.

    The same picture, shifted so that least of the subject falls on the subject; what still does is
    painted in from the rim. Where it is not known how the picture moves, the ground is still.

    Args:
        picture: the frame.
        coverage: `h × w`, above 0 where the subject is.
    """
    height, width = coverage.shape
    if not moves_known(picture):
        picture = picture * np.array([1, 1, 1, 0], np.uint8)
    covered = (coverage > 0.02).astype(np.uint8)
    hole = np.asarray(cv2.dilate(covered, np.ones((_RIM, _RIM), np.uint8)), np.uint8)
    matrix = np.array([[1, 0, 0], [0, 1, 0]], np.float64)
    matrix[:, 2] = _shift(hole)
    other = cv2.warpAffine(hole, matrix, (width, height), borderValue=(2,))
    size, border = (width, height), cv2.BORDER_REFLECT_101
    beside = np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=border), np.uint8)
    left = (hole > 0) & (other > 0)
    if left.any():
        beside = _painted(beside, left)
    share = np.maximum(cv2.GaussianBlur(hole.astype(np.float32), (0, 0), 3), covered)[..., None]
    return np.asarray(picture * (1 - share) + beside * share, np.uint8)


def with_what_goes_along(picture: Seen, coverage: FloatArray) -> FloatArray:
    """The mask, and what moves along with it and touches it.

    Args:
        picture: the frame.
        coverage: `h × w`, what is taken for the subject there.
    """
    inside = coverage > 0.5
    if not moves_known(picture) or not inside.any():
        return coverage
    usual = float(np.median(picture[inside, 3]))
    if usual < SLOWEST:
        return coverage
    moving = (picture[..., 3] > usual / 2).astype(np.uint8)
    _, pieces = cv2.connectedComponents(np.maximum(moving, inside))
    along = np.isin(pieces, np.unique(pieces[inside]))
    return np.where(along, np.float32(1), coverage)


def _shift(hole: npt.NDArray[np.uint8]) -> tuple[float, float]:
    """The shift, right and down, that brings least of the hole onto itself; near ones first."""
    height, width = hole.shape
    scale = min(1.0, _SMALL / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(hole, size, interpolation=cv2.INTER_NEAREST)
    best, found = np.inf, (0.0, 0.0)
    for across in range(-size[0], size[0] + 1, max(1, size[0] // 40)):
        for down in range(-size[1] // 4, size[1] // 4 + 1, max(1, size[1] // 8)):
            matrix = np.array([[1, 0, across], [0, 1, down]], np.float64)
            moved = cv2.warpAffine(small, matrix, size, borderValue=(2,))
            cost = np.count_nonzero((moved > 0) & (small > 0)) + (abs(across) + 4 * abs(down)) / 32
            if cost < best:
                best, found = cost, (across / scale, down / scale)
    return round(found[0]), round(found[1])


def _painted(picture: Seen, left: npt.NDArray[np.bool_]) -> Seen:
    height, width = left.shape
    size = max(8, width // 4), max(8, height // 4)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    gone = cv2.resize(left.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    looks = cv2.inpaint(np.ascontiguousarray(small[..., :3]), gone, 3, cv2.INPAINT_TELEA)
    filled = cv2.resize(np.dstack([looks, small[..., 3]]), (width, height))
    return np.where(left[..., None], filled, picture).astype(np.uint8)
