"""Symmetric 3 × 3 matrices, one a pixel, as six planes: rr, rg, rb, gg, gb, bb."""

from functools import lru_cache

import torch
from torch import Tensor

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
