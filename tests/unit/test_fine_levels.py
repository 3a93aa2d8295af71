"""The decoders' finest levels in tiles are those of the whole rectangle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.adamatting import AdaMatting
from model.fine_levels import TILE, can_be_cut, decode_tiles
from model.fuse import fuse
from model.regions import Rectangle, squares
from tests.networks import TINY

_HEIGHT, _WIDTH = 96, 160


def network(**changes: Any) -> AdaMatting:
    torch.manual_seed(3)
    made = AdaMatting(replace(TINY, **{"kernel": 7, **changes}))
    for module in made.modules():  # a bias that zeros beyond the edge would show
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.bias, 0.1, 0.5)
    return made.eval()


def seen(made: AdaMatting) -> tuple[Tensor, Tensor, Tensor | None]:
    generator = torch.Generator().manual_seed(0)
    image, trimap, planes = (
        torch.rand(1, count, _HEIGHT, _WIDTH, generator=generator) for count in (3, 3, 9)
    )
    return image, trimap, planes if made.config.colour_planes else None


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(
    "changes",
    [{}, {"global_convolutions": False}, {"trimap_decoder": False}, {"colour_planes": False}],
    ids=lambda changes: ",".join(changes) or "full",
)
def test_tiles_hold_what_the_whole_holds(changes: dict[str, Any], fused: bool) -> None:
    made = network(**changes)
    if fused:
        fuse(made)
    given = seen(made)
    starts = [(0, 0), (16, 48), (_HEIGHT - TILE, _WIDTH - TILE), (-8, 20), (4, 8), (60, 132)]
    tiles = [Rectangle(top, left, top + TILE, left + TILE) for top, left in starts]
    with torch.inference_mode():
        whole = torch.cat(made.decode(*given), dim=1)[0]
        found = list(decode_tiles(made, given, tiles, batch=4))
    assert [tile for tile, _ in found] == tiles
    for tile, values in found:
        inside = tile.within(Rectangle(0, 0, _HEIGHT, _WIDTH))
        expected = whole[(..., *inside.slices)]
        own = values[(..., *inside.moved(-tile.top, -tile.left).slices)]
        torch.testing.assert_close(own, expected, rtol=1e-5, atol=1e-5)


def test_networks_whose_decoders_cannot_be_cut_are_known() -> None:
    assert can_be_cut(network())
    assert not can_be_cut(network(shared_encoder=False))
    assert not can_be_cut(network(subpixel=False))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 999), st.sampled_from((0.0, 0.0005, 0.01, 0.5)), st.sampled_from((1, 4)))
def test_squares_hold_every_pixel_and_none_is_empty(seed: int, share: float, cell: int) -> None:
    where = np.random.default_rng(seed).random((83, 131)) < share
    left = where.copy()
    for box in squares(where, side=24, cell=cell):
        assert box.bottom - box.top == box.right - box.left == 24
        assert box.top % cell == box.left % cell == 0
        assert left[box.slices].any()  # each holds something that those before it do not
        left[box.slices] = False
    assert not left.any()
