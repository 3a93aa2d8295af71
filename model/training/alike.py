"""Backgrounds and foregrounds that share their colours, so that only texture tells them apart."""

import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.training.draw import Draw
from model.training.geometry import blur

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
