"""One key mask carried through frames in order, each step corrected by a network of the shot.

Flow carries the mask of the frame before to this one; the network looks at the picture there and
says where the subject really is; and that is carried on. So mistakes do not pile up. Where the
network sees next to nothing of the subject it is lost: from then on it is looked for everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from plugin.segmentation.learn.own_motion import Seen, seen_beside
from plugin.segmentation.track.chain import Link, near
from plugin.segmentation.track.motion import Picture, carry
from plugin.types import FloatArray

_STEP_REACH = 60
_LEFT = 0.06
"""Of its usual area; less of the subject than that is next to nothing."""

_FOUND = 0.15
"""Of its usual area: as much must be seen for it to be found again."""

_ASTRAY = 0.15
"""Of its usual size; a piece that is farther from what was carried is something else."""

_DOUBT = 0.6
"""Less sure than that share of the usual, and the subject may be somewhere else by now."""

_BETTER = 1.25
"""So much surer of another place it must be, to go there."""

_LEAST = 40
"""Pixels of a subject."""

_FORGETS = 0.995
"""What confidence keeps from frame to frame."""

_FRESH, _LEAST_USUAL = 3, 0.3
"""So many frames from a key it is seen how sure the network is of this subject at best: of a
bicycle it never is as sure as of a coat."""

_SLOW = 0.9
"""How much of its usual size is kept from frame to frame."""

Place = tuple[float, float, float]


class Learner(Protocol):
    """The network of a shot."""

    def ask(self, picture: Seen, prior: FloatArray | None, place: Place) -> FloatArray:
        """How likely each pixel is the subject's, `h × w`; 0 away from the place.

        Args:
            picture: the frame.
            prior: `h × w`, what is thought of it so far; None where nothing is.
            place: middle (x, y) and longer side of where the subject is thought to be.
        """

    def search(self, picture: Seen, size: float) -> FloatArray:
        """What most looks like the subject, wherever it is, `h × w`; `size` is its usual one."""


def place_of(coverage: FloatArray) -> Place:
    """Middle and longer side of what a mask covers; the whole picture where it is empty."""
    x, y, width, height = cv2.boundingRect((coverage > 0.5).astype(np.uint8))
    if not width:
        height, width = coverage.shape
    return x + width / 2, y + height / 2, float(max(width, height))


def following(learner: Learner) -> Callable[..., Iterator[Link]]:
    """`plugin.segmentation.track.chain.follow`, with that network."""

    def follow(
        key: Picture, coverage: FloatArray, frames: Iterable[tuple[int, Picture]]
    ) -> Iterator[Link]:
        return _follow(learner, key, coverage, frames)

    return follow


def _follow(
    learner: Learner, key: Picture, coverage: FloatArray, frames: Iterable[tuple[int, Picture]]
) -> Iterator[Link]:
    before, last, lost = key, coverage, False
    area, size, usual = _area(coverage), place_of(coverage)[2], _LEAST_USUAL
    for steps, (number, picture) in enumerate(frames, 1):
        seen = seen_beside(picture, before)
        sure, unsure = 0.0, np.zeros(coverage.shape, np.bool_)
        if not lost:
            carried = carry(picture, before, last, _STEP_REACH)
            unsure = carried.unsure
            last, sure = _asked(learner, seen, carried.coverage, size)
            lost = _area(last) < max(_LEFT * area, _LEAST)
        if lost or sure < _DOUBT * usual:
            found, as_sure = _asked(learner, seen, learner.search(seen, size), size)
            if _area(found) > max(_FOUND * area, _LEAST) and (lost or as_sure > _BETTER * sure):
                last, sure, lost = found, as_sure, False
        if lost:
            last, sure = np.zeros_like(coverage), 0.0
        else:
            area = _SLOW * area + (1 - _SLOW) * _area(last)
            size = _SLOW * size + (1 - _SLOW) * place_of(last)[2]
        if steps <= _FRESH:
            usual = max(usual, sure)
        before = picture
        confidence = min(sure / usual, 1.0) * _FORGETS**steps
        yield Link(number, last, unsure & near(last) | _wavering(last), confidence)


def _asked(
    learner: Learner, picture: Seen, prior: FloatArray, size: float
) -> tuple[FloatArray, float]:
    """What the network makes of a prior, and how sure it is: without a prior it says the same."""
    if _area(prior) < 1:
        return np.zeros_like(prior), 0.0
    x, y, now = place_of(prior)
    place = (x, y, max(now, size / 2))
    said = _joined(learner.ask(picture, prior, place), prior, _ASTRAY * size)
    return said, _decided(said) * _alike(said, learner.ask(picture, None, place))


def _joined(said: FloatArray, carried: FloatArray, reach: float) -> FloatArray:
    """What was said, without the pieces that lie farther from the carried mask than `reach`."""
    count, labels = cv2.connectedComponents((said > 0.3).astype(np.uint8))
    side = 2 * round(reach) + 1
    near = cv2.dilate((carried > 0.5).astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    kept = np.zeros(count, np.bool_)
    kept[labels[near]] = True
    kept[0] = True
    return np.where(kept[labels], said, np.float32(0))


def _area(coverage: FloatArray) -> float:
    return float(np.count_nonzero(coverage > 0.5))


def _decided(coverage: FloatArray) -> float:
    """How far from a half the network's answers are, over what may be the subject: 0 to 1."""
    there = coverage > 0.1
    return float(np.abs(coverage[there] * 2 - 1).mean()) if there.any() else 0.0


def _alike(one: FloatArray, other: FloatArray) -> float:
    """The share of two masks that they have in common."""
    a, b = one > 0.5, other > 0.5
    either = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / either if either else 1.0


def _wavering(coverage: FloatArray) -> npt.NDArray[np.bool_]:
    return np.asarray(np.abs(coverage - 0.5) < 0.35)
