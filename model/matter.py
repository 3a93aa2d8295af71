"""`Matter`: one image and its trimap to adapted trimap and alpha; numpy in, numpy out."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import replace
from typing import Literal

import numpy as np
import torch

from model.inference.device import choose_device, choose_precision
from model.inference.frame import MARGIN, MARGINS, Inference
from model.inference.fuse import fuse
from model.inference.weight_files import find_weights, load_network
from model.planes.colour_planes import VERSION
from model.rectangles.pieces import LABELS
from model.rectangles.regions import CELL
from plugin.errors import DeviceError, TrimapError
from plugin.types import FOREGROUND, UNKNOWN, FloatArray, LabelArray

__all__ = ["Matter", "network_digest"]

_LOG = logging.getLogger("adamatte")

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_LARGEST, _SMALLEST = 2048, 128  # of a tile on a GPU
_BYTES_A_PIXEL = 6000  # of all layers that live at once, with room to spare


class Matter:
    """AdaMatting with weights, on a device.

        adapted, alpha = Matter("lite")(image, trimap)

    Args:
        model: bundled weights by name, or a `.safetensors` file.
        device: `auto`, `cpu` or `cuda`.
        precision: of convolutions; `auto` is fp32 on a CPU, bf16 on a GPU.
        tile: longest side of what goes through the network at once, pixels without the context
            around it; `auto`, or `off` for whole frames.

    Raises:
        WeightsError: the weights are missing or damaged.
        DeviceError: there is no such device, or it has not that precision.
    """

    def __init__(
        self,
        model: str = "lite",
        *,
        device: str = "auto",
        precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto",
        tile: str = "auto",
    ) -> None:
        self.device = torch.device(choose_device(device))
        chosen = choose_precision(precision, self.device.type)
        self.weights = find_weights(model)
        self.network = load_network(self.weights).to(self.device)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        fuse(self.network)
        self.inference = Inference(
            self.network, self.device, _DTYPES[chosen], _largest(tile, self.device)
        )
        self._precision = chosen

    @property
    def digest(self) -> str:
        """sha256 of whatever changes the pixels."""
        return network_digest(self.weights.sha256, self._precision)

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
        adapted, alpha, _ = self.with_confidence(image, trimap)
        return adapted, alpha

    def with_confidence(
        self, image: FloatArray, trimap: LabelArray
    ) -> tuple[LabelArray, FloatArray, FloatArray]:
        """As a call, and how sure the network is of T̂: the probability of the class chosen.

        `H × W` float32 within [1/3, 1]; 1 where the trimap was taken at its word.
        """
        _check(image, trimap)
        if not (trimap == UNKNOWN).any():
            alpha = trimap.astype(np.float32) / np.float32(FOREGROUND)
            return trimap.copy(), alpha, np.ones_like(alpha)
        while True:
            try:
                return self.inference(image, trimap)
            except torch.OutOfMemoryError:
                self._halve_tiles()

    def _halve_tiles(self) -> None:
        """After the device ran out of memory; the matte is the same with smaller ones."""
        torch.cuda.empty_cache()
        largest = (self.inference.largest or _LARGEST) // 2
        if largest < _SMALLEST:
            raise DeviceError(
                "out of memory even with the smallest tiles",
                where=str(self.device),
                fix="leave the device to this program, or use --device cpu",
            ) from None
        self.inference = replace(self.inference, largest=largest)
        _LOG.warning("out of GPU memory: tiles of %d pixels from here on", largest)


def network_digest(weights: str, precision: str) -> str:
    """`Matter.digest` of a network that is not loaded: of weights by their sha256."""
    parts = f"{weights} {precision} margins {MARGINS} planes {VERSION}"
    return hashlib.sha256(parts.encode()).hexdigest()


def _largest(tile: str, device: torch.device) -> int | None:
    """The longest side of a rectangle for `--tile`; None is the whole frame."""
    if tile == "off":
        return None
    if tile != "auto":
        return max(CELL, int(tile) // CELL * CELL)
    if device.type == "cpu":
        return 1024  # 1.2 GB of a worker; smaller ones pay for more margins
    free, _ = torch.cuda.mem_get_info(device)
    side = int((free / 2 / _BYTES_A_PIXEL) ** 0.5) - 2 * MARGIN
    return min(_LARGEST, max(_SMALLEST, side // CELL * CELL))


def _check(image: FloatArray, trimap: LabelArray) -> None:
    if image.shape != (*trimap.shape, 3):
        what = f"the image is {image.shape}, the trimap {trimap.shape}"
        raise TrimapError(what, where="matting", fix="give both the same height and width")
    if not np.isin(trimap, LABELS).all():
        raise TrimapError("values other than 0, 128, 255", where="trimap", fix="use those three")
