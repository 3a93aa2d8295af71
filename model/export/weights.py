"""From a training run's checkpoint to weights that are shipped."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from model.inference.weight_files import WeightFile, find_weights, load_network


def export_weights(source: Path, target: Path) -> WeightFile:
    """Write weights in half precision, and beside them a JSON file that pins their sha256.

    Args:
        source: a checkpoint (`average.safetensors` of a training run), or other weights.
        target: the `.safetensors` file to write.

    Raises:
        WeightsError: the source is not weights of AdaMatting.
    """
    network = load_network(find_weights(str(source)))
    state = {
        name: (value.half() if value.dtype == torch.float32 else value).contiguous()
        for name, value in network.state_dict().items()
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    save_file(state, target, {"config": json.dumps(network.config.as_dict())})
    written = find_weights(str(target.absolute()))
    pin = {"sha256": written.sha256, "parameters": sum(p.numel() for p in network.parameters())}
    target.with_suffix(".json").write_text(json.dumps(pin, indent=1) + "\n", encoding="utf-8")
    return written
