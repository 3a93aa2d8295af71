"""The parts that encoder, decoders and propagation unit are made of."""

import torch
from torch import Tensor, nn


def channels_last(x: Tensor) -> Tensor:
    """The same, its channels beside each other in memory, as convolutions like it."""
    return x.contiguous(memory_format=torch.channels_last)


def _conv_bn(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution that keeps the size (or divides it by `stride`), then batch norm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


def conv_bn_relu(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """`_conv_bn`, then ReLU."""
    return nn.Sequential(*_conv_bn(inputs, outputs, kernel, stride), nn.ReLU(inplace=True))


class BasicBlock(nn.Module):
    """ResNet-18's block: x + F(x), F of two 3×3 convolutions (He et al. 2016, fig. 2)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv_bn_relu(inputs, outputs, stride=stride), _conv_bn(outputs, outputs)
        )
        self.shortcut = _projection(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """N × inputs × H × W → N × outputs × H/stride × W/stride."""
        return torch.relu(self.body(x) + self.shortcut(x))


class Bottleneck(nn.Module):
    """ResNet-50's block: 1×1 to a quarter of the width, 3×3, 1×1 back (He et al. 2016, fig. 5)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        inner = outputs // 4
        self.body = nn.Sequential(
            conv_bn_relu(inputs, inner, kernel=1),
            conv_bn_relu(inner, inner, stride=stride),
            _conv_bn(inner, outputs, kernel=1),
        )
        self.shortcut = _projection(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        """N × inputs × H × W → N × outputs × H/stride × W/stride."""
        return torch.relu(self.body(x) + self.shortcut(x))


def _projection(inputs: int, outputs: int, stride: int) -> nn.Module:
    if inputs == outputs and stride == 1:
        return nn.Identity()
    return _conv_bn(inputs, outputs, kernel=1, stride=stride)


class PlainBlock(nn.Module):
    """A residual block without batch norm, for the propagation unit.

    The unit runs over the same weights three times with inputs whose statistics differ each time;
    one set of running means would fit none of them.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """N × channels × H × W → the same."""
        return torch.relu(x + self.body(x))


class GlobalConvolution(nn.Module):
    """A k×k receptive field for the price of 4k weights a channel pair (Peng et al. 2017, fig. 3B).

    The sum of k×1 after 1×k and 1×k after k×1, from a 1×1 reduction to the decoder's width.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        tall, wide = (kernel, 1), (1, kernel)
        pad_tall, pad_wide = (kernel // 2, 0), (0, kernel // 2)
        self.reduce = conv_bn_relu(inputs, outputs, kernel=1)
        self.left = nn.Sequential(
            nn.Conv2d(outputs, outputs, tall, padding=pad_tall, bias=False),
            nn.Conv2d(outputs, outputs, wide, padding=pad_wide),
        )
        self.right = nn.Sequential(
            nn.Conv2d(outputs, outputs, wide, padding=pad_wide, bias=False),
            nn.Conv2d(outputs, outputs, tall, padding=pad_tall),
        )

    def forward(self, x: Tensor) -> Tensor:
        """N × inputs × H × W → N × outputs × H × W."""
        x = self.reduce(x)
        out: Tensor = x + self.left(x) + self.right(x)
        return out


class Upsample(nn.Module):
    """Twice the size: a 3×3 convolution to four times the channels, then pixel shuffle.

    Args:
        subpixel: False for the ablation: bilinear upsampling, then a 3×3 convolution.
    """

    def __init__(self, inputs: int, outputs: int, *, subpixel: bool) -> None:
        super().__init__()
        if subpixel:
            self.body = nn.Sequential(conv_bn_relu(inputs, 4 * outputs), nn.PixelShuffle(2))
        else:
            self.body = nn.Sequential(
                nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
                conv_bn_relu(inputs, outputs),
            )

    def forward(self, x: Tensor) -> Tensor:
        """N × inputs × H × W → N × outputs × 2H × 2W."""
        out: Tensor = self.body(x)
        return out


class ConvLSTMCell(nn.Module):
    """Convolutional LSTM cell (Shi et al. 2015, eq. 3, without peepholes).

    i, f, o = σ(W ∗ [x, h] + b)      g = tanh(W ∗ [x, h] + b)
    c' = f ∘ c + i ∘ g               h' = o ∘ tanh(c')
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(inputs + hidden, 4 * hidden, 3, padding=1)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        """One step: N × inputs × H × W and the state (h, c), N × hidden × H × W each → (h', c')."""
        gates = self.gates(torch.cat((x, h), dim=1))
        # All four at once: a sigmoid over a slice of channels is several times slower.
        i, f, o, _ = torch.sigmoid(gates).chunk(4, dim=1)
        c = f * c + i * torch.tanh(gates[:, 3 * h.shape[1] :])
        return o * torch.tanh(c), c
