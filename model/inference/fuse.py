"""Batch norms folded into the convolutions before them: the same function, fewer passes."""

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from model.adamatting import AdaMatting, Decoder


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
