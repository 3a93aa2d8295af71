"""The network as an ONNX file gives what torch gives, at sizes that it was not traced at."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

import model.export.onnx_file as exporting
from model.adamatting import AdaMatting
from model.config import AdaMattingConfig
from model.export.onnx_file import TOLERANCE, export_onnx
from model.inference.weight_files import find_weights, load_network
from model.planes.colour_planes import colour_planes
from plugin.cli.network import export
from plugin.errors import ShotError, WeightsError
from tests.networks import TINY

pytestmark = pytest.mark.slow


def tiny(path: Path, *, planes: bool = True) -> Path:
    """Weights of a tiny network, as a file."""
    torch.manual_seed(0)
    config = replace(TINY, colour_planes=planes)
    state = AdaMatting(config).state_dict()
    save_file(state, path, {"config": json.dumps(config.as_dict())})
    return path


def example(height: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(5))
    labels = torch.arange(width).mul(3).div(width, rounding_mode="floor").expand(1, 1, height, -1)
    return image, torch.cat([(labels == k).float() for k in range(3)], dim=1)


@pytest.mark.parametrize(("height", "width"), [(32, 160), (224, 96)])
def test_the_bundled_network_in_onnxruntime_is_the_one_in_torch(
    tmp_path: Path, height: int, width: int
) -> None:
    made = export_onnx(Path("lite"), tmp_path / "lite.onnx")
    assert made.difference <= TOLERANCE
    image, trimap = example(height, width)
    network = load_network(find_weights("lite"))
    with torch.inference_mode():
        planes = colour_planes(image, trimap)
        expected = network(image, trimap, planes)
    session = onnxruntime.InferenceSession(made.path, providers=["CPUExecutionProvider"])
    fed = {"image": image.numpy(), "trimap": trimap.numpy(), "planes": planes.numpy()}
    logits, alpha = session.run(["trimap_logits", "alpha"], fed)
    assert np.abs(logits - expected.trimap.numpy()).max() < 1e-3
    assert np.abs(alpha - expected.alphas[-1].clamp(0, 1).numpy()).max() < 1e-4


@pytest.mark.parametrize("planes", [True, False])
def test_the_file_says_what_it_is(tmp_path: Path, planes: bool) -> None:
    weights = tiny(tmp_path / "w.safetensors", planes=planes)
    made = export_onnx(weights, tmp_path / "sub" / "w.onnx")
    network = onnx.load(made.path)
    notes = {entry.key: entry.value for entry in network.metadata_props}
    assert notes["adamatte.weights_sha256"] == made.sha256 == find_weights(str(weights)).sha256
    config = AdaMattingConfig.from_dict(json.loads(notes["adamatte.config"]))
    assert config == replace(TINY, colour_planes=planes)
    names = ["image", "trimap", "planes"] if planes else ["image", "trimap"]
    assert [node.name for node in network.graph.input] == names
    shapes = json.loads(notes["adamatte.inputs"])
    assert shapes["image"] == ["batch", 3, "height", "width"]
    assert list(shapes) == names
    assert float(notes["adamatte.difference_from_torch"]) <= TOLERANCE
    assert "planes" in network.doc_string
    assert [path.name for path in made.path.parent.iterdir()] == ["w.onnx"]


def test_a_network_that_comes_out_different_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = export_onnx(tiny(tmp_path / "one.safetensors"), tmp_path / "one.onnx").path
    network = onnx.load(other)
    bias = next(item for item in network.graph.initializer if item.name.endswith("head.bias"))
    wrong = onnx.numpy_helper.to_array(bias) + np.float32(0.01)
    bias.CopyFrom(onnx.numpy_helper.from_array(wrong, bias.name))
    damaged = network.SerializeToString()
    monkeypatch.setattr(exporting, "_traced", lambda _network: damaged)
    with pytest.raises(WeightsError, match=r"differs from itself by 0\.0"):
        export_onnx(tmp_path / "one.safetensors", tmp_path / "two.onnx")
    assert not (tmp_path / "two.onnx").exists()


def test_the_command_says_how_far_it_is_from_torch(tmp_path: Path) -> None:
    weights, target = tiny(tmp_path / "w.safetensors"), tmp_path / "w.onnx"
    said = CliRunner().invoke(export, [str(weights), "--onnx", str(target)])
    assert said.exit_code == 0, said.output
    assert "differs from torch by at most" in said.output
    assert target.is_file()
    refused = CliRunner().invoke(export, [str(weights)])
    assert isinstance(refused.exception, ShotError)
