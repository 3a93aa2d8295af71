"""`mask`: masks from another tool, paired with the plate by frame number.

A pattern of pictures (PNG, TIFF, EXR, DPX, JPEG; 8 or 16 bit, half or float), one picture for a
plate of one frame, or a video. What counts is the alpha channel where a picture has one that says
anything, else the largest of its colours. Soft masks stay soft. A frame without a mask of its own
holds that of the nearest earlier frame that has one.
"""

from __future__ import annotations

from bisect import bisect_right
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import numpy as np

from plugin.disk.inputs import Sum
from plugin.errors import AdaMatteError, FrameError, MaskError
from plugin.framerange import FrameRange
from plugin.pattern import FramePattern
from plugin.plates import AlphaSource, open_plate, plate_sum
from plugin.plates.companions import (
    digest_of,
    is_picture,
    read_header,
    read_matte,
    refuse_misfit,
)
from plugin.request.shot import Shot
from plugin.segmentation.plans import Method, Request, SegmentPlan, Settings, asked_frames
from plugin.types import FloatArray, Frame, Mask, PlateInfo, PlateSource, Segmenter

__all__ = ["MASK", "MaskReader", "MaskSettings", "pair_masks"]

SAMPLES = 7
"""Masks that are decoded beforehand to see which channel counts and what "on" is."""

HELD_CONFIDENCE = 0.5


class MaskSettings(Settings):
    """Where the masks are and how their values are meant.

    Attributes:
        path: a pattern, a picture, or a video; absolute.
        keys: frames that have a mask.
        start_frame: number of a video's first frame.
        from_alpha: the alpha channel counts, where a file has one.
        video_digest: sha256 of a video's file.
        video_stamp: the state in which it was summed.
        gain: what a stored value is multiplied with: label masks of 0 and 1 need it.
    """

    not_in_digest: ClassVar[frozenset[str]] = frozenset({"path", "keys", "video_stamp"})

    path: str
    keys: str
    start_frame: int
    video_digest: str = ""
    video_stamp: str = ""
    from_alpha: bool = True
    gain: float = 1.0

    @property
    def video(self) -> Sum | None:
        """What a video was when it was summed."""
        return Sum(self.video_digest, self.video_stamp) if self.video_digest else None


class MaskReader:
    """Reads one frame's mask; a frame without one holds the nearest earlier one."""

    def __init__(self, settings: MaskSettings, info: PlateInfo) -> None:
        self._settings = settings
        self._info = info
        self._keys = FrameRange.parse(settings.keys).numbers
        self._video: PlateSource | None = None

    def segment(self, frame: Frame) -> Mask:
        """The mask as it stands in its file, `confidence` 0.5 where it is held.

        Raises:
            FrameError: the mask is missing, damaged or of another size by now.
        """
        key = self._key(frame.number)
        coverage = np.clip(self._read(key) * np.float32(self._settings.gain), 0, 1)
        confidence = 1.0 if key == frame.number else HELD_CONFIDENCE
        return Mask(frame.number, coverage, None, confidence)

    def digest(self, number: int) -> str:
        """sha256 of the settings and of the mask's file."""
        key = self._key(number)
        if is_picture(self._settings.path):
            content = digest_of(_file_of(self._settings.path, key), error=FrameError)
        else:
            content = self._opened().digest(key)
        return self._settings.digest(content, f"{key}")

    def _key(self, number: int) -> int:
        position = bisect_right(self._keys, number)
        if position == 0:
            raise FrameError("no mask", where=f"frame {number}", fix="give a mask for it")
        return self._keys[position - 1]

    def _read(self, key: int) -> FloatArray:
        if not is_picture(self._settings.path):
            return self._read_video(key)
        path = _file_of(self._settings.path, key)
        return read_matte(path, self._info, from_alpha=self._settings.from_alpha, error=FrameError)

    def _read_video(self, key: int) -> FloatArray:
        video = self._opened()
        if self._settings.from_alpha and isinstance(video, AlphaSource):
            alpha = video.read_alpha(key)
            if alpha is not None:
                return alpha
        brightest: FloatArray = video.read(key).rgb.max(axis=2)
        return brightest

    def _opened(self) -> PlateSource:
        if self._video is None:
            self._video = open_plate(
                self._settings.path,
                start_frame=self._settings.start_frame,
                known=self._settings.video,
            )
        return self._video


def _file_of(path: str, number: int) -> Path:
    return FramePattern.parse(path).path(number) if FramePattern.is_pattern(path) else Path(path)


def _prepare(request: Request) -> SegmentPlan:
    shot, info = request.shot, request.plate.info
    if shot.mask is None:
        raise MaskError("no masks given", where="--segment mask", fix="name them with --mask")
    settings, warnings = pair_masks(shot.mask, shot, info)
    keys = FrameRange.parse(settings.keys)
    held = asked_frames(shot, info).without(keys)
    if held:
        warnings.append(f"no mask of their own, the nearest earlier one is held: frames {held}")
    return SegmentPlan(
        method="mask",
        settings=settings.model_dump(mode="json"),
        reason=f"mask: {Path(settings.path).name}, {len(keys)} masks, paired by frame number",
        warnings=tuple(warnings),
    )


def pair_masks(masks: str, shot: Shot, info: PlateInfo) -> tuple[MaskSettings, list[str]]:
    """Find masks and what their values mean; every size is looked at.

    Args:
        masks: a pattern, a picture or a video.
        shot: the frames asked for, and a video's first.
        info: the plate.

    Returns:
        What a `MaskReader` reads them by, and what a person should know.

    Raises:
        MaskError: none for the first frame asked for, of another size, or damaged.
    """
    path = str(Path(masks).absolute())
    keys, video = _find(path, shot.start_frame, info)
    _refuse_unpaired(path, keys, asked_frames(shot, info))
    settings = MaskSettings(
        path=path,
        keys=str(keys),
        start_frame=shot.start_frame,
        video_digest="" if video is None else video.sha256,
        video_stamp="" if video is None else video.stamp,
    )
    return _understand(settings, info)


def _find(path: str, start_frame: int, info: PlateInfo) -> tuple[FrameRange, Sum | None]:
    """The frames that have a mask, every one of the plate's size; and the sum of a video."""
    if not is_picture(path):
        return _find_in_video(path, start_frame, info)
    if not FramePattern.is_pattern(path):
        refuse_misfit(read_header(Path(path), error=MaskError), info, error=MaskError)
        return FrameRange.of([info.frames.first]), None
    keys = FramePattern.parse(path).scan()
    if not keys:
        raise MaskError("no such masks", where=path, fix="check the pattern and the folder")
    for number in keys:
        header = read_header(_file_of(path, number), error=MaskError)
        refuse_misfit(header, info, error=MaskError)
    return keys, None


def _find_in_video(path: str, start_frame: int, info: PlateInfo) -> tuple[FrameRange, Sum | None]:
    if not Path(path).is_file():
        raise MaskError("no such masks", where=path, fix="give a pattern, a picture or a video")
    try:
        with closing(open_plate(path, start_frame=start_frame)) as video:
            have, found = video.info, plate_sum(video)
    except AdaMatteError as problem:
        raise MaskError(problem.what, where=problem.where, fix=problem.fix) from problem
    if (have.width, have.height) != (info.width, info.height):
        raise MaskError(
            f"{have.width} × {have.height} pixels, but the plate has {info.width} × {info.height}",
            where=path,
            fix="render it at the size of the plate",
        )
    return have.frames, found


def _refuse_unpaired(path: str, keys: FrameRange, asked: FrameRange) -> None:
    early = FrameRange.of(number for number in asked if number < keys.first)
    if not early:
        return
    if len(early) == len(asked):
        what = f"the masks begin at frame {keys.first}, the frames asked for end at {asked.last}"
    else:
        what = f"no mask at or before frames {early}"
    raise MaskError(what, where=path, fix="masks pair by number: give a mask for the first frame")


def _understand(settings: MaskSettings, info: PlateInfo) -> tuple[MaskSettings, list[str]]:
    """Look at a few masks: does the alpha channel say anything, and what value means "on"?

    A mask in RGB often carries an alpha that is 1 everywhere, and label files hold 0 and 1 of 255.
    """
    warnings: list[str] = []
    keys = FrameRange.parse(settings.keys).numbers
    chosen = sorted({keys[round(i * (len(keys) - 1) / (SAMPLES - 1))] for i in range(SAMPLES)})
    if _has_colour_and_alpha(settings, chosen) and all(
        float(values.min()) >= 1 for values in _samples(settings, info, chosen)
    ):
        settings = settings.model_copy(update={"from_alpha": False})
        warnings.append("the masks' alpha is 1 everywhere: their colours are taken instead")
    samples = _samples(settings, info, chosen)
    peak = max(float(values.max()) for values in samples)
    if peak <= 0:
        warnings.append(f"the masks looked at are empty: frames {FrameRange.of(chosen)}")
    elif peak < 1 and all(np.all((values == 0) | (values == peak)) for values in samples):
        settings = settings.model_copy(update={"gain": 1 / peak})
        warnings.append(f"the masks hold only 0 and {peak:.4g}: taken as off and on")
    return settings, warnings


def _has_colour_and_alpha(settings: MaskSettings, numbers: list[int]) -> bool:
    if not is_picture(settings.path):
        with closing(open_plate(settings.path, known=settings.video)) as video:
            return isinstance(video, AlphaSource) and video.has_alpha
    headers = [read_header(_file_of(settings.path, n), error=MaskError) for n in numbers]
    return all(h.alpha is not None and len(h.channels) > 1 for h in headers)


def _samples(settings: MaskSettings, info: PlateInfo, numbers: list[int]) -> list[FloatArray]:
    reader = MaskReader(settings, info)
    try:
        return [reader._read(number) for number in numbers]
    except FrameError as problem:
        raise MaskError(problem.what, where=problem.where, fix=problem.fix) from problem


def _build(plan: SegmentPlan, info: PlateInfo) -> Segmenter:
    return MaskReader(MaskSettings.model_validate(plan.settings), info)


MASK = Method(_prepare, _build, needs="--mask PATTERN: masks from another tool")
