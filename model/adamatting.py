"""AdaMatting, after "Disentangled Image Matting" (Cai et al., ICCV 2019), section 3.2 and fig. 2.

image, trimap ─► encoder ─┬─► T-decoder ─► T̃ (3 logits) ─────────┐
                          └─► A-decoder ─► α̃ (intermediate) ──► propagation unit, 3× ─► α̂
"""

from itertools import pairwise

import torch
import torch.nn.functional as nnf
from torch import Tensor, nn

from model.blocks import (
    BasicBlock,
    Bottleneck,
    ConvLSTMCell,
    GlobalConvolution,
    PlainBlock,
    Upsample,
    conv_bn_relu,
)
from model.config import AdaMattingConfig
from model.planes.colour_planes import colour_planes
from model.prediction import Prediction

STRIDE = 32
"""Height and width of the input are multiples of this."""

_READERS = ("encoder.stem.0.weight", "a_decoder.shortcuts.1.0.weight")
"""The convolutions that see the input planes."""

_DEEP_AND_MIDDLE = (16, 8, 4)
_MIDDLE_AND_SHALLOW = (8, 4, 2, 1)


class Encoder(nn.Module):
    """ResNet over the input planes; its features at 1/2, 1/4, 1/8, 1/16 and 1/32."""

    def __init__(self, config: AdaMattingConfig) -> None:
        super().__init__()
        self.stem = conv_bn_relu(config.planes, config.stem, kernel=7, stride=2)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)
        block = Bottleneck if config.bottleneck else BasicBlock
        stages, inputs = [], config.stem
        for number, (depth, width) in enumerate(zip(config.blocks, config.widths, strict=True)):
            first = block(inputs, width, stride=1 if number == 0 else 2)
            stages.append(nn.Sequential(first, *(block(width, width) for _ in range(depth - 1))))
            inputs = width
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        """N × planes × H × W → features by the factor that their size is divided by."""
        features = {1: x, 2: self.stem(x)}
        x = self.pool(features[2])
        for factor, stage in zip((4, 8, 16, 32), self.stages, strict=True):
            x = stage(x)
            features[factor] = x
        return features


class Decoder(nn.Module):
    """3×3 convolutions and upsampling from 1/32 to 1, with symmetric shortcuts at some levels.

    Both decoders have this architecture but for their output layer and the levels of the
    shortcuts: deep and middle for the T-decoder, middle and shallow for the A-decoder.

    Args:
        config: of the network.
        shortcuts: levels that have one.
        outputs: channels.
        exact: the last convolution is float32 under autocast too.
    """

    def __init__(
        self,
        config: AdaMattingConfig,
        shortcuts: tuple[int, ...],
        outputs: int,
        *,
        exact: bool = False,
    ) -> None:
        super().__init__()
        self.exact = exact
        encoder = dict(
            zip((1, 2, 4, 8, 16), (config.planes, config.stem, *config.widths[:3]), strict=True)
        )
        widths = config.decoder
        self.neck = conv_bn_relu(config.widths[3], widths[0], kernel=1)
        self.ups = nn.ModuleList(
            Upsample(a, b, subpixel=config.subpixel) for a, b in pairwise((widths[0], *widths))
        )
        self.shortcuts = nn.ModuleDict()
        self.merges = nn.ModuleList()
        for factor, width in zip((16, 8, 4, 2, 1), widths, strict=True):
            if factor in shortcuts:
                self.shortcuts[str(factor)] = _shortcut(config, factor, encoder[factor], width)
            self.merges.append(conv_bn_relu(width, width))
        self.head = nn.Conv2d(widths[-1], outputs, 3, padding=1)

    def forward(self, features: dict[int, Tensor]) -> Tensor:
        """The encoder's features → N × outputs × H × W."""
        x = self.neck(features[32])
        for factor, up, merge in zip((16, 8, 4, 2, 1), self.ups, self.merges, strict=True):
            x = up(x)
            if str(factor) in self.shortcuts:
                x = x + self.shortcuts[str(factor)](features[factor])
            x = merge(x)
        if self.exact and x.dtype != self.head.weight.dtype:
            with torch.autocast(x.device.type, enabled=False):
                exact: Tensor = self.head(x.float())
            return exact
        out: Tensor = self.head(x)
        return out


def _shortcut(config: AdaMattingConfig, factor: int, inputs: int, outputs: int) -> nn.Module:
    if factor == 1:  # the input itself: a plain 3×3, a global convolution here would cost most
        return conv_bn_relu(inputs, outputs)
    if config.global_convolutions:
        return GlobalConvolution(inputs, outputs, config.kernel)
    return conv_bn_relu(inputs, outputs, kernel=1)


class PropagationUnit(nn.Module):
    """Two residual blocks and a ConvLSTM cell that refine alpha step by step (section 3.2).

    Each recurrence takes the image, the adapted trimap and the previous alpha; the cell keeps
    memory between them. What it puts out is a correction of the previous alpha.
    """

    def __init__(self, config: AdaMattingConfig) -> None:
        super().__init__()
        self.recurrences = config.recurrences
        self.hidden = config.hidden
        self.enter = nn.Conv2d(3 + 3 + 1, config.hidden, 3, padding=1)
        self.blocks = nn.Sequential(PlainBlock(config.hidden), PlainBlock(config.hidden))
        self.cell = ConvLSTMCell(config.hidden, config.hidden)
        self.leave = nn.Conv2d(config.hidden, 1, 3, padding=1)

    def forward(self, image: Tensor, adapted: Tensor, alpha: Tensor) -> list[Tensor]:
        """The alphas after each recurrence.

        Args:
            image: N × 3 × H × W.
            adapted: N × 3 × H × W, probabilities of the three classes.
            alpha: N × 1 × H × W, the A-decoder's.
        """
        seen = torch.cat((image, adapted), dim=1).to(adapted.dtype)
        state: tuple[Tensor, Tensor] | None = None
        alphas = []
        for _ in range(self.recurrences):
            x = torch.relu(self.enter(torch.cat((seen, alpha.to(seen.dtype)), dim=1)))
            # In the convolutions' precision, which halves what a GPU has to move.
            h, c = (torch.zeros_like(x),) * 2 if state is None else state
            h, c = state = self.cell(self.blocks(x), h, c)
            alpha = alpha + self.leave(h).to(alpha.dtype)
            alphas.append(alpha)
        return alphas


class AdaMatting(nn.Module):
    """The whole network, and by configuration its ablations and Seq-AdaMatting."""

    def __init__(self, config: AdaMattingConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        if config.trimap_decoder:
            self.t_decoder = Decoder(config, _DEEP_AND_MIDDLE, outputs=3)
        if not config.shared_encoder:
            self.a_encoder = Encoder(config)
        # Our planes bring alpha in float32, and this decoder a correction. Without them it is all
        # of alpha, and bf16 near 1 has steps of 1/256.
        exact = not config.colour_planes
        self.a_decoder = Decoder(config, _MIDDLE_AND_SHALLOW, outputs=1, exact=exact)
        if config.propagation:
            self.propagation = PropagationUnit(config)
        self.register_load_state_dict_pre_hook(_read_nothing_of_new_planes)  # type: ignore[no-untyped-call]

    def forward(
        self,
        image: Tensor,
        trimap: Tensor,
        planes: Tensor | None = None,
        quarter: Tensor | None = None,
    ) -> Prediction:
        """Image and trimap to T̃ and the alphas.

        Args:
            image: N × 3 × H × W float, display-referred, 0 to 1; H and W multiples of `STRIDE`.
            trimap: N × 3 × H × W float, one-hot: background, unknown, foreground.
            planes: `colour_planes(image, trimap)` when already at hand, as when a tile is cut out
                of a frame whose planes must come from the whole of it.
            quarter: for training: one int64, 0 to 3, row by row; the propagation unit, which is
                more than half of the arithmetic, works on that quarter of the picture alone, and
                α̃ stands for its alphas elsewhere. H and W are even.
        """
        logits, alpha = self.decode(image, trimap, planes)
        if not self.config.propagation:
            return Prediction(trimap=logits, alphas=(alpha,))
        parts = image, logits.float().softmax(dim=1).to(logits.dtype), alpha
        if quarter is None:
            return Prediction(trimap=logits, alphas=(alpha, *self.propagation(*parts)))
        found = self.propagation(*(_quarters(x).index_select(2, quarter)[:, :, 0] for x in parts))
        whole = _quarters(alpha)
        alphas = (_joined(whole.index_copy(2, quarter, x[:, :, None])) for x in found)
        return Prediction(trimap=logits, alphas=(alpha, *alphas))

    def decode(
        self, image: Tensor, trimap: Tensor, planes: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """T̃ (N × 3 × H × W logits) and α̃ (N × 1 × H × W): all but the propagation unit."""
        if planes is None and self.config.colour_planes:
            planes = colour_planes(image, trimap)
        features = self.encoder(self._inputs(image, trimap, planes))
        logits = self.t_decoder(features) if self.config.trimap_decoder else _as_logits(trimap)
        if not self.config.shared_encoder:
            adapted = logits.float().softmax(dim=1).to(logits.dtype)
            features = self.a_encoder(self._inputs(image, adapted, planes))
        # In float32 from here on.
        alpha = self.a_decoder(features).float()
        return logits, alpha if planes is None else alpha + planes[:, 8:9]

    def _inputs(self, image: Tensor, trimap: Tensor, planes: Tensor | None) -> Tensor:
        """The 4-channel input of the paper (trimap as 0, ½, 1), and our planes behind it."""
        grey = trimap[:, 2:] + 0.5 * trimap[:, 1:2]
        parts = [image, grey] if planes is None else [image, grey, planes]
        return torch.cat(parts, dim=1).to(next(self.encoder.parameters()).dtype)


def _read_nothing_of_new_planes(
    network: nn.Module, state: dict[str, Tensor], prefix: str, *_: object
) -> None:
    """Weights that were trained before an input plane was added go on as they did without it."""
    for name, own in network.state_dict(prefix=prefix).items():
        old = state.get(name)
        if old is not None and name.endswith(_READERS):
            missing = own.shape[1] - old.shape[1]
            state[name] = nnf.pad(old, (0, 0, 0, 0, 0, max(missing, 0)))


def _quarters(x: Tensor) -> Tensor:
    """N × C × H × W → N × C × 4 × H/2 × W/2."""
    count, channels, height, width = x.shape
    split = x.reshape(count, channels, 2, height // 2, 2, width // 2)
    return split.permute(0, 1, 2, 4, 3, 5).flatten(2, 3)


def _joined(quarters: Tensor) -> Tensor:
    """The inverse of `_quarters`."""
    count, channels, _, height, width = quarters.shape
    split = quarters.view(count, channels, 2, 2, height, width)
    return split.permute(0, 1, 2, 4, 3, 5).reshape(count, channels, 2 * height, 2 * width)


def _as_logits(trimap: Tensor) -> Tensor:
    """Logits whose argmax, and nearly whose softmax, is the one-hot trimap."""
    return 20 * trimap - 10
