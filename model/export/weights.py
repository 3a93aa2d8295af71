"""From a training run's checkpoint to weights that are shipped."""

import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from model.inference.weight_files import WeightFile, find_weights, load_network
from plugin.errors import WeightsError


def export_weights(sources: Sequence[Path], target: Path) -> WeightFile:
    """Write weights in half precision, and beside them a JSON file that pins their sha256.

    Args:
        sources: checkpoints (`average.safetensors` of a training run), or other weights; of several
            the mean, value by value. One that is named twice counts twice. Stretches of training
            that began from one another have means that are better than either (Wortsman et al.,
            "Model soups", ICML 2022).
        target: the `.safetensors` file to write.

    Raises:
        WeightsError: a source is not weights of AdaMatting, or of another network than the first.
    """
    networks = [load_network(find_weights(str(source))) for source in sources]
    network = networks[0]
    for source, other in zip(sources, networks, strict=True):
        if other.config != network.config:
            what = f"it is another network than {sources[0]}"
            raise WeightsError(what, where=source, fix="name weights of one network")
    states = [each.state_dict() for each in networks]
    state = {
        name: (
            _mean([each[name] for each in states]).half() if value.is_floating_point() else value
        )
        for name, value in network.state_dict().items()
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, target, {"config": json.dumps(network.config.as_dict())})
    written = find_weights(str(target.absolute()))
    pin = {"sha256": written.sha256, "parameters": sum(p.numel() for p in network.parameters())}
    target.with_suffix(".json").write_text(json.dumps(pin, indent=1) + "\n", encoding="utf-8")
    return written


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean(0).contiguous()
