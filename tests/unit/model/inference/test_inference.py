"""A frame in rectangles is the frame as a whole."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from model import Matter
from plugin.errors import DeviceError, ShotError
from plugin.request.job_file import shot_from
from plugin.types import UNKNOWN
from tests.networks import scene

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def matter() -> Matter:
    return Matter("lite", device="cpu")


@pytest.mark.parametrize(("height", "width"), [(300, 420), (257, 511)])
@pytest.mark.parametrize("largest", [64, 128])
def test_the_same_matte_for_any_tile(matter: Matter, height: int, width: int, largest: int) -> None:
    image, trimap = scene(height, width)
    whole_trimap, whole, _ = replace(matter.inference, largest=None)(image, trimap)
    tiled_trimap, tiled, _ = replace(matter.inference, largest=largest)(image, trimap)
    unknown = trimap == UNKNOWN
    assert (np.abs(tiled - whole)[unknown] > 1 / 255).mean() <= 0.001
    assert (tiled_trimap != whole_trimap).mean() <= 0.001
    assert np.array_equal(tiled[~unknown] > 0.5, whole[~unknown] > 0.5)


def test_far_from_anything_unknown_the_trimap_is_taken_at_its_word(matter: Matter) -> None:
    image, trimap = scene(200, 640)
    trimap[:, 480:] = np.random.default_rng(1).choice([0, 255], (200, 160))
    adapted, alpha = matter(image, trimap)
    far = np.zeros(trimap.shape, np.bool_)
    far[:, 480:] = cv2.dilate((trimap == UNKNOWN).astype(np.uint8), np.ones((33, 33)))[:, 480:] == 0
    assert far.any()
    assert np.array_equal(adapted[far], trimap[far])
    assert np.array_equal(alpha[far], trimap[far] / np.float32(255))


def test_a_frame_whose_colours_are_far_away_is_still_matted(matter: Matter) -> None:
    # The unknown pixels' surroundings know no foreground; the far corner does.
    image, trimap = scene(160, 600)
    trimap[:] = 0
    trimap[40:120, 40:120] = UNKNOWN
    trimap[:20, 560:] = 255
    adapted, alpha = matter(image, trimap)
    assert np.isfinite(alpha).all()
    assert (alpha[:20, 580:] == 1).all()
    assert set(np.unique(adapted)) <= {0, 128, 255}


def test_bf16_is_near_fp32_and_has_a_digest_of_its_own(matter: Matter) -> None:
    image, trimap = scene(160, 224)
    other = Matter("lite", device="cpu", precision="bf16")
    assert other.digest != matter.digest
    difference = np.abs(other(image, trimap)[1] - matter(image, trimap)[1])
    assert np.median(difference[trimap == UNKNOWN]) < 0.02


def test_precisions_and_tiles_that_make_no_sense_are_refused() -> None:
    with pytest.raises(DeviceError, match="no fp16 on a CPU"):
        Matter("lite", device="cpu", precision="fp16")
    for tile in ("0", "63", "-5", "big", "1e3", "99999"):
        with pytest.raises(ShotError, match="tile"):
            shot_from({"plate": "a.mp4", "out": "x", "tile": tile})


def test_out_of_memory_halves_the_tile_and_the_matte_is_the_same(matter: Matter) -> None:
    image, trimap = scene(257, 420)
    expected = matter(image, trimap)[1]
    small = Matter("lite", device="cpu")
    limit = 352  # less than the frame, and as much as the smallest tile with its margins

    def refuse_large(_module: torch.nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if max(inputs[0].shape[-2:]) > limit:
            raise torch.OutOfMemoryError("as a device says it")

    small.network.encoder.register_forward_pre_hook(refuse_large)
    alpha = small(image, trimap)[1]
    assert (small.inference.largest or 0) < 512
    assert (np.abs(alpha - expected)[trimap == UNKNOWN] > 1 / 255).mean() <= 0.001
