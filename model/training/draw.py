"""Random numbers of a batch, all from one generator on the batch's device.

Every shape is known beforehand and nothing is read back, so that a whole batch can be recorded as
a CUDA graph and played again with other numbers.
"""

from functools import cache

import torch
import torch.nn.functional as nnf
from torch import Tensor


class Draw:
    """Draws numbers, or fields of them, for each of `count` samples.

    Args:
        count: samples in the batch, N.
        generator: where everything comes from; its device is the batch's.
    """

    def __init__(self, count: int, generator: torch.Generator) -> None:
        self.count, self.generator = count, generator

    @property
    def device(self) -> torch.device:
        """The generator's."""
        return self.generator.device

    def between(self, *ranges: tuple[float, float], each: tuple[int, ...] = ()) -> list[Tensor]:
        """A uniform number within each (low, high), N × `each` float32; for all ranges at once."""
        low, span = _ranges(ranges, self.device)
        u = self._uniform(len(ranges), self.count)
        return list(torch.addcmul(low, u, span).view(len(ranges), self.count, *each).unbind())

    def chance(self, *shares: float, each: tuple[int, ...] = ()) -> list[Tensor]:
        """True with each of these probabilities, N × `each` bool; for all of them at once."""
        never = [(-share, 1.0 - share) for share in shares]
        return [u < 0 for u in self.between(*never, each=each)]

    def index(self, below: int) -> Tensor:
        """Integers from 0 to `below` − 1, N int64."""
        return torch.randint(below, (self.count,), generator=self.generator, device=self.device)

    def some(self, *shares: float) -> list[Tensor]:
        """Which samples something is done to: `share` of the batch, rounded; int64, in no order.

        The number does not depend on chance, so that work is done on those samples alone. For all
        shares at once, independently.
        """
        orders = self._uniform(len(shares), self.count).argsort(dim=1).unbind()
        return [
            order[: round(share * self.count)] for order, share in zip(orders, shares, strict=True)
        ]

    def normal(self, *each: int) -> Tensor:
        """Standard normal, N × `each`."""
        return torch.randn(self.count, *each, generator=self.generator, device=self.device)

    def noise(self, size: int, waves: int, fields: int = 1) -> Tensor:
        """Smooth fields, −1 to 1, N × `fields` × size × size; `waves` random values a side."""
        values = torch.empty(self.count, fields, waves, waves, device=self.device)
        values.uniform_(-1, 1, generator=self.generator)
        field = nnf.interpolate(values, size=(size, size), mode="bicubic", align_corners=True)
        return field.clamp_(-1, 1)

    def _uniform(self, *shape: int) -> Tensor:
        return torch.rand(shape, generator=self.generator, device=self.device)


@cache
def _ranges(ranges: tuple[tuple[float, float], ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Lower ends and widths, K × 1. Made once: copying them at every batch would wait."""
    low, high = torch.tensor(ranges).double().T.unsqueeze(-1).unbind()
    return low.float().to(device), (high - low).float().to(device)
