"""Symmetric 3 × 3 matrices, one a pixel, as six planes: rr, rg, rb, gg, gb, bb."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["inverse", "multiply"]


def inverse(matrix: Tensor) -> Tensor:
    """The inverse by the adjugate, N × 6 × H × W; the determinant is taken as at least 1e-18."""
    a, b, c, e, f, i = matrix.unbind(1)
    aa, ab, ac = e * i - f * f, c * f - b * i, b * f - c * e
    bb, bc, cc = a * i - c * c, b * c - a * f, a * e - b * b
    determinant = (a * aa + b * ab + c * ac).clamp_min(1e-18)
    return torch.stack((aa, ab, ac, bb, bc, cc), dim=1) / determinant[:, None]


def multiply(matrix: Tensor, vector: Tensor) -> Tensor:
    """The products with vectors, N × 3 × H × W."""
    aa, ab, ac, bb, bc, cc = matrix.unbind(1)
    x, y, z = vector.unbind(1)
    rows = (aa * x + ab * y + ac * z, ab * x + bb * y + bc * z, ac * x + bc * y + cc * z)
    return torch.stack(rows, dim=1)
