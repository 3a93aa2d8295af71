"""`track`: masks of a few key frames, carried both ways through the shot.

Carrying runs in frame order, so it is a pass of its own (`run_first`), whose pictures lie on disk
before matting starts; workers only read them. Between two keys every frame is reached from both
sides, and each side counts by its nearness and its confidence; then the network corrects the mask.
It depends on the keys and the frames between, never on which frames were asked for.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from plugin.disk.inputs import Sum, note
from plugin.errors import FrameError, MaskError
from plugin.framerange import FrameRange
from plugin.plates.companions import (
    digest_of,
    is_picture,
    read_channels,
    read_header,
    read_matte,
    refuse_misfit,
)
from plugin.segmentation.carried import carried_file
from plugin.segmentation.plans import Method, Request, SegmentPlan, Settings
from plugin.segmentation.tracking import run_tracking
from plugin.types import FloatArray, Frame, Mask, PlateInfo, Segmenter

__all__ = ["TRACK", "CarriedSettings", "TrackReader", "TrackSettings", "check_keys", "named_weak"]

WEAK = 0.5
"""Confidence under which a frame is named to the user."""


class CarriedSettings(Settings):
    """Where carried masks lie.

    Attributes:
        folder: of the carried masks; empty before the first pass.
        confidence: of each carried frame.
    """

    not_in_digest: ClassVar[frozenset[str]] = frozenset({"folder", "confidence"})

    folder: str = ""
    confidence: dict[int, float] = Field(default_factory=dict)


class TrackSettings(CarriedSettings):
    """The keys of a shot.

    Attributes:
        keys: file of each key's mask by frame number; absolute.
        from_alpha: whether the files' alpha counts, for each key.
        digests: sha256 of each key's file.
    """

    not_in_digest: ClassVar[frozenset[str]] = frozenset({"keys", "folder", "confidence"})

    keys: Annotated[dict[int, str], Field(min_length=1)]
    from_alpha: dict[int, bool]
    digests: dict[int, str]


class TrackReader:
    """Reads what the first pass left."""

    def __init__(self, settings: CarriedSettings, info: PlateInfo) -> None:
        self._settings = settings
        self._info = info

    def segment(self, frame: Frame) -> Mask:
        """The carried mask, unsure where its flow was.

        Raises:
            FrameError: the first pass has not reached this frame, or its file is damaged.
        """
        path = self._file(frame.number)
        layers = read_channels(path, self._info, error=FrameError)
        confidence = self._settings.confidence.get(frame.number, 0.0)
        coverage = np.ascontiguousarray(layers[..., 0])
        return Mask(frame.number, coverage, layers[..., 1] > 0.5, confidence)

    def digest(self, number: int) -> str:
        """sha256 of the keys and of the carried mask's file."""
        return self._settings.digest(digest_of(self._file(number), error=FrameError))

    def _file(self, number: int) -> Path:
        if number not in self._settings.confidence:
            raise FrameError(
                "no carried mask", where=f"frame {number}", fix="start the job again for it"
            )
        return carried_file(Path(self._settings.folder), number)


def _prepare(request: Request) -> SegmentPlan:
    shot, info = request.shot, request.plate.info
    keys = {number: str(Path(file).absolute()) for number, file in shot.keyframes.items()}
    if not keys:
        raise MaskError(
            "no key frames given", where="--segment track", fix="name them: --keyframe FRAME=FILE"
        )
    read = check_keys(keys, info)
    settings = TrackSettings(
        keys=keys,
        from_alpha=read,
        digests={n: digest_of(Path(file), error=MaskError) for n, file in keys.items()},
    )
    plural = "" if len(keys) == 1 else "s"
    return SegmentPlan(
        method="track",
        settings=settings.model_dump(mode="json"),
        reason=f"track: {len(keys)} key frame{plural} ({FrameRange.of(keys)}) carried both ways",
    )


def check_keys(keys: dict[int, str], info: PlateInfo) -> dict[int, bool]:
    """Check key masks against the plate; whether the alpha of each is what counts.

    Raises:
        MaskError: a key is outside the plate, missing, damaged, of another size, or empty.
    """
    outside = FrameRange.of(keys).without(info.frames)
    if outside:
        raise MaskError(
            f"key frames {outside} are not on the plate",
            where="--keyframe",
            fix=f"keys are frames of {info.frames}",
        )
    return {number: _check_key(Path(file), info) for number, file in keys.items()}


def _check_key(path: Path, info: PlateInfo) -> bool:
    """Whether the alpha of a key's picture is what counts."""
    if not is_picture(path):
        raise MaskError("a key is no picture", where=path, fix="give PNG, TIFF, EXR or JPEG")
    header = read_header(path, error=MaskError)
    refuse_misfit(header, info, error=MaskError)
    alpha = read_matte(path, info, from_alpha=True, error=MaskError)
    by_alpha = header.alpha is not None and (len(header.channels) == 1 or float(alpha.min()) < 1)
    values = alpha if by_alpha else read_matte(path, info, from_alpha=False, error=MaskError)
    if not np.any(values > 0.5):
        raise MaskError(
            "the key's mask is empty", where=path, fix="key a frame that shows the subject"
        )
    return by_alpha


def _run_first(plan: SegmentPlan, request: Request, folder: Path) -> SegmentPlan:
    settings = TrackSettings.model_validate(plan.settings)
    info = request.plate.info

    def mask_of(number: int) -> FloatArray:
        path = Path(settings.keys[number])
        note(path, Sum(settings.digests[number]))
        return read_matte(path, info, from_alpha=settings.from_alpha[number], error=MaskError)

    network = "" if request.matter is None else request.matter.digest
    recipe = settings.digest("track/2", network)
    confidence = run_tracking(request, folder, recipe, FrameRange.of(settings.keys), mask_of)
    done = settings.model_copy(update={"folder": str(folder.absolute()), "confidence": confidence})
    return named_weak(plan, done)


def named_weak(plan: SegmentPlan, done: CarriedSettings) -> SegmentPlan:
    """The plan after its first pass, with the frames that a key would help named."""
    weak = FrameRange.of(n for n, value in done.confidence.items() if value < WEAK)
    warnings = (f"a key here would help: {weak}",) if weak else ()
    return plan.model_copy(
        update={
            "settings": done.model_dump(mode="json"),
            "warnings": (*plan.warnings, *warnings),
        }
    )


def _build(plan: SegmentPlan, info: PlateInfo) -> Segmenter:
    return TrackReader(TrackSettings.model_validate(plan.settings), info)


TRACK = Method(
    _prepare, _build, needs="--keyframe FRAME=FILE: masks of a few frames", first=_run_first
)
