"""`model.planes.matting_laplacian` on whole pictures, for devices that launch.

The same equations, levels and steps without blocks: static shapes, nothing that the host waits for,
and few operator calls whatever the batch. L + C is a tensor of 25 taps a pixel; pictures lie flat
between margins, so that a neighbour is an offset and all 25 neighbours are one strided view.
"""

import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.planes.active_blocks import BLOCK
from model.planes.colour_moments import adjugate, outer, plus_diagonal
from model.planes.matting_laplacian import CARRY, KNOWN, WINDOW_EPSILON, levels_of

_REACH = 2  # pixels, at most, between two that share a 3 × 3 window
_SPAN = 2 * _REACH + 1
_STALLED = 1e-9  # added to dᵀ A d, so that a picture that has converged to rounding stands still
_NOTHING = 1e-20


@torch.no_grad()
def dense_lines(image: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    """α_L as a linear function of colour around each pixel, as `laplacian_lines`, but everywhere.

    Args:
        image: N × 3 × H × W float32, display-referred, 0 to 1; H and W at least 3.
        weight: c, K N × 1 × H × W float32; `KNOWN` where nothing is to be found. K problems for
            each picture: all pictures' first, then all pictures' second.
        target: α₀, K N × 1 × H × W float32, 0 to 1.

    Returns:
        K N × 4 × H × W float32, three slopes and an offset.
    """
    lines: Tensor | None = None
    problems = len(weight) // len(image)
    for steps, (picture, sure, guess) in levels_of(image, weight, target):
        each = picture.repeat(problems, 1, 1, 1)
        start = guess if lines is None else _read(lines, each, sure, guess)
        lines = _as_lines(each, _solve(picture, sure, guess, start, steps))
    assert lines is not None  # noqa: S101  there is always a level
    return lines


def _read(lines: Tensor, picture: Tensor, weight: Tensor, target: Tensor) -> Tensor:
    """Where to start from: what the coarser level's lines say, the truth where it is known."""
    height, width = picture.shape[-2:]
    lines = nnf.interpolate(lines, scale_factor=2, mode="bilinear")[..., :height, :width]
    start = (lines[:, :3] * picture).sum(1, keepdim=True).add_(lines[:, 3:])
    return torch.where(weight < KNOWN, start, target)


def _solve(image: Tensor, weight: Tensor, target: Tensor, start: Tensor, steps: int) -> Tensor:
    """Conjugate gradients on A α = C α₀ with A = L + C, in the blocks that hold something unknown.

    With S = diag(A)^-½, and 0 outside of those blocks, on S A S e = S (C α₀ − A start); the result
    is start + S e.
    """
    count, _, height, width = weight.shape
    pixels, margin = height * width, _REACH * (width + 1)
    taps = _taps(image, weight)
    scale = taps[:, _REACH, _REACH].rsqrt().mul_(_in_blocks(weight < KNOWN)[:, 0])
    scale, taps = scale.view(count, 1, pixels), taps.flatten(3)
    ways = image.new_zeros(2, count, 1, pixels + 2 * margin)  # the direction d, and −A d
    inner = ways[..., margin:-margin]
    direction, pulled = inner.unbind()
    around = ways[0].as_strided((count, _SPAN, _SPAN, pixels), (ways.stride(1), width, 1, 1))
    product = torch.empty_like(taps)
    products = product.flatten(1, 2)
    found = image.new_zeros(2, count, 1, pixels)  # e, and the residual
    residual = found[1]

    direction.copy_(start.flatten(2))
    torch.mul(taps, around, out=product)
    torch.sum(products, 1, keepdim=True, out=pulled)
    torch.mul((weight * target).flatten(2).sub_(pulled), scale, out=residual)
    direction.copy_(scale)
    taps.mul_(around).mul_(scale[:, None]).neg_()  # −S A S
    direction.copy_(residual)

    column, against = residual.mT, pulled.mT
    stalled = taps.new_full((count, 1, 1), _STALLED)
    nothing = taps.new_full((count, 1, 1), _NOTHING)
    size = torch.baddbmm(nothing, residual, column)
    for _ in range(steps):
        torch.mul(taps, around, out=product)
        torch.sum(products, 1, keepdim=True, out=pulled)
        step = size / torch.baddbmm(stalled, direction, against, alpha=-1)
        found.addcmul_(inner, step)
        before, size = size, torch.baddbmm(nothing, residual, column)
        torch.addcmul(residual, direction, size / before, out=direction)
    return found[0].mul_(scale).view_as(start).add_(start)


def _in_blocks(active: Tensor) -> Tensor:
    """1 in blocks of the picture's grid that hold something active, 0 in others; N × 1 × H × W."""
    height, width = active.shape[-2:]
    blocks = nnf.max_pool2d(active.float(), BLOCK, ceil_mode=True)
    return nnf.interpolate(blocks, scale_factor=BLOCK, mode="nearest")[..., :height, :width]


def _taps(image: Tensor, weight: Tensor) -> Tensor:
    """L + C as each pixel's weights with its 5 × 5 surroundings, K N × 5 × 5 × H × W.

    taps[j − i] = −Σ_w (1 + dᵢᵀ Σ⁻¹ dⱼ) / 9 over the windows w that hold both.
    """
    count, channels, height, width = image.shape
    windows = (height - 2, width - 2)
    image = image.contiguous()
    strides = (*image.stride()[:2], width, 1, width, 1)
    parts = image.as_strided((count, channels, 3, 3, *windows), strides).flatten(2, 3)
    away = parts - parts.mean(2, keepdim=True)
    ones = away[:, :, :, None].unbind(1)
    others = _pulled(away)[:, :, None].unbind(1)
    pairs = (ones[0] * others[0]).add_(1)
    pairs.addcmul_(ones[1], others[1]).addcmul_(ones[2], others[2])
    taps = image.new_zeros(count, _SPAN, _SPAN, height, width)
    strides = taps.stride()
    for first, pair in enumerate(torch.unflatten(pairs, 2, (3, 3)).unbind(1)):
        y, x = divmod(first, 3)
        start = (2 - y) * strides[1] + (2 - x) * strides[2] + y * width + x
        taps.as_strided((count, 3, 3, *windows), strides, start).sub_(pair, alpha=1 / 9)
    middle = taps[:, _REACH, _REACH]
    # Rows of L sum to nothing; the windows' own pairs lose that in rounding.
    torch.sub(middle, taps.sum((1, 2)), out=middle)
    taps = taps.repeat(len(weight) // count, 1, 1, 1, 1)
    taps[:, _REACH, _REACH].add_(weight[:, 0])
    return taps


def _pulled(away: Tensor) -> Tensor:
    """(Σ_w + ε/9 · 1)⁻¹ d of a window's nine colours: N × 3 × 9 × H × W, from their differences d.

    Inverted in float64, as in `model.planes.matting_laplacian`.
    """
    covariance = outer(away).mean(2).double()
    crossed, determinant = adjugate(plus_diagonal(covariance, WINDOW_EPSILON / 9))
    rows = crossed.div_(determinant[:, None]).float()[:, :, :, None].unbind(1)
    parts = away[:, None].unbind(2)
    pulled = rows[0] * parts[0]
    return pulled.addcmul_(rows[1], parts[1]).addcmul_(rows[2], parts[2])


def _as_lines(image: Tensor, alpha: Tensor) -> Tensor:
    """Alpha around each pixel as a linear function of colour, as `matting_laplacian` has it."""
    parts = torch.cat((image, alpha, image * alpha, outer(image)), dim=1)
    # Twice a mean of 3 × 3: what lies beyond the edge repeats it.
    means = nnf.avg_pool2d(nnf.pad(parts, (2, 2, 2, 2), mode="replicate"), 3, stride=1)
    colour, level, both, second = torch.split(means, [3, 1, 3, 6], dim=1)
    crossed, determinant = adjugate(plus_diagonal(second - outer(colour), CARRY))
    slope = (crossed * (both - colour * level)[:, :, None]).sum(1).div_(determinant)
    offset = level - (slope * colour).sum(1, keepdim=True)
    return nnf.avg_pool2d(torch.cat((slope, offset), dim=1), 3, stride=1)
