"""Which device the network runs on, in which precision, and how its failures are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from plugin.errors import DeviceError

_MEMORY = (
    "out of memory",
    "ALLOC_FAILED",
    "ALLOCATION_FAILED",
    "unable to find an engine",  # what cuDNN says that finds no room for any of its algorithms
)
_BROKEN = ("CUDA", "cuda", "cuDNN", "CUDNN", "CUBLAS", "cuBLAS", "NVIDIA", "NVML", "device-side")


def choose_device(wish: str) -> Literal["cpu", "cuda"]:
    """`auto` takes a GPU where there is one.

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


def gpu_memory() -> int:
    """Bytes of the smallest card that this process may use, whatever of it is free; 0 without one.

    No context is made on the card for the question.
    """
    import torch

    if not torch.cuda.is_available():
        return 0
    cards = range(torch.cuda.device_count())
    return min(torch.cuda.get_device_properties(card).total_memory for card in cards)


def kind_of(device: str) -> str:
    """What makes the same pixels: `cpu`, or `cuda sm_90`, the generation of the card.

    Raises:
        DeviceError: the card does not answer.
    """
    if device == "cpu":
        return device
    import torch

    with device_told(device):
        major, minor = torch.cuda.get_device_capability()
    return f"cuda sm_{major}{minor}"


def out_of_memory(error: RuntimeError) -> bool:
    """Whether a device has no room, by torch's own word or by a library's beneath it."""
    import torch

    said = str(error)
    return isinstance(error, torch.OutOfMemoryError) or (
        _of_device(error) and any(word in said for word in _MEMORY)
    )


@contextmanager
def device_told(device: str) -> Iterator[None]:
    """Around whatever runs on a device: its failures are raised as `DeviceError`.

    After most of them the process can do nothing more with the card, whatever it tries.

    Raises:
        DeviceError: CUDA, cuDNN or cuBLAS failed, or the card has no room.
    """
    try:
        yield
    except RuntimeError as error:
        if out_of_memory(error):
            what, fix = "out of memory", "leave the device to this program, or use --device cpu"
        elif _of_device(error):
            said = next((line for line in str(error).splitlines() if line.strip()), "")
            what = f"it failed: {' '.join(said.split())[:200]}"
            fix = "see the driver's log (nvidia-smi, dmesg), or use --device cpu"
        else:
            raise
        raise DeviceError(what, where=device, fix=fix) from error


def _of_device(error: RuntimeError) -> bool:
    import torch

    said = str(error)
    return (
        isinstance(error, torch.AcceleratorError)
        or any(word in said for word in _BROKEN)
        or "unable to find an engine" in said
    )


@contextmanager
def exact() -> Iterator[None]:
    """float32 is float32 on a GPU too: convolutions and products without TF32, one algorithm each.

    TF32 has ten bits of mantissa, and is what cuDNN takes by default.
    """
    import torch

    products = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        with torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        ):
            yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = products
