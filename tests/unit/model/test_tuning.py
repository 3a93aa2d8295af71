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
from model.tuning import Finished, tune, weights_of
from plugin.synthetic import SyntheticShot, render
from plugin.trimap.band import trimap_from_mask
from plugin.types import Mask

pytestmark = pytest.mark.slow


def finished(index: int) -> Finished:
    """A frame of the creature with its true alpha, and a plain band."""
    frame = render(SyntheticShot(seed=3, width=192, height=128, frames=12), index)
    mask = Mask(index, (frame.alpha > 0.5).astype(np.float32))
    labels = trimap_from_mask(mask, erode=60, dilate=90, height=128).labels
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


def test_it_is_better_on_another_frame_and_is_read_as_any_weights(tmp_path: Path) -> None:
    file = tmp_path / "tuned.safetensors"
    file.write_bytes(taught([finished(0)], 24))
    other = finished(6)

    def error(model: str) -> float:
        alpha = Matter(model, device="cpu")(other.rgb, other.trimap)[1]
        return float(np.abs(alpha - other.alpha).sum())

    assert error(str(file)) < 0.97 * error("lite")
