"""What cameras and codecs do to a picture, batched on the device."""

from __future__ import annotations

import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.training.geometry import blur

__all__ = ["degrade", "jitter_colour"]

_LUMA_TABLE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
"""Quantisation of luma, ITU-T T.81, table K.1."""


def jitter_colour(rgb: Tensor, generator: torch.Generator) -> Tensor:
    """Exposure, white balance, contrast and gamma of each picture, moderately. N × 3 × H × W."""
    count = len(rgb)

    def draw(channels: int, low: float, high: float) -> Tensor:
        u = torch.rand(count, channels, 1, 1, generator=generator, device=rgb.device)
        return low + u * (high - low)

    rgb = rgb.clamp(1e-4, 1) ** torch.exp(draw(1, -0.35, 0.35))
    rgb = rgb * draw(3, 0.9, 1.1) * draw(1, 0.75, 1.2)
    grey = rgb.mean(dim=(1, 2, 3), keepdim=True)
    rgb = grey + (rgb - grey) * draw(1, 0.75, 1.15)
    luma = rgb.mean(dim=1, keepdim=True)
    return (luma + (rgb - luma) * draw(1, 0.4, 1.3)).clamp(0, 1)


def degrade(image: Tensor, generator: torch.Generator) -> Tensor:
    """Lens blur on a fifth of the pictures, noise on most, JPEG on a third; 8 bits on all."""
    count = len(image)

    def draw() -> Tensor:
        return torch.rand(count, generator=generator, device=image.device)

    image = blur(image, torch.where(draw() < 0.2, 0.3 + draw() * 0.6, 0))
    noise = torch.randn(image.shape, generator=generator, device=image.device)
    grain = blur(noise, torch.where(draw() < 0.5, 0.4 + 0.4 * draw(), 0))
    strength = torch.where(draw() < 0.7, 0.025 * draw() ** 2, 0)[:, None, None, None]
    image = (image + grain * strength * (0.4 + image.sqrt())).clamp(0, 1)
    image = torch.where(
        (draw() < 0.35)[:, None, None, None], _jpeg(image, 1 + 9 * draw() ** 2), image
    )
    return (image * 255).round() / 255


def _jpeg(image: Tensor, coarseness: Tensor) -> Tensor:
    """Block-DCT quantisation of Y, Cb, Cr at full size; the table divided by 10, times coarseness.

    Chroma is quantised twice as coarsely instead of being subsampled: near enough to a file's
    artefacts, and one batched matrix product.
    """
    count, _, height, width = image.shape
    dct = _dct_matrix(image.device)
    to_ycc, from_ycc = _ycc(image.device)
    padded = nnf.pad(image, (0, -width % 8, 0, -height % 8), mode="replicate")
    rows, columns = padded.shape[-2] // 8, padded.shape[-1] // 8
    ycc = torch.einsum("ij,njhw->nihw", to_ycc, padded * 255 - 128)
    blocks = ycc.reshape(count, 3, rows, 8, columns, 8).permute(0, 1, 2, 4, 3, 5)
    table = torch.tensor(_LUMA_TABLE, device=image.device, dtype=image.dtype) / 10
    step = table * torch.tensor((1.0, 2.0, 2.0), device=image.device)[:, None, None]
    step = (step[None] * coarseness[:, None, None, None])[:, :, None, None]
    coefficients = ((dct @ blocks @ dct.T) / step).round() * step
    blocks = dct.T @ coefficients @ dct
    ycc = blocks.permute(0, 1, 2, 4, 3, 5).reshape(padded.shape)
    rgb = (torch.einsum("ij,njhw->nihw", from_ycc, ycc) + 128) / 255
    return rgb[..., :height, :width].clamp(0, 1)


def _dct_matrix(device: torch.device) -> Tensor:
    """Orthonormal 8 × 8 DCT-II."""
    k, n = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    matrix = torch.cos(torch.pi / 8 * (n + 0.5) * k) / 2
    matrix[0] /= 2**0.5
    return matrix.to(device)


def _ycc(device: torch.device) -> tuple[Tensor, Tensor]:
    """BT.601 full-range RGB → YCbCr as JFIF has it, and back."""
    forward = torch.tensor(
        ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
    )
    return forward.to(device), torch.linalg.inv(forward).to(device)
