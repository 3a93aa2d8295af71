"""Batched geometry on the device: crops by affine maps, blurs, distances."""

from __future__ import annotations

import torch
import torch.nn.functional as nnf
from torch import Tensor

__all__ = ["blur", "crop", "distance_to"]


def crop(
    source: Tensor,
    centre: Tensor,
    zoom: Tensor,
    angle: Tensor,
    flip: Tensor,
    *,
    size: int,
    sharp: bool,
) -> Tensor:
    """A rotated, scaled, possibly mirrored square out of each picture.

    Args:
        source: N × C × S × S float.
        centre: N × 2, (x, y) in source pixels.
        zoom: N, source pixels a crop pixel.
        angle: N, radians.
        flip: N, 1 or −1.
        size: of the crop.
        sharp: sample at twice the density and average, so that zooming out does not alias.

    Returns:
        N × C × size × size. Outside of the source: its mirror image.
    """
    edge = source.shape[-1]
    dense = size * 2 if sharp else size
    axis = (torch.arange(dense, device=source.device) + 0.5) * (size / dense) - size / 2
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    cos, sin = (angle.cos() * zoom)[:, None, None], (angle.sin() * zoom)[:, None, None]
    flip = flip[:, None, None]
    u = cos * x * flip - sin * y + centre[:, 0, None, None]
    v = sin * x * flip + cos * y + centre[:, 1, None, None]
    grid = torch.stack((u, v), dim=-1) * (2 / edge) - 1
    out = nnf.grid_sample(source, grid, padding_mode="reflection", align_corners=False)
    return nnf.avg_pool2d(out, 2) if sharp else out


def blur(x: Tensor, sigma: Tensor) -> Tensor:
    """Gaussian blur with its own sigma (pixels, at most 6; 0 leaves as is) for each sample."""
    count, channels, height, width = x.shape
    reach = 15
    offsets = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
    taps = torch.exp(-0.5 * (offsets / sigma.clamp_min(1e-2)[:, None]) ** 2)
    taps = (taps / taps.sum(1, keepdim=True)).repeat_interleave(channels, dim=0)
    flat = x.reshape(1, count * channels, height, width)
    flat = nnf.pad(flat, (reach, reach, 0, 0), mode="replicate")
    flat = nnf.conv2d(flat, taps[:, None, None, :], groups=count * channels)
    flat = nnf.pad(flat, (0, 0, reach, reach), mode="replicate")
    flat = nnf.conv2d(flat, taps[:, None, :, None], groups=count * channels)
    return flat.reshape(x.shape)


def distance_to(mask: Tensor, reach: int) -> Tensor:
    """Exact Euclidean distance, in pixels, from every pixel to the nearest one of the mask.

    Args:
        mask: N × 1 × H × W bool.
        reach: distances from there on are all given as `reach`.

    Returns:
        N × 1 × H × W float32, 0 inside the mask.
    """
    along = torch.where(mask, 0.0, float(reach))
    row = _sweep(_sweep(along, 1).flip(-1), 1).flip(-1).square()
    best = row.clone()
    height = row.shape[-2]
    for offset in range(1, min(reach, height)):
        square = float(offset * offset)
        best[..., offset:, :] = torch.minimum(best[..., offset:, :], row[..., :-offset, :] + square)
        best[..., :-offset, :] = torch.minimum(
            best[..., :-offset, :], row[..., offset:, :] + square
        )
    return best.sqrt().clamp(max=reach)


def _sweep(distance: Tensor, step: int) -> Tensor:
    """d[x] = min over x' ≤ x of d[x'] + (x − x'), along the last axis."""
    ramp = torch.arange(distance.shape[-1], device=distance.device, dtype=distance.dtype) * step
    return (distance - ramp).cummin(dim=-1).values + ramp
