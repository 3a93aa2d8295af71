"""What the network puts out, and the adapted trimap and final alpha that are read from it."""

from dataclasses import dataclass

import torch
from torch import Tensor

SURE, NEAR = 0.6, 0.3
"""T̂ decides where its class is likelier than `SURE`, or α̂ is nearer to it than `NEAR`. Ours: the
paper's T̂ decides everywhere, and where it wavers and contradicts α̂ it was more often wrong."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the network puts out.

    Attributes:
        trimap: T̃, N × 3 × H × W logits: background, unknown, foreground.
        alphas: α̃ of the A-decoder, then of each recurrence; N × 1 × H × W, not clamped.
    """

    trimap: Tensor
    alphas: tuple[Tensor, ...]

    @property
    def adapted(self) -> Tensor:
        """T̂, N × 1 × H × W int64: 0 background, 1 unknown, 2 foreground."""
        return self.trimap.argmax(dim=1, keepdim=True)

    @property
    def alpha(self) -> Tensor:
        """The final alpha: 0 and 1 where T̂ decides (`SURE`), the propagated value elsewhere."""
        adapted = self.adapted
        inside = self.alphas[-1].clamp(0, 1)
        decision = (adapted == 2).to(inside.dtype)
        sure = self.trimap.float().softmax(dim=1).amax(dim=1, keepdim=True) > SURE
        decides = (adapted != 1) & (sure | ((decision - inside).abs() < NEAR))
        return torch.where(decides, decision, inside)
