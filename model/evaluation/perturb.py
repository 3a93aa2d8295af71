"""Coarse and wrong trimaps, made from the true matte: what the network has to put right.

dilate-N   D-N of the paper's Table 4: everything within N pixels of the true unknown region
erode-N    what segmentation leaves: a mask that is N pixels too tight, and a band around it
"""

import re
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from model.evaluation.benchmark import BenchImage
from model.evaluation.metrics import OPAQUE_TOLERANCE, optimal_trimap
from plugin.errors import TrimapError
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray

_COMPUTED = re.compile(r"(?P<way>dilate|erode)-(?P<pixels>\d{1,4})")

_CAPTURE_NOISE: Final = 5.5 / 255
"""Captured mattes say 1/255 or 254/255 over wide opaque areas (alphamatting.com's GT27 over half of
its subject), which would all be dilated. What is really blended and fainter than this lies within
a few pixels of what is not, so that a dilation covers it."""

_Pixels = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What a method is given for one image, and where it is measured.

    Attributes:
        trimap: the input, `H × W` uint8 of 0, 128 and 255.
        scored: of the same kind; its unknown region is where errors count.
    """

    trimap: LabelArray
    scored: LabelArray


def is_computed(kind: str) -> bool:
    """Whether a kind of trimap is made from the true matte, instead of read from a file."""
    return _COMPUTED.fullmatch(kind) is not None


def task_of(image: BenchImage, kind: str, truth: FloatArray) -> Task:
    """The trimap of that kind of one image, from its file or computed from the true matte.

    A stored or dilated trimap is scored over its own unknown region, as always. An eroded one
    labels pixels wrong, and a method that believes it must not be rewarded: those pixels are
    scored as well. Both take α within 5/255 of 0 or 1 for opaque, since captured mattes are noisy.

    Args:
        image: of the benchmark.
        kind: `trimap`, `large`, `trimap-large`, `dilate-30`, `erode-10`, ….
        truth: its matte, `H × W` within [0, 1].

    Raises:
        TrimapError: no such kind, or a damaged trimap.
    """
    computed = _COMPUTED.fullmatch(kind)
    if computed is None or kind in image.trimap_files:
        trimap = image.trimap(kind)
        return Task(trimap, trimap)
    pixels = int(computed["pixels"])
    if computed["way"] == "dilate":
        trimap = dilated_trimap(truth, pixels, tolerance=_CAPTURE_NOISE)
        return Task(trimap, trimap)
    trimap = eroded_trimap(truth, pixels)
    optimal = optimal_trimap(truth, tolerance=_CAPTURE_NOISE)
    wrong = (trimap != UNKNOWN) & (trimap != optimal)
    return Task(trimap, np.where(wrong, np.uint8(UNKNOWN), trimap))


def dilated_trimap(
    truth: FloatArray, pixels: float, *, tolerance: float = OPAQUE_TOLERANCE
) -> LabelArray:
    """D-n: the true unknown region, dilated by n pixels.

    Unknown is what lies within n pixels of a pixel that is not opaque foreground, and of one that
    is not background. That is the true unknown region dilated by a disc of radius n, and a band of
    n pixels on each side of an edge that has no blended pixel. Every label is right, within the
    tolerance.

    Args:
        truth: the matte, `H × W` within [0, 1].
        pixels: n, 0 or more.
        tolerance: how near to 0 or 1 counts as opaque.
    """
    optimal = optimal_trimap(truth, tolerance=tolerance)
    labels = np.full(truth.shape, UNKNOWN, dtype=np.uint8)
    labels[_shrunk(optimal == BACKGROUND, pixels)] = BACKGROUND
    labels[_shrunk(optimal == FOREGROUND, pixels)] = FOREGROUND
    return labels


def eroded_trimap(truth: FloatArray, pixels: float) -> LabelArray:
    """The trimap that a mask n pixels too tight gives.

    The mask α ≥ ½, eroded by n, is called foreground; what is farther than 2n from it is called
    background. Hair that reaches out more than n pixels, and limbs thinner than 2n, come out
    labelled as background: wrong.

    Args:
        truth: the matte, `H × W` within [0, 1].
        pixels: n, at least 1.

    Raises:
        TrimapError: nothing is left of the mask.
    """
    mask = _shrunk(truth >= 0.5, pixels)
    if not mask.any():
        raise TrimapError(
            f"nothing is left of the mask, eroded by {pixels:g} pixels",
            where="erode",
            fix="erode less",
        )
    labels = np.full(truth.shape, UNKNOWN, dtype=np.uint8)
    labels[_shrunk(~mask, 2 * pixels)] = BACKGROUND
    labels[mask] = FOREGROUND
    return labels


def _shrunk(region: _Pixels, pixels: float) -> _Pixels:
    """The pixels of a region that are farther than that from every pixel outside it."""
    if region.all():
        return region
    distance = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance > pixels)
