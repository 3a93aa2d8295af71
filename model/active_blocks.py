"""The parts of a batch of pictures where something is to be solved, as small blocks."""

from __future__ import annotations

import torch
import torch.nn.functional as nnf
from torch import Tensor

__all__ = ["BLOCK", "HALO", "ActiveBlocks", "core"]

BLOCK = 32
"""Side of a block, pixels."""

HALO = 2
"""What a block sees of its neighbours on each side: two pixels of a window lie no farther apart."""


class ActiveBlocks:
    """Blocks of a grid over N × C × H × W that hold something active; n of them in all.

    Args:
        active: N × 1 × H × W bool.
    """

    def __init__(self, active: Tensor) -> None:
        self.shape = active.shape
        height, width = active.shape[-2:]
        self._missing = (-height % BLOCK, -width % BLOCK)
        grid = nnf.max_pool2d(active.float(), BLOCK, ceil_mode=True)[:, 0]
        self.sample, self._row, self._column = torch.nonzero(grid, as_tuple=True)

    def gather(self, dense: Tensor) -> Tensor:
        """N × C × H × W → n × C × 36 × 36: the blocks with their halo, borders repeated."""
        below, right = self._missing
        padded = nnf.pad(dense, (HALO, HALO + right, HALO, HALO + below), mode="replicate")
        side = BLOCK + 2 * HALO
        views = padded.unfold(2, side, BLOCK).unfold(3, side, BLOCK)
        return views[self.sample, :, self._row, self._column]

    def scatter(self, cores: Tensor, dense: Tensor) -> Tensor:
        """`dense` (N × C × H × W) with n × C × 32 × 32 written into it."""
        below, right = self._missing
        padded = nnf.pad(dense, (0, right, 0, below)).clone()
        views = padded.unfold(2, BLOCK, BLOCK).unfold(3, BLOCK, BLOCK)
        views[self.sample, :, self._row, self._column] = cores
        return padded[..., : self.shape[-2], : self.shape[-1]]

    def inside(self) -> Tensor:
        """1 within the picture and 0 beyond its edge, n × 1 × 36 × 36."""
        ones = torch.ones(self.shape, device=self.sample.device)
        below, right = self._missing
        padded = nnf.pad(ones, (HALO, HALO + right, HALO, HALO + below))
        side = BLOCK + 2 * HALO
        views = padded.unfold(2, side, BLOCK).unfold(3, side, BLOCK)
        return views[self.sample, :, self._row, self._column]

    def dot(self, one: Tensor, other: Tensor) -> Tensor:
        """Inner products by sample, given back to each block: n × 1 × 1 × 1."""
        parts = (one * other).sum((1, 2, 3))
        sums = parts.new_zeros(self.shape[0]).index_add_(0, self.sample, parts)
        return sums[self.sample].view(-1, 1, 1, 1)


def core(blocks: Tensor) -> Tensor:
    """Blocks without their halo."""
    return blocks[..., HALO:-HALO, HALO:-HALO]
