"""The colours that a side of the matte surely has around each pixel: bounds for what is unmixed.

What is unmixed from a pixel that holds little of it can come out at thirty times white. So its
lowest and highest value are looked up where that side is surely seen: within a few pixels, else
within as many of a picture half as large, and so on up to the whole frame.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from plugin.types import FloatArray, LabelArray

_SURE = 0.8
"""Share of a pixel from which its colour counts as that side's own."""

_REACH = 4
"""Pixels to each side, of the halved level, that are looked at before a coarser one is."""

_WINDOW = np.ones((2 * _REACH + 1, 2 * _REACH + 1), np.uint8)

_STRIP = 32
"""Rows that are looked at at a time, an even number."""

_SLACK = np.float32(0.15)
"""How far beyond what was seen a colour may lie: rim light, strands brighter than any near them."""


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Lowest and highest colours on one level, of half its width and height.

    Attributes:
        low: `⌈h/2⌉ × ⌈w/2⌉ × 3` float32.
        high: the same.
    """

    low: FloatArray
    high: FloatArray

    def over(self, rows: slice, columns: slice) -> tuple[FloatArray, FloatArray]:
        """Both for those rows and columns of the level itself."""
        halves = tuple(slice(s.start // 2, (s.stop + 1) // 2) for s in (rows, columns))
        inner = tuple(slice(s.start % 2, s.start % 2 + s.stop - s.start) for s in (rows, columns))
        low, high = (_twice(each[halves])[inner] for each in (self.low, self.high))
        return low, high


def bounds_around(rgb: FloatArray, share: FloatArray, levels: int, dark: float) -> list[Bounds]:
    """Bounds for every level of a pyramid, the finest first.

    Args:
        rgb: `H × W × 3` float32, the plate; finite.
        share: `H × W` float32, how much of each pixel is that side's.
        levels: how many; each has half the width and height of the one before, rounded up.
        dark: level below which the slack counts as absolute.
    """
    sure = (share >= min(_SURE, float(share.max()))).astype(np.uint8)
    sides = _seen_halved(rgb, sure, np.minimum), _seen_halved(rgb, sure, np.maximum)
    seen = [sides]
    for _ in range(levels - 1):
        low, high = seen[-1]
        seen.append((_halved(low, np.minimum), _halved(high, np.maximum)))
    least, most = _extreme(rgb, cv2.REDUCE_MIN), _extreme(rgb, cv2.REDUCE_MAX)
    found: list[Bounds] = []
    lows, highs = least[None, None], most[None, None]
    for low, high in reversed(seen):
        lows = -_nearest(-low, -lows)
        highs = _nearest(high, highs)
        slack_low, slack_high = (
            _SLACK * (np.abs(each) + np.float32(dark)) for each in (lows, highs)
        )
        lowest, highest = (np.tile(each, (1, lows.shape[1], 1)) for each in (least, most))
        found.append(
            Bounds(np.maximum(lows - slack_low, lowest), np.minimum(highs + slack_high, highest))
        )
    return found[::-1]


def _extreme(picture: FloatArray, which: int) -> FloatArray:
    """The smallest or largest value of each channel; numpy's own takes forty times as long."""
    rows = cv2.reduce(picture, 0, which)
    return np.asarray(cv2.reduce(rows, 1, which), np.float32).reshape(picture.shape[2])


def _seen_halved(rgb: FloatArray, sure: LabelArray, which: np.ufunc) -> FloatArray:
    """`_halved` of what is sure, a strip of rows at a time: as much as the cache holds."""
    none = np.float32(np.inf if which is np.minimum else -np.inf)
    height, width = sure.shape
    halved = np.empty(((height + 1) // 2, (width + 1) // 2, 3), np.float32)
    for top in range(0, height, _STRIP):
        strip = slice(top, top + _STRIP)
        known = cv2.copyTo(rgb[strip], sure[strip], np.full_like(rgb[strip], none))
        halved[top // 2 : (top + _STRIP) // 2] = _halved(np.asarray(known, np.float32), which)
    return halved


def _halved(picture: FloatArray, which: np.ufunc) -> FloatArray:
    """The smallest or largest of each 2 × 2 pixels."""
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        picture = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    rows = which(picture[::2], picture[1::2])
    # Pixels as wholes: numpy's own way through every second one of three channels takes thrice.
    pixels = rows.view(np.dtype((np.void, 12)))[..., 0]
    left, right = (np.ascontiguousarray(pixels[:, at::2]).view(np.float32) for at in (0, 1))
    halved: FloatArray = which(left, right).reshape(len(rows), -1, 3)
    return halved


def _nearest(seen: FloatArray, coarser: FloatArray) -> FloatArray:
    """The largest value around each pixel; where none was seen, what the coarser level has."""
    height, width = seen.shape[:2]
    around = np.asarray(cv2.dilate(seen, _WINDOW, borderType=cv2.BORDER_REPLICATE), np.float32)
    np.copyto(around, _twice(coarser)[:height, :width], where=~np.isfinite(around))
    return around


def _twice(picture: FloatArray) -> FloatArray:
    """Every pixel as two by two."""
    size = 2 * picture.shape[1], 2 * picture.shape[0]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST), np.float32)
