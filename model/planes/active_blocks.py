"""The parts of a batch of pictures where something is to be solved, as small blocks."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.rectangles.regions import CELL

BLOCK = CELL
"""Side of a block, pixels: that of the rectangles' grid, so that each of those has whole blocks."""

HALO = 2
"""What a block sees of its neighbours on each side: two pixels of a window lie no farther apart."""


class ActiveBlocks:
    """Blocks of a grid over N × C × H × W that hold something active; n of them in all.

    Attributes:
        shape: N × 1 × H × W.
        sample: of each block, n int64; in this order, then by row and column.
        row: its place from the top, in blocks.
        column: its place from the left, in blocks.
    """

    def __init__(self, shape: torch.Size, sample: Tensor, row: Tensor, column: Tensor) -> None:
        self.shape, self.sample, self.row, self.column = shape, sample, row, column

    @classmethod
    def of(cls, active: Tensor) -> ActiveBlocks:
        """From N × 1 × H × W, bool or 0 and 1."""
        height, width = active.shape[-2:]
        # By rows, then by columns: no copy of the whole in another type.
        rows = [active[:, 0, top : top + BLOCK].any(dim=-2) for top in range(0, height, BLOCK)]
        grid = nnf.pad(torch.stack(rows, dim=1), (0, -width % BLOCK))
        grid = grid.reshape(*grid.shape[:2], -1, BLOCK).any(dim=-1)
        return cls(active.shape, *torch.nonzero(grid, as_tuple=True))

    def __len__(self) -> int:
        return len(self.sample)

    def parts(self, most: int) -> Iterator[tuple[slice, ActiveBlocks]]:
        """So many blocks at a time: which of all, and they alone."""
        for start in range(0, len(self), most):
            chosen = slice(start, start + most)
            part = (self.sample[chosen], self.row[chosen], self.column[chosen])
            yield chosen, ActiveBlocks(self.shape, *part)

    def moved(self, down: int, right: int) -> ActiveBlocks:
        """The same blocks in a larger picture, so many blocks from its corner."""
        return ActiveBlocks(self.shape, self.sample, self.row + down, self.column + right)

    def within(self, top: int, left: int, bottom: int, right: int) -> tuple[Tensor, ActiveBlocks]:
        """Which of them lie in a rectangle, n bool, and those as seen from its corner."""
        chosen = (self.row >= top) & (self.row < bottom)
        chosen &= (self.column >= left) & (self.column < right)
        place = (self.sample[chosen], self.row[chosen] - top, self.column[chosen] - left)
        return chosen, ActiveBlocks(self.shape, *place)

    def gather(self, dense: Tensor, *, halo: int = HALO, scale: int = 1) -> Tensor:
        """N × C × H/scale × W/scale → n × C × s × s, s = 32/scale + 2 halo, borders repeated.

        Looks at no more of `dense` than the rectangle that holds the blocks.
        """
        side = BLOCK // scale
        (first, last), *ends = (_ends(place) for place in (self.sample, self.row, self.column))
        cut, pads = [], []
        for (low, high), length in zip(ends, dense.shape[-2:], strict=True):
            start, stop = low * side - halo, high * side + halo
            cut.append(slice(max(0, start), min(length, stop)))
            pads.append((max(0, -start), max(0, stop - length)))
        seen = dense[first:last, :, *cut]
        if any(map(any, pads)):
            seen = nnf.pad(seen, (*pads[1], *pads[0]), mode="replicate")
        whole = side + 2 * halo
        views = seen.unfold(2, whole, side).unfold(3, whole, side)
        (top, _), (left, _) = ends
        return views[self.sample - first, :, self.row - top, self.column - left]

    def put(self, cores: Tensor, dense: Tensor) -> None:
        """Write n × C × s × s into `dense`, N × C × H × W, of whole blocks of side s; in place."""
        side = cores.shape[-1]
        views = dense.unfold(2, side, side).unfold(3, side, side)
        views[self.sample, :, self.row, self.column] = cores

    def scatter(self, cores: Tensor, dense: Tensor) -> Tensor:
        """`dense` (N × C × H × W) with n × C × 32 × 32 written into it."""
        height, width = self.shape[-2:]
        padded = nnf.pad(dense, (0, -width % BLOCK, 0, -height % BLOCK)).clone()
        self.put(cores, padded)
        return padded[..., :height, :width]

    def inside(self) -> Tensor:
        """1 within the picture and 0 beyond its edge, n × 1 × 36 × 36."""
        sides = []
        for place, length in zip((self.row, self.column), self.shape[-2:], strict=True):
            at = torch.arange(-HALO, BLOCK + HALO, device=place.device) + BLOCK * place[:, None]
            sides.append(((at >= 0) & (at < length)).float())
        return (sides[0][:, :, None] * sides[1][:, None])[:, None]

    def dot(self, one: Tensor, other: Tensor) -> Tensor:
        """Inner products by sample, given back to each block: n × 1 × 1 × 1."""
        parts = (one * other).sum((1, 2, 3))
        sums = parts.new_zeros(self.shape[0]).index_add_(0, self.sample, parts)
        return sums[self.sample].view(-1, 1, 1, 1)


class Neighbours:
    """Gives blocks of one channel their halos, again and again; 0 where no block is.

    Args:
        blocks: which ones.
    """

    def __init__(self, blocks: ActiveBlocks) -> None:
        count, _, height, width = blocks.shape
        size = (side + -side % BLOCK + 2 * HALO for side in (height, width))
        board = torch.zeros((count, 1, *size), device=blocks.sample.device)
        self._blocks, self._inner = blocks, board[..., HALO:-HALO, HALO:-HALO]
        whole = BLOCK + 2 * HALO
        self._views = board.unfold(2, whole, BLOCK).unfold(3, whole, BLOCK)

    def __call__(self, cores: Tensor) -> Tensor:
        """From n × 1 × 32 × 32 to n × 1 × 36 × 36."""
        blocks = self._blocks
        blocks.put(cores, self._inner)
        return self._views[blocks.sample, :, blocks.row, blocks.column]


def core(blocks: Tensor) -> Tensor:
    """Blocks without their halo."""
    return blocks[..., HALO:-HALO, HALO:-HALO]


def _ends(places: Tensor) -> tuple[int, int]:
    low, high = torch.aminmax(places)
    return int(low), int(high) + 1
