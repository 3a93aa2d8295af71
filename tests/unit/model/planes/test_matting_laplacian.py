"""The matting Laplacian as a stencil, held to pymatting's matrix; and alpha smoothed by it."""

from __future__ import annotations

import numpy as np
import pymatting
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.planes.matting_laplacian import KNOWN, MattingLaplacian, laplacian_lines, trust_in_colour


def picture(height: int, width: int, seed: int) -> Tensor:
    """Smooth colours with a little noise, as photographs have."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 4, 4, generator=generator)
    image = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bicubic")
    return (image + 0.02 * torch.randn(image.shape, generator=generator)).clamp(0, 1)


def smoothed(image: Tensor, unknown: Tensor, guess: Tensor, separability: Tensor) -> Tensor:
    """What the lines say of the picture that they were made from."""
    weight = torch.where(unknown > 0, trust_in_colour(separability, 0.1), KNOWN)
    lines = laplacian_lines(image, weight, guess)
    found = (lines[:, :3] * image).sum(1, keepdim=True) + lines[:, 3:]
    return torch.where(unknown > 0, found, guess)


@settings(max_examples=15)
@given(st.integers(3, 20), st.integers(3, 20), st.integers(0, 99))
def test_the_stencil_is_levins_matrix(height: int, width: int, seed: int) -> None:
    image = picture(height, width, seed)
    matrix = pymatting.cf_laplacian(
        image[0].permute(1, 2, 0).double().numpy(), epsilon=1e-5, radius=1
    )
    p = np.random.default_rng(seed).random(height * width)
    ours = MattingLaplacian.of(image)(torch.from_numpy(p).float().view(1, 1, height, width))
    assert np.abs(ours.numpy().ravel() - matrix @ p).max() < 2e-3
    diagonal = MattingLaplacian.of(image).diagonal.numpy().ravel()
    assert np.abs(diagonal - matrix.diagonal()).max() < 2e-3


def test_a_line_in_colour_costs_nothing() -> None:
    image = picture(24, 31, 3)
    alpha = 0.3 * image[:, :1] - 0.2 * image[:, 1:2] + 0.5 * image[:, 2:] + 0.1
    assert MattingLaplacian.of(image)(alpha).abs().max() < 5e-3


@pytest.mark.parametrize("size", [(3, 3), (5, 40), (24, 24), (37, 61)])
def test_alpha_is_carried_where_colour_says_nothing(size: tuple[int, int]) -> None:
    # Left half one flat colour, right half another; the guess knows nothing in the middle.
    height, width = size
    x = torch.arange(width).expand(1, 1, height, width)
    right = (x >= width / 2).float()
    image = 0.2 + 0.5 * right.expand(1, 3, height, width)
    band = ((x - width / 2 + 0.5).abs() <= width / 4).float()
    guess = torch.where(band > 0, 0.5, right)
    found = smoothed(image, band, guess, torch.zeros_like(guess))
    assert torch.isfinite(found).all()
    assert (found - right).abs().max() < 0.05


def test_a_sure_guess_stays() -> None:
    image = picture(32, 40, 1)
    guess = torch.full((1, 1, 32, 40), 0.25)
    found = smoothed(image, torch.ones_like(guess), guess, torch.ones_like(guess))
    assert (found - 0.25).abs().max() < 2e-3


def test_flat_pictures_and_batches_are_finite_and_apart() -> None:
    flat = torch.full((1, 3, 33, 45), 0.5)
    busy = torch.rand(1, 3, 33, 45, generator=torch.Generator().manual_seed(2))
    image = torch.cat((flat, busy))
    unknown, guess = torch.zeros(2, 1, 33, 45), torch.zeros(2, 1, 33, 45)
    unknown[..., 10:30], guess[..., 10:30], guess[..., 30:] = 1, 0.5, 1
    share = torch.full_like(guess, 0.3)
    both = smoothed(image, unknown, guess, share)
    assert torch.isfinite(both).all()
    for k in range(2):
        one = slice(k, k + 1)
        alone = smoothed(image[one], unknown[one], guess[one], share[one])
        assert (both[one] - alone).abs().max() < 1e-5
