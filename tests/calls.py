"""Counts operator calls, so that what a GPU is to run without the host is held on the CPU."""

from __future__ import annotations

from collections import Counter
from typing import Any

from torch.utils._python_dispatch import TorchDispatchMode

_VIEWS = (
    "view",
    "select",
    "slice",
    "as_strided",
    "unsqueeze",
    "unbind",
    "alias",
    "split",
    "permute",
    "transpose",
    "expand",
    "empty",
)
"""Calls that launch nothing."""

_HOST_READS = ("_local_scalar_dense", "nonzero", "is_nonzero", "equal", "item", "unique", "masked")
_HOST_WRITE = "lift_fresh"
"""A constant made from Python's numbers; a single number that fills something is no copy."""


class Calls(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts operator calls by name."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.names: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.__name__.split(".")[0]
        self.names[name if name != _HOST_WRITE or args[0].dim() else "fill"] += 1
        return func(*args, **(kwargs or {}))

    @property
    def launches(self) -> int:
        """Those that start work, views left out."""
        return sum(n for name, n in self.names.items() if not name.startswith(_VIEWS))

    @property
    def waits(self) -> list[str]:
        """Those for which the host would wait on a device: values read, constants copied there."""
        reads = [name for name in self.names if name.startswith((*_HOST_READS, _HOST_WRITE))]
        return [name for name in reads if not name.startswith("masked_fill")]
