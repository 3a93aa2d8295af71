"""Motion between two frames of a shot, both ways, where their mattes are unknown.

Each pair's flow depends on the two frames alone: it is the same whoever asks, in whatever order.

Flow is kept at half of the plate's size: so a pair takes 4 bytes a pixel and not 16, and an 8K
worker has room. Up to 720 lines it is found there, with more lines one or two octaves below, where
it is as true (`docs/stabilisation.md`) for half of the time.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from plugin.image.regions import Box, Flags, box_of
from plugin.types import FloatArray, LabelArray, Stored

_REACH = 64
"""Pixels around the unknown region that the flow sees: it finds its way by what is there."""

_LEAST_SIDE = 48
"""DIS wants room for its coarsest level, pixels of the plate."""

_LINES = 720
"""Of the plate, up to which flow is found at half of its size."""

_PATCH = 8
"""Side of DIS's patches, pixels of the level that it works on."""


@dataclass(frozen=True, slots=True, eq=False)
class RawFrame:
    """What stabilisation needs of one frame.

    Attributes:
        number: the plate's frame number.
        picture: `H × W × 3` uint8, the plate, display-referred.
        alpha: `H × W` within [0, 1], as the network gave it and as it is stored, float16 or
            float32; 0 outside of `there`.
        region: `H × W` bool, the pixels that may be changed: unknown, or soft in `alpha`.
        there: `H × W` bool, the pixels that the frame has; None is all.
    """

    number: int
    picture: LabelArray
    alpha: Stored
    region: Flags
    there: Flags | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Flow from one frame to another.

    Attributes:
        box: rows and columns of the frame that it is known for; they start at even ones.
        there: `⌈h/2⌉ × ⌈w/2⌉ × 2` float32 of the box at half size, x and y: how far each place is
            off in the other frame, pixels of the plate.
        back: the same from the other frame to this one.
    """

    box: Box
    there: FloatArray
    back: FloatArray

    def at(self, field: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        """`there` or `back` at places of the frame, `… × 2`; beyond the box as at its edge."""
        top, left = self.box[0].start, self.box[1].start
        half = np.float32(0.5)  # the middle of a pixel of half size lies between two of the plate
        u, v = (x - left - half) * half, (y - top - half) * half
        found = cv2.remap(field, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(found, np.float32)


class Flows:
    """Finds motion, and keeps the last few pairs: each is needed from both of its ends."""

    def __init__(self, pairs: int) -> None:
        self._pairs = pairs
        self._kept: OrderedDict[tuple[int, int], Motion] = OrderedDict()

    @classmethod
    def of_radius(cls, radius: int) -> Self:
        """As many pairs as frames in order need; out of order some are found twice.

        Of a frame that is done, pairs that span it or start at it are still needed; the next frame
        brings as many as it has neighbours.
        """
        return cls(radius * (radius + 1) // 2 + 2 * radius)

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
        around = box_of([first.region, second.region], _REACH) or (slice(0, 1), slice(0, 1))
        box = tuple(slice(span.start // 2 * 2, span.stop) for span in around)
        height, width = (span.stop - span.start for span in box)
        half = (height + 1) // 2, (width + 1) // 2
        if min(height, width) < _LEAST_SIDE:
            still = np.zeros((*half, 2), np.float32)
            far = np.full_like(still, np.float32(1e6))
            return Motion((box[0], box[1]), still, far)  # too small to tell: nothing agrees
        a, b = (_halved(frame.picture[box]) for frame in (first, second))
        lines = len(first.picture)
        return Motion((box[0], box[1]), _flow(a, b, lines), _flow(b, a, lines))


def _flow(a: LabelArray, b: LabelArray, lines: int) -> FloatArray:
    """From picture to picture of half size, in pixels of the plate, which has so many lines."""
    large = lines > _LINES
    preset = cv2.DISOPTICAL_FLOW_PRESET_FAST if large else cv2.DISOPTICAL_FLOW_PRESET_MEDIUM
    dis = cv2.DISOpticalFlow.create(preset)
    dis.setPatchSize(_PATCH)
    dis.setFinestScale(octaves(a.shape, lines))
    found = dis.calc(a, b, np.zeros((*a.shape, 2), np.float32))
    return np.asarray(found, np.float32) * np.float32(2)


def octaves(shape: tuple[int, ...], lines: int) -> int:
    """How far below half size the flow is found; DIS would choose for itself where that is too far.

    A small box has few levels, the coarsest of which still holds a patch or four.
    """
    wanted = math.ceil(math.log2(max(1, lines / _LINES)))
    coarsest = min(math.log2(max(shape) / (4 * _PATCH)) + 0.5, math.log2(min(shape) / _PATCH))
    return max(0, min(wanted, int(coarsest)))


def _halved(picture: LabelArray) -> LabelArray:
    """Its greys, means of two by two pixels; an odd last row or column stands twice."""
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    even = cv2.copyMakeBorder(grey, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
    size = even.shape[1] // 2, even.shape[0] // 2
    return np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA), np.uint8)
