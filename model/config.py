"""`AdaMattingConfig`: the network's sizes and the paper's ablations, as one value."""

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class AdaMattingConfig:
    """What makes one AdaMatting differ from another.

    Attributes:
        blocks: residual blocks in the encoder's four stages, at 1/4, 1/8, 1/16 and 1/32.
        widths: channels that each stage puts out.
        bottleneck: ResNet-50's bottleneck blocks (1×1, 3×3, 1×1) or ResNet-18's basic ones.
        stem: channels of the 7×7 convolution at 1/2.
        decoder: channels of both decoders at 1/16, 1/8, 1/4, 1/2 and 1.
        kernel: length k of the global convolutions' k×1 and 1×k kernels.
        hidden: channels of the propagation unit.
        recurrences: how often the propagation unit recurs (the paper: 3).
        propagation: with the propagation unit ("-PU" in Table 2 is without).
        trimap_decoder: with the T-decoder; without, the input trimap stands for T̂.
        shared_encoder: one encoder for both decoders; False is Seq-AdaMatting (section 5.1), where
            a second encoder sees the image and T̂.
        global_convolutions: on the shortcuts; without, plain 1×1 convolutions.
        subpixel: sub-pixel upsampling; without, bilinear upsampling and a 3×3 convolution.
        colour_planes: ours, not the paper's: foreground and background colour spread into the
            unknown region, the alpha they imply, how far apart they are, and that alpha smoothed by
            the matting Laplacian twice, as further input; the A-decoder starts from the first.
    """

    blocks: tuple[int, int, int, int]
    widths: tuple[int, int, int, int]
    bottleneck: bool
    stem: int
    decoder: tuple[int, int, int, int, int]
    kernel: int
    hidden: int
    recurrences: int = 3
    propagation: bool = True
    trimap_decoder: bool = True
    shared_encoder: bool = True
    global_convolutions: bool = True
    subpixel: bool = True
    colour_planes: bool = False

    @property
    def planes(self) -> int:
        """Channels of the network's input: image and trimap, and our planes where chosen."""
        return 4 + (10 if self.colour_planes else 0)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for a checkpoint's metadata."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The inverse of `as_dict`; `TypeError` for keys that are not its own."""
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        return cls(**plain)


_RESNET50 = AdaMattingConfig(
    blocks=(3, 4, 6, 3),
    widths=(256, 512, 1024, 2048),
    bottleneck=True,
    stem=64,
    decoder=(152, 128, 64, 32, 16),
    kernel=7,
    hidden=16,
)

_LITE = AdaMattingConfig(
    blocks=(2, 2, 2, 2),
    widths=(48, 96, 128, 192),
    bottleneck=False,
    stem=32,
    decoder=(80, 56, 32, 24, 12),
    kernel=7,
    hidden=8,
)


def _with_planes(config: AdaMattingConfig) -> AdaMattingConfig:
    return AdaMattingConfig.from_dict(config.as_dict() | {"colour_planes": True})


CONFIGS = {
    "resnet50": _with_planes(_RESNET50),
    "resnet50-faithful": _RESNET50,
    "lite": _with_planes(_LITE),
    "lite-faithful": _LITE,
}
"""The named sizes; `-faithful` has the paper's input and nothing else."""
