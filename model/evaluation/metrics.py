"""How far a matte is from the truth: SAD, MSE, Grad, Conn, dtSSD; Acc and mIoU of a trimap.

The four matte errors are those of the public evaluation code that Deep Image Matting released with
Composition-1k (2018), which follows Rhemann et al., "A perceptually motivated online benchmark for
image matting" (CVPR 2009, alphamatting.com):

    SAD   Σ_U |α − α_gt| / 1000
    MSE   Σ_U (α − α_gt)² / |U|
    Grad  Σ_U (‖∇α‖ − ‖∇α_gt‖)² / 1000
    Conn  Σ_U |φ(α) − φ(α_gt)| / 1000

U is the input trimap's unknown region (label 128). Mattes are `H × W` float within [0, 1], trimaps
`H × W` uint8 of 0, 128 and 255. Everything is computed in float64 with numpy and OpenCV alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from plugin.errors import RequestError
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, LabelArray

Alpha = npt.NDArray[np.floating]
"""`H × W` of float32 or float64 within [0, 1]."""

_Float64 = npt.NDArray[np.float64]

OPAQUE_TOLERANCE: Final = 0.5 / 255
"""Half a step of an 8-bit matte: an α nearer than this to 0 or 1 counts as 0 or 1 in Eq. 2."""

_SIGMA: Final = 1.4
_EPSILON: Final = 1e-2
_STEPS: Final = 10
_THETA: Final = 0.15


@dataclass(frozen=True, slots=True)
class MatteErrors:
    """The four errors of one matte; lower is better.

    Attributes:
        sad: sum of absolute differences, in thousands of pixels.
        mse: mean squared error, a pixel.
        grad: gradient error, in thousands.
        conn: connectivity error, in thousands.
    """

    sad: float
    mse: float
    grad: float
    conn: float


def matte_errors(alpha: Alpha, truth: Alpha, trimap: LabelArray) -> MatteErrors:
    """All four errors of a matte over the unknown region of its input trimap.

    Raises:
        RequestError: the three are not of one size.
    """
    return MatteErrors(
        sad=sad(alpha, truth, trimap),
        mse=mse(alpha, truth, trimap),
        grad=grad(alpha, truth, trimap),
        conn=conn(alpha, truth, trimap),
    )


def sad(alpha: Alpha, truth: Alpha, trimap: LabelArray) -> float:
    """Sum of absolute differences over the unknown region, in thousands."""
    _require_one_size(alpha, truth, trimap)
    unknown = trimap == UNKNOWN
    return float(np.abs(_f64(alpha)[unknown] - _f64(truth)[unknown]).sum()) / 1000


def mse(alpha: Alpha, truth: Alpha, trimap: LabelArray) -> float:
    """Mean squared error over the unknown region; 0 where nothing is unknown."""
    _require_one_size(alpha, truth, trimap)
    unknown = trimap == UNKNOWN
    if not unknown.any():
        return 0.0
    return float(np.square(_f64(alpha)[unknown] - _f64(truth)[unknown]).mean())


def grad(alpha: Alpha, truth: Alpha, trimap: LabelArray) -> float:
    """Gradient error over the unknown region, in thousands.

    Both mattes are stretched to their full range (MATLAB's `mat2gray`), as the public code does:
    the identity for every matte that has a pixel of 0 and one of 1.
    """
    _require_one_size(alpha, truth, trimap)
    difference = _gradient_magnitude(_stretch(alpha)) - _gradient_magnitude(_stretch(truth))
    return float(np.square(difference[trimap == UNKNOWN]).sum()) / 1000


def _stretch(alpha: Alpha) -> _Float64:
    """`mat2gray`: minimum to 0, maximum to 1; a constant picture stays as it is."""
    low, high = float(alpha.min()), float(alpha.max())
    return _f64(alpha) if high == low else (_f64(alpha) - low) / (high - low)


def _gradient_magnitude(alpha: _Float64) -> _Float64:
    """‖∇α‖ with first derivatives of a Gaussian, σ 1.4.

    The kernel g(y)·g′(x) reaches to where a normalised Gaussian falls to 0.01 (9 × 9 pixels), has
    a Euclidean norm of 1, and sees the border pixels repeated outside.
    """
    reach = _SIGMA * np.sqrt(-2 * np.log(np.sqrt(2 * np.pi) * _SIGMA * _EPSILON))
    x = np.arange(-np.ceil(reach), np.ceil(reach) + 1)
    smooth = np.exp(-np.square(x) / (2 * _SIGMA**2))
    derive = -x * smooth
    # The norm of an outer product is the product of the norms.
    smooth, derive = smooth / np.linalg.norm(smooth), derive / np.linalg.norm(derive)
    along_x = cv2.sepFilter2D(alpha, cv2.CV_64F, derive, smooth, borderType=cv2.BORDER_REPLICATE)
    along_y = cv2.sepFilter2D(alpha, cv2.CV_64F, smooth, derive, borderType=cv2.BORDER_REPLICATE)
    return np.hypot(along_x, along_y)


def conn(alpha: Alpha, truth: Alpha, trimap: LabelArray) -> float:
    """Connectivity error over the unknown region, in thousands.

    For each level 0.1, 0.2, …, 1 the source Ω is the largest 4-connected component of the pixels
    where both mattes reach the level. A pixel is connected up to l, the level before the first
    whose Ω it is not in. φ(α) = 1 − d where d = α − l is at least θ = 0.15, else 1.
    """
    _require_one_size(alpha, truth, trimap)
    level = _connected_level(_f64(alpha), _f64(truth))
    difference = _connectivity(_f64(alpha), level) - _connectivity(_f64(truth), level)
    return float(np.abs(difference[trimap == UNKNOWN]).sum()) / 1000


def _connected_level(alpha: _Float64, truth: _Float64) -> _Float64:
    """The map l: up to which level each pixel is connected to the source."""
    level = np.ones(alpha.shape)
    connected = np.ones(alpha.shape, dtype=bool)
    for step in range(1, _STEPS + 1):
        # i / 10 is the double nearest to the fraction, as is v / 255 of an 8-bit matte: 153 / 255
        # reaches 6 / 10, which it would not reach with thresholds that are summed up.
        threshold = step / _STEPS
        source = _largest_component((alpha >= threshold) & (truth >= threshold))
        level[connected & ~source] = (step - 1) / _STEPS
        connected &= source
    return level


def _largest_component(pixels: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The largest 4-connected component; of equal ones the first in column order, as MATLAB's."""
    count, labels = cv2.connectedComponents(
        np.ascontiguousarray(pixels.T, dtype=np.uint8), connectivity=4
    )
    if count == 1:
        return np.zeros_like(pixels)
    sizes = np.bincount(labels.ravel(), minlength=count)
    sizes[0] = 0
    ties = np.flatnonzero(sizes == sizes.max())
    first = ties[0] if len(ties) == 1 else labels.flat[np.isin(labels, ties).argmax()]
    return np.asarray(labels == first).T


def _connectivity(alpha: _Float64, level: _Float64) -> _Float64:
    """φ of each pixel, 0 to 1."""
    distance = alpha - level
    return 1 - np.where(distance >= _THETA, distance, 0.0)


def dtssd(alphas: Sequence[Alpha], truths: Sequence[Alpha]) -> float:
    """Flicker that the truth does not have: dtSSD of a sequence, times 100 as it is published.

    Root of the mean squared difference of the changes between successive frames, over all pixels,
    averaged over the pairs (Erofeev et al., BMVC 2015, scaled as in the video matting papers since
    Robust Video Matting); 0 for fewer than two frames.

    Raises:
        RequestError: the sequences differ in length, or the frames in size.
    """
    if len(alphas) != len(truths):
        raise RequestError(
            f"{len(alphas)} mattes for {len(truths)} true ones",
            where="dtSSD",
            fix="give one matte for each frame of the truth, in order",
        )
    _require_one_size(*alphas, *truths)
    errors = [_f64(alpha) - _f64(truth) for alpha, truth in zip(alphas, truths, strict=True)]
    pairs = zip(errors[1:], errors[:-1], strict=True)
    roots = [np.sqrt(np.square(now - before).mean()) for now, before in pairs]
    return 100 * float(np.mean(roots)) if roots else 0.0


def optimal_trimap(truth: Alpha, *, tolerance: float = OPAQUE_TOLERANCE) -> LabelArray:
    """The optimal trimap T_opt of Eq. 2.

    Background where α_gt = 0, foreground where α_gt = 1, unknown between. For 8-bit mattes that
    is 0 and 255 exactly; deeper ones are taken at 8 bits' precision (`OPAQUE_TOLERANCE`), so that
    noise in their last bits does not make an opaque pixel a blended one.

    Args:
        truth: α_gt, `H × W` within [0, 1].
        tolerance: how near to 0 or 1 counts as 0 or 1.
    """
    labels = np.full(truth.shape, UNKNOWN, dtype=np.uint8)
    labels[truth < tolerance] = BACKGROUND
    labels[truth > 1 - tolerance] = FOREGROUND
    return labels


@dataclass(frozen=True, slots=True)
class Confusion:
    """How the pixels of trimaps were classified; adds up over images.

    Attributes:
        counts: pixels, `counts[truth][predicted]`, classes in the order background, unknown,
            foreground.
    """

    counts: tuple[tuple[int, ...], ...] = ((0, 0, 0),) * 3

    @classmethod
    def of(cls, adapted: LabelArray, optimal: LabelArray) -> Confusion:
        """Of an adapted trimap T̂ against T_opt, over the whole image.

        Raises:
            RequestError: the two are not of one size.
        """
        _require_one_size(adapted, optimal)
        order = np.zeros(256, dtype=np.int64)
        order[[BACKGROUND, UNKNOWN, FOREGROUND]] = 0, 1, 2
        cells = np.bincount((3 * order[optimal] + order[adapted]).ravel(), minlength=9)
        return cls(tuple(tuple(int(n) for n in row) for row in cells.reshape(3, 3)))

    def __add__(self, other: Confusion) -> Confusion:
        total = np.array(self.counts) + np.array(other.counts)
        return Confusion(tuple(tuple(int(n) for n in row) for row in total))

    @property
    def accuracy(self) -> float:
        """Share of the pixels that are classified right, 0 to 1; 0 of no pixels."""
        cells = np.array(self.counts)
        return float(np.trace(cells) / cells.sum()) if cells.any() else 0.0

    @property
    def mean_iou(self) -> float:
        """Intersection over union, averaged over the classes that occur in either; 0 of none."""
        cells = np.array(self.counts)
        both = np.diag(cells)
        either = cells.sum(axis=0) + cells.sum(axis=1) - both
        occurs = either > 0
        return float((both[occurs] / either[occurs]).mean()) if occurs.any() else 0.0


def _f64(alpha: Alpha) -> _Float64:
    return alpha.astype(np.float64, copy=False)


def _require_one_size(*arrays: npt.NDArray[np.generic]) -> None:
    sizes = {array.shape for array in arrays}
    if len(sizes) > 1 or any(len(size) != 2 for size in sizes):
        raise RequestError(
            f"mattes and trimaps of different sizes: {sorted(sizes)}",
            where="evaluation",
            fix="compare mattes of one image, H × W each",
        )
