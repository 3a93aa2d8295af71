"""Which device the network runs on."""

from __future__ import annotations

from typing import Literal

from plugin.errors import DeviceError

__all__ = ["choose_device", "gpu_count"]


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


def gpu_count() -> int:
    """GPUs that this process may use."""
    import torch

    return torch.cuda.device_count()
