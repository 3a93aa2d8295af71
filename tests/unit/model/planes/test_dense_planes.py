"""The planes as a GPU makes them: the CPU's values, few calls, nothing that the host waits for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from model.planes.colour_planes import colour_planes
from model.planes.dense_planes import dense_planes
from model.planes.frame_planes import FramePlanes
from model.rectangles.pieces import as_one_hot, as_picture, piece
from model.rectangles.regions import Rectangle
from model.training.mattes import render
from tests.calls import Calls


def scenes(count: int, size: int) -> tuple[Tensor, Tensor]:
    """Procedural hair, fur and blur between two noisy colour ramps, as 8 bits have them."""
    rng = np.random.default_rng(5)
    kinds = ("hair", "fur", "soft_blob", "foliage")
    images, trimaps = [], []
    for number in range(count):
        alpha = torch.from_numpy(render(kinds[number % 4], size, number).alpha)[None]
        ramp = torch.linspace(0, 1, size)
        colours = torch.from_numpy(rng.random((4, 3, 1, 1)).astype(np.float32))
        front = colours[0] + (colours[1] - colours[0]) * ramp[:, None]
        back = colours[2] + (colours[3] - colours[2]) * ramp
        image = alpha * front + (1 - alpha) * back
        noise = torch.from_numpy(rng.normal(0, 0.02, image.shape).astype(np.float32))
        images.append(((image + noise).clamp(0, 1) * 255).round() / 255)
        near = torch.nn.functional.max_pool2d(((alpha > 0) & (alpha < 1)).float(), 9, 1, 4) > 0
        labels = torch.where(near, 1, torch.where(alpha > 0.5, 2, 0))
        trimaps.append(torch.cat([(labels == k).float() for k in range(3)]))
    return torch.stack(images), torch.stack(trimaps)


def differences(one: Tensor, other: Tensor, unknown: Tensor) -> Tensor:
    """By plane, in the unknown region: C × n."""
    return (one - other).abs().movedim(1, 0)[:, unknown[:, 0] > 0]


def test_they_are_the_planes_of_blocks_as_far_as_rounding_lets_either_be_known() -> None:
    image, trimap = scenes(4, 192)
    blocks, dense = colour_planes(image, trimap), dense_planes(image, trimap)
    known = (trimap[:, 1:2] == 0).expand_as(blocks)
    assert torch.equal(blocks[known], dense[known])
    off = differences(blocks, dense, trimap[:, 1:2])
    assert off[:8].max() < 1e-2
    assert off[:8].mean(1).max() < 1e-5
    assert off[8].mean() < 2e-4
    # What rounding noise in the picture does to the planes of blocks themselves.
    noisy = colour_planes(image * (1 + 1e-7), trimap)
    assert off[8].mean() < 4 * differences(blocks, noisy, trimap[:, 1:2])[8].mean()


def test_a_batch_of_any_size_takes_as_many_calls_and_no_wait_of_the_host() -> None:
    counts = set()
    for batch, size in ((1, 128), (3, 128), (2, 160)):
        image, trimap = scenes(batch, size)
        dense_planes(image, trimap)  # constants are made once a device
        with Calls() as calls:
            dense_planes(image, trimap)
        assert calls.waits == []
        counts.add(calls.launches)
    assert max(counts) <= 1000
    assert max(counts) - min(counts) < 40  # a level more of the pyramid


@pytest.mark.parametrize("missing", [0, 2])
def test_a_side_of_which_nothing_is_known_has_no_say(missing: int) -> None:
    image, trimap = scenes(2, 96)
    trimap[0, 1] += trimap[0, missing]
    trimap[0, missing] = 0
    blocks, dense = colour_planes(image, trimap), dense_planes(image, trimap)
    assert torch.isfinite(dense).all()
    unknown = trimap[:1, 1] > 0
    assert (dense[:1, 6][unknown] == 0.5).all()
    assert (dense[:1, 7][unknown] == 0).all()
    assert differences(blocks, dense, trimap[:, 1:2])[6:8].max() < 1e-2


def test_a_frame_s_rectangles_read_them_alike() -> None:
    image, trimap = scenes(1, 256)
    trimap[..., 200:] = torch.tensor((1.0, 0, 0)).view(1, 3, 1, 1)
    picture = image[0].permute(1, 2, 0).contiguous().numpy()
    labels = (trimap[0, 1] * 128 + trimap[0, 2] * 255).numpy().astype(np.uint8)
    cpu = torch.device("cpu")
    planes = [FramePlanes(picture, labels, cpu, dense=dense) for dense in (False, True)]
    for where in (Rectangle(0, 0, 256, 256), Rectangle(64, 32, 192, 256)):
        own = as_picture(piece(picture, where), cpu), as_one_hot(piece(labels, where), cpu)
        blocks, dense = (one.piece(where, *own) for one in planes)
        assert differences(blocks, dense, own[1][:, 1:2]).mean() < 1e-4
