"""Training trimaps: what artists and segmentations give for a matte, and some that are wrong."""

import math

import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.training.draw import Draw
from model.training.geometry import distance_to

_LARGEST_CELL = 12  # pixels of a patch to a pixel of a segmentation: 1080p and a mask of 160 rows
_HALF_DIAGONAL = 0.71
_BESIDE = 16  # pixels: squares of that size that hold something unknown may be wrong


def optimal_trimap(alpha: Tensor) -> Tensor:
    """T_opt of Eq. 2 for alphas that came from 8 bits: N × 1 × H × W int64, 0, 1, 2.

    A pixel is background below one code and foreground above 254: bilinear resampling leaves
    traces there that no file could hold.
    """
    return (alpha >= 1 / 255).long() + (alpha > 254 / 255)


def coarse_trimap(
    optimal: Tensor,
    draw: Draw,
    *,
    widest: int,
    wrong: float = 0.0,
    staircase: float = 0.0,
    lost: float = 0.0,
) -> Tensor:
    """What an artist or a segmentation would have given for the optimal trimap.

    The known regions are eroded by radii drawn log-uniformly from 1 to `widest` pixels, separately
    for both sides and unevenly along the edge.

    Args:
        optimal: N × 1 × H × W int64, 0, 1, 2.
        draw: of N samples.
        widest: pixels.
        wrong: share of the trimaps that are also wrong somewhere: soft parts missed or taken along
            by a mask, a patch with another class, the whole shifted, or everything unknown.
        staircase: share of the trimaps that come from a mask of low resolution.
        lost: share of the trimaps in which a large part of the picture is wholly unknown.

    Returns:
        N × 1 × H × W int64, 0, 1, 2.
    """
    size = optimal.shape[-1]
    # From 8 on a trimap is not wrong.
    way, side, log_cell = draw.between(
        (0, 8 / wrong if wrong else 1e9),
        (-1, 1),
        (math.log(2), math.log(_LARGEST_CELL)),
        each=(1, 1, 1),
    )
    if wrong > 0:
        mask = (way < 2) & (optimal == 1)
        optimal = torch.where(mask, 2 * (side < 0).long(), optimal)
    signed = distance_to(_edge(optimal), widest + _LARGEST_CELL) * (optimal - 1)
    cell = log_cell.exp() * draw.chance(staircase, each=(1, 1, 1))[0]
    signed = _at_cells(signed, cell, _shift(way, draw))
    # What holds at the middle of a cell holds in all of it, that much farther from the edge.
    margin = (cell + 1) * _HALF_DIAGONAL * (cell > 0)
    one, other, often = draw.between(*[(0, math.log(widest))] * 2, (0, 1), each=(1, 1, 1))
    uneven, elsewhere, part = draw.noise(size, 5, fields=4).split_with_sizes((2, 1, 1), dim=1)
    # Unevenly: narrower than the radius by up to a factor of 2.5 here, by less elsewhere.
    uneven = 0.7 + 0.3 * uneven
    reach = torch.cat((one, other), dim=1)
    sides = torch.cat((-signed, signed), dim=1) - margin
    known = sides > reach.exp() * uneven
    # A patch is a piece of a picture that has a known foreground and background somewhere; where
    # wide radii left none of one of them, narrow ones mostly may.
    whole = (known.sum(dim=(2, 3), keepdim=True) > 16).all(dim=1, keepdim=True)
    known = torch.where(whole | (often < 0.2), known, sides > (reach / 4).exp() * uneven).long()
    trimap = known[:, 1:] - known[:, :1] + 1
    if lost > 0:
        trimap.masked_fill_((part > 0.2) & draw.chance(lost, each=(1, 1, 1))[0], 1)
    return _spoiled(trimap, way, elsewhere > 0.6) if wrong > 0 else trimap


def _shift(way: Tensor, draw: Draw) -> Tensor:
    """Pixels down and to the right, N × 2 × 1; 0 where the trimap is not shifted."""
    down, right = draw.between((-8, 8), (-8, 8), each=(1, 1))
    return torch.cat((down, right), dim=1) * ((way >= 2) & (way < 4)).view(-1, 1, 1)


def _edge(trimap: Tensor) -> Tensor:
    """Where the trimap is unknown or foreground and background touch."""
    label = trimap.to(torch.int8)
    across = (label[..., 1:] - label[..., :-1]).abs() == 2
    down = (label[..., 1:, :] - label[..., :-1, :]).abs() == 2
    edge = trimap == 1
    edge[..., 1:].logical_or_(across)
    edge[..., :-1].logical_or_(across)
    edge[..., 1:, :].logical_or_(down)
    edge[..., :-1, :].logical_or_(down)
    return edge


def _at_cells(field: Tensor, cell: Tensor, shift: Tensor) -> Tensor:
    """The field as it is at the middle of each pixel's cell.

    Args:
        field: N × 1 × H × W.
        cell: N × 1 × 1 × 1, its side in pixels; 0 is no cell.
        shift: N × 2 × 1, pixels down and to the right.
    """
    size = field.shape[-1]
    at = torch.arange(size, device=field.device) + shift
    side = cell.clamp_min(1).view(-1, 1, 1)
    at = ((at / side).floor_() * side + side / 2).long().clamp_(0, size - 1)
    rows = field.gather(2, at[:, :1].unsqueeze(-1).expand_as(field))
    return rows.gather(3, at[:, 1:].unsqueeze(2).expand_as(field))


def _spoiled(trimap: Tensor, way: Tensor, patch: Tensor) -> Tensor:
    """Wrong classes beside something unknown, or everything unknown, where `way` says so."""
    beside = nnf.max_pool2d((trimap == 1).float(), _BESIDE)
    beside = nnf.interpolate(beside, scale_factor=_BESIDE, mode="nearest") > 0
    # A limb missing, or background taken along.
    wrong = patch & beside & ((way >= 4) & (way < 7))
    trimap = torch.where(wrong, 2 * (way >= 6).long(), trimap)
    return trimap.masked_fill_((way >= 7) & (way < 8), 1)
