"""Batches out of the banks: cropped, warped, composed and degraded on the device.

I = αF + (1 − α)B                                                        (Eq. 1)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from model.training.banks import Banks
from model.training.degrade import degrade, jitter_colour
from model.training.geometry import blur, crop
from model.training.recipe import Synthesis
from model.training.trimaps import coarse_trimap, optimal_trimap

__all__ = ["Batch", "compose"]


@dataclass(frozen=True, slots=True)
class Batch:
    """A training batch.

    Attributes:
        image: N × 3 × H × W float32, 0 to 1.
        trimap: N × 3 × H × W float32, one-hot: the coarse trimap that goes in.
        alpha: N × 1 × H × W float32, α_gt.
        optimal: N × 1 × H × W int64, T_opt.
    """

    image: Tensor
    trimap: Tensor
    alpha: Tensor
    optimal: Tensor


def compose(banks: Banks, count: int, how: Synthesis, generator: torch.Generator) -> Batch:
    """Draw `count` samples; everything random comes from `generator`, on the banks' device."""
    draw = _Draw(count, generator)
    foreground, alpha = _foreground(banks, draw, how)
    background = blur(_photo_crop(banks, draw, how.crop), draw.sometimes(0.5, 0.5, 5.0))
    foreground = jitter_colour(foreground, generator)
    background = jitter_colour(background, generator)
    image = degrade(alpha * foreground + (1 - alpha) * background, generator)
    optimal = optimal_trimap(alpha)
    trimap = coarse_trimap(optimal, generator, widest=how.widest, wrong=how.wrong)
    one_hot = torch.cat([(trimap == k).to(image.dtype) for k in range(3)], dim=1)
    return Batch(image=image, trimap=one_hot, alpha=alpha, optimal=optimal)


class _Draw:
    """Random numbers for one batch."""

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self.count, self.generator = count, generator

    def uniform(self, low: float, high: float) -> Tensor:
        u = torch.rand(self.count, generator=self.generator, device=self.generator.device)
        return low + u * (high - low)

    def integers(self, below: int) -> Tensor:
        device = self.generator.device
        return torch.randint(0, below, (self.count,), generator=self.generator, device=device)

    def sometimes(self, share: float, low: float, high: float) -> Tensor:
        """Log-uniform between low and high in that share of the samples, 0 in the others."""
        value = torch.exp(self.uniform(math.log(low), math.log(high)))
        return torch.where(self.uniform(0, 1) < share, value, 0)

    def sign(self) -> Tensor:
        return self.integers(2) * 2 - 1


def _foreground(banks: Banks, draw: _Draw, how: Synthesis) -> tuple[Tensor, Tensor]:
    """F (N × 3) and α (N × 1) of each sample: a cut-out, or a procedural matte with a texture."""
    cut = draw.uniform(0, 1) < how.cutouts
    which_cut, which_matte = draw.integers(len(banks.cutouts)), draw.integers(len(banks.mattes))
    point = draw.integers(banks.matte_points.shape[1])
    rgba = torch.cat((banks.colours[which_matte], banks.mattes[which_matte]), dim=1)
    rgba = torch.where(cut[:, None, None, None], banks.cutouts[which_cut], rgba)
    centre = torch.where(
        cut[:, None], banks.cutout_points[which_cut, point], banks.matte_points[which_matte, point]
    )
    jitter = torch.stack((draw.uniform(-0.35, 0.35), draw.uniform(-0.35, 0.35)), dim=1) * how.crop
    zoom = torch.exp(draw.uniform(math.log(how.zoom[0]), math.log(how.zoom[1])))
    angle = draw.uniform(-math.pi / 4, math.pi / 4)
    rgba = crop(
        rgba.float() / 255,
        centre + jitter * zoom[:, None],
        zoom,
        angle,
        draw.sign(),
        size=how.crop,
        sharp=True,
    )
    colour, alpha = rgba[:, :3], rgba[:, 3:]
    # From nearer than the backgrounds, mostly: what real mattes are made of varies slowly.
    texture = _photo_crop(banks, draw, how.crop, nearest=0.1, farthest=2.0)
    texture = blur(texture, draw.sometimes(0.6, 0.7, 6.0))
    plain = ~cut & (~banks.coloured[which_matte] | (draw.uniform(0, 1) < how.retextured))
    colour = torch.where(plain[:, None, None, None], texture, colour)
    soften = torch.where(cut, draw.sometimes(0.4, 0.5, 3.0), draw.sometimes(0.1, 0.4, 1.5))
    return colour, _clean(blur(alpha, soften))


def _clean(alpha: Tensor) -> Tensor:
    """Exact 0 and 1 where a blur's tail is below what eight bits could hold."""
    return torch.where(alpha < 0.5 / 255, 0, torch.where(alpha > 254.5 / 255, 1, alpha))


def _photo_crop(
    banks: Banks, draw: _Draw, size: int, nearest: float = 0.6, farthest: float = math.inf
) -> Tensor:
    """A piece of any photograph, N × 3 × size × size; its zoom as of `Synthesis.zoom`."""
    photos = banks.photos[draw.integers(len(banks.photos))]
    edge = photos.shape[-1]
    farthest = min(farthest, max(1.0, edge / size))
    zoom = torch.exp(draw.uniform(math.log(nearest), math.log(farthest)))
    room = (edge - size * zoom).clamp_min(0) / 2
    centre = (
        edge / 2 + torch.stack((draw.uniform(-1, 1), draw.uniform(-1, 1)), dim=1) * room[:, None]
    )
    angle = draw.uniform(-0.3, 0.3)
    return crop(photos.float() / 255, centre, zoom, angle, draw.sign(), size=size, sharp=False)
