"""Batched geometry on the device: crops by affine maps, blurs, distances."""

from functools import cache

import torch
import torch.nn.functional as nnf
from torch import Tensor

_AT_ONCE = 32  # offsets: bounds the memory of `distance_to` and its number of operator calls


def crop(
    source: Tensor,
    centre: Tensor,
    zoom: Tensor,
    angle: Tensor,
    flip: Tensor,
    *,
    shear: Tensor,
    size: int,
    sharp: bool,
) -> Tensor:
    """A rotated, scaled, sheared and possibly mirrored square out of each picture.

    Args:
        source: N × C × S × S float.
        centre: N × 2, (x, y) in source pixels.
        zoom: N, source pixels a crop pixel.
        angle: N, radians.
        flip: N, 1 or −1.
        shear: N, crop pixels along x for each along y.
        size: of the crop.
        sharp: average four samples a pixel, so that zooming out does not alias.

    Returns:
        N × C × size × size. Outside of the source: its mirror image.
    """
    few, channels, _, edge = source.shape
    x, y = _positions(size, sharp, source.device)
    scale = zoom * (2 / edge)
    cos, sin = angle.cos() * scale, angle.sin() * scale
    right = torch.stack((cos, sin), dim=1) * flip.view(-1, 1)
    down = torch.addcmul(torch.stack((-sin, cos), dim=1), right, shear.view(-1, 1))
    (u_x, v_x), (u_y, v_y) = (step.view(few, 2, 1, 1).unbind(1) for step in (right, down))
    u_0, v_0 = (centre * (2 / edge) - 1).view(few, 2, 1, 1).unbind(1)
    # Sums of products, not a matrix product: that may be cut to ten bits on a GPU.
    grid = torch.empty(few, x.shape[1], size, 2, device=source.device)
    torch.addcmul(torch.addcmul(u_0, x, u_x), y, u_y, out=grid[..., 0])
    torch.addcmul(torch.addcmul(v_0, x, v_x), y, v_y, out=grid[..., 1])
    out = nnf.grid_sample(source, grid, padding_mode="reflection", align_corners=False)
    return out.view(few, channels, 4, size, size).mean(dim=2) if sharp else out


@cache
def _positions(size: int, sharp: bool, device: torch.device) -> tuple[Tensor, Tensor]:
    """Pixel positions about the middle; if sharp, those of the quarters, one below the other."""
    axis = torch.arange(size) + (0.5 - size / 2)
    quarters = torch.tensor((-0.25, 0.25) if sharp else (0.0,)).view(-1, 1)
    axes = axis + quarters
    places = (len(quarters), len(quarters), size, size)
    x, y = axes[None, :, None, :].expand(places), axes[:, None, :, None].expand(places)
    return x.reshape(1, -1, size).to(device), y.reshape(1, -1, size).to(device)


def blur(x: Tensor, sigma: Tensor, *, reach: int = 15) -> Tensor:
    """Gaussian blur of each sample with its own sigma.

    Args:
        x: N × C × H × W.
        sigma: N, pixels, at most 0.4 of `reach`; 0 leaves as is.
        reach: taps on each side.
    """
    count, channels, height, width = x.shape
    taps = (_squares(reach, x.device) * sigma.clamp_min(1e-2).view(-1, 1) ** -2).softmax(dim=1)
    taps = taps.view(count, 1, -1).expand(-1, channels, -1).reshape(-1, 1, 1, 2 * reach + 1)
    flat = x.reshape(1, count * channels, height, width)
    flat = nnf.pad(flat, (reach, reach, reach, reach), mode="replicate")
    flat = nnf.conv2d(flat, taps, groups=count * channels)
    flat = nnf.conv2d(flat, taps.transpose(2, 3), groups=count * channels)
    return flat.view(x.shape)


@cache
def _squares(reach: int, device: torch.device) -> Tensor:
    """−o² / 2 for each offset."""
    return (torch.arange(-reach, reach + 1).square() * -0.5).to(device)


def distance_to(mask: Tensor, reach: int) -> Tensor:
    """Exact Euclidean distance, in pixels, from every pixel to the nearest one of the mask.

    Along rows by running minima, then down columns: the least of d(y + o)² + o² over all offsets
    o, some of them at once, in whole numbers.

    Args:
        mask: N × 1 × H × W bool.
        reach: distances from there on are all given as `reach`.

    Returns:
        N × 1 × H × W float32, 0 inside the mask.
    """
    count, _, height, width = mask.shape
    far = reach * reach
    # Sums of two squares up to `far`: where sixteen bits hold them, at half the memory.
    kind = torch.int16 if 2 * far < 2**15 else torch.int32
    parabola, ramp = _parabola(reach, kind, mask.device), _ramp(width, mask.device)
    along = (~mask[:, 0]).float().mul_(reach)
    row = _sweep(_sweep(along, ramp).flip(-1), ramp).flip(-1).square_().to(kind)
    padded = nnf.pad(row, (0, 0, reach, reach), value=far)
    steps = (padded.stride(0), width, width, 1)
    best = row
    for first in range(0, 2 * reach + 1, _AT_ONCE):
        some = parabola[first : first + _AT_ONCE]
        # Every offset's rows as a view: nothing is copied before the sum.
        seen = padded.as_strided((count, len(some), height, width), steps, first * width)
        best = torch.minimum(best, (seen + some).amin(dim=1))
    return best.float().sqrt_().clamp_(max=reach).unsqueeze(1)


def _sweep(distance: Tensor, ramp: Tensor) -> Tensor:
    """d[x] = min over x' ≤ x of d[x'] + (x − x'), along the last axis."""
    return (distance - ramp).cummin(dim=-1).values + ramp


@cache
def _ramp(length: int, device: torch.device) -> Tensor:
    return torch.arange(length, dtype=torch.float32).to(device)


@cache
def _parabola(reach: int, kind: torch.dtype, device: torch.device) -> Tensor:
    return torch.arange(-reach, reach + 1).square().view(-1, 1, 1).to(kind).to(device)
