"""The network as inference runs it: batch norms folded into the convolutions before them.

And the propagation unit: the same function, a third less time on a CPU.

- Buffers stand where the unit concatenates: alpha and h are written into the channels that the next
  convolution reads.
- One sigmoid serves all four gates, and the cell's output: tanh(x) = 2σ(2x) - 1, the 2x in the
  weights. A tanh takes as long as four sigmoids.
- The first recurrence, whose h and c are zero, leaves out what they would be multiplied by.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model.adamatting import AdaMatting, Decoder, PropagationUnit
from model.blocks import PlainBlock, channels_last


def fuse(network: nn.Module) -> nn.Module:
    """Fold every batch norm that follows a convolution in a sequence, in place.

    Args:
        network: in evaluation mode.
    """
    for module in network.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for index in range(len(module) - 1):
            convolution, norm = module[index], module[index + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                module[index] = fuse_conv_bn_eval(convolution, norm)
                module[index + 1] = nn.Identity()
    return network


def lower(network: AdaMatting, precision: torch.dtype) -> None:
    """Weights in the type of the convolutions, in place: what autocast does anew at each call."""
    exact = [part for part in network.modules() if isinstance(part, Decoder) and part.exact]
    kept = [part.head for part in exact]
    for part in exact:
        part.head = nn.Conv2d(1, 1, 1)
    network.to(precision)
    for part, head in zip(exact, kept, strict=True):
        part.head = head


class FusedPropagation:
    """A unit's weights, rearranged, in their type; nothing to learn.

    Alpha is summed in float32 whatever that is: bf16 near 1 has steps of 1/256.

    Args:
        unit: the one to stand for; its weights are copied.
    """

    def __init__(self, unit: PropagationUnit) -> None:
        self.recurrences, self.hidden = unit.recurrences, unit.hidden
        self.enter, self.leave = _weights(unit.enter), _weights(unit.leave)
        self.blocks = [
            (_weights(block.body[0]), _weights(block.body[2]))
            for block in unit.blocks
            if isinstance(block, PlainBlock)
        ]
        weight, bias = _weights(unit.cell.gates)
        doubled = torch.ones_like(bias)
        doubled[3 * self.hidden :] = 2
        self.gates = (channels_last(weight * doubled.view(-1, 1, 1, 1)), bias * doubled)
        self.first_gates = (channels_last(self.gates[0][:, : self.hidden]), self.gates[1])

    def __call__(self, image: Tensor, adapted: Tensor, alpha: Tensor) -> Tensor:
        """The last of what the unit gives, `N × 1 × H × W`; the arguments are the unit's."""
        exact = self.enter[0].dtype == torch.float32
        seen = channels_last(torch.cat((image, adapted, alpha), dim=1).to(self.enter[0].dtype))
        current = seen[:, 6:] if exact else alpha.float()
        shape = (len(image), 2 * self.hidden, *image.shape[2:])
        both = torch.empty(
            shape, dtype=seen.dtype, device=seen.device, memory_format=torch.channels_last
        )  # x, h
        minus_c: Tensor | None = None
        for left in reversed(range(self.recurrences)):
            x = self._features(seen)
            if minus_c is None:
                gates = functional.conv2d(x, *self.first_gates, padding=1).sigmoid_()
            else:
                both[:, : self.hidden] = x
                gates = functional.conv2d(both, *self.gates, padding=1).sigmoid_()
            i, f, o, g = gates.chunk(4, dim=1)
            fresh = torch.addcmul(i, i, g, value=-2)
            minus_c = fresh if minus_c is None else torch.addcmul(fresh, f, minus_c, out=fresh)
            share = (2 * minus_c).sigmoid_()
            h = torch.addcmul(o, o, share, value=-2)
            if left:
                both[:, self.hidden :] = h
            if exact:
                current += functional.conv2d(h, *self.leave, padding=1)
                continue
            current = current + functional.conv2d(h, *self.leave, padding=1)
            seen[:, 6:] = current
        return current

    def _features(self, seen: Tensor) -> Tensor:
        x = functional.conv2d(seen, *self.enter, padding=1).relu_()
        for first, second in self.blocks:
            inner = functional.conv2d(x, *first, padding=1).relu_()
            x = functional.conv2d(inner, *second, padding=1).add_(x).relu_()
        return x


def _weights(convolution: nn.Module) -> tuple[Tensor, Tensor]:
    if not isinstance(convolution, nn.Conv2d) or convolution.bias is None:
        raise TypeError(type(convolution))
    return channels_last(convolution.weight.detach().clone()), convolution.bias.detach().clone()
