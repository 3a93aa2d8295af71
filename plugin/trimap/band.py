"""Trimaps: definite background, unknown, definite foreground, from a mask or ready-made.

From a mask: with F the pixels that are subject beyond doubt, B those that are background beyond
doubt, and distances exact and Euclidean between pixel centres,

    foreground = {p ∈ F : d(p, ¬F) > erode}      background = {p ∈ B : d(p, ¬B) > dilate}

and the rest unknown: every soft pixel of the mask, every unsure one, and a band around them. Where
the plate is looked at, each stretch of the outline has a width of its own (`stretches`), or `erode`
and `dilate` grow by several times the softness of the plate's edge (`softness`). Where a part of F
is too thin to survive the erosion, its core is kept by half the erosion, then a quarter, at last
its middle alone, so that a limb or a wheel stays anchored. Band widths are pixels of a 1080p frame.
"""

from pathlib import Path

import cv2
import numpy as np

from plugin.errors import PictureError, TrimapError, told_as
from plugin.image.regions import Flags, depth
from plugin.plates.companions.pictures import read_labels
from plugin.trimap.softness import Softness
from plugin.trimap.stretches import Stretches
from plugin.types import (
    BACKGROUND,
    FOREGROUND,
    UNKNOWN,
    FloatArray,
    LabelArray,
    Mask,
    PlateInfo,
    Trimap,
)

_REFERENCE_HEIGHT = 1080
"""Band widths are given in pixels of a frame this high."""

_SURE_BACKGROUND, _SURE_SUBJECT = 0.05, 0.95
"""A mask's coverage up to the first is background, from the second on subject, between unknown."""

ERODE, DILATE = 8.0, 12.0
"""The widths at which the band of a stretch is as wide as was measured; others scale it."""

_WIDE = 8.0
"""What a wide band grows by, in softnesses. From a tenth to a hundredth of alpha it is about four
softnesses more, but what lies there is mostly background, and a network errs on it too."""

_OTHER_SIDE = 0.7
"""How much of one side's softness counts on the other."""

_WIDEST = 180.0
"""The widest that softness makes a band, pixels of a 1080p frame."""

_THINNEST = 1.5
"""Half the width, in pixels, of the thinnest part whose core is kept."""

_DEEP, _LARGE = 2.0, 800.0
"""Pixels from its outside that the middle of a thin part lies at least, and the area of such a
part, square pixels of a 1080p frame."""

_FIRM = 12.0
"""A stretch whose band is narrower is hard: the band of a firm mask begins there where the mask
passes a half, and its softness does not widen it again. Pixels of a 1080p frame."""

_TOLERANCE = 1.6 / 255
"""How far a stored value may lie from 0, 0.5 and 1: 127, 128 and 129 of 255 all are unknown."""


def trimap_from_mask(
    mask: Mask,
    *,
    erode: float,
    dilate: float,
    height: int,
    found: Stretches | Softness | None = None,
) -> Trimap:
    """The trimap around a mask's edge.

    Args:
        mask: coverage, and where it is unsure.
        erode: band inside the edge, pixels of a 1080p frame.
        dilate: band outside the edge, pixels of a 1080p frame.
        height: of the plate's display window, pixels.
        found: what the plate says of that edge: the band of each stretch, which the widths scale,
            or how soft it is, by which they grow; None to take them as they are.
    """
    scale = np.float32(height / _REFERENCE_HEIGHT)
    inside, outside = (width * scale for width in _widths(erode, dilate, found))
    unsure = mask.unsure if mask.unsure is not None else np.False_
    coverage = _ended(mask.coverage)
    subject = (coverage >= np.float32(_SURE_SUBJECT)) & ~unsure
    background = (coverage <= np.float32(_SURE_BACKGROUND)) & ~unsure
    within, beyond = depth(subject, float(inside.max())), depth(background, float(outside.max()))
    if mask.firm and isinstance(found, Stretches):
        solid = mask.coverage >= np.float32(0.5)
        firm = np.maximum(found.inner, found.outer) < _FIRM
        within = np.where(firm, _deeper(within, solid & ~unsure, inside), within)
        beyond = np.where(firm, _deeper(beyond, ~solid & ~unsure, outside), beyond)
    labels = np.full(mask.coverage.shape, UNKNOWN, np.uint8)
    labels[background & (beyond > outside)] = BACKGROUND
    labels[_core(subject, within, inside, height / _REFERENCE_HEIGHT)] = FOREGROUND
    return Trimap(mask.number, labels)


def _ended(coverage: FloatArray) -> FloatArray:
    """The same, but where the frame ends, not the subject: a mask's soft outermost pixels.

    A roto that ends at the frame's last half pixel has an edge there that the subject has not.
    They are as the pixels beside them, if those are on the same side of a half.
    """
    ended = coverage.copy()
    for lines in (ended, ended.T):
        if len(lines) < 2:
            continue
        for last, beside in ((0, 1), (-1, -2)):
            same = (lines[last] >= 0.5) == (lines[beside] >= 0.5)
            np.copyto(lines[last], lines[beside], where=same)
    return ended


def _deeper(deep: FloatArray, half: Flags, width: FloatArray) -> FloatArray:
    """How deep pixels lie where they are sure, or in the mask's half less its edge's own pixel."""
    return np.maximum(deep, depth(half, float(width.max()) + 1) - 1)


def _widths(
    erode: float, dilate: float, found: Stretches | Softness | None
) -> tuple[FloatArray, FloatArray]:
    """Widths inside and outside, pixels of a 1080p frame: one for all, or one a pixel."""
    inside, outside = np.asarray(erode, np.float32), np.asarray(dilate, np.float32)
    if found is None:
        return inside, outside
    if isinstance(found, Stretches):
        return inside / np.float32(ERODE) * found.inner, outside / np.float32(DILATE) * found.outer
    inner = np.maximum(found.inner, _OTHER_SIDE * found.outer)
    outer = np.maximum(found.outer, _OTHER_SIDE * found.inner)
    return (
        np.maximum(inside, np.minimum(inside + _WIDE * inner, _WIDEST)).astype(np.float32),
        np.maximum(outside, np.minimum(outside + _WIDE * outer, _WIDEST)).astype(np.float32),
    )


def _core(subject: Flags, within: FloatArray, erode: FloatArray, scale: float) -> Flags:
    """The subject eroded; parts too thin for that by half as much, then by a quarter.

    Of those that are too thin for that as well, their middle.

    Args:
        subject: what is subject beyond doubt.
        within: how deep its pixels lie.
        erode: by how much.
        scale: pixels in one of a 1080p frame.
    """
    core = subject & (within > erode)
    last, of = core, erode
    thick = np.zeros_like(core)
    for radius in (erode * np.float32(0.5), erode * np.float32(0.25)):
        if radius.max() < _THINNEST:
            break
        thick |= _around(last, of)
        last, of = subject & (within > radius) & (radius >= _THINNEST) & ~thick, radius
        core = core | last
    thick |= _around(last, of)
    return core | _ridges(subject & ~thick, within, scale)


def _ridges(thin: Flags, within: FloatArray, scale: float) -> Flags:
    """The middle of parts that no erosion leaves anything of: the rim of a wheel, a rod, a rope.

    Not of what is a pixel or two wide, where the mask's own pixels are half background, nor of
    small parts: what sticks out of a drawn coat is a strand whose edges are anywhere.
    """
    deep = np.where(thin, np.minimum(within, np.float32(thin.size)), np.float32(0))
    ridge = thin & (deep >= _DEEP) & (deep >= cv2.dilate(deep, np.ones((3, 3), np.uint8)))
    if not ridge.any():
        return ridge
    _, parts, told, _ = cv2.connectedComponentsWithStats(thin.astype(np.uint8), connectivity=8)
    large: Flags = told[:, cv2.CC_STAT_AREA] >= _LARGE * scale**2
    kept: Flags = ridge & large[parts]
    return kept


def _around(core: Flags, radius: FloatArray) -> Flags:
    """What an erosion by `radius` took from a part that left a core: √2 radius in its corners."""
    near = np.float32(1.5) * radius
    found: Flags = depth(~core, float(near.max())) <= near
    return found


@told_as(TrimapError)
def read_trimap(path: Path, number: int, info: PlateInfo) -> Trimap:
    """One ready trimap: 0 / 128 / 255, the same in 16 bit, or 0 / 0.5 / 1; grey, or equal channels.

    Raises:
        TrimapError: it is missing, damaged, of another size, or holds other values.
    """
    grey = read_labels(path, info)
    return Trimap(number, labels_of(grey, None, path))


def labels_of(values: FloatArray, painted: Flags | None, path: Path) -> LabelArray:
    """The classes that stored values of 0, 0.5 and 1 stand for, `H × W`.

    Args:
        values: `H × W`, as stored.
        painted: where they have to be values of a trimap; None is everywhere.
        path: the file, for the message.

    Raises:
        PictureError: there are other values.
    """
    labels = np.full(values.shape, UNKNOWN, np.uint8)
    labels[values <= _TOLERANCE] = BACKGROUND
    labels[values >= 1 - _TOLERANCE] = FOREGROUND
    wrong = (labels == UNKNOWN) & (np.abs(values - np.float32(0.5)) > _TOLERANCE)
    if painted is not None:
        wrong &= painted
    if wrong.any():
        raise PictureError(
            f"{np.count_nonzero(wrong)} pixels hold other values than 0, 128 and 255,"
            f" such as {values[wrong][0]:.4g}",
            where=path,
            fix="save it without compression loss, scaling and smoothing",
        )
    return labels
