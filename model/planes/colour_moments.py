"""Mean and covariance of colours, and what two of them say about a pixel between.

Symmetric 3 × 3 matrices, one a pixel, are six planes: rr, rg, rb, gg, gb, bb.
"""

from functools import lru_cache

import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.planes.pyramid import halve

_LEAST = 1e-18  # of a determinant
_NEXT, _LAST = (1, 3, 4, 2, 4, 5, 0, 1, 2), (2, 4, 5, 0, 1, 2, 1, 3, 4)  # the rows 1 2 0 and 2 0 1
_ONE, _OTHER = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)


def inverse(matrix: Tensor) -> Tensor:
    """The inverse by the adjugate, N × 6 × H × W; the determinant is taken as at least 1e-18."""
    a, b, c, e, f, i = matrix.unbind(1)
    aa, ab, ac = e * i - f * f, c * f - b * i, b * f - c * e
    bb, bc, cc = a * i - c * c, b * c - a * f, a * e - b * b
    determinant = (a * aa + b * ab + c * ac).clamp_min(_LEAST)
    return torch.stack((aa, ab, ac, bb, bc, cc), dim=1) / determinant[:, None]


def multiply(matrix: Tensor, vector: Tensor) -> Tensor:
    """The products with vectors, N × 3 × H × W."""
    aa, ab, ac, bb, bc, cc = matrix.unbind(1)
    x, y, z = vector.unbind(1)
    rows = (aa * x + ab * y + ac * z, ab * x + bb * y + bc * z, ac * x + bc * y + cc * z)
    return torch.stack(rows, dim=1)


def adjugate(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Adjugate (N × 3 × 3 × H × W) and determinant (N × 1 × H × W, at least 1e-18) in few calls.

    Its rows are the cross products of the matrix's other two.
    """
    rows = (
        torch.unflatten(matrix.index_select(1, _places(places, matrix.device)), 1, (3, 3))
        for places in (_NEXT, _LAST)
    )
    crossed = torch.linalg.cross(*rows, dim=2)
    determinant = (matrix[:, :3] * crossed[:, 0]).sum(1, keepdim=True)
    return crossed, determinant.clamp_min_(_LEAST)


def outer(vector: Tensor) -> Tensor:
    """V vᵀ of N × 3 × H × W, N × 6 × H × W, in few calls."""
    one, other = (
        vector.index_select(1, _places(places, vector.device)) for places in (_ONE, _OTHER)
    )
    return one.mul_(other)


@lru_cache
def _places(places: tuple[int, ...], device: torch.device) -> Tensor:
    return torch.tensor(places, device=device)


def plus_diagonal(matrix: Tensor, value: float) -> Tensor:
    """The matrices with a value added to their diagonals."""
    return matrix + _diagonal(matrix.device, matrix.dtype) * value


@lru_cache
def _diagonal(device: torch.device, dtype: torch.dtype) -> Tensor:
    return torch.tensor((1, 0, 0, 1, 0, 1), device=device, dtype=dtype).view(1, 6, 1, 1)


CHANNELS = 10
"""Of `moments`."""

NOISE = 3e-4
"""ε: variance of a camera's noise, and of the rounding to 8 bits."""

RHO = 1e-2
"""ρ: keeps α₀ finite where foreground and background look the same."""

LENT = 0.1
"""Weight of a pixel that α₀ calls opaque or clear, beside a known one's."""

_DIAGONAL = (0, 3, 5)  # of the symmetric matrix in rr, rg, rb, gg, gb, bb
_TILE = {"cpu": 128}  # fits into a core's cache; elsewhere a whole picture at once
_WHOLE = 1 << 20


def moments(image: Tensor) -> Tensor:
    """First and second moments of colour, N × 10 × H × W: r, g, b, rr, rg, rb, gg, gb, bb, 1."""
    out = image.new_empty(image.shape[0], CHANNELS, *image.shape[-2:])
    out[:, :3], out[:, 9] = image, 1
    torch.mul(image, image[:, :1], out=out[:, 3:6])
    torch.mul(image[:, 1:], image[:, 1:2], out=out[:, 6:8])
    torch.mul(image[:, 2:], image[:, 2:], out=out[:, 8:9])
    return out


def pull(image: Tensor, weight: Tensor, onto: Tensor) -> None:
    """Add the weighted moments, at half the size, to sums; where nothing has weight, cheaply.

    Args:
        image: N × 3 × H × W float32; even sides.
        weight: N × 1 × H × W, bool or float32 ≥ 0.
        onto: N × 10 × H/2 × W/2 float32, in place.
    """
    height, width = image.shape[-2:]
    tile = _TILE.get(image.device.type, _WHOLE)
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            bottom, right = min(height, top + tile), min(width, left + tile)
            rows, columns = slice(max(0, top - 1), bottom + 1), slice(max(0, left - 1), right + 1)
            part = weight[..., rows, columns]
            if not part.any():
                continue
            seen = moments(image[..., rows, columns].contiguous()).mul_(part)
            beyond = (left == 0, right == width, top == 0, bottom == height)
            if any(beyond):
                seen = nnf.pad(seen, tuple(map(int, beyond)))
            half = onto[..., top // 2 : bottom // 2, left // 2 : right // 2]
            half += halve(seen, framed=True)


def fisher(image: Tensor, f: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """α₀ and separability s / (s + 3) of N × 3 × H × W, from both sides' moments; each within 0, 1.

    w = (Σ_F + Σ_B + εI)⁻¹ (μ_F − μ_B)      s = wᵀ (μ_F − μ_B)      α₀ = wᵀ (I − μ_B) / (s + ρ)
    """
    difference = f[:, :3] - b[:, :3]
    covariance = _covariance(f).add_(_covariance(b))
    covariance[:, _DIAGONAL] += NOISE
    w = multiply(inverse(covariance), difference)
    s = (w * difference).sum(1, keepdim=True).clamp_min_(0)
    alpha = (w * (image - b[:, :3])).sum(1, keepdim=True) / (s + RHO)
    return alpha.clamp_(0, 1), s / (s + 3)


def _covariance(moments: Tensor) -> Tensor:
    """E[xy] − E[x]E[y], N × 6 × H × W: the symmetric matrix's upper triangle."""
    r, g, b = torch.chunk(moments[:, :3], 3, dim=1)
    return moments[:, 3:9] - torch.cat((r * r, r * g, r * b, g * g, g * b, b * b), dim=1)
