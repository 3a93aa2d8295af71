"""A frame as a GPU is given it, held on the CPU: the same matte, few calls, no wait, one shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from model import Matter
from model.adamatting import AdaMatting
from model.config import CONFIGS
from model.inference.frame import MARGIN
from model.inference.fused_propagation import fuse, lower
from model.inference.on_device import OnDevice, windows
from plugin.errors import FrameError
from plugin.types import UNKNOWN
from tests.calls import Calls
from tests.networks import scene

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def matter() -> Matter:
    return Matter("lite", device="cpu")


def on_device(matter: Matter, largest: int | None = 2048) -> OnDevice:
    return OnDevice(matter.network, CPU, torch.float32, largest)


@pytest.mark.parametrize("size", [(288, 416), (257, 419)])
@pytest.mark.parametrize("largest", [None, 256, 128])
def test_the_same_matte_as_in_rectangles(
    matter: Matter, size: tuple[int, int], largest: int | None
) -> None:
    image, trimap = scene(*size)
    expected = replace(matter.inference, largest=None)(image, trimap)
    adapted, alpha, sure = on_device(matter, largest)(image, trimap)
    assert [layer.dtype.name for layer in (adapted, alpha, sure)] == ["uint8", "float32", "float32"]
    assert adapted.shape == alpha.shape == sure.shape == size
    unknown = trimap == UNKNOWN
    assert (adapted != expected[0]).mean() <= 0.002
    assert (np.abs(alpha - expected[1])[unknown] > 2 / 255).mean() <= 0.005
    assert np.median(np.abs(alpha - expected[1])[unknown]) < 1e-4
    assert (np.abs(sure - expected[2]) > 0.05).mean() <= 0.002
    assert (alpha[adapted == 0] == 0).all()
    assert (alpha[adapted == 255] == 1).all()
    assert 0 <= alpha.min() <= alpha.max() <= 1


@pytest.mark.parametrize("size", [(32, 32), (1088, 1920), (2176, 3840), (4320, 7680), (64, 8192)])
@pytest.mark.parametrize("largest", [None, 2048, 1024, 256])
def test_windows_are_of_one_size_and_hold_every_pixel_once(
    size: tuple[int, int], largest: int | None
) -> None:
    held = np.zeros(size, np.uint8)
    shapes = set()
    for window in windows(size, largest):
        core, seen = window.core, window.seen
        held[core.slices] += 1
        shapes.add((seen.bottom - seen.top, seen.right - seen.left))
        assert seen.grown(0, *size) == seen
        # As much around it as the network looks at, as far as there is a frame.
        assert core.grown(MARGIN, *size).within(seen) == core.grown(MARGIN, *size)
        assert all(side % 32 == 0 for side in (seen.top, seen.left, seen.bottom, seen.right))
    assert (held == 1).all()
    assert len(shapes) == 1


class _Shapes(Calls):  # type: ignore[no-untyped-call]
    """Also notes what convolutions are given."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: set[tuple[int, ...]] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if "convolution" in func.__name__ and args[0].shape[1] == 14:
            self.shapes.add(tuple(args[0].shape))
        return super().__torch_dispatch__(func, types, args, kwargs)


def test_a_frame_takes_as_many_calls_whatever_is_unknown_and_no_wait(matter: Matter) -> None:
    device = on_device(matter, 256)
    launches, shapes = [], set()
    for seed, shift in ((0, 0), (1, 20), (2, -30)):
        image, trimap = scene(288, 416, seed)
        trimap = np.roll(trimap, shift, axis=1)
        device(image, trimap)  # what is kept for a size is made
        with _Shapes() as calls, torch.no_grad():  # inference mode shows calls less finely
            device._layers(image, trimap)
        assert calls.waits == ["lift_fresh"]
        assert calls.names["lift_fresh"] == 2  # the picture and the trimap, once each
        launches.append(calls.launches)
        shapes |= calls.shapes
    assert len(set(launches)) == 1
    assert shapes == {(1, 14, 288, 416)}  # as much as windows of 256 see, four of them
    assert launches[0] < 2100
    with Calls() as calls, torch.no_grad():
        on_device(matter)._layers(image, trimap)
    assert calls.launches < 1400  # of which 987 are the planes'


def test_known_windows_are_left_out(matter: Matter) -> None:
    image, trimap = scene(256, 1024)
    trimap[:, 480:] = 0
    whole = on_device(matter, None)(image, trimap)
    with _Shapes() as calls, torch.no_grad():
        on_device(matter, 256)._layers(image, trimap)
    parts = on_device(matter, 256)(image, trimap)
    assert calls.shapes == {(1, 14, 256, 448)}
    assert calls.names["pixel_shuffle"] == 10  # those of one window of four, both decoders
    assert (np.abs(parts[1] - whole[1]) > 1 / 255).mean() <= 0.001
    assert (parts[1][:, 520:] == 0).all()


@pytest.mark.parametrize("name", ["lite", "lite-faithful"])
def test_weights_in_their_type_make_what_autocast_makes(name: str) -> None:
    torch.manual_seed(3)
    network = AdaMatting(CONFIGS[name]).eval()
    fuse(network)
    image, one_hot = torch.rand(1, 3, 64, 96), torch.zeros(1, 3, 64, 96)
    one_hot[:, 1] = 1
    planes = torch.rand(1, 10, 64, 96) if CONFIGS[name].colour_planes else None
    with torch.inference_mode():
        with torch.autocast("cpu", torch.bfloat16):
            expected = network.decode(image, one_hot, planes)
        lower(network, torch.bfloat16)
        found = network.decode(image, one_hot, planes)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    assert found[1].dtype == torch.float32
    steps = (found[1] * 256 % 1 != 0).float().mean()
    assert steps > 0.5  # more than bf16 has


def test_bf16_is_near_fp32(matter: Matter) -> None:
    image, trimap = scene(160, 224)
    expected = on_device(matter)(image, trimap)[1]
    other = Matter("lite", device="cpu")
    lower(other.network, torch.bfloat16)
    found = OnDevice(other.network, CPU, torch.bfloat16)(image, trimap)[1]
    difference = np.abs(found - expected)[trimap == UNKNOWN]
    assert 0 < difference.mean() < 0.01


def test_what_is_no_number_is_refused() -> None:
    other = Matter("lite", device="cpu")
    with torch.no_grad():
        other.network.a_decoder.head.weight.fill_(float("nan"))
    with pytest.raises(FrameError, match="no number"):
        OnDevice(other.network, CPU)(*scene(96, 96))
