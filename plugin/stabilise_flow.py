"""Motion between two frames of a shot, both ways, where their mattes are unknown.

Each pair's flow depends on the two frames alone: it is the same whoever asks, in whatever order.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from plugin.types import FloatArray, LabelArray

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Box", "Flows", "Motion", "RawFrame", "box_of"]

Flags = npt.NDArray[np.bool_]
Box = tuple[slice, slice]

_REACH = 64
"""Pixels around the unknown region that the flow sees: it finds its way by what is there."""

_LEAST_SIDE = 48
"""DIS wants room for its coarsest level."""


@dataclass(frozen=True, slots=True, eq=False)
class RawFrame:
    """What stabilisation needs of one frame.

    Attributes:
        number: the plate's frame number.
        picture: `H × W × 3` uint8, the plate, display-referred.
        alpha: `H × W` float32 within [0, 1], as the network gave it; 0 outside of `there`.
        region: `H × W` bool, the pixels that may be changed: unknown, or soft in `alpha`.
        there: `H × W` bool, the pixels that the frame has; None is all.
    """

    number: int
    picture: LabelArray
    alpha: FloatArray
    region: Flags
    there: Flags | None = None
    grey: LabelArray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "grey", cv2.cvtColor(self.picture, cv2.COLOR_RGB2GRAY))


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Flow from one frame to another.

    Attributes:
        box: rows and columns of the frame that it is known for.
        there: `h × w × 2` float32 of the box, x and y: where each pixel is in the other frame.
        back: the same from the other frame to this one.
    """

    box: Box
    there: FloatArray
    back: FloatArray


class Flows:
    """Finds motion, and keeps the last few pairs: each is needed from both of its ends.

    Args:
        pairs: how many are kept.
    """

    def __init__(self, pairs: int) -> None:
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._pairs = pairs
        self._kept: OrderedDict[tuple[int, int], Motion] = OrderedDict()

    def between(self, one: RawFrame, other: RawFrame) -> Motion:
        """Motion from `one` to `other`, where either is unknown."""
        first, second = sorted((one, other), key=lambda frame: frame.number)
        key = first.number, second.number
        found = self._kept.pop(key, None) or self._find(first, second)
        self._kept[key] = found
        while len(self._kept) > self._pairs:
            self._kept.popitem(last=False)
        return found if one is first else Motion(found.box, found.back, found.there)

    def _find(self, first: RawFrame, second: RawFrame) -> Motion:
        box = box_of([first.region, second.region], _REACH) or (slice(0, 1), slice(0, 1))
        if min(box[0].stop - box[0].start, box[1].stop - box[1].start) < _LEAST_SIDE:
            still = np.zeros((*first.region[box].shape, 2), np.float32)
            far = np.full_like(still, np.float32(1e6))
            return Motion(box, still, far)  # too small to tell: nothing agrees with it
        a, b = (np.ascontiguousarray(frame.grey[box]) for frame in (first, second))
        return Motion(box, self._flow(a, b), self._flow(b, a))

    def _flow(self, a: LabelArray, b: LabelArray) -> FloatArray:
        return np.asarray(self._dis.calc(a, b, np.zeros((*a.shape, 2), np.float32)), np.float32)


def box_of(regions: Sequence[Flags], margin: int) -> Box | None:
    """The box around all that is True in any of the regions, grown by a margin; None if nothing."""
    rows = np.logical_or.reduce([region.any(axis=1) for region in regions])
    columns = np.logical_or.reduce([region.any(axis=0) for region in regions])
    if not rows.any():
        return None
    return _span(rows, margin), _span(columns, margin)


def _span(line: Flags, margin: int) -> slice:
    there = np.flatnonzero(line)
    return slice(max(0, int(there[0]) - margin), min(line.size, int(there[-1]) + 1 + margin))
