"""Our input planes: what known colours say about unknown pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from model.planes.colour_planes import colour_planes, known_planes, spread_colour
from model.planes.frame_planes import FramePlanes
from model.rectangles.pieces import as_one_hot, as_picture, piece
from model.rectangles.regions import Rectangle

BLUE, ORANGE = (0.1, 0.2, 0.8), (0.9, 0.5, 0.1)


def scene(height: int = 48, width: int = 60) -> tuple[Tensor, Tensor, Tensor]:
    """Background left, foreground right, a ramp of alpha between; its trimap; its alpha."""
    x = torch.arange(width, dtype=torch.float32)
    alpha = ((x - width / 3) / (width / 3)).clamp(0, 1).expand(1, 1, height, width)
    foreground = torch.tensor(ORANGE).view(1, 3, 1, 1)
    background = torch.tensor(BLUE).view(1, 3, 1, 1)
    image = alpha * foreground + (1 - alpha) * background
    labels = torch.where(alpha <= 0, 0, torch.where(alpha >= 1, 2, 1))
    trimap = torch.cat([(labels == k).float() for k in range(3)], dim=1)
    return image, trimap, alpha


@settings(max_examples=20)
@given(st.integers(12, 70), st.integers(12, 70))
def test_two_flat_colours_are_unmixed(height: int, width: int) -> None:
    image, trimap, alpha = scene(height, width)
    planes = colour_planes(image, trimap)
    assert planes.shape == (1, 10, height, width)
    assert torch.isfinite(planes).all()
    # The second round lends the colours of nearly clear pixels, which steepens a ramp a little.
    assert (planes[:, 6:7] - alpha).abs().mean() < 0.05
    unknown = trimap[:, 1:2] > 0
    if unknown.any():
        assert planes[:, 7:8][unknown].min() > 0.5


def test_what_the_background_varies_along_says_nothing() -> None:
    # Background of every brightness, foreground of another hue: means alone would take bright
    # background for a little foreground.
    generator = torch.Generator().manual_seed(1)
    image, trimap, alpha = scene()
    shade = 0.35 + 0.6 * torch.rand(1, 1, *alpha.shape[2:], generator=generator)
    background = shade * torch.tensor((1.0, 1.0, 1.0)).view(1, 3, 1, 1)
    foreground = torch.tensor((0.75, 0.45, 0.45)).view(1, 3, 1, 1)
    image = alpha * foreground + (1 - alpha) * background
    found = colour_planes(image, trimap)[:, 6:7]
    unknown = trimap[:, 1:2] > 0
    by_means = (image - 0.65).mul(foreground - 0.65).sum(1, keepdim=True)
    by_means = (by_means / (foreground - 0.65).square().sum()).clamp(0, 1)
    error, error_of_means = ((a - alpha).abs()[unknown].mean() for a in (found, by_means))
    assert error < 0.09
    assert error < error_of_means / 2


def test_known_pixels_stay_what_they_are() -> None:
    image, trimap, _ = scene()
    image = torch.rand_like(image)
    planes = colour_planes(image, trimap)
    for alpha in (planes[:, 6:7], planes[:, 8:9], planes[:, 9:]):
        assert (alpha[trimap[:, 2:] > 0] == 1).all()
        assert (alpha[trimap[:, :1] > 0] == 0).all()
    known = (trimap[:, 1:2] == 0).expand(-1, 3, -1, -1)
    for colour in (planes[:, :3], planes[:, 3:6]):
        assert torch.equal(colour[known], image[known])
    assert (planes[:, 7:8][known[:, :1]] == 0).all()


@settings(max_examples=10)
@given(st.integers(0, 999))
def test_a_frame_s_planes_are_those_of_its_boxes_and_known_ones_elsewhere(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.random((200, 470, 3)).astype(np.float32)
    trimap = np.zeros((200, 470), np.uint8)
    trimap[:, 235:] = 255
    y, x = int(rng.integers(0, 150)), int(rng.integers(200, 250))
    trimap[y : y + 40, x : x + 30] = 128
    frame = FramePlanes(image, trimap, torch.device("cpu"))
    where = Rectangle(0, 0, 224, 480)
    pixels = as_picture(piece(image, where), torch.device("cpu"))
    labels = as_one_hot(piece(trimap, where), torch.device("cpu"))
    whole = frame.piece(where, pixels, labels)
    unknown = (labels[:, 1:2] > 0).expand_as(whole)
    assert torch.equal(whole[~unknown], known_planes(pixels, labels[:, 2:])[~unknown])
    assert (whole[unknown] - colour_planes(pixels, labels)[unknown]).abs().mean() < 0.02
    part = Rectangle(64, 160, 192, 320)
    seen = (..., slice(64, 192), slice(160, 320))
    assert torch.equal(frame.piece(part, pixels[seen], labels[seen]), whole[seen])


@pytest.mark.parametrize("missing", [(0,), (2,), (0, 2)])
def test_without_one_side_there_is_no_idea(missing: tuple[int, ...]) -> None:
    image, trimap, _ = scene()
    for side in missing:
        trimap[:, 1] += trimap[:, side]
        trimap[:, side] = 0
    planes = colour_planes(image, trimap)
    unknown = trimap[:, 1:2] > 0
    assert (planes[:, 6:7][unknown] == 0.5).all()
    assert (planes[:, 7:8][unknown] == 0).all()
    assert (planes[:, 8:9][unknown] == 0.5).all()
    assert (planes[:, 9:][unknown] == 0.5).all()


def test_float32_whatever_the_precision_around() -> None:
    image, trimap, _ = scene()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        planes = colour_planes(image.bfloat16(), trimap.bfloat16())
    assert planes.dtype == torch.float32


def test_spread_colour_keeps_the_known_and_fills_the_rest() -> None:
    rgb = np.zeros((20, 30, 3), np.float32)
    rgb[:, :10] = ORANGE
    weight = np.zeros((20, 30), np.float32)
    weight[:, :10] = 1
    spread = spread_colour(rgb, weight)
    assert np.array_equal(spread[:, :10], rgb[:, :10])
    assert np.abs(spread - np.array(ORANGE, np.float32)).max() < 1e-3
