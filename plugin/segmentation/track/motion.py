"""How the subject moved from one frame to the next, on small working pictures.

Three steps, each for what the one before misses: a masked template finds how far the subject as a
whole went; dense optical flow (DIS) between the pictures so aligned finds how its parts moved; and
where that flow fails its way back, or leaves the subject's own similarity transform by far, that
transform is taken: thin parts over a busy ground move with the body.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from plugin.types import FloatArray

Picture = npt.NDArray[np.uint8]
"""`h × w × 3`, display-referred RGB."""

_REACH_PENALTY = 0.07
_STRAY = 4.5
"""How far, in pixels, flow may leave the subject's own transform."""

_RETURN = 2.2
"""How far from where it began flow there and back may end."""


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """A mask in the next frame.

    Attributes:
        coverage: `h × w` float32.
        unsure: `h × w` bool: flow does not come back to where it began.
    """

    coverage: FloatArray
    unsure: npt.NDArray[np.bool_]


def whole_shift(
    now: Picture, before: Picture, coverage: FloatArray, reach: int
) -> tuple[int, int] | None:
    """How far the subject went as a whole, right and down; None where it is too small to say.

    Args:
        now: the frame to look in.
        before: the frame that the mask belongs to.
        coverage: the mask.
        reach: farthest shift that is looked for, pixels.
    """
    solid = (coverage > 0.5).astype(np.uint8)
    if np.count_nonzero(solid) < 30:
        return None
    x, y, width, height = cv2.boundingRect(solid)
    template = before[y : y + height, x : x + width].astype(np.float32)
    weight = np.repeat(solid[y : y + height, x : x + width, None], 3, axis=2).astype(np.float32)
    around = cv2.copyMakeBorder(now, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    window = around[y : y + height + 2 * reach, x : x + width + 2 * reach].astype(np.float32)
    squared = cv2.matchTemplate(window, template, cv2.TM_SQDIFF, mask=weight) / weight.sum()
    down, right = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    cost = np.sqrt(np.maximum(squared, 0)) + _REACH_PENALTY * np.hypot(right, down)
    best = int(np.argmin(cost))
    return best % (2 * reach + 1) - reach, best // (2 * reach + 1) - reach


def move(values: FloatArray, right: int, down: int) -> FloatArray:
    """A mask shifted by whole pixels, 0 from outside."""
    height, width = values.shape
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float64)
    return np.asarray(cv2.warpAffine(values, matrix, (width, height)), np.float32)


def carry(now: Picture, before: Picture, coverage: FloatArray, reach: int) -> Carried:
    """The mask of `before`, carried to `now`."""
    right, down = whole_shift(now, before, coverage, reach) or (0, 0)
    height, width = coverage.shape
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float64)
    aligned = cv2.warpAffine(before, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    shifted = move(coverage, right, down)
    one = np.asarray(cv2.cvtColor(now, cv2.COLOR_RGB2GRAY), np.uint8)
    other = np.asarray(cv2.cvtColor(aligned, cv2.COLOR_RGB2GRAY), np.uint8)
    back, forth = _flow(one, other), _flow(other, one)
    there = grid(height, width)
    returned = back + _sample(forth, there + back)
    astray = np.hypot(returned[..., 0], returned[..., 1])
    whole = _similarity(forth, shifted, there)
    if whole is not None:
        stray = np.hypot(*np.moveaxis(back - whole, 2, 0))
        trusted = ((stray < _STRAY) & (astray < _RETURN)).astype(np.float32)
        back = whole + (back - whole) * cv2.blur(trusted, (7, 7))[..., None]
    carried = _sample(shifted, there + back)
    limit = 1.5 + 0.05 * np.hypot(back[..., 0], back[..., 1])
    return Carried(carried, astray > limit)


def _sample(values: FloatArray, where: npt.NDArray[np.floating]) -> FloatArray:
    """Values at places, `h × w × 2` of x and y; the edge goes on."""
    x, y = (np.ascontiguousarray(where[..., i], np.float32) for i in (0, 1))
    sampled = cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled, np.float32)


def _flow(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> FloatArray:
    """For each pixel of `one`, where in `other` it is, relative: `h × w × 2`."""
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    start = np.zeros((*one.shape, 2), np.float32)
    return np.asarray(method.calc(one, other, start), np.float32)


def grid(height: int, width: int) -> FloatArray:
    """Each pixel's own x and y, `h × w × 2`."""
    down, right = np.mgrid[0:height, 0:width]
    return np.stack([right, down], axis=2).astype(np.float32)


def _similarity(forth: FloatArray, shifted: FloatArray, grid: FloatArray) -> FloatArray | None:
    """Backward flow of the similarity transform that most of the subject follows."""
    inside = shifted > 0.5
    if np.count_nonzero(inside) < 30:
        return None
    start = grid[inside]
    cv2.setRNGSeed(1)  # RANSAC draws; the result must not depend on what ran before
    matrix: object = cv2.estimateAffinePartial2D(
        start, start + forth[inside], method=cv2.RANSAC, ransacReprojThreshold=1.5, maxIters=500
    )[0]
    if not isinstance(matrix, np.ndarray):
        return None
    inverse = np.asarray(cv2.invertAffineTransform(matrix), np.float32)
    return np.asarray(cv2.transform(grid, inverse) - grid, np.float32)
