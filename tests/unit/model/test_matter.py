"""`Matter` with the bundled weights: numpy in, numpy out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from model import Matter
from model.adamatting import AdaMatting
from model.evaluation.metrics import sad
from model.export.weights import export_weights
from model.inference.weight_files import BUNDLED, find_weights, load_network
from plugin.errors import DeviceError, TrimapError, WeightsError
from plugin.synthetic import ShotKind, SyntheticFrame, SyntheticShot, render
from plugin.trimap.band import trimap_from_mask
from plugin.types import UNKNOWN, FloatArray, LabelArray, Mask
from tests.networks import TINY

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def matter() -> Matter:
    return Matter("lite", device="cpu")


def sample(kind: ShotKind = ShotKind.DEMO, seed: int = 3) -> tuple[SyntheticFrame, LabelArray]:
    frame = render(SyntheticShot(kind=kind, seed=seed, width=160, height=96, frames=4), 1)
    coverage = frame.mask.astype(np.float32) / 255
    mask = Mask(number=1, coverage=np.asarray(coverage, np.float32))
    return frame, trimap_from_mask(mask, erode=40, dilate=60, height=96).labels


@pytest.mark.parametrize("name", sorted(file.stem for file in BUNDLED.glob("*.safetensors")))
def test_bundled_weights_are_the_pinned_ones(name: str) -> None:
    path = BUNDLED / f"{name}.safetensors"
    pinned = json.loads((BUNDLED / f"{name}.json").read_text())["sha256"]
    assert hashlib.sha256(path.read_bytes()).hexdigest() == pinned
    assert pinned in (BUNDLED / "CARD.md").read_text(encoding="utf-8")
    assert find_weights(name).sha256 == pinned


@pytest.mark.parametrize("kind", [ShotKind.DEMO, ShotKind.WIND, ShotKind.BLUR, ShotKind.GREEN])
def test_a_matte_is_far_better_than_the_trimap_that_it_was_made_from(
    matter: Matter, kind: ShotKind
) -> None:
    frame, trimap = sample(kind)
    adapted, alpha = matter(np.asarray(frame.plate_rgb, np.float32), trimap)
    half = np.where(trimap == UNKNOWN, np.float32(0.5), trimap / np.float32(255))
    assert sad(alpha, frame.alpha, trimap) < sad(half.astype(np.float32), frame.alpha, trimap) / 2
    narrowed = np.count_nonzero(adapted == UNKNOWN) / np.count_nonzero(trimap == UNKNOWN)
    assert narrowed < 0.9


def test_alpha_is_a_matte_and_obeys_the_adapted_trimap(matter: Matter) -> None:
    frame, trimap = sample()
    adapted, alpha = matter(np.asarray(frame.plate_rgb, np.float32), trimap)
    assert alpha.dtype == np.float32
    assert np.isfinite(alpha).all()
    assert 0 <= alpha.min() <= alpha.max() <= 1
    assert set(np.unique(adapted)) <= {0, 128, 255}
    assert (alpha[adapted == 0] == 0).all()
    assert (alpha[adapted == 255] == 1).all()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (31, 33), (32, 32), (65, 17)])
def test_any_size(matter: Matter, height: int, width: int) -> None:
    rng = np.random.default_rng(0)
    image: FloatArray = rng.random((height, width, 3), dtype=np.float32)
    trimap = rng.choice(np.array([0, 128, 255], np.uint8), (height, width))
    adapted, alpha = matter(image, trimap)
    assert adapted.shape == alpha.shape == (height, width)


def test_the_same_twice(matter: Matter) -> None:
    frame, trimap = sample()
    image = np.asarray(frame.plate_rgb, np.float32)
    (one, first), (two, second) = matter(image, trimap), matter(image, trimap)
    assert np.array_equal(one, two)
    assert np.array_equal(first, second)


def test_nothing_unknown_is_taken_at_its_word(matter: Matter) -> None:
    frame, trimap = sample()
    sure = np.where(trimap == UNKNOWN, 255, trimap).astype(np.uint8)
    adapted, alpha = matter(np.asarray(frame.plate_rgb, np.float32), sure)
    assert np.array_equal(adapted, sure)
    assert np.array_equal(alpha, (sure / 255).astype(np.float32))


@pytest.mark.parametrize(
    ("image", "trimap"), [("uint8", "uint8"), ("float64", "uint8"), ("float32", "float32")]
)
def test_other_types_are_told_what_is_wanted(matter: Matter, image: str, trimap: str) -> None:
    with pytest.raises(TrimapError, match=r"float32 within 0 to 1 \(of 8 bits: .* / 255\)"):
        matter(np.zeros((8, 9, 3), image), np.zeros((8, 9), trimap))


def test_what_does_not_fit_is_refused(matter: Matter, tmp_path: Path) -> None:
    image = np.zeros((8, 9, 3), np.float32)
    with pytest.raises(TrimapError, match="8, 9"):
        matter(image, np.full((8, 8), 128, np.uint8))
    with pytest.raises(TrimapError, match="values"):
        matter(image, np.full((8, 9), 127, np.uint8))
    with pytest.raises(WeightsError, match="no such weights"):
        Matter("enormous")
    (tmp_path / "w.safetensors").write_bytes(b"not weights")
    with pytest.raises(WeightsError, match="not weights"):
        Matter(str(tmp_path / "w.safetensors"))


def test_a_gpu_that_is_not_there_is_refused() -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(DeviceError, match="CUDA"):
        Matter("lite", device="cuda")


def test_several_weights_are_exported_as_their_mean(tmp_path: Path) -> None:
    states = []
    for seed in range(2):
        torch.manual_seed(seed)
        network = AdaMatting(TINY)
        states.append(network.state_dict())
        save_file(
            states[-1], tmp_path / f"{seed}.safetensors", {"config": json.dumps(TINY.as_dict())}
        )
    sources = [tmp_path / "0.safetensors", *[tmp_path / "1.safetensors"] * 3]
    made = load_network(export_weights(sources, tmp_path / "mean.safetensors")).state_dict()
    for name, value in states[0].items():
        if value.is_floating_point():
            expected = 0.25 * value + 0.75 * states[1][name]
            torch.testing.assert_close(made[name], expected, rtol=1e-3, atol=1e-4)
    other = AdaMatting(replace(TINY, hidden=TINY.hidden + 1))
    metadata = {"config": json.dumps(other.config.as_dict())}
    save_file(other.state_dict(), tmp_path / "other.safetensors", metadata)
    with pytest.raises(WeightsError, match="another network"):
        export_weights([sources[0], tmp_path / "other.safetensors"], tmp_path / "mean.safetensors")
