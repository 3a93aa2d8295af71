"""A frame on a device that launches: one upload, windows of one size, one download.

image, trimap ─► planes of the whole frame ─► windows: T̃ and α̃, blended ─► T̂
T̂             ─► the same windows: propagation unit ─► α̂

What lies between the upload and the download is recorded as a graph where a GPU allows it.

The same steps as `model.inference.frame`, which follows the unknown region in rectangles of ever
new shapes: what a CPU saves by that, a GPU pays again in launches, in waits of the host, and in
algorithms that are chosen anew for each shape. Here nothing waits for a value. Which windows hold
anything unknown is the only question, and the host knows that from the trimap.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.blocks import channels_last
from model.inference.device import exact
from model.inference.frame import MARGIN, REACH, Running, fading, not_finite
from model.inference.recorded import Recorder
from model.inference.veils import keep_veils
from model.planes.dense_planes import dense_planes
from model.planes.frame_planes import FramePlanes
from model.prediction import NEAR, SURE
from model.rectangles.pieces import as_one_hot, as_picture, padded_side
from model.rectangles.regions import Rectangle
from plugin.types import UNKNOWN, FloatArray, LabelArray

_WHOLE = 16_000_000
"""Pixels of a frame up to which its planes are made of all of it at once, 200 bytes a pixel."""

_GIVEN = 10.0
"""Logit of a class that is given."""


class OnDevice(Running):
    """A frame in windows of one size, as suits a GPU."""

    @torch.inference_mode()
    def __call__(
        self, image: FloatArray, trimap: LabelArray
    ) -> tuple[LabelArray, FloatArray, FloatArray]:
        """T̂, α̂, and how likely T̂ is: as of `Inference`.

        Raises:
            FrameError: what the network puts out is no number.
        """
        with exact():
            height, width = trimap.shape
            layers, whole = self._layers(image, trimap)
            layers = layers[..., :height, :width]
            adapted = layers[0].to(torch.uint8).cpu().numpy()
            alpha, sure, sketch = layers[1:].cpu().numpy()
            if not bool(whole.cpu()):
                raise not_finite()
        keep_veils(image, trimap, adapted, alpha, sketch.__getitem__)
        return adapted, alpha, sure

    def _layers(self, image: FloatArray, trimap: LabelArray) -> tuple[Tensor, Tensor]:
        """T̂ as labels, α̂, the probability of T̂, α̃, 4 × H × W; and whether all are numbers."""
        size = padded_side(trimap.shape[0]), padded_side(trimap.shape[1])
        picture = _padded(as_picture(image, self.device), size)
        one_hot = _padded(as_one_hot(trimap, self.device), size)
        grid = windows(size, self.largest)
        worked_on = {each: self._fades(each) for each in grid if _is_asked(trimap, each)}
        if size[0] * size[1] > _WHOLE and self.network.config.colour_planes:
            frame = Rectangle(0, 0, *size)
            whole = FramePlanes(image, trimap, self.device, dense=True)
            return self._launched(picture, one_hot, worked_on, whole.piece(frame, picture, one_hot))
        work = partial(self._launched, worked_on=worked_on)
        if self.device.type != "cuda" or self.recall is not None:
            return work(picture, one_hot)
        return self._recorder((size, *worked_on), work, picture, one_hot)

    @cached_property
    def _recorder(self) -> Recorder:
        return Recorder()

    def _launched(
        self,
        picture: Tensor,
        one_hot: Tensor,
        worked_on: dict[Window, Tensor],
        own: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """`_layers` from what is on the device; `own` are the planes, made here if None."""
        if own is None and self.network.config.colour_planes:
            own = dense_planes(picture.contiguous(), one_hot)
        scores = self._decoded(picture, one_hot, own, worked_on)
        reach = _near(one_hot[:, 1:2]) > 0
        logits = scores[:, :3]
        classes = torch.where(reach, logits, one_hot).argmax(1, keepdim=True)
        sure = torch.where(reach, logits.softmax(1).amax(1, keepdim=True), 1)
        decision = (classes == 2).float()
        known = classes != 1
        open_ = ~known | (sure <= SURE)
        alpha, whole = decision.clone(), torch.isfinite(scores).all()
        for window in worked_on:
            found = self._propagated(picture, scores, window)
            whole &= torch.isfinite(found).all()
            inner = (..., *window.core.slices)
            alpha[inner] = torch.where(open_[inner], found.clamp(0, 1), alpha[inner])
        agree = known & ((decision - alpha).abs() < NEAR)  # true where T̂ is sure: alpha is its
        alpha = torch.where(agree, decision, alpha)
        classes = torch.where(agree, classes, 1)
        labels = classes * 127 + (classes > 0)  # 0, 128, 255
        return torch.cat((labels.float(), alpha, sure, scores[:, 3:]), dim=1)[0], whole

    def _decoded(
        self,
        picture: Tensor,
        one_hot: Tensor,
        planes: Tensor | None,
        worked_on: dict[Window, Tensor],
    ) -> Tensor:
        """T̃ and α̃, 1 × 4 × H × W, blended where windows meet; what is given elsewhere."""
        given = torch.cat((2 * _GIVEN * one_hot - _GIVEN, one_hot[:, 2:]), dim=1)
        sums = torch.zeros_like(given)
        weights = torch.zeros_like(given[:, :1])
        for window, fades in worked_on.items():
            seen = (..., *window.seen.slices)
            own = None if planes is None else planes[seen]
            logits, alpha = self.decode(channels_last(picture[seen]), one_hot[seen], own)
            sums[seen].add_(torch.cat((logits.float(), alpha.float()), dim=1).mul_(fades))
            weights[seen].add_(fades)
        return torch.where(weights > 0, sums.div_(weights.clamp(min=1e-6)), given)

    def _propagated(self, picture: Tensor, scores: Tensor, window: Window) -> Tensor:
        """α̂ of a window's core, 1 × 1 × h × w, not clamped."""
        seen, core = window.seen, window.core
        part = scores[..., *seen.slices]
        found = part[:, 3:]
        if self.network.config.propagation:
            shares = part[:, :3].softmax(dim=1)
            found = self.propagation(picture[..., *seen.slices], shares, found)
        return found[..., *core.moved(-seen.top, -seen.left).slices]

    @cached_property
    def _kept_fades(self) -> dict[Window, Tensor]:
        return {}

    def _fades(self, window: Window) -> Tensor:
        """How much a window counts at each of its pixels, 1 × 1 × h × w."""
        kept = self._kept_fades
        if window not in kept:
            if len(kept) > 64:  # another plate
                kept.clear()
            kept[window] = torch.from_numpy(window.fades()).to(self.device)
        return kept[window]


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a frame.

    Attributes:
        core: what is asked of it.
        seen: with its surroundings; of one size for all windows of a frame.
    """

    core: Rectangle
    seen: Rectangle

    def fades(self) -> FloatArray:
        """1 over the core, falling to 0 beyond, over what is seen: 1 × 1 × h × w."""
        core, seen = self.core, self.seen
        rows = fading(core.top, core.bottom, seen.top, seen.bottom)
        columns = fading(core.left, core.right, seen.left, seen.right)
        return np.maximum(np.minimum(rows[:, None], columns), 0)[None, None]


def windows(size: tuple[int, int], largest: int | None) -> Iterator[Window]:
    """The windows of a frame, a grid of equal ones.

    Args:
        size: of the frame, multiples of `CELL`.
        largest: longest side of a core; None is the whole frame.
    """
    (rows, high), (columns, wide) = (_spans(side, largest) for side in size)
    for top, bottom in rows:
        for left, right in columns:
            y = min(max(0, top - MARGIN), size[0] - high)
            x = min(max(0, left - MARGIN), size[1] - wide)
            yield Window(Rectangle(top, left, bottom, right), Rectangle(y, x, y + high, x + wide))


def _spans(side: int, largest: int | None) -> tuple[list[tuple[int, int]], int]:
    """Equal parts of a side, but for the last, and how much of it a window sees."""
    parts = 1 if largest is None else -(-side // largest)
    part = padded_side(-(-side // parts))
    seen = min(side, part + 2 * MARGIN)
    return [(start, min(side, start + part)) for start in range(0, side, part)], seen


def _is_asked(trimap: LabelArray, window: Window) -> bool:
    """Whether anything of its core is to be found: it is unknown, or near to it."""
    near = window.core.grown(REACH, *trimap.shape)
    return bool((trimap[near.slices] == UNKNOWN).any())


def _padded(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Made whole beyond the frame's edge, which is repeated."""
    missing = size[0] - x.shape[2], size[1] - x.shape[3]
    return nnf.pad(x, (0, missing[1], 0, missing[0]), mode="replicate") if any(missing) else x


def _near(where: Tensor) -> Tensor:
    """1 within `REACH` pixels, in a square, of something that is 1."""
    side = 2 * REACH + 1
    rows = nnf.max_pool2d(where, (side, 1), 1, (REACH, 0))
    return nnf.max_pool2d(rows, (1, side), 1, (0, REACH))
