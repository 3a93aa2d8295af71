"""What cameras and codecs do to a picture, batched on the device."""

import math
from functools import cache
from typing import NamedTuple

import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.training.draw import Draw
from model.training.geometry import blur

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

_FINE = 4  # taps on each side of blurs of less than a pixel


class _Tables(NamedTuple):
    """Tables on one device. Made once: a copy to the device at every batch would wait for it.

    Attributes:
        blocks: 192 × 3 × 8 × 8: the DCT-II of Y, Cb, Cr of a block of RGB codes, as a convolution;
            orthonormal in the block, JFIF's full-range BT.601 in the colours.
        pixels: the same shape, and back, as a transposed convolution.
        step: 1 × 192 × 1 × 1, quantisation of Y, Cb, Cr: the table divided by 10.
        luma: 1 × 3 × 1 × 1, Y of RGB, as a convolution.
        chroma: 3 × 9: the matrices that grey, chroma, and chroma turned by 90° about grey are
            made with.
    """

    blocks: Tensor
    pixels: Tensor
    step: Tensor
    luma: Tensor
    chroma: Tensor


@cache
def _tables(device: torch.device) -> _Tables:
    k, n = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    dct = torch.cos(torch.pi / 8 * (n + 0.5) * k) / 2
    dct[0] /= 2**0.5
    step = torch.tensor(_LUMA_TABLE) / 10 * torch.tensor((1.0, 2.0, 2.0)).view(3, 1, 1)
    to_ycc = torch.tensor(
        ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
    )
    waves = torch.einsum("uy,vx->uvyx", dct, dct)
    blocks = torch.einsum("kc,uvyx->kuvcyx", to_ycc, waves).reshape(192, 3, 8, 8)
    pixels = torch.einsum("ck,uvyx->kuvcyx", torch.linalg.inv(to_ycc), waves)
    grey = torch.full((3, 3), 1 / 3)
    turned = torch.tensor(((0.0, -1, 1), (1, 0, -1), (-1, 1, 0))) / math.sqrt(3)
    chroma = torch.stack((grey, torch.eye(3) - grey, turned)).view(3, 9)
    every = _Tables(
        blocks=blocks,
        pixels=pixels.reshape(192, 3, 8, 8),
        step=step.view(1, 192, 1, 1),
        luma=to_ycc[0].view(1, 3, 1, 1),
        chroma=chroma,
    )
    return _Tables(*(table.to(device) for table in every))


def jitter_colour(rgb: Tensor, draw: Draw, *, hue: float = 0.0) -> Tensor:
    """Gamma, exposure, white balance, contrast, saturation and hue of each picture, moderately.

    Args:
        rgb: N × 3 × H × W, 0 to 1.
        draw: of N samples.
        hue: turned by at most that many degrees about the grey axis.
    """
    count, _, height, width = rgb.shape
    gamma, exposure, contrast, saturation, turn, red, green, blue = draw.between(
        (-0.35, 0.35),
        (0.75, 1.2),
        (0.75, 1.15),
        (0.4, 1.3),
        (-math.radians(hue), math.radians(hue)),
        *[(0.9, 1.1)] * 3,
        each=(1,),
    )
    rgb = rgb.clamp(1e-4, 1) ** gamma.exp().view(-1, 1, 1, 1)
    gain = torch.cat((red, green, blue), dim=1) * exposure
    grey = (rgb.mean(dim=(2, 3)) * gain).mean(dim=1, keepdim=True)
    # Everything but gamma as one matrix and one offset a picture: contrast about its mean.
    turned = torch.cat((torch.ones_like(turn), saturation * turn.cos(), saturation * turn.sin()), 1)
    matrix = (turned @ _tables(rgb.device).chroma).view(-1, 3, 3)
    matrix = matrix * (gain * contrast).unsqueeze(1)
    offset = (grey * (1 - contrast)).unsqueeze(-1)
    out = torch.baddbmm(offset, matrix, rgb.view(count, 3, -1))
    return out.clamp_(0, 1).view(count, 3, height, width)


def degrade(image: Tensor, draw: Draw) -> Tensor:
    """What is between a scene and a file: lens, sensor, sharpening, codec; 8 bits on all.

    Lens blur on a fifth of the pictures, noise on most, sharpening on three in ten, chroma at half
    the size on half of them, JPEG on a third.

    Args:
        image: N × 3 × H × W, 0 to 1.
        draw: of N samples.
    """
    lens, grain = draw.between((0.3, 0.9), (0.4, 0.8))
    soft, coarse = draw.chance(0.2, 0.5)
    both = torch.cat((image, draw.normal(*image.shape[1:])))
    image, noise = blur(both, torch.cat((lens * soft, grain * coarse)), reach=_FINE).chunk(2)
    strength, noisy = draw.between((0, 1), (-0.3, 0.7), each=(1, 1, 1))
    strength = strength.square() * 0.025 * (noisy > 0)
    image = (image + noise * strength * (0.4 + image.sqrt())).clamp_(0, 1)
    crisp, subsampled, coded = draw.some(0.3, 0.5, 0.35)
    (amount,) = Draw(len(crisp), draw.generator).between((0.2, 1.2), each=(1, 1, 1))
    image.index_copy_(0, crisp, _sharpened(image[crisp], amount))
    image.index_copy_(0, subsampled, _with_half_the_chroma(image[subsampled]))
    (coarseness,) = Draw(len(coded), draw.generator).between((0, 1), each=(1, 1, 1))
    image.index_copy_(0, coded, _jpeg(image[coded], 1 + 9 * coarseness.square()))
    return image.mul_(255).round_().div_(255)


def _sharpened(image: Tensor, amount: Tensor) -> Tensor:
    """The difference from the surroundings added so many times: the rims that cameras make."""
    around = nnf.avg_pool2d(nnf.pad(image, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return torch.addcmul(image, image - around, amount).clamp_(0, 1)


def _with_half_the_chroma(image: Tensor) -> Tensor:
    """Y'CbCr 4:2:0, as nearly all video is: an edge in colour is softer than the edge itself."""
    height, width = image.shape[-2:]
    luma = nnf.conv2d(image, _tables(image.device).luma)
    chroma = nnf.pad(image - luma, (0, width % 2, 0, height % 2), mode="replicate")
    chroma = nnf.interpolate(nnf.avg_pool2d(chroma, 2), scale_factor=2, mode="bilinear")
    return chroma[..., :height, :width].add(luma).clamp_(0, 1)


def _jpeg(image: Tensor, coarseness: Tensor) -> Tensor:
    """Block-DCT quantisation of Y, Cb, Cr at full size; the table divided by 10, times coarseness.

    Chroma is quantised twice as coarsely instead of being subsampled: near enough to a file's
    artefacts, and two convolutions.
    """
    height, width = image.shape[-2:]
    tables = _tables(image.device)
    padded = nnf.pad(image * 255 - 128, (0, -width % 8, 0, -height % 8), mode="replicate")
    step = tables.step * coarseness
    coefficients = (nnf.conv2d(padded, tables.blocks, stride=8) / step).round_() * step
    rgb = (nnf.conv_transpose2d(coefficients, tables.pixels, stride=8) + 128) / 255
    return rgb[..., :height, :width].clamp(0, 1)
