"""The network that learns one shot: a small encoder-decoder, from a patch and a prior to logits."""

from itertools import pairwise

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from model.segmenters.shot.planes import LOOKS, MOTION

CELL = 16
"""A patch's sides are multiples of it."""

_WIDTHS = (24, 40, 64, 96)


class ShotNetwork(nn.Module):
    """Where the subject is in a patch.

    Four levels, the first at half of the patch's resolution; the last looks far around itself
    through dilated convolutions, and is the one that sees what moves: that says what belongs to the
    subject, never where its edge is. The mask is put together at full resolution from the decoder
    and the patch's looks.
    """

    def __init__(self) -> None:
        super().__init__()
        one, two, three, four = _WIDTHS
        self.encoders = nn.ModuleList(
            [
                _convs(LOOKS, one, one, stride=2, kernel=5),
                _convs(one, two, two, stride=2),
                _convs(two, three, three, stride=2),
                nn.Sequential(
                    _convs(three + MOTION, four, stride=2),
                    _convs(four, four, dilation=2),
                    _convs(four, four, dilation=4),
                ),
            ]
        )
        self.decoders = nn.ModuleList(
            [_convs(four + three, three), _convs(three + two, two), _convs(two + one, one)]
        )
        self.finest = _convs(one + LOOKS, 12)
        self.last = nn.Conv2d(12, 1, 3, padding=1)

    def forward(self, planes: Tensor) -> Tensor:
        """Logits, `N × 1 × h × w`.

        Args:
            planes: `N × (LOOKS + MOTION) × h × w`, each about 0 and no larger than 1 or so.
        """
        looks, motion = planes[:, :LOOKS], planes[:, LOOKS:]
        *shallow, deepest = self.encoders
        seen = []
        found = looks
        for encoder in shallow:
            found = encoder(found)
            seen.append(found)
        motion = nnf.avg_pool2d(motion, looks.shape[-1] // found.shape[-1])
        found = deepest(torch.cat([found, motion], 1))
        for decoder, beside in zip(self.decoders, seen[::-1], strict=True):
            found = decoder(torch.cat([_larger(found), beside], 1))
        found = self.finest(torch.cat([_larger(found), looks], 1))
        logits: Tensor = self.last(found)
        return logits


def _convs(*widths: int, stride: int = 1, kernel: int = 3, dilation: int = 1) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        reach = dilation * (kernel // 2)
        layers += [
            nn.Conv2d(before, after, kernel, stride, reach, dilation, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        ]
        stride, kernel = 1, 3
    return nn.Sequential(*layers)


def _larger(found: Tensor) -> Tensor:
    return nnf.interpolate(found, scale_factor=2.0, mode="bilinear", align_corners=False)
