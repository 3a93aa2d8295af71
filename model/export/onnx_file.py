"""The network as an ONNX file: convolutions in, planes from outside, checked before it is written.

Inputs, float32, N × C × H × W with H and W multiples of 32:

    image    3   R, G, B, display-referred, 0 to 1
    trimap   3   one-hot: background, unknown, foreground
    planes  10   what `model.planes.colour_planes` makes of the two: μ_F, μ_B (three channels each),
                 α₀, separability, α_L, α_C. Weights without colour planes have no such input.

Outputs:

    trimap_logits  3   T̃; its argmax is the adapted trimap T̂
    alpha          1   the propagated alpha within [0, 1]; it counts where T̂ is unknown, elsewhere
                       the matte is 0 or 1 as T̂ says
"""

import io
import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from model.adamatting import STRIDE, AdaMatting
from model.inference.fused_propagation import fuse
from model.inference.weight_files import find_weights, load_network
from model.planes.colour_planes import colour_planes
from plugin.disk.atomic import made, write_whole
from plugin.errors import WeightsError

TOLERANCE = 1e-3
"""How far any output of the file may be from the same network in torch."""

_OPSET = 17
_TRACED = (2 * STRIDE, 3 * STRIDE)
_CHECKED = ((2 * STRIDE, 3 * STRIDE), (5 * STRIDE, 4 * STRIDE))  # one that was not traced
_OUTPUTS = ("trimap_logits", "alpha")


@dataclass(frozen=True, slots=True)
class OnnxExport:
    """What was written.

    Attributes:
        path: the ONNX file.
        sha256: of the weights that it holds.
        difference: the largest between ONNX Runtime and torch, over all outputs and checked sizes.
    """

    path: Path
    sha256: str
    difference: float


class _Network(nn.Module):
    """Tensors in and out, as ONNX wants it."""

    def __init__(self, network: AdaMatting) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, image: Tensor, trimap: Tensor, planes: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        prediction = self.network(image, trimap, planes)
        return prediction.trimap, prediction.alphas[-1].clamp(0, 1)


def export_onnx(source: Path, target: Path) -> OnnxExport:
    """Write the network of a weight file as ONNX, after ONNX Runtime has given what torch gives.

    Args:
        source: a `.safetensors` file, or the name of bundled weights.
        target: the `.onnx` file to write.

    Raises:
        WeightsError: the source is not weights of AdaMatting; `onnx` or `onnxruntime` is missing;
            the ONNX network gives something else.
        OutputError: the file cannot be written.
    """
    weights = find_weights(str(source))
    network = _Network(_fused(load_network(weights))).eval()
    content = _traced(network)
    difference = _difference(network, content)
    if not difference <= TOLERANCE:
        raise WeightsError(
            f"as ONNX the network differs from itself by {difference:.2g}, more than {TOLERANCE}",
            where=source,
            fix="nothing was written; try the versions of torch and onnxruntime in constraints.txt",
        )
    config = network.network.config.as_dict()
    content = _described(
        content,
        {
            "adamatte.weights_sha256": weights.sha256,
            "adamatte.config": json.dumps(config),
            "adamatte.inputs": json.dumps(_shapes(network.network)),
            "adamatte.difference_from_torch": f"{difference:.3g}",
        },
    )
    made(target.parent)
    write_whole(target, content, root=Path("/"))  # a link of that name is the user's own
    return OnnxExport(path=target.absolute(), sha256=weights.sha256, difference=difference)


def _fused(network: AdaMatting) -> AdaMatting:
    """`fuse`, as its own type."""
    fuse(network)
    return network


def _shapes(network: AdaMatting) -> dict[str, list[int | str]]:
    channels = {"image": 3, "trimap": 3}
    if network.config.colour_planes:
        channels["planes"] = network.config.planes - 4
    return {name: ["batch", count, "height", "width"] for name, count in channels.items()}


def _example(network: AdaMatting, size: tuple[int, int], seed: int = 0) -> tuple[Tensor, ...]:
    """A picture with all three labels, and its planes where the network reads them."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 3, 8, 8, generator=generator)
    image = nn.functional.interpolate(coarse, size, mode="bicubic").clamp(0, 1)
    labels = torch.zeros(1, 1, *size, dtype=torch.int64)
    labels[..., size[1] // 4 :], labels[..., 2 * size[1] // 3 :] = 1, 2
    trimap = torch.cat([(labels == k).float() for k in range(3)], dim=1)
    if not network.config.colour_planes:
        return image, trimap
    return image, trimap, colour_planes(image, trimap)


def _traced(network: _Network) -> bytes:
    axes = {0: "batch", 2: "height", 3: "width"}
    names = list(_shapes(network.network))
    out = io.BytesIO()
    # The exporter that torch prefers needs one more package, and the graph is the same.
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            _example(network.network, _TRACED),
            out,  # type: ignore[arg-type]
            dynamo=False,
            input_names=names,
            output_names=list(_OUTPUTS),
            dynamic_axes=dict.fromkeys((*names, *_OUTPUTS), axes),
            opset_version=_OPSET,
        )
    return out.getvalue()


@torch.inference_mode()
def _difference(network: _Network, content: bytes) -> float:
    session = _session(content)
    worst = 0.0
    for seed, size in enumerate(_CHECKED):
        fed = _example(network.network, size, seed)
        names = _shapes(network.network)
        found = session.run(
            list(_OUTPUTS), {name: x.numpy() for name, x in zip(names, fed, strict=True)}
        )
        for own, other in zip(network(*fed), found, strict=True):
            worst = max(worst, float((own - torch.from_numpy(other)).abs().max()))
    return worst


def _session(content: bytes) -> Any:  # noqa: ANN401  of an optional package
    try:
        import onnxruntime
    except ImportError as error:
        raise _missing("onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        content, sess_options=options, providers=["CPUExecutionProvider"]
    )


def _described(content: bytes, notes: dict[str, str]) -> bytes:
    try:
        import onnx
    except ImportError as error:
        raise _missing("onnx") from error
    model = onnx.load_model_from_string(content)
    model.producer_name = "adamatte"
    model.doc_string = __doc__ or ""
    for key, value in notes.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _missing(package: str) -> WeightsError:
    return WeightsError(
        f"{package} is not installed", where="--onnx", fix="pip install 'adamatte[onnx]'"
    )
