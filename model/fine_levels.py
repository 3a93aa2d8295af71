"""The decoders' two finest levels, only where their result is asked for.

More than a third of the network's work is at factors 2 and 1 of the decoders, and there a pixel
sees 12 others around it, not hundreds. So encoder and deep levels run on a rectangle with a wide
margin, these on square tiles of it, all of one size, in batches: a shape that the convolutions have
not seen before costs as much as thousands of pixels. The values are those of the whole rectangle:
a tile takes along what its convolutions read, and what lies beyond the rectangle is zero at every
level, as it is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.adamatting import AdaMatting, Decoder, as_logits
from model.blocks import GlobalConvolution, Upsample
from model.regions import Rectangle

__all__ = ["TILE", "can_be_cut", "decode_tiles"]

TILE = 64
"""Side of a tile, pixels. With 32 and with 128 a tenth more work: margins, empty corners."""


_SEEN = 12  # pixels around a tile
_LAST = torch.channels_last


def can_be_cut(network: AdaMatting) -> bool:
    """Whether `decode_tiles` knows the network: one encoder, sub-pixel upsampling."""
    return network.config.shared_encoder and network.config.subpixel


def decode_tiles(
    network: AdaMatting,
    seen: tuple[Tensor, Tensor, Tensor | None],
    tiles: Sequence[Rectangle],
    batch: int,
) -> Iterator[tuple[Rectangle, Tensor]]:
    """`AdaMatting.decode` in tiles: each, with its T̃ and behind it its α̃, `4 × TILE × TILE`.

    Args:
        network: one that `can_be_cut`.
        seen: image, trimap and planes, as for `decode`; N is 1.
        tiles: `TILE` to a side, from multiples of 4; they may overlap, and reach beyond the H × W.
        batch: how many at once.
    """
    image, trimap, planes = seen
    inputs = network.inputs(image, trimap, planes).contiguous(memory_format=_LAST)
    features = network.encoder(inputs)
    t_deep = network.t_decoder.deep(features) if network.config.trimap_decoder else trimap
    a_deep = network.a_decoder.deep(features)
    shallow = {factor: features[factor] for factor in (1, 2)}
    del features
    for some in _batches(tiles, batch):
        cut = _Tiles(some, *image.shape[-2:])
        if network.config.trimap_decoder:
            logits = _fine(network.t_decoder, t_deep, shallow, cut)
        else:
            logits = as_logits(cut.of(trimap, 1, 0))
        alpha = _fine(network.a_decoder, a_deep, shallow, cut).float()
        if planes is not None:
            alpha = alpha + cut.of(planes[:, 8:9], 1, 0)
        yield from zip(some, torch.cat((logits.float(), alpha), dim=1), strict=True)


def _batches(tiles: Sequence[Rectangle], most: int) -> Iterator[Sequence[Rectangle]]:
    """Of `most` tiles, then of powers of two: few shapes."""
    start = 0
    while start < len(tiles):
        left = len(tiles) - start
        count = most if left >= most else 1 << (left.bit_length() - 1)
        yield tiles[start : start + count]
        start += count


@dataclass(frozen=True, slots=True)
class _Tiles:
    """Where some tiles lie in what is `height` × `width`."""

    where: Sequence[Rectangle]
    height: int
    width: int

    @property
    def at_edge(self) -> Iterator[tuple[int, Rectangle]]:
        """Those that see something beyond it, by their numbers."""
        inner = Rectangle(_SEEN, _SEEN, self.height - _SEEN, self.width - _SEEN)
        return ((n, tile) for n, tile in enumerate(self.where) if tile.within(inner) != tile)

    def of(self, x: Tensor, factor: int, more: int) -> Tensor:
        """The tiles of a level, with `more` of its pixels around; zeros beyond the level.

        Args:
            x: 1 × C × height/factor × width/factor.
            factor: of the level.
            more: pixels of the level.
        """
        side = TILE // factor + 2 * more
        shape = (len(self.where), x.shape[1], side, side)
        out = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=_LAST)
        for tile, where in zip(out, self.where, strict=True):
            top, left = where.top // factor - more, where.left // factor - more
            rows = slice(max(top, 0), min(top + side, x.shape[-2]))
            columns = slice(max(left, 0), min(left + side, x.shape[-1]))
            tile[
                :, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
            ] = x[0, :, rows, columns]
        return self.blank(out, factor, more)

    def blank(self, x: Tensor, factor: int, rows: int, columns: int | None = None) -> Tensor:
        """Zeros, in place, in what of the tiles lies beyond the level.

        Args:
            x: tiles × C × h × w, of a level.
            factor: of the level.
            rows: by how many pixels of the level they reach beyond `TILE`, above and below.
            columns: and left and right, where that differs.
        """
        columns = rows if columns is None else columns
        for index, where in self.at_edge:
            tile = x[index]
            top, left = where.top // factor - rows, where.left // factor - columns
            if top < 0:
                tile[:, :-top] = 0
            if left < 0:
                tile[:, :, :-left] = 0
            tile[:, max(0, self.height // factor - top) :] = 0
            tile[:, :, max(0, self.width // factor - left) :] = 0
        return x


def _fine(decoder: Decoder, deep: Tensor, features: dict[int, Tensor], tiles: _Tiles) -> Tensor:
    """A decoder's result, from its level at 1/4 and the encoder's features at 1/2 and 1.

    How far beyond a tile each step reads, in pixels of its own level, from the end: the head 1,
    the merge before it 2, which is 1 at 1/2; there the upsampling reads 2 and the merge 3, which
    is 2 at 1/4, where the upsampling reads 3.
    """
    x = _upsampled(decoder.ups[3], tiles.of(deep, 4, 3))[..., 1:-1, 1:-1]
    if "2" in decoder.shortcuts:
        x = _shortcut(decoder.shortcuts["2"], features[2], 2, 3, tiles).add_(x)
    x = _convolved(decoder.merges[3], tiles.blank(x, 2, 3))
    x = _upsampled(decoder.ups[4], tiles.blank(x, 2, 2))
    if "1" in decoder.shortcuts:
        x = x.add_(_shortcut(decoder.shortcuts["1"], features[1], 1, 2, tiles))
    x = _convolved(decoder.merges[4], tiles.blank(x, 1, 2))
    return _convolved(decoder.head, tiles.blank(x, 1, 1))


def _upsampled(up: nn.Module, x: Tensor) -> Tensor:
    if not isinstance(up, Upsample):
        raise TypeError(type(up))
    return functional.pixel_shuffle(_convolved(up.body[0], x), 2)


def _shortcut(block: nn.Module, x: Tensor, factor: int, more: int, tiles: _Tiles) -> Tensor:
    """A shortcut's result, `more` pixels beyond the tiles, from a whole level of the encoder."""
    if not isinstance(block, GlobalConvolution):
        return _convolved(block, tiles.of(x, factor, more + _reach(block)))
    reach = _reach(block.left)
    wide = more + reach
    x = tiles.blank(block.reduce(tiles.of(x, factor, wide)), factor, wide)
    left = tiles.blank(_convolved(block.left[0], x), factor, more, wide)
    right = tiles.blank(_convolved(block.right[0], x), factor, wide, more)
    out = _convolved(block.left[1], left).add_(_convolved(block.right[1], right))
    return out.add_(x[..., reach:-reach, reach:-reach] if reach else x)


def _convolution(block: nn.Module) -> tuple[nn.Conv2d, Sequence[nn.Module]]:
    """A convolution and what follows it in its sequence."""
    first, *rest = block if isinstance(block, nn.Sequential) else (block,)
    if not isinstance(first, nn.Conv2d):
        raise TypeError(type(first))
    return first, rest


def _convolved(block: nn.Module, x: Tensor) -> Tensor:
    """What a convolution, and what follows it in its sequence, make of `x`; nothing is padded."""
    convolution, rest = _convolution(block)
    x = functional.conv2d(x, convolution.weight, convolution.bias)
    for step in rest:
        x = step(x)
    return x


def _reach(block: nn.Module) -> int:
    """Pixels that a block's first convolution sees around, in its longer direction."""
    return max(_convolution(block)[0].kernel_size) // 2
