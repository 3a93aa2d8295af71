"""The network tuned to finished alphas: to the bit, near to what it was, and better on them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from model.adamatting import AdaMatting
from model.config import CONFIGS, AdaMattingConfig
from model.inference.threads import settled_process
from model.inference.weight_files import find_weights, load_network
from model.matter import Matter
from model.tuning import Finished, tune, weights_of, worsened
from plugin.synthetic import SyntheticShot, render
from plugin.trimap.band import trimap_from_mask
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, Mask

pytestmark = pytest.mark.slow


def finished(index: int, erode: float = 60, dilate: float = 90) -> Finished:
    """A frame of the creature with its true alpha, and a plain band."""
    frame = render(SyntheticShot(seed=3, width=192, height=128, frames=12), index)
    mask = Mask(index, (frame.alpha > 0.5).astype(np.float32))
    labels = trimap_from_mask(mask, erode=erode, dilate=dilate, height=128).labels
    return Finished(frame.plate_rgb, labels, frame.alpha)


def taught(keys: list[Finished], steps: int) -> bytes:
    network = load_network(find_weights("lite"))
    with settled_process():
        tune(network, keys, steps)
    return weights_of(network)


def test_the_same_keys_give_the_same_weights_and_only_decoders_move() -> None:
    keys = [finished(0), finished(6)]
    told: list[tuple[int, int]] = []
    network = load_network(find_weights("lite"))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    torch.set_num_threads(2)
    with settled_process():
        tune(network, keys, 3, lambda done, total: told.append((done, total)))
    assert told == [(0, 3), (1, 3), (2, 3), (3, 3)]
    after = network.state_dict()
    moved = {name.partition(".")[0] for name in before if not before[name].equal(after[name])}
    assert moved == {"t_decoder", "a_decoder"}
    assert not any(weight.requires_grad for weight in network.parameters())
    assert weights_of(network) == taught(keys, 3)
    assert weights_of(network) != taught(keys[:1], 3)
    assert weights_of(network) != taught(keys, 2)


def test_networks_of_other_configurations_are_tuned_too() -> None:
    plain = {"trimap_decoder": False, "colour_planes": False, "propagation": False}
    network = AdaMatting(AdaMattingConfig.from_dict(CONFIGS["lite"].as_dict() | plain)).eval()
    before = weights_of(network)
    with settled_process():
        tune(network, [finished(0)], 1)
    assert weights_of(network) != before


def test_it_is_better_on_another_frame_with_wide_bands_too_and_is_read_as_any_weights(
    tmp_path: Path,
) -> None:
    """Of a key whose band is narrow and true; taught such bands alone, it is worse with wide ones.

    By 12 and 13 per cent of the error, on this very frame.
    """
    file = tmp_path / "tuned.safetensors"
    file.write_bytes(taught([finished(0, 8, 12)], 24))
    shipped, tuned = (Matter(model, device="cpu") for model in ("lite", str(file)))
    for wide in (finished(6, 60, 90), finished(6, 150, 300)):
        before, after = (
            float(np.abs(matter(wide.rgb, wide.trimap)[1] - wide.alpha).sum())
            for matter in (shipped, tuned)
        )
        assert after < 0.9 * before


def test_trimaps_of_all_kinds_are_taught() -> None:
    """A quarter as they are; the others wider, many of those off, some with regions lost."""
    away = np.hypot(*np.mgrid[-96:96, -96:96])
    trimap = np.select([away < 40, away < 46], [FOREGROUND, UNKNOWN], BACKGROUND).astype(np.uint8)
    random = np.random.default_rng(0)
    found = [worsened(trimap, random) for _ in range(400)]
    changed = [labels for labels in found if not np.array_equal(labels, trimap)]
    assert 0.68 < len(changed) / 400 < 0.8
    assert all(set(np.unique(labels)) <= {BACKGROUND, UNKNOWN, FOREGROUND} for labels in changed)
    band = trimap == UNKNOWN
    off = [labels for labels in changed if (labels[band] != UNKNOWN).any()]
    assert 0.1 < len(off) / 400 < 0.5
    known = [labels[away < 4] for labels in changed]
    lost = [labels for labels in known if (labels == UNKNOWN).any()]
    assert 0.02 < len(lost) / 400 < 0.3
    assert all((labels != BACKGROUND).all() for labels in known)
