"""Which device the network runs on, and in which precision."""

from __future__ import annotations

from typing import Literal

from plugin.errors import DeviceError

__all__ = ["choose_device", "choose_precision", "gpu_count"]


def choose_device(wish: str) -> Literal["cpu", "cuda"]:
    """`auto` takes a GPU where there is one.

    Args:
        wish: `auto`, `cpu` or `cuda`.

    Raises:
        DeviceError: `cuda` was asked for and there is none.
    """
    if wish == "cpu":
        return "cpu"  # nothing to ask torch, which takes seconds to import

    import torch

    there = torch.cuda.is_available()
    if wish == "cuda" and not there:
        raise DeviceError("no CUDA device", where="--device cuda", fix="use --device auto or cpu")
    return "cuda" if there else "cpu"


def choose_precision(
    wish: Literal["auto", "fp32", "bf16", "fp16"], device: str
) -> Literal["fp32", "bf16", "fp16"]:
    """`auto` is fp32 on a CPU, where every machine makes the same pixels, and bf16 on a GPU.

    Raises:
        DeviceError: fp16 on a CPU, whose convolutions have none.
    """
    if wish == "fp16" and device == "cpu":
        raise DeviceError("no fp16 on a CPU", where="--precision fp16", fix="use fp32 or bf16")
    if wish != "auto":
        return wish
    return "bf16" if device == "cuda" else "fp32"


def gpu_count() -> int:
    """GPUs that this process may use."""
    import torch

    return torch.cuda.device_count()
