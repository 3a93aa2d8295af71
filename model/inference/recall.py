"""`Recall`: what the network said of a rectangle, given again when it is shown the very same.

A stroke changes a few rectangles of a frame; the others need not go through the network again. The
key is every byte that the decoders are shown, so that what is given again is what would come.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeAlias

import torch

_Both: TypeAlias = tuple[torch.Tensor, torch.Tensor]
Decode = Callable[[torch.Tensor, torch.Tensor, torch.Tensor | None], _Both]
"""`AdaMatting.decode`."""


class Recall:
    """Of one network on one device; for one thread.

    Args:
        most: bytes that are kept of what was said last.
        turn: called before each rectangle; what it raises ends the frame.
    """

    def __init__(self, most: int, turn: Callable[[], None]) -> None:
        self._most, self._turn = most, turn
        self._kept: OrderedDict[bytes, _Both] = OrderedDict()
        self._bytes = 0
        self.asked = self.given = 0
        """Rectangles that were asked for, and those of them that were given again."""

    def __call__(
        self,
        decode: Decode,
        picture: torch.Tensor,
        one_hot: torch.Tensor,
        planes: torch.Tensor | None,
    ) -> _Both:
        """What `decode` makes of these; see `AdaMatting.decode`."""
        self._turn()
        self.asked += 1
        key = _key(picture, one_hot, planes)
        both = self._kept.pop(key, None)
        if both is None:
            both = decode(picture, one_hot, planes)
            self._bytes += _size(both)
        else:
            self.given += 1
        self._kept[key] = both
        while self._bytes > self._most and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= _size(oldest)
        return both


def _key(*shown: torch.Tensor | None) -> bytes:
    digest = hashlib.blake2b(digest_size=32)
    for tensor in shown:
        if tensor is None:
            digest.update(b"none")
            continue
        digest.update(f"{tuple(tensor.shape)} {tensor.dtype}".encode())
        digest.update(tensor.contiguous().cpu().numpy().data)
    return digest.digest()


def _size(both: _Both) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in both)
