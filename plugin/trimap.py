"""Trimaps: definite background, unknown, definite foreground, from a mask or ready-made.

From a mask: with F the pixels that are subject beyond doubt, B those that are background beyond
doubt, and distances exact and Euclidean between pixel centres,

    foreground = {p ∈ F : d(p, ¬F) > erode}      background = {p ∈ B : d(p, ¬B) > dilate}

and the rest unknown: every soft pixel of the mask, every unsure one, and a band around them. Where
a part of F is too thin to survive the erosion, its core is kept by half the erosion, then a
quarter, so that a limb stays anchored. Band widths are pixels of a 1080p frame.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from plugin.errors import AdaMatteError, FrameError, TrimapError
from plugin.framerange import FrameRange
from plugin.pattern import FramePattern
from plugin.segmentation.pictures import (
    digest_of,
    is_picture,
    read_channels,
    read_header,
    refuse_misfit,
)
from plugin.segmentation.plans import asked_frames
from plugin.shot import Shot
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

if TYPE_CHECKING:
    from plugin.override import Override

__all__ = [
    "TrimapPlan",
    "TrimapSource",
    "labels_of",
    "plan_trimaps",
    "read_trimap",
    "trimap_from_mask",
]

REFERENCE_HEIGHT = 1080
"""Band widths are given in pixels of a frame this high."""

SURE_BACKGROUND, SURE_SUBJECT = 0.05, 0.95
"""A mask's coverage up to the first is background, from the second on subject, between unknown."""

_THINNEST = 1.5
"""Half the width, in pixels, of the thinnest part whose core is kept."""

_TOLERANCE = 1.6 / 255
"""How far a stored value may lie from 0, 0.5 and 1: 127, 128 and 129 of 255 all are unknown."""


def trimap_from_mask(mask: Mask, *, erode: float, dilate: float, height: int) -> Trimap:
    """The trimap around a mask's edge.

    Args:
        mask: coverage, and where it is unsure.
        erode: band inside the edge, pixels of a 1080p frame.
        dilate: band outside the edge, pixels of a 1080p frame.
        height: of the plate's display window, pixels.
    """
    scale = height / REFERENCE_HEIGHT
    unsure = mask.unsure if mask.unsure is not None else np.False_
    subject = (mask.coverage >= np.float32(SURE_SUBJECT)) & ~unsure
    background = (mask.coverage <= np.float32(SURE_BACKGROUND)) & ~unsure
    labels = np.full(mask.coverage.shape, UNKNOWN, np.uint8)
    labels[background & (_depth(background) > dilate * scale)] = BACKGROUND
    labels[_core(subject, erode * scale)] = FOREGROUND
    return Trimap(mask.number, labels)


def _depth(region: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Distance of each pixel of the region to the nearest pixel outside; the frame's end is none.

    Where nothing is outside, the distance is infinite.
    """
    if region.all():
        return np.full(region.shape, np.inf, np.float32)
    depth = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(depth, np.float32)


def _core(subject: npt.NDArray[np.bool_], erode: float) -> npt.NDArray[np.bool_]:
    """The subject eroded; parts too thin for that by half as much, then by a quarter."""
    depth = _depth(subject)
    core: npt.NDArray[np.bool_] = subject & (depth > erode)
    thick = _around(core, erode)
    for radius in (erode / 2, erode / 4):
        if radius < _THINNEST:
            break
        thinner = subject & (depth > radius) & ~thick
        thick |= _around(thinner, radius)
        core |= thinner
    return core


def _around(core: npt.NDArray[np.bool_], radius: float) -> npt.NDArray[np.bool_]:
    """What an erosion by `radius` took from a part that left a core: √2 radius in its corners."""
    near: npt.NDArray[np.bool_] = _depth(~core) <= 1.5 * radius
    return near


def read_trimap(path: Path, number: int, info: PlateInfo) -> Trimap:
    """One ready trimap: 0 / 128 / 255, the same in 16 bit, or 0 / 0.5 / 1; grey, or equal channels.

    Raises:
        TrimapError: it is missing, damaged, of another size, or holds other values.
    """
    values = read_channels(path, info, error=TrimapError)
    header = read_header(path, error=TrimapError)
    grey = [i for i in range(values.shape[2]) if i != header.alpha] or [0]
    return Trimap(number, labels_of(values[..., grey[0]], None, path, error=TrimapError))


def labels_of(
    values: FloatArray,
    painted: npt.NDArray[np.bool_] | None,
    path: Path,
    *,
    error: type[AdaMatteError],
) -> LabelArray:
    """The classes that stored values of 0, 0.5 and 1 stand for, `H × W`.

    Args:
        values: `H × W`, as stored.
        painted: where they have to be values of a trimap; None is everywhere.
        path: the file, for the message.
        error: class of error.

    Raises:
        error: there are other values.
    """
    labels = np.full(values.shape, UNKNOWN, np.uint8)
    labels[values <= _TOLERANCE] = BACKGROUND
    labels[values >= 1 - _TOLERANCE] = FOREGROUND
    wrong = (labels == UNKNOWN) & (np.abs(values - np.float32(0.5)) > _TOLERANCE)
    if painted is not None:
        wrong &= painted
    if wrong.any():
        raise error(
            f"{np.count_nonzero(wrong)} pixels hold other values than 0, 128 and 255,"
            f" such as {values[wrong][0]:.4g}",
            where=path,
            fix="save it without compression loss, scaling and smoothing",
        )
    return labels


class TrimapPlan(BaseModel):
    """How the trimaps of a shot are made.

    Attributes:
        kind: `band` around the mask's edge, or `files`.
        erode: band inside, pixels of a 1080p frame.
        dilate: band outside, pixels of a 1080p frame.
        path: pattern of the ready trimaps, or one picture; absolute.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["band", "files"]
    erode: Annotated[float, Field(ge=0, le=500)] = 0
    dilate: Annotated[float, Field(ge=0, le=500)] = 0
    path: str = ""


def plan_trimaps(shot: Shot, info: PlateInfo) -> TrimapPlan:
    """Settle where the trimaps come from; every ready one that is asked for is read and checked.

    Raises:
        TrimapError: a ready trimap is missing, damaged, of another size, or holds other values.
    """
    if shot.trimap is None:
        return TrimapPlan(kind="band", erode=shot.erode, dilate=shot.dilate)
    plan = TrimapPlan(kind="files", path=str(Path(shot.trimap).absolute()))
    asked = asked_frames(shot, info)
    if not is_picture(plan.path):
        raise TrimapError("no picture", where=shot.trimap, fix="give a pattern of PNG, TIFF or EXR")
    missing = FrameRange.of(n for n in asked if not _file(plan.path, n).is_file())
    if missing:
        raise TrimapError(f"no trimap for frames {missing}", where=shot.trimap, fix="render them")
    for number in asked:
        path = _file(plan.path, number)
        refuse_misfit(read_header(path, error=TrimapError), info, error=TrimapError)
        read_trimap(path, number, info)
    return plan


class TrimapSource:
    """Makes each frame's trimap, in a worker. The result depends on the frame alone."""

    def __init__(self, plan: TrimapPlan, info: PlateInfo, override: Override | None = None) -> None:
        self._plan = plan
        self._info = info
        self._override = override

    @property
    def needs_mask(self) -> bool:
        """Whether `trimap` has to be given the frame's mask."""
        return self._plan.kind == "band"

    def trimap(self, number: int, mask: Mask | None) -> Trimap:
        """The trimap of one frame, the shot's overrides applied.

        Raises:
            FrameError: a ready trimap or an override's picture is missing or damaged by now, or a
                mask is needed.
        """
        made = self._from_file(number) if self._plan.kind == "files" else self._band(number, mask)
        return made if self._override is None else self._override.apply(made)

    def _from_file(self, number: int) -> Trimap:
        try:
            return read_trimap(_file(self._plan.path, number), number, self._info)
        except TrimapError as problem:
            raise FrameError(problem.what, where=problem.where, fix=problem.fix) from problem

    def _band(self, number: int, mask: Mask | None) -> Trimap:
        if mask is None:
            raise FrameError("no mask", where=f"frame {number}", fix="give masks or trimaps")
        over = (None, None) if self._override is None else self._override.params(number)
        band = trimap_from_mask(
            mask,
            erode=self._plan.erode if over[0] is None else over[0],
            dilate=self._plan.dilate if over[1] is None else over[1],
            height=self._info.display_window.height,
        )
        return Trimap(number, band.labels)

    def digest(self, number: int) -> str:
        """sha256 of the settings, of the ready trimap's file and of this frame's overrides.

        Raises:
            FrameError: a file is missing.
        """
        settings = self._plan.model_dump(mode="json", exclude={"path"})
        content = ""
        if self._plan.kind == "files":
            content = digest_of(_file(self._plan.path, number), error=FrameError)
        parts = [settings, self._info.display_window.height, content]
        if self._override is not None:
            parts += self._override.digests(number)
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def _file(path: str, number: int) -> Path:
    return FramePattern.parse(path).path(number) if FramePattern.is_pattern(path) else Path(path)
