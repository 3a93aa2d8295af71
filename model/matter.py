"""`Matter`: one image and its trimap to adapted trimap and alpha; numpy in, numpy out."""

from __future__ import annotations

import hashlib

import numpy as np
import torch

from model.device import choose_device
from model.inference import Inference
from model.pieces import LABELS
from model.weight_files import find_weights, load_network
from plugin.errors import TrimapError
from plugin.types import FOREGROUND, UNKNOWN, FloatArray, LabelArray

__all__ = ["Matter"]


class Matter:
    """AdaMatting with weights, on a device.

        adapted, alpha = Matter("lite")(image, trimap)

    Args:
        model: bundled weights by name, or a `.safetensors` file.
        device: `auto`, `cpu` or `cuda`.

    Raises:
        WeightsError: the weights are missing or damaged.
        DeviceError: there is no such device.
    """

    def __init__(self, model: str = "lite", *, device: str = "auto") -> None:
        self.device = torch.device(choose_device(device))
        self.weights = find_weights(model)
        self.network = load_network(self.weights).to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.inference = Inference(self.network, self.device)

    @property
    def digest(self) -> str:
        """sha256 of whatever changes the pixels."""
        return hashlib.sha256(self.weights.sha256.encode()).hexdigest()

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        """Matte one image.

        A trimap without unknown pixels is taken at its word: nothing is left to estimate.

        Args:
            image: `H × W × 3` float32, display-referred sRGB, within [0, 1].
            trimap: `H × W` uint8 of 0, 128 and 255.

        Returns:
            T̂, `H × W` uint8 of 0, 128 and 255, and alpha, `H × W` float32 within [0, 1].

        Raises:
            TrimapError: image and trimap differ in size, or the trimap holds other values.
        """
        _check(image, trimap)
        if not (trimap == UNKNOWN).any():
            return trimap.copy(), trimap.astype(np.float32) / np.float32(FOREGROUND)
        return self.inference(image, trimap)


def _check(image: FloatArray, trimap: LabelArray) -> None:
    if image.shape != (*trimap.shape, 3):
        what = f"the image is {image.shape}, the trimap {trimap.shape}"
        raise TrimapError(what, where="matting", fix="give both the same height and width")
    if not np.isin(trimap, LABELS).all():
        raise TrimapError("values other than 0, 128, 255", where="trimap", fix="use those three")
