"""Training trimaps: random erosion and dilation of the optimal one, and some that are wrong."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.training.geometry import distance_to

__all__ = ["coarse_trimap", "optimal_trimap"]


def optimal_trimap(alpha: Tensor) -> Tensor:
    """T_opt of Eq. 2 for alphas that came from 8 bits: N × 1 × H × W int64, 0, 1, 2.

    A pixel is background below one code and foreground above 254: bilinear resampling leaves
    traces there that no file could hold.
    """
    return torch.where(alpha < 1 / 255, 0, torch.where(alpha > 254 / 255, 2, 1))


def coarse_trimap(
    optimal: Tensor, generator: torch.Generator, *, widest: int, wrong: float
) -> Tensor:
    """What an artist or a segmentation would have given for the optimal trimap.

    The known regions are eroded by radii drawn log-uniformly from 1 to `widest` pixels, separately
    for both sides and unevenly along the edge.

    Args:
        optimal: N × 1 × H × W int64, 0, 1, 2.
        generator: on the device of `optimal`.
        widest: pixels.
        wrong: share of the batch whose trimap is also wrong somewhere: a patch with another class,
            the whole shifted, or everything unknown.

    Returns:
        N × 1 × H × W int64, 0, 1, 2.
    """
    count = len(optimal)
    device = optimal.device
    radii = torch.rand(2, count, 1, 1, 1, device=device, generator=generator)
    radii = torch.exp(radii * math.log(widest))
    uneven = _smooth_noise(count, optimal.shape[-1], generator).mul(0.5).add(1)
    to_background = distance_to(optimal != 2, widest + 1) * uneven
    to_foreground = distance_to(optimal != 0, widest + 1) * uneven
    trimap = _eroded(to_background, to_foreground, radii)
    # A patch is a piece of a picture that has a known foreground and background somewhere; where
    # wide radii left none of one of them, narrow ones may.
    whole = _shows(trimap, 0) & _shows(trimap, 2)
    trimap = torch.where(whole, trimap, _eroded(to_background, to_foreground, radii.sqrt().sqrt()))
    return _spoil(trimap, generator, wrong) if wrong > 0 else trimap


def _eroded(to_background: Tensor, to_foreground: Tensor, radii: Tensor) -> Tensor:
    background = torch.where(to_foreground > radii[1], 0, 1)
    return torch.where(to_background > radii[0], 2, background)


def _shows(trimap: Tensor, label: int) -> Tensor:
    return (trimap == label).sum(dim=(1, 2, 3), keepdim=True) > 16


def _spoil(trimap: Tensor, generator: torch.Generator, share: float) -> Tensor:
    """Make that share of the batch wrong, in one of four ways."""
    device = trimap.device
    draws = torch.rand(len(trimap), generator=generator, device=device)
    ways = torch.randint(0, 8, (len(trimap),), generator=generator, device=device)
    patches = _smooth_noise(len(trimap), trimap.shape[-1], generator) > 0.8
    shifts = torch.randint(-8, 9, (len(trimap), 2), generator=generator, device=device)
    out = []
    for one, draw, way, patch, shift in zip(trimap, draws, ways, patches, shifts, strict=True):
        if draw >= share:
            out.append(one)
        elif way == 0:
            out.append(torch.ones_like(one))
        elif way <= 3:
            out.append(torch.roll(one, (int(shift[0]), int(shift[1])), dims=(-2, -1)))
        else:  # a limb missing, or background taken along: always beside something unknown
            out.append(torch.where(patch & _near_unknown(one), 0 if way <= 5 else 2, one))
    return torch.stack(out)


def _near_unknown(trimap: Tensor) -> Tensor:
    unknown = (trimap == 1).float()[None]
    return nnf.max_pool2d(unknown, 17, stride=1, padding=8)[0] > 0


def _smooth_noise(count: int, size: int, generator: torch.Generator) -> Tensor:
    """N × 1 × size × size, −1 to 1, a few waves across."""
    coarse = torch.rand(count, 1, 6, 6, generator=generator, device=generator.device) * 2 - 1
    return nnf.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=True).clamp(
        -1, 1
    )
