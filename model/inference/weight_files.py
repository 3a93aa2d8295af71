"""Finding, checking and reading weights: safetensors only, pinned by sha256."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from plugin.disk.inputs import held, sum_of
from plugin.errors import WeightsError

if TYPE_CHECKING:
    from model.adamatting import AdaMatting
    from model.config import AdaMattingConfig

BUNDLED = Path(__file__).parents[1] / "weights"
"""Where the weights that come with the program lie: NAME.safetensors and NAME.json."""

_LARGEST = 1e5
"""Of a weight, either sign; those of trained networks are below 100, variances below 10 000."""


@dataclass(frozen=True, slots=True)
class WeightFile:
    """Weights on disk.

    Attributes:
        path: the `.safetensors` file.
        sha256: of its contents.
    """

    path: Path
    sha256: str


def find_weights(model: str) -> WeightFile:
    """Bundled weights by name, or a file.

    Args:
        model: `lite`, …, or the path of a `.safetensors` file.

    Raises:
        WeightsError: there are none of that name, or a bundled file is not the one it was.
    """
    bundled = BUNDLED / f"{model}.safetensors"
    if "/" not in model and bundled.is_file():
        found = WeightFile(bundled, _sha256(bundled))
        pinned = json.loads(bundled.with_suffix(".json").read_text(encoding="utf-8"))["sha256"]
        if found.sha256 != pinned:
            raise WeightsError("the bundled weights are damaged", where=bundled, fix="reinstall")
        return found
    path = Path(model)
    if path.suffix != ".safetensors" or not path.is_file():
        names = ", ".join(sorted(file.stem for file in BUNDLED.glob("*.safetensors")))
        raise WeightsError("no such weights", where=model, fix=f"name one of {names}, or a file")
    return WeightFile(path.absolute(), _sha256(path))


def load_network(weights: WeightFile) -> AdaMatting:
    """The network of a weight file, in float32, ready for inference.

    Raises:
        WeightsError: the file is not what training or `adamatte export` writes, has changed since
            it was found, or holds numbers that no training arrives at.
    """
    from safetensors import SafetensorError, safe_open

    from model.adamatting import AdaMatting
    from model.config import AdaMattingConfig

    try:
        with held(weights.path) as bytes_, safe_open(bytes_.place, framework="pt") as file:
            if bytes_.sum.sha256 != weights.sha256:
                raise ValueError("the file has changed since it was found")
            config = AdaMattingConfig.from_dict(json.loads(file.metadata()["config"]))
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        for name, values in state.items():
            if values.is_floating_point() and not bool((values.float().abs() <= _LARGEST).all()):
                raise ValueError(f"{name} holds values that are no numbers, or over {_LARGEST:g}")
        network = AdaMatting(config)
        network.load_state_dict(state)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        what = f"not weights of AdaMatting: {' '.join(str(error).split())[:160]}"
        raise WeightsError(what, where=weights.path, fix="name other weights") from error
    return network.float().eval()


def read_config(weights: WeightFile) -> AdaMattingConfig:
    """The sizes of a weight file's network; no weight is read.

    Raises:
        WeightsError: the file is not what training or `adamatte export` writes.
    """
    from safetensors import SafetensorError, safe_open

    from model.config import AdaMattingConfig

    try:
        with safe_open(weights.path, framework="pt") as file:
            return AdaMattingConfig.from_dict(json.loads(file.metadata()["config"]))
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        what = f"not weights of AdaMatting: {' '.join(str(error).split())[:160]}"
        raise WeightsError(what, where=weights.path, fix="name other weights") from error


def _sha256(path: Path) -> str:
    try:
        return sum_of(path).sha256
    except OSError as error:
        what = f"the weights cannot be read: {error.strerror or error}"
        raise WeightsError(what, where=path, fix="check path and rights") from error
