"""One frame through the network, at the cost of its unknown region.

trimap ─► rectangles around the unknown ─► T̃ and α̃ of each, blended ─► T̂
T̂      ─► rectangles around its unknown, and around what it is unsure of ─► propagation unit ─► α̂

A rectangle is grown by a margin, so that the network sees what it would see in the whole frame.
Encoder and decoders reach hundreds of pixels in theory, the propagation unit 21; the margins are
what the results were measured to depend on (docs/speed.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial

import cv2
import numpy as np
import numpy.typing as npt
import torch

from model.adamatting import AdaMatting
from model.inference.device import exact
from model.inference.fused_propagation import FusedPropagation
from model.inference.recall import Decode, Recall
from model.inference.veils import keep_veils
from model.planes.frame_planes import FramePlanes
from model.prediction import NEAR, SURE
from model.rectangles.pieces import LABELS, as_one_hot, as_picture, pad_edge, padded_side, piece
from model.rectangles.regions import CELL, Rectangle, cover
from plugin.errors import FrameError
from plugin.types import FOREGROUND, UNKNOWN, FloatArray, LabelArray

REACH = 16
"""T̂ may overrule known pixels that are this near to an unknown one; farther ones stay as given."""

MARGIN = 96
"""Least context around a rectangle for encoder and decoders, pixels; from an unknown pixel, with
`REACH`, a sixth more. Out to the next multiple of `CELL`, so that the network's coarser pixels lie
where those of the whole frame do. With 96 at most one unknown pixel in 20 000 was off by more than
1/255 from the whole frame's; with 48, one in 140. Other weights need their own figures."""

_RAMP = 16
"""Pixels beyond a rectangle over which its result fades into its neighbour's."""

_CELL = 16  # rectangles, without their margins, begin and end at multiples of this
_PROPAGATION_MARGIN = 8  # the propagation unit has no stride
MARGINS = f"{REACH} {MARGIN} {_PROPAGATION_MARGIN} {SURE} {NEAR}"
"""What of these changes pixels, for digests."""

_FIXED = 6000
"""Pixels that could be computed in the time that a rectangle takes beside its pixels."""

_Where = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Running:
    """How a network is run.

    Attributes:
        network: in evaluation mode, on `device`; on a GPU its weights are in `precision`.
        device: where.
        precision: of convolutions; the planes and the sums of alpha are float32 always.
        largest: longest side of a rectangle without its margin, pixels; None is the whole frame.
        recall: what was said of rectangles before; None to keep nothing.
    """

    network: AdaMatting
    device: torch.device
    precision: torch.dtype = torch.float32
    largest: int | None = 512
    recall: Recall | None = None

    @property
    def decode(self) -> Decode:
        """`AdaMatting.decode`, or what is remembered of it."""
        decode = self.network.decode
        return decode if self.recall is None else partial(self.recall, decode)

    @cached_property
    def propagation(self) -> FusedPropagation:
        """The propagation unit in as few passes as it takes."""
        return FusedPropagation(self.network.propagation)


class Inference(Running):
    """A frame in rectangles that follow its unknown region, as suits a CPU."""

    @torch.inference_mode()
    def __call__(
        self, image: FloatArray, trimap: LabelArray
    ) -> tuple[LabelArray, FloatArray, FloatArray]:
        """T̂, α̂, and how likely T̂ is, of one frame.

        Args:
            image: `H × W × 3` float32 within [0, 1].
            trimap: `H × W` uint8 of 0, 128, 255.

        Returns:
            T̂, `H × W` uint8 of the same labels, unknown where it does not decide (`SURE`); α̂,
            `H × W` float32 within [0, 1]; the probability of T̂'s likeliest class, `H × W` float32,
            1 where the trimap was not looked at.
        """
        with exact():
            return self._matted(image, trimap)

    def _matted(
        self, image: FloatArray, trimap: LabelArray
    ) -> tuple[LabelArray, FloatArray, FloatArray]:
        reach = _near(trimap == UNKNOWN, REACH)
        decoded = _Decoded(trimap)
        wanted = self.network.config.colour_planes
        planes = FramePlanes(image, trimap, self.device) if wanted else None
        with torch.autocast(
            self.device.type, dtype=self.precision, enabled=self.precision != torch.float32
        ):
            for core in self._rectangles(reach, MARGIN, _CELL, CELL):
                self._decode(core, image, trimap, planes, decoded)
            adapted, sure = decoded.labels(reach), decoded.confidence(reach)
            alpha = (adapted == FOREGROUND).astype(np.float32)
            open_ = (adapted == UNKNOWN) | (sure <= SURE)
            for core in self._rectangles(open_, _PROPAGATION_MARGIN, _CELL, 1):
                self._propagate(core, image, decoded, open_, alpha)
        _let_decide(adapted, alpha, open_)
        keep_veils(image, trimap, adapted, alpha, decoded.sketch)
        return adapted, alpha, sure

    def _rectangles(self, where: _Where, margin: int, cell: int, grid: int) -> list[Rectangle]:
        height, width = (padded_side(side) for side in where.shape)
        if self.largest is None:
            return [Rectangle(0, 0, height, width)] if where.any() else []
        padded = np.zeros((height, width), np.bool_)
        padded[: where.shape[0], : where.shape[1]] = where
        return cover(
            padded,
            margin=margin,
            largest=self.largest,
            cell=cell,
            grid=grid,
            fixed=_FIXED,
        )

    def _decode(
        self,
        core: Rectangle,
        image: FloatArray,
        trimap: LabelArray,
        planes: FramePlanes | None,
        out: _Decoded,
    ) -> None:
        """T̃ and α̃ of a rectangle, added to what its neighbours say."""
        frame = [padded_side(side) for side in trimap.shape]
        seen = core.grown(MARGIN, *frame).on_grid(CELL, *frame)
        picture = as_picture(piece(image, seen), self.device)
        one_hot = as_one_hot(piece(trimap, seen), self.device)
        own = None if planes is None else planes.piece(seen, picture, one_hot)
        logits, alpha = self.decode(picture, one_hot, own)
        both = torch.cat((logits.float(), alpha.float()), dim=1)[0].cpu().numpy()
        out.add(core, seen, _finite(both))

    def _propagate(
        self,
        core: Rectangle,
        image: FloatArray,
        decoded: _Decoded,
        where: _Where,
        alpha: FloatArray,
    ) -> None:
        """α̂ of a rectangle, written where it is asked for."""
        seen = core.grown(_PROPAGATION_MARGIN, *(padded_side(side) for side in where.shape))
        scores, start = decoded.piece(seen)
        found = torch.from_numpy(start)[None, None].to(self.device)
        if self.network.config.propagation:
            shares = torch.from_numpy(scores)[None].to(self.device).softmax(dim=1)
            picture = as_picture(piece(image, seen), self.device)
            if self.precision == torch.float32:
                found = self.propagation(picture, shares, found)
            else:
                found = self.network.propagation(picture, shares, found)[-1]
        inside = _finite(found[0, 0].float().cpu().numpy()).clip(0, 1)
        rows, columns = core.slices
        target = alpha[rows, columns]
        top, left = core.top - seen.top, core.left - seen.left
        inside = inside[top : top + target.shape[0], left : left + target.shape[1]]
        wanted = where[rows, columns]
        target[wanted] = inside[wanted]


class _Decoded:
    """T̃ and α̃ of a frame, as far as they were computed; the given trimap elsewhere."""

    def __init__(self, trimap: LabelArray) -> None:
        self.trimap = trimap
        # Zeros that are never touched cost no memory.
        self.sums = np.zeros((4, *trimap.shape), np.float32)
        self.weights = np.zeros(trimap.shape, np.float32)

    def add(self, core: Rectangle, seen: Rectangle, values: FloatArray) -> None:
        """Weigh in a rectangle's result, `4 × h × w` over `seen`."""
        height, width = self.trimap.shape
        outer = core.grown(_RAMP, height, width).within(seen)
        fade = np.minimum(
            fading(core.top, core.bottom, outer.top, outer.bottom)[:, None],
            fading(core.left, core.right, outer.left, outer.right)[None],
        )
        top, left = outer.top - seen.top, outer.left - seen.left
        part = values[:, top : top + fade.shape[0], left : left + fade.shape[1]]
        rows, columns = outer.slices
        self.sums[:, rows, columns] += fade * part
        self.weights[rows, columns] += fade

    def labels(self, reach: _Where) -> LabelArray:
        """T̂: the likeliest class within reach, the given one elsewhere."""
        chosen = self.trimap.copy()
        rows, columns = _bounds(reach)
        inner = reach[rows, columns]
        best = LABELS[self.sums[:3, rows, columns].argmax(axis=0)]
        chosen[rows, columns][inner] = best[inner]
        return chosen

    def confidence(self, reach: _Where) -> FloatArray:
        """The probability of the likeliest class within reach, 1 elsewhere."""
        sure = np.ones(self.trimap.shape, np.float32)
        rows, columns = _bounds(reach)
        inner = reach[rows, columns]
        logits = self.sums[:3, rows, columns][:, inner]
        logits /= np.maximum(self.weights[rows, columns][inner], 1e-6)
        sure[rows, columns][inner] = 1 / np.exp(logits - logits.max(axis=0)).sum(axis=0)
        return sure

    def sketch(self, box: tuple[slice, slice]) -> FloatArray:
        """α̃ of rows and columns; 0 where nothing was computed."""
        found: FloatArray = self.sums[3][box] / np.maximum(self.weights[box], 1e-6)
        return found

    def piece(self, where: Rectangle) -> tuple[FloatArray, FloatArray]:
        """T̃ (`3 × h × w`) and α̃ (`h × w`) of a rectangle, repeated beyond the frame's edge."""
        rows, columns = where.slices
        given = self.trimap[rows, columns]
        weight = self.weights[rows, columns]
        sums = self.sums[:, rows, columns]
        own = np.stack(
            [*(np.where(given == label, 10, -10) for label in LABELS), given == FOREGROUND]
        ).astype(np.float32)
        values = np.where(weight > 0, sums / np.maximum(weight, 1e-6), own)
        values = pad_edge(values.transpose(1, 2, 0), where).transpose(2, 0, 1)
        return np.ascontiguousarray(values[:3]), np.ascontiguousarray(values[3])


def _let_decide(adapted: LabelArray, alpha: FloatArray, open_: _Where) -> None:
    """Among what T̂ is unsure of, its class where α̂ is near to it; elsewhere that is unknown."""
    doubted = open_ & (adapted != UNKNOWN)
    decision, found = (adapted[doubted] == FOREGROUND).astype(np.float32), alpha[doubted]
    agree = np.abs(decision - found) < NEAR
    alpha[doubted] = np.where(agree, decision, found)
    adapted[doubted] = np.where(agree, adapted[doubted], UNKNOWN)


def not_finite() -> FrameError:
    """For a network whose output is no number."""
    fix = "try --precision fp32, or other weights"
    return FrameError("what it puts out is no number", where="the network", fix=fix)


def _finite(values: FloatArray) -> FloatArray:
    """What the network put out, if it is numbers: to choose among others would be a guess.

    Raises:
        FrameError: it is not.
    """
    if not np.isfinite(values).all():
        raise not_finite()
    return values


def fading(start: int, end: int, outer_start: int, outer_end: int) -> FloatArray:
    """1 from `start` to `end`, falling to nearly 0 at `_RAMP` pixels beyond."""
    at = np.arange(outer_start, outer_end, dtype=np.float32)
    beyond = np.maximum(np.maximum(start - at, at - end + 1), 0)
    out: FloatArray = np.asarray(1 - beyond / (_RAMP + 1), np.float32)
    return out


def _near(where: _Where, pixels: int) -> _Where:
    """True within that many pixels, in a square, of something true."""
    kernel = np.ones((1, 2 * pixels + 1), np.uint8)
    grown = cv2.dilate(cv2.dilate(where.astype(np.uint8), kernel), kernel.T)
    near: _Where = grown > 0
    return near


def _bounds(where: _Where) -> tuple[slice, slice]:
    x, y, w, h = cv2.boundingRect(where.astype(np.uint8))
    return slice(y, y + h), slice(x, x + w)
