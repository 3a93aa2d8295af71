"""Input planes of our own: what the known colours around say about an unknown pixel.

Not in the paper. The foreground's and the background's colours are spread into the unknown region
with a pull-push pyramid (mean μ and covariance Σ of each, from ever wider surroundings until
something known is found); Fisher's discriminant between the two then gives an alpha:

    w = (Σ_F + Σ_B + εI)⁻¹ (μ_F − μ_B)        s = wᵀ (μ_F − μ_B)
    α₀ = wᵀ (I − μ_B) / (s + ρ)               separability = s / (s + 3)

Against α₀ from the means alone, the covariances lower the bench's error by a quarter: along the
directions in which the background itself varies, a difference from its mean says nothing. A second
round, in which pixels that came out nearly opaque or nearly clear lend their colour with a tenth
of a known pixel's weight, lowers it by another seventh.

The last planes are α_L and α_C of `model.planes.matting_laplacian`; α_L is where the A-decoder
starts from.

A known pixel has its own colour on both sides, separability 0, and its alpha. So all but the sums
of known colours is done in blocks that hold unknown pixels. Everything is linear in the number of
pixels, and float32 whatever the network's precision.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.planes.active_blocks import BLOCK, ActiveBlocks
from model.planes.colour_moments import CHANNELS, LENT, fisher, moments, pull
from model.planes.dense_planes import dense_planes
from model.planes.matting_laplacian import (
    KNOWN,
    TRUSTS,
    laplacian_lines,
    mean_of_four,
    trust_in_colour,
)
from model.planes.pyramid import double, halve, mixed_in, spread
from plugin.types import FloatArray

PLANES = 10
"""μ_F and μ_B (three each), α₀, separability, α_L and α_C."""

VERSION = 3
"""Of what they are, for digests: whoever changes their values raises it."""

_AT_ONCE: Final = 64  # blocks: what a core's cache holds

_BACKGROUND, _UNKNOWN, _FOREGROUND = 0, 1, 2


@torch.no_grad()
def colour_planes(image: Tensor, trimap: Tensor) -> Tensor:
    """The planes: μ_F, μ_B, α₀, separability, α_L and α_C.

    Args:
        image: N × 3 × H × W float, display-referred, 0 to 1.
        trimap: N × 3 × H × W float, one-hot: background, unknown, foreground.

    Returns:
        N × 10 × H × W float32 within [0, 1].
    """
    with torch.autocast(image.device.type, enabled=False):
        height, width = image.shape[-2:]
        beyond = (0, -width % BLOCK, 0, -height % BLOCK)
        image, trimap = (nnf.pad(x.float(), beyond, mode="replicate") for x in (image, trimap))
        if image.device.type != "cpu":
            return dense_planes(image, trimap)[..., :height, :width]
        out = known_planes(image, trimap[:, 2:])
        blocks, values = planes_in_blocks(image, trimap.argmax(dim=1, keepdim=True))
        blocks.put(values, out)
        return out[..., :height, :width]


def known_planes(image: Tensor, alpha: Tensor) -> Tensor:
    """The planes of known pixels, N × 10 × H × W, from their colour and alpha (N × 1 × H × W)."""
    return torch.cat((image, image, alpha, torch.zeros_like(alpha), alpha, alpha), dim=1)


@torch.no_grad()
def planes_in_blocks(image: Tensor, classes: Tensor) -> tuple[ActiveBlocks, Tensor]:
    """The planes of the blocks that hold something unknown.

    Args:
        image: N × 3 × H × W float32, display-referred, 0 to 1; sides are multiples of `BLOCK`.
        classes: N × 1 × H × W, integers: 0 background, 1 unknown, 2 foreground.

    Returns:
        n blocks, and n × 10 × 32 × 32 float32 within [0, 1].
    """
    blocks = ActiveBlocks.of(classes == _UNKNOWN)
    values = image.new_empty(len(blocks), PLANES, BLOCK, BLOCK)
    if len(blocks):
        picture = _Picture(image, classes)
        sums = [picture.known_sums(side) for side in (_FOREGROUND, _BACKGROUND)]
        lent = picture.lent(blocks, [_Means(side) for side in sums])
        for side, weight in zip(sums, lent, strict=True):
            pull(image, weight, side)
        lines = picture.guess(blocks, [_Means(side) for side in sums], lent, values)
        del sums
        picture.smooth(blocks, lines, values)
    return blocks, values


class _Picture:
    """A batch on its way to its planes. Sums and means of colour are at half its size."""

    def __init__(self, image: Tensor, classes: Tensor) -> None:
        self.image, self.classes = image, classes
        sides = ((classes == side).flatten(1).any(1) for side in (_FOREGROUND, _BACKGROUND))
        # A side of which nothing is known in the whole picture has no colour: say "no idea".
        self.both_known = torch.logical_and(*sides).view(-1, 1, 1, 1)

    def known_sums(self, side: int) -> Tensor:
        """Weighted moments of the pixels that are known to be on a side, N × 10 × H/2 × W/2."""
        count, _, height, width = self.image.shape
        sums = self.image.new_zeros(count, CHANNELS, height // 2, width // 2)
        pull(self.image, self.classes == side, sums)
        return sums

    def lent(self, blocks: ActiveBlocks, means: list[_Means]) -> list[Tensor]:
        """With what weight unknown pixels lend their colour to foreground and background."""
        weights = [torch.zeros_like(self.image[:, :1]) for _ in range(2)]
        for _, part in blocks.parts(_AT_ONCE):
            colour = part.gather(self.image, halo=0)
            alpha, share = self._fisher(part, colour, *(mean.of(part) for mean in means))
            share = torch.where(part.gather(self.classes, halo=0) == _UNKNOWN, LENT * share, 0)
            part.put(share * ((alpha - 0.7) / 0.3).clamp_(0, 1), weights[0])
            part.put(share * ((0.3 - alpha) / 0.3).clamp_(0, 1), weights[1])
        return weights

    def guess(
        self, blocks: ActiveBlocks, means: list[_Means], lent: list[Tensor], out: Tensor
    ) -> list[Tensor]:
        """All planes but the last two; and the lines they are read from, N × 4 × H/2 × W/2."""
        foreground = (self.classes == _FOREGROUND).float()
        targets = [mean_of_four(foreground) for _ in TRUSTS]
        weights = [torch.full_like(target, KNOWN) for target in targets]
        for chosen, part in blocks.parts(_AT_ONCE):
            colour = part.gather(self.image, halo=0)
            own = moments(colour)
            sides = [
                mixed_in(mean.of(part), own * part.gather(share, halo=0))
                for mean, share in zip(means, lent, strict=True)
            ]
            alpha, share = self._fisher(part, colour, *sides)
            unknown = part.gather(self.classes, halo=0) == _UNKNOWN
            out[chosen, :8] = torch.cat(
                (sides[0][:, :3].clamp(0, 1), sides[1][:, :3].clamp(0, 1), alpha, share), dim=1
            )
            alpha = torch.where(unknown, alpha, part.gather(foreground, halo=0))
            for trust, weight, target in zip(TRUSTS, weights, targets, strict=True):
                count = torch.where(unknown, trust_in_colour(share, trust), KNOWN)
                coarse = mean_of_four(count)
                part.put(coarse, weight)
                part.put(mean_of_four(count * alpha) / coarse, target)
        half = mean_of_four(self.image)
        pairs = zip(weights, targets, strict=True)
        return [laplacian_lines(half, weight, target) for weight, target in pairs]

    def smooth(self, blocks: ActiveBlocks, lines: list[Tensor], out: Tensor) -> None:
        """The last two planes; and what known pixels have."""
        for chosen, part in blocks.parts(_AT_ONCE):
            colour, found = part.gather(self.image, halo=0), out[chosen]
            for plane, each in enumerate(lines, start=8):
                line = double(part.gather(each, halo=1, scale=2), framed=True)
                alpha = (line[:, :3] * colour).sum(1).add_(line[:, 3]).clamp_(0, 1)
                both_known = self.both_known[part.sample][:, 0]
                found[:, plane] = torch.where(both_known, alpha, found[:, 6])
            classes = part.gather(self.classes, halo=0)
            known = known_planes(colour, (classes == _FOREGROUND).float())
            out[chosen] = torch.where(classes == _UNKNOWN, found, known)

    def _fisher(
        self, part: ActiveBlocks, colour: Tensor, f: Tensor, b: Tensor
    ) -> tuple[Tensor, Tensor]:
        alpha, share = fisher(colour, f, b)
        known = self.both_known[part.sample]
        return torch.where(known, alpha, 0.5), torch.where(known, share, 0)


class _Means:
    """Means of the nearest known values, read by block: `spread` of sums at half size, doubled.

    Only the levels from a quarter of the size on are there as a whole.
    """

    def __init__(self, sums: Tensor) -> None:
        self._sums, self._coarse = sums, spread(halve(sums))

    def of(self, part: ActiveBlocks) -> Tensor:
        """Blocks, n × 9 × 32 × 32."""
        coarse = double(part.gather(self._coarse, halo=2, scale=4), framed=True)[..., 1:-1, 1:-1]
        return double(mixed_in(coarse, part.gather(self._sums, halo=1, scale=2)), framed=True)


def spread_colour(rgb: FloatArray, weight: FloatArray) -> FloatArray:
    """Colours where `weight` is 1, spread smoothly to where it is 0.

    Args:
        rgb: `H × W × 3` float32.
        weight: `H × W` float32, 0 to 1.

    Returns:
        `H × W × 3` float32: `rgb` where the weight is 1, its surroundings' mean where it is 0.
    """
    weighted = np.concatenate((rgb * weight[..., None], weight[..., None]), axis=2)
    means = spread(torch.from_numpy(np.ascontiguousarray(weighted.transpose(2, 0, 1)))[None])
    out: FloatArray = weight[..., None] * rgb
    out += (1 - weight[..., None]) * means[0].permute(1, 2, 0).numpy()
    return out
