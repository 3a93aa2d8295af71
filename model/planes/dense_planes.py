"""The colour planes of `model.planes.colour_planes` on whole pictures, for devices that launch.

On a GPU the blocks that save a CPU its work cost more in launches and in waits of the host than
they save: here nothing depends on a value, so that a batch of any size takes the same few hundred
operator calls, and can be captured as a CUDA graph.
"""

from functools import lru_cache

import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.planes.colour_moments import (
    CHANNELS,
    LENT,
    NOISE,
    RHO,
    adjugate,
    moments,
    outer,
    plus_diagonal,
)
from model.planes.dense_laplacian import dense_lines
from model.planes.matting_laplacian import KNOWN, TRUSTS, mean_of_four, trust_in_colour
from model.planes.pyramid import GAIN, NOTHING

_CLEAR = 0.3  # of α₀: below it a pixel lends to the background, above 1 − 0.3 to the foreground


@torch.no_grad()
def dense_planes(image: Tensor, trimap: Tensor) -> Tensor:
    """The planes, as `colour_planes` has them.

    Args:
        image: N × 3 × H × W float32, display-referred, 0 to 1; even sides.
        trimap: N × 3 × H × W float32, one-hot: background, unknown, foreground.

    Returns:
        N × 10 × H × W float32 within [0, 1].
    """
    background, unknown, foreground = torch.split(trimap, 1, dim=1)
    both_known = trimap[:, ::2].amax((2, 3), keepdim=True).amin(1, keepdim=True)
    seen = moments(image)
    # Both sides in one batch of 2 N: all foregrounds, then all backgrounds.
    sums = _halved(torch.cat((seen * foreground, seen * background)))
    alpha, share = _fisher(image, _doubled(_spread(sums)), both_known)
    trust = share * unknown * LENT
    lent = torch.cat((alpha - (1 - _CLEAR), _CLEAR - alpha)).div_(_CLEAR).clamp_(0, 1)
    own = torch.cat((seen, seen)).mul_(lent.mul_(torch.cat((trust, trust))))
    sides = _mixed_in(_doubled(_spread(sums.add_(_halved(own)))), own)
    alpha, share = _fisher(image, sides, both_known)

    inside = unknown > 0
    guess = torch.where(inside, alpha, foreground)
    # 2 × N × 1 × H × W: both problems in one batch of 2 N.
    weight = torch.where(inside, trust_in_colour(share, _trusts(image.device)), KNOWN)
    coarse = mean_of_four(weight.flatten(0, 1))
    target = mean_of_four((weight * guess).flatten(0, 1)).div_(coarse)
    lines = _doubled(dense_lines(mean_of_four(image), coarse, target))
    lines = lines.view(len(TRUSTS), *image.shape[:1], 4, *image.shape[2:])
    smooth = (lines[:, :, :3] * image).sum(2).add_(lines[:, :, 3]).clamp_(0, 1)
    smooth = torch.where(both_known > 0, smooth.transpose(0, 1), alpha)
    front, back = sides[:, :3].clamp(0, 1).chunk(2)
    found = torch.cat((front, back, alpha, share, smooth), dim=1)
    known = (image, image, foreground, torch.zeros_like(foreground), foreground, foreground)
    return torch.where(inside, found, torch.cat(known, dim=1))


def _fisher(image: Tensor, sides: Tensor, both_known: Tensor) -> tuple[Tensor, Tensor]:
    """α₀ and separability as of `fisher`, from both sides' moments, 2 N × 9 × H × W."""
    means = sides[:, :3]
    covariances = (sides[:, 3:9] - outer(means)).chunk(2)
    crossed, determinant = adjugate(plus_diagonal(covariances[0] + covariances[1], NOISE))
    front, back = means.chunk(2)
    apart = front - back
    w = (crossed * apart[:, :, None]).sum(1).div_(determinant)
    s = (w * apart).sum(1, keepdim=True).clamp_min_(0)
    alpha = (w * (image - back)).sum(1, keepdim=True).div_(s + RHO).clamp_(0, 1)
    return torch.where(both_known > 0, alpha, 0.5), (s / (s + 3)).mul_(both_known)


def _spread(sums: Tensor) -> Tensor:
    """`spread`, N × 10 × H × W → N × 9 × H × W."""
    levels = [sums]
    while min(levels[-1].shape[-2:]) > 2:
        levels.append(_halved(levels[-1]))
    top = levels.pop()
    means = top[:, :-1] / (top[:, -1:] + NOTHING)
    for level in reversed(levels):
        height, width = level.shape[-2:]
        means = _mixed_in(_doubled(means)[..., :height, :width], level)
    return means


def _mixed_in(coarse: Tensor, sums: Tensor) -> Tensor:
    """`mixed_in`, in place of `coarse`."""
    total, weight = torch.split(sums, [CHANNELS - 1, 1], dim=1)
    return coarse.lerp_(total / (weight + NOTHING), (weight * GAIN).clamp_(max=1))


def _halved(x: Tensor) -> Tensor:
    """`halve` as a convolution, N × C × H × W."""
    channels, height, width = x.shape[1:]
    if height % 2 or width % 2:
        x = nnf.pad(x, (0, width % 2, 0, height % 2))
    return nnf.conv2d(x, _binomial(channels, x.device), stride=2, padding=1, groups=channels)


def _doubled(x: Tensor) -> Tensor:
    """`double`, N × C × H × W."""
    return nnf.interpolate(x, scale_factor=2, mode="bilinear")


@lru_cache
def _trusts(device: torch.device) -> Tensor:
    return torch.tensor(TRUSTS, dtype=torch.float32, device=device).view(-1, 1, 1, 1, 1)


@lru_cache
def _binomial(channels: int, device: torch.device) -> Tensor:
    """(1, 3, 3, 1)/8 both ways, channels × 1 × 4 × 4."""
    row = torch.tensor((1, 3, 3, 1), dtype=torch.float32, device=device) / 8
    return torch.outer(row, row).expand(channels, 1, 4, 4).contiguous()
