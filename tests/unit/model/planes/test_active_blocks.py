"""Blocks see what the whole has, and write where they came from."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as nnf
from hypothesis import given, settings
from hypothesis import strategies as st

from model.planes.active_blocks import BLOCK, HALO, ActiveBlocks, Neighbours, core
from model.planes.pyramid import double, halve

sides = st.integers(1, 150)


def spots(height: int, width: int, seed: int) -> torch.Tensor:
    """Few active pixels in a batch of two."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(2, 1, height, width, generator=generator) < 3 / (height * width)


@settings(max_examples=40)
@given(sides, sides, st.integers(0, 999))
def test_every_active_pixel_is_in_a_block_and_no_block_is_idle(h: int, w: int, seed: int) -> None:
    active = spots(h, w, seed)
    blocks = ActiveBlocks.of(active)
    inside = blocks.gather(active.float(), halo=0) if len(blocks) else torch.zeros(0, 1, 1, 1)
    counted = (inside.bool() & core(blocks.inside()).bool()).sum((1, 2, 3)) if len(blocks) else 0
    assert torch.as_tensor(counted).sum() == active.sum()
    assert torch.as_tensor(counted).gt(0).all() or not len(blocks)


@settings(max_examples=40)
@given(sides, sides, st.integers(0, 3), st.sampled_from([1, 2]), st.integers(0, 999))
def test_a_block_is_a_window_of_the_whole(h: int, w: int, halo: int, scale: int, seed: int) -> None:
    active = spots(h, w, seed)
    dense = torch.rand(2, 3, -(-h // scale), -(-w // scale))
    blocks = ActiveBlocks.of(active)
    if not len(blocks):
        return
    side = BLOCK // scale
    bottom, right = (
        -(-s // BLOCK) * side - d for s, d in zip((h, w), dense.shape[2:], strict=True)
    )
    padded = nnf.pad(dense, (halo, halo + right, halo, halo + bottom), mode="replicate")
    for chosen, part in blocks.parts(2):
        found = part.gather(dense, halo=halo, scale=scale)
        for index, block in zip(range(*chosen.indices(len(blocks))), found, strict=True):
            top, left = int(blocks.row[index]) * side, int(blocks.column[index]) * side
            whole = padded[int(blocks.sample[index]), :, top:, left:]
            assert torch.equal(block, whole[:, : side + 2 * halo, : side + 2 * halo])


def test_neighbours_give_halos_and_nothing_beyond() -> None:
    active = torch.zeros(1, 1, 70, 100)
    active[..., 40:50, 20:70] = 1
    blocks = ActiveBlocks.of(active)
    dense = torch.rand(1, 1, 96, 128)
    kept = torch.zeros_like(dense)
    blocks.put(blocks.gather(dense, halo=0), kept)
    padded = nnf.pad(kept, (HALO, HALO, HALO, HALO))
    with_halos = Neighbours(blocks)
    for factor in (1, 2):  # a board is written anew each time
        found = with_halos(factor * blocks.gather(dense, halo=0))
        for index, block in enumerate(found):
            top, left = int(blocks.row[index]) * BLOCK, int(blocks.column[index]) * BLOCK
            side = BLOCK + 2 * HALO
            assert torch.equal(block, factor * padded[0, :, top : top + side, left : left + side])


def test_blocks_of_a_picture_found_again_from_a_piece_of_a_larger_one() -> None:
    active = torch.zeros(1, 1, 64, 96)
    active[..., 5, 5] = active[..., 40, 90] = 1
    moved = ActiveBlocks.of(active).moved(3, 1)
    chosen, inside = moved.within(4, 2, 6, 5)
    assert chosen.tolist() == [False, True]
    assert (inside.row.tolist(), inside.column.tolist()) == ([0], [1])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 8), (6, 7), (33, 12)])
def test_the_pyramid_s_steps_are_convolutions(height: int, width: int) -> None:
    x = torch.rand(2, 3, height, width)
    one = torch.tensor([1.0, 3, 3, 1]) / 8
    kernel = (one[:, None] * one).expand(3, 1, 4, 4)
    padded = nnf.pad(x, (1, 1 + width % 2, 1, 1 + height % 2))
    expected = nnf.conv2d(padded, kernel, stride=2, groups=3)
    assert torch.allclose(halve(x), expected, atol=1e-6)
    twice = nnf.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.allclose(double(x), twice, atol=1e-6)
    if not (height % 2 or width % 2):
        assert torch.allclose(halve(nnf.pad(x, (1, 1, 1, 1)), framed=True), expected, atol=1e-6)
