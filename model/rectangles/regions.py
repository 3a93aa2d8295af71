"""Which rectangles of a frame to work on, so that the cost follows what is unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

CELL = 32
"""Rectangles begin and end at multiples of this: the network's coarsest pixel."""

_Where = npt.NDArray[np.bool_]
_STARTS = (4, 8)  # cells a side of the blocks that merging begins with


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Rows `top` to `bottom` and columns `left` to `right`, the ends excluded."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """To index an `H × W` array."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def pixels(self) -> int:
        """Its area."""
        return (self.bottom - self.top) * (self.right - self.left)

    def moved(self, down: int, right: int) -> Rectangle:
        """The same, so many pixels away."""
        return Rectangle(self.top + down, self.left + right, self.bottom + down, self.right + right)

    def grown(self, margin: int, height: int, width: int) -> Rectangle:
        """With `margin` pixels more on each side, within a frame of that size."""
        return Rectangle(
            max(0, self.top - margin),
            max(0, self.left - margin),
            min(height, self.bottom + margin),
            min(width, self.right + margin),
        )

    def within(self, other: Rectangle) -> Rectangle:
        """The part of it that lies in another, which it overlaps."""
        return Rectangle(
            max(self.top, other.top),
            max(self.left, other.left),
            min(self.bottom, other.bottom),
            min(self.right, other.right),
        )

    def on_grid(self, cell: int, height: int, width: int) -> Rectangle:
        """Grown to begin and end at multiples of `cell`, within a frame of that size."""
        return Rectangle(
            self.top // cell * cell,
            self.left // cell * cell,
            min(height, -(-self.bottom // cell) * cell),
            min(width, -(-self.right // cell) * cell),
        )

    def overlaps(self, other: Rectangle) -> bool:
        """Whether the two share a pixel."""
        return (
            self.top < other.bottom
            and other.top < self.bottom
            and self.left < other.right
            and other.left < self.right
        )

    def joined(self, others: Sequence[Rectangle]) -> Rectangle:
        """The smallest that holds this one and the others."""
        every = (self, *others)
        return Rectangle(
            min(box.top for box in every),
            min(box.left for box in every),
            max(box.bottom for box in every),
            max(box.right for box in every),
        )


def cover(
    where: _Where, *, margin: int, largest: int, cell: int = CELL, grid: int = 1, fixed: int = 0
) -> list[Rectangle]:
    """Rectangles that hold every true pixel, chosen so that with their margins they cost least.

    Blocks of the frame, each shrunk to what it holds, are merged two by two as long as one
    rectangle with one margin is cheaper than two with two. Depends on `where` and the sizes alone.

    Args:
        where: `H × W` bool; H and W multiples of `cell`.
        margin: pixels that each rectangle will be grown by.
        largest: no side is longer than this, pixels; a multiple of `cell`.
        cell: rectangles begin and end at multiples of this, pixels.
        grid: and, when grown, at multiples of this: see `Rectangle.on_grid`.
        fixed: what a rectangle costs beside its pixels, as pixels.

    Returns:
        Rectangles; they may overlap. None where nothing is true.
    """
    cells = _as_cells(where, cell)
    most = max(1, largest // cell)
    cost = _Cost(margin / cell, grid / cell, fixed / cell**2, cells.shape)
    plans = [_merged(_blocks(cells, min(start, most)), cost, most) for start in _STARTS]
    best = min(plans, key=lambda boxes: cost(boxes).sum())
    order = np.lexsort(best.T[::-1])
    return [Rectangle(*(int(side) * cell for side in box)) for box in best[order]]


def apart(where: _Where, *, margin: int) -> list[Rectangle]:
    """Bounding boxes of what is true, each with its margin, merged until no two overlap.

    Args:
        where: `H × W` bool; H and W multiples of `CELL`.
        margin: pixels; a multiple of `CELL`.
    """
    height, width = where.shape
    cells = _as_cells(where, CELL).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(cells, connectivity=8)
    boxes: list[Rectangle] = []
    for x, y, w, h, _ in stats[1:count]:
        box = Rectangle(*(int(side) * CELL for side in (y, x, y + h, x + w)))
        box = box.grown(margin, height, width)
        while touching := [other for other in boxes if box.overlaps(other)]:
            boxes = [other for other in boxes if other not in touching]
            box = box.joined(touching)
        boxes.append(box)
    return sorted(boxes, key=lambda box: (box.top, box.left))


def _as_cells(where: _Where, cell: int) -> _Where:
    height, width = (side // cell for side in where.shape)
    return np.asarray(where.reshape(height, cell, width, cell).any(axis=(1, 3)))


_Boxes = npt.NDArray[np.float64]
"""`N × 4`: top, left, bottom, right, in cells."""


def _blocks(cells: _Where, start: int) -> _Boxes:
    boxes = []
    for top in range(0, cells.shape[0], start):
        for left in range(0, cells.shape[1], start):
            x, y, w, h = cv2.boundingRect(
                cells[top : top + start, left : left + start].astype(np.uint8)
            )
            if w:
                boxes.append((top + y, left + x, top + y + h, left + x + w))
    return np.array(boxes, np.float64).reshape(-1, 4)


@dataclass(frozen=True, slots=True)
class _Cost:
    """What boxes cost, grown by `pad`, out to the grid, within a frame; all in cells."""

    pad: float
    grid: float
    fixed: float
    shape: tuple[int, ...]

    def __call__(self, boxes: _Boxes) -> npt.NDArray[np.float64]:
        low = np.floor((boxes[..., :2] - self.pad) / self.grid) * self.grid
        high = np.ceil((boxes[..., 2:] + self.pad) / self.grid) * self.grid
        sides = np.minimum(high, self.shape) - np.maximum(low, 0)
        cost: npt.NDArray[np.float64] = sides[..., 0] * sides[..., 1] + self.fixed
        return cost


def _union(one: _Boxes, other: _Boxes) -> _Boxes:
    return np.concatenate(
        (np.minimum(one[..., :2], other[..., :2]), np.maximum(one[..., 2:], other[..., 2:])),
        axis=-1,
    )


def _merged(boxes: _Boxes, cost: _Cost, most: int) -> _Boxes:
    """Merge the pair that saves most, until none saves anything."""
    if len(boxes) < 2:
        return boxes
    saving = _savings(boxes[:, None], boxes[None], cost, most)
    np.fill_diagonal(saving, -np.inf)
    while len(boxes) > 1:
        one, other = np.unravel_index(int(saving.argmax()), saving.shape)
        if saving[one, other] <= 0:
            break
        boxes[one] = _union(boxes[one], boxes[other])
        boxes = np.delete(boxes, other, axis=0)
        saving = np.delete(np.delete(saving, other, axis=0), other, axis=1)
        one = one - (other < one)
        saving[one] = saving[:, one] = _savings(boxes[one], boxes, cost, most)
        saving[one, one] = -np.inf
    return boxes


def _savings(one: _Boxes, other: _Boxes, cost: _Cost, most: int) -> npt.NDArray[np.float64]:
    both = _union(*np.broadcast_arrays(one, other))
    saved = cost(one) + cost(other) - cost(both)
    too_long = (both[..., 2:] - both[..., :2]).max(axis=-1) > most
    return np.where(too_long, -np.inf, saved)
