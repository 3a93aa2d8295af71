"""One key mask carried through frames in order, away from its key.

The state is small: the last mask, and the last frame on which the subject surely was seen. When
what lies under the mask no longer looks like the subject (something passed in front, or it left),
it is lost: from then on it is looked for by that memory, and what is said meanwhile is unsure.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from plugin.segmentation.track.appearance import Appearance
from plugin.segmentation.track.motion import Picture, carry, move, whole_shift
from plugin.types import FloatArray

_LOST = 0.8
_FOUND = 0.78
_SURELY_SEEN = 0.9
"""Likeness under which the subject is lost, from which it is found, and is worth remembering."""

_FORGETS = 0.99
"""What confidence keeps from frame to frame."""

_STEP_REACH, _SEARCH_REACH = 60, 220


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A carried mask.

    Attributes:
        number: the plate's frame number.
        coverage: `h × w` float32.
        unsure: `h × w` bool.
        confidence: 0 (lost) to 1 (the key itself).
    """

    number: int
    coverage: FloatArray
    unsure: npt.NDArray[np.bool_]
    confidence: float


def follow(
    key: Picture, coverage: FloatArray, frames: Iterable[tuple[int, Picture]]
) -> Iterator[Link]:
    """Carry a key frame's mask through the frames that come after (or before) it, in that order.

    Args:
        key: the key frame.
        coverage: its mask.
        frames: numbers and pictures, each the neighbour of the one before.
    """
    appearance = Appearance(key, coverage)
    before, last = key, coverage
    seen, remembered = key, coverage
    lost = False
    nothing = np.zeros(coverage.shape, np.bool_)
    for steps, (number, picture) in enumerate(frames, 1):
        unsure, likeness = nothing, 0.0
        if not lost:
            carried = carry(picture, before, last, _STEP_REACH)
            last, unsure = appearance.correct(picture, carried.coverage), carried.unsure
            likeness = appearance.likeness(picture, last)
            lost = likeness < _LOST or not 0.5 <= _area(last) / _area(remembered) <= 2
        if lost:
            last = _look_for(picture, seen, remembered)
            likeness = appearance.likeness(picture, last)
            lost = likeness < _FOUND
            if not lost:
                last = appearance.correct(picture, last)
        if likeness > _SURELY_SEEN and not lost:
            seen, remembered = picture, last
        before = picture
        sure = 0.0 if lost else min(likeness, 1.0) * _alike(_area(last), _area(remembered))
        near = _near(last) if lost else unsure & _near(last)
        yield Link(number, last, near, sure * _FORGETS**steps)


def _look_for(picture: Picture, seen: Picture, remembered: FloatArray) -> FloatArray:
    shift = whole_shift(picture, seen, remembered, _SEARCH_REACH)
    return remembered if shift is None else move(remembered, *shift)


def _area(coverage: FloatArray) -> float:
    return max(float(np.count_nonzero(coverage > 0.5)), 1.0)


def _alike(one: float, other: float) -> float:
    return min(one / other, other / one)


def _near(coverage: FloatArray) -> npt.NDArray[np.bool_]:
    """The mask and 15 pixels around it: what is unsure far from it is of no concern."""
    reach = np.ones((31, 31), np.uint8)
    near: npt.NDArray[np.bool_] = cv2.dilate((coverage > 0.1).astype(np.uint8), reach) > 0
    return near
