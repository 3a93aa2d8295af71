"""Batches out of the banks: cropped, warped, composed and degraded on the device.

I = αF + (1 − α)B                                                        (Eq. 1)

Every shape is known before a batch is drawn, nothing is read back from the device and nothing is
copied to it, so that the whole can be recorded as a CUDA graph (tables that stay on the device are
made by the first batch). Work that only a share of the samples needs is done on that many of them:
shares are of the batch, rounded to whole samples.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from model.training.alike import made_alike
from model.training.banks import Banks
from model.training.degrade import degrade, jitter_colour
from model.training.draw import Draw
from model.training.layers import layers
from model.training.recipe import Synthesis
from model.training.shapes import hard_shapes
from model.training.trimaps import coarse_trimap, optimal_trimap

_GAMMA = 2.2
_DEEPEST = 0.25  # share of a patch's side that is cut away at most, each side


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
    draw = Draw(count, generator)
    # In full precision, whatever the network's is.
    with torch.no_grad(), torch.autocast(generator.device.type, enabled=False):
        double, sewn, alike, linear, narrow = draw.some(
            how.doubled, how.materials, how.alike, how.linear, how.context
        )
        shapes = hard_shapes(draw, how.crop)
        foreground, alpha, background = layers(banks, draw, how, shapes)
        parts = shapes.roll(1, 0).flip(-2)  # another sample's: not the same as its alpha
        foreground = _of_two_materials(foreground, background, parts, sewn)
        foreground, alpha = _with_another(foreground, alpha, double)
        both = torch.cat((foreground, background))
        both = jitter_colour(both, Draw(2 * count, generator), hue=how.hue)
        foreground, background = made_alike(
            (both[:count], both[count:]), alpha, parts, chosen=alike, generator=generator
        )
        image = degrade(_mixed(foreground, background, alpha, linear), draw)
        trimap = coarse_trimap(
            optimal_trimap(alpha),
            draw,
            widest=how.widest,
            wrong=how.wrong,
            staircase=how.staircase,
            lost=how.lost,
        )
        image, alpha, trimap = _cut_away(image, alpha, trimap, generator, narrow)
        one_hot = (trimap == torch.arange(3, device=draw.device).view(3, 1, 1)).to(image.dtype)
        return Batch(image=image, trimap=one_hot, alpha=alpha, optimal=optimal_trimap(alpha))


def _of_two_materials(colour: Tensor, photos: Tensor, parts: Tensor, chosen: Tensor) -> Tensor:
    """In the chosen, another sample's photograph within a part: borders that are none of alpha."""
    other = photos[(chosen + 1) % len(colour)].flip(-1)
    return colour.index_copy(0, chosen, torch.lerp(colour[chosen], other, parts[chosen]))


def _with_another(colour: Tensor, alpha: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
    """In the chosen, before another sample's foreground: α = 1 − (1 − α₁)(1 − α₂)."""
    behind = (chosen + 1) % len(colour)
    one, two = alpha[chosen], alpha[behind].flip(-1)
    through = (1 - one) * two
    both = one + through
    seen = through / both.clamp_min(1e-4)
    mixed = torch.lerp(colour[chosen], colour[behind].flip(-1), seen)
    return colour.index_copy(0, chosen, mixed), alpha.index_copy(0, chosen, both)


def _mixed(foreground: Tensor, background: Tensor, alpha: Tensor, chosen: Tensor) -> Tensor:
    """αF + (1 − α)B; in the chosen of light instead of codes."""
    image = torch.lerp(background, foreground, alpha)
    fore, back = foreground[chosen] ** _GAMMA, background[chosen] ** _GAMMA
    light = torch.lerp(back, fore, alpha[chosen]).clamp_(0, 1)
    return image.index_copy(0, chosen, light ** (1 / _GAMMA))


def _cut_away(
    image: Tensor, alpha: Tensor, trimap: Tensor, generator: torch.Generator, chosen: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """In the chosen, everything outside a rectangle repeats its border, as beyond a frame's."""
    few, size = len(chosen), image.shape[-1]
    depths = torch.cat(Draw(few, generator).between(*[(0, 1)] * 4, each=(1, 1)), dim=1)
    first, last = (depths.square() * (_DEEPEST * size)).long().chunk(2, dim=1)
    axis = torch.arange(size, device=image.device)
    at = torch.minimum(torch.maximum(axis, first), size - 1 - last)
    every = torch.cat((image, alpha, trimap.to(image.dtype)), dim=1)[chosen]
    every = every.gather(2, at[:, 0].view(few, 1, size, 1).expand_as(every))
    every = every.gather(3, at[:, 1].view(few, 1, 1, size).expand_as(every))
    image = image.index_copy(0, chosen, every[:, :3])
    alpha = alpha.index_copy(0, chosen, every[:, 3:4])
    return image, alpha, trimap.index_copy(0, chosen, every[:, 4:].long())
