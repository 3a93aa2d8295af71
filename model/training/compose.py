"""Batches out of the banks: cropped, warped, composed and degraded on the device.

I = αF + (1 − α)B                                                        (Eq. 1)

Every shape is known before a batch is drawn, nothing is read back from the device and nothing is
copied to it, so that the whole can be recorded as a CUDA graph (tables that stay on the device are
made by the first batch). Work that only a share of the samples needs is done on that many of them:
shares are of the batch, rounded to whole samples.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.training.banks import Banks
from model.training.degrade import degrade, jitter_colour
from model.training.draw import Draw
from model.training.geometry import blur
from model.training.layers import layers
from model.training.recipe import Synthesis
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


_SIDES = 5


def hard_shapes(draw: Draw, size: int) -> Tensor:
    """A shape for each sample: half of them blobs, half polygons with bent sides.

    Both are signed distances in pixels, cut off at half the width of the edge, which is what a
    sensor makes of an edge in focus.

    Returns:
        N × 1 × size × size, 0 to 1.
    """
    fine, level, bend, width = draw.between(
        (0, 0.3), (-0.3, 0.3), (0, 0.08 * size), (0, math.log(2.5)), each=(1, 1, 1)
    )
    slow = draw.noise(size, 4)
    field = torch.addcmul(slow + level, draw.noise(size, 10), fine)
    blob = field / _slope(field).clamp_min(0.4 / size)
    corners = torch.addcmul(_polygon(draw, size), slow, bend)
    distance = torch.where(draw.chance(0.5, each=(1, 1, 1))[0], blob, corners)
    return (distance / width.exp() + 0.5).clamp_(0, 1)


def _slope(field: Tensor) -> Tensor:
    """Length of the gradient, a pixel."""
    padded = nnf.pad(field, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    return torch.hypot(across, down) / 2


def _polygon(draw: Draw, size: int) -> Tensor:
    """Signed distance, pixels, to a convex polygon about a point near the middle.

    Long and thin ones are among them, like limbs and poles.
    """
    axis = torch.arange(size, device=draw.device, dtype=torch.float32) - (size - 1) / 2
    start, x, y = draw.between((0, 2 * math.pi), *[(-0.3 * size, 0.3 * size)] * 2, each=(1, 1, 1))
    corner = 2 * math.pi / _SIDES
    turns = draw.between(
        *[((i - 0.3) * corner, (i + 0.3) * corner) for i in range(_SIDES)], each=(1, 1)
    )
    reach = draw.between(*[(math.log(0.07 * size), math.log(0.7 * size))] * _SIDES, each=(1, 1))
    turn = torch.stack(turns, dim=1) + start
    # Sums of products, not a matrix product: that may be cut to ten bits on a GPU.
    inside = torch.addcmul(torch.stack(reach, dim=1).exp(), turn.cos(), x - axis)
    inside = torch.addcmul(inside, turn.sin(), y - axis.view(-1, 1))
    return inside.amin(dim=1, keepdim=True)


_CELL = 8  # pixels of a patch: local colours are taken at this scale
_NEAR = 2.0  # cells: within which they are local
_LENT = 0.02  # weight of the whole patch's mean where nothing is near


def made_alike(
    layers: tuple[Tensor, Tensor],
    alpha: Tensor,
    part: Tensor,
    *,
    chosen: Tensor,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """In the chosen samples local colours are carried across the edge; texture stays.

    Either the background takes on the foreground's, more or less along the edge, or a part of the
    foreground takes on the background's.

    Args:
        layers: foreground and background, each N × 3 × H × W, 0 to 1; sides multiples of 8.
        alpha: N × 1 × H × W.
        part: N × 1 × H × W: which part of a foreground takes on the background's colours.
        chosen: which samples, int64.
        generator: on their device.

    Returns:
        Foreground and background.
    """
    few = len(chosen)
    if not few:
        return layers
    fore, back = (layer[chosen] for layer in layers)
    draw = Draw(few, generator)
    strength, coin = draw.between((0.5, 0.95), (-1, 1), each=(1, 1, 1))
    amount = (strength + 0.4 * draw.noise(part.shape[-1] // _CELL, 5)).clamp_(0, 1)
    gap = amount * _gap(fore, back, alpha[chosen])
    gap = nnf.interpolate(gap, scale_factor=_CELL, mode="bilinear", align_corners=False)
    to_back = (coin < 0).float()
    fore = torch.addcmul(fore, gap, part[chosen] * (to_back - 1)).clamp_(0, 1)
    back = torch.addcmul(back, gap, to_back).clamp_(0, 1)
    return layers[0].index_copy(0, chosen, fore), layers[1].index_copy(0, chosen, back)


def _gap(fore: Tensor, back: Tensor, alpha: Tensor) -> Tensor:
    """Local colour of one side less the other's, in cells; the patch's where there is none near."""
    clear = 1 - alpha
    sums = nnf.avg_pool2d(torch.cat((fore * alpha, back * clear, alpha, clear), dim=1), _CELL)
    near = blur(sums, torch.full_like(sums[:, 0, 0, 0], _NEAR), reach=6)
    near = near.add_(sums.mean(dim=(2, 3), keepdim=True), alpha=_LENT)
    weights = near[:, 6:].clamp_min(1e-5)
    return near[:, :3] / weights[:, :1] - near[:, 3:6] / weights[:, 1:]
