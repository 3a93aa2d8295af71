"""`Matter`: one image and its trimap to adapted trimap and alpha; numpy in, numpy out."""

import hashlib
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import torch

from model.inference.device import (
    choose_device,
    choose_precision,
    device_told,
    gpu_memory,
    kind_of,
    out_of_memory,
)
from model.inference.frame import MARGINS, Inference
from model.inference.fused_propagation import fuse, lower
from model.inference.gpu_memory import tile_for
from model.inference.on_device import OnDevice
from model.inference.recall import Recall
from model.inference.weight_files import find_weights, load_network
from model.planes.colour_planes import VERSION
from model.rectangles.pieces import LABELS
from model.rectangles.regions import CELL
from plugin.errors import DeviceError, TrimapError
from plugin.types import FOREGROUND, UNKNOWN, FloatArray, LabelArray

_LOG = logging.getLogger("adamatte")

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}

_LARGEST, _SMALLEST = 2048, 128  # of a tile that is halved
_CPU_TILE = 1024  # 1.2 GB of a worker; smaller ones pay for more margins


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
        DeviceError: there is no such device, it has not that precision, or it fails.
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
        self.kind = kind_of(self.device.type)
        with device_told(str(self.device)):
            self.network = load_network(self.weights).to(self.device)
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            fuse(self.network)
            run: type[Inference | OnDevice] = Inference
            if self.device.type != "cpu":
                lower(self.network, _DTYPES[chosen])
                run = OnDevice
        largest = largest_of(tile, self.device.type)
        self.inference = run(self.network, self.device, _DTYPES[chosen], largest)
        self._precision = chosen

    @property
    def digest(self) -> str:
        """sha256 of whatever changes the pixels; another once tiles had to be made smaller."""
        return network_digest(
            self.weights.sha256, self._precision, self.kind, self.inference.largest
        )

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
            DeviceError: the device fails: this process can do nothing more with it.
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
            with device_told(str(self.device)):
                try:
                    return self.inference(image, trimap)
                except RuntimeError as error:
                    if not out_of_memory(error):
                        raise
                # The error has let go of the failed try's tensors by now.
                self._halve_tiles()

    def remember(self, most: int, turn: Callable[[], None]) -> None:
        """Keep what was said of rectangles, for one frame that is matted again and again.

        Args:
            most: bytes.
            turn: called before each rectangle; what it raises ends the call.
        """
        self.inference = replace(self.inference, recall=Recall(most, turn))

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


def network_digest(
    weights: str, precision: str, kind: str = "cpu", largest: int | None = _CPU_TILE
) -> str:
    """`Matter.digest` of a network that is not loaded.

    Args:
        weights: their sha256.
        precision: as it was chosen.
        kind: of the device: see `kind_of`.
        largest: see `largest_of`.
    """
    parts = f"{weights} {precision} margins {MARGINS} planes {VERSION}"
    if (kind, largest) != ("cpu", _CPU_TILE):  # what is usual stays as earlier versions wrote it
        parts += f" on {kind} in tiles of {largest}"
    return hashlib.sha256(parts.encode()).hexdigest()


def largest_of(tile: str, device: str) -> int | None:
    """The longest side of a rectangle for `--tile`; None is the whole frame.

    Args:
        tile: pixels, `auto` or `off`.
        device: `cpu` or `cuda`; `auto` goes by the whole card, whatever of it is free.
    """
    if tile == "off":
        return None
    if tile != "auto":
        return max(CELL, int(tile) // CELL * CELL)
    if device == "cpu":
        return _CPU_TILE
    with device_told(device):
        return tile_for(gpu_memory())


def _check(image: FloatArray, trimap: LabelArray) -> None:
    if image.dtype != np.float32 or trimap.dtype != np.uint8:
        what = f"the image is {image.dtype}, the trimap {trimap.dtype}"
        fix = "give RGB as float32 within 0 to 1 (of 8 bits: image.astype(np.float32) / 255), and "
        raise TrimapError(what, where="matting", fix=fix + "a uint8 trimap of 0, 128 and 255")
    if image.shape != (*trimap.shape, 3):
        what = f"the image is {image.shape}, the trimap {trimap.shape}"
        raise TrimapError(what, where="matting", fix="give both the same height and width")
    if sum(np.count_nonzero(trimap == label) for label in LABELS) < trimap.size:
        raise TrimapError("values other than 0, 128, 255", where="trimap", fix="use those three")
