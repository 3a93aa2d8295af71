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

from plugin.image.regions import depth
from plugin.segmentation.track.motion import Picture, carry, move, whole_shift
from plugin.types import FloatArray

_BINS = 16
_AROUND = 91
"""Width in pixels of the surroundings that the subject is compared with."""

_BAND = 16.0
"""How far from its edge, in pixels, colours may correct a mask."""

_WEIGHT = 0.7
"""How much colours count against the mask that was carried."""


class Appearance:
    """How likely a colour is the subject's: two histograms of 16³ colours."""

    def __init__(self, picture: Picture, coverage: FloatArray) -> None:
        subject = coverage > 0.5
        around = cv2.dilate(subject.astype(np.uint8), np.ones((_AROUND, _AROUND), np.uint8)) > 0
        inside = _histogram(picture[subject])
        outside = _histogram(picture[around & ~subject])
        self._likely = (inside / (inside + outside)).astype(np.float32)
        self._own = max(self._share(picture, subject), 1e-3)

    def likeness(self, picture: Picture, coverage: FloatArray) -> float:
        """How much what is under a mask looks like the subject: 1 as in the key frame, 0 not."""
        inside = coverage > 0.5
        return self._share(picture, inside) / self._own if inside.any() else 0.0

    def correct(self, picture: Picture, coverage: FloatArray) -> FloatArray:
        """The mask with the colours near its edge taken into account, in log-odds."""
        likely = cv2.GaussianBlur(self._likely[_bins(picture)], (0, 0), 1.5)
        solid = coverage > 0.5
        edge = depth(solid, _BAND) + depth(~solid, _BAND)
        odds = _log_odds(coverage, 0.03) + np.float32(_WEIGHT) * _log_odds(likely, 0.02)
        corrected = np.where(edge < _BAND, 1 / (1 + np.exp(-odds)), coverage)
        # Carrying softens the mask at every step; without this it would wash out.
        return np.clip((corrected - 0.5) * 1.3 + 0.5, 0, 1).astype(np.float32)

    def _share(self, picture: Picture, inside: npt.NDArray[np.bool_]) -> float:
        return float(self._likely[_bins(picture)[inside]].mean()) if inside.any() else 0.0


def _bins(picture: Picture) -> npt.NDArray[np.int64]:
    step = 256 // _BINS
    bins: npt.NDArray[np.int64] = (picture.astype(np.int64) // step) @ np.array(
        [_BINS**2, _BINS, 1]
    )
    return bins


def _histogram(colours: Picture) -> npt.NDArray[np.float64]:
    counts = np.bincount(_bins(colours), minlength=_BINS**3)
    shares: npt.NDArray[np.float64] = 0.02 + 100 * counts / max(int(counts.sum()), 1)
    return shares


def _log_odds(values: npt.NDArray[np.generic], least: float) -> FloatArray:
    kept = np.clip(np.asarray(values, np.float32), least, 1 - least)
    return np.asarray(np.log(kept / (1 - kept)), np.float32)


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
        unsure = near(last) if lost else unsure & near(last)
        yield Link(number, last, unsure, sure * _FORGETS**steps)


def _look_for(picture: Picture, seen: Picture, remembered: FloatArray) -> FloatArray:
    shift = whole_shift(picture, seen, remembered, _SEARCH_REACH)
    return remembered if shift is None else move(remembered, *shift)


def _area(coverage: FloatArray) -> float:
    return max(float(np.count_nonzero(coverage > 0.5)), 1.0)


def _alike(one: float, other: float) -> float:
    return min(one / other, other / one)


def near(coverage: FloatArray) -> npt.NDArray[np.bool_]:
    """The mask and 15 pixels around it: what is unsure far from it is of no concern."""
    reach = np.ones((31, 31), np.uint8)
    near: npt.NDArray[np.bool_] = cv2.dilate((coverage > 0.1).astype(np.uint8), reach) > 0
    return near
