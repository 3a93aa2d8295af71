"""`clean-plate`: what differs from a plate of the same place without the subject.

The clean plate is a still, or a sequence or video that matches frame by frame. Per frame it is
shifted against the camera's shake, scaled against a change of exposure, and compared with the frame
in a way that a pixel's error of position does not count: a value within the range of the clean
plate's neighbourhood is no difference. Smooth darkening of one hue is taken for a shadow.
"""

from contextlib import closing
from pathlib import Path
from typing import Annotated, ClassVar

import cv2
import numpy as np
from pydantic import Field

from plugin.colour.display import display_transform, input_colour
from plugin.disk.inputs import Ledger, Sum, ledger, note
from plugin.errors import AdaMatteError, FrameError, MaskError, told_as
from plugin.image.regions import Flags, depth
from plugin.plates import open_plate, plate_sum, unlike
from plugin.segmentation.clean_plate.difference import differences_of
from plugin.segmentation.plans import Method, Request, SegmentPlan, Settings, asked_frames
from plugin.segmentation.sampling import left_out, sample_numbers, sampled
from plugin.types import FloatArray, Frame, Mask, PlateInfo, PlateSource, Segmenter

_SPAN = 0.1
"""From the first difference that counts to the one that is all subject, display values."""

_SURELY_SUBJECT = 0.08
"""A difference that is left out when the noise is measured."""

_MOST_OF_THE_FRAME = 0.6


class CleanPlateSettings(Settings, method="clean-plate"):
    """The clean plate of a shot.

    Attributes:
        path: picture, pattern or video; absolute.
        start_frame: number of a video's first frame.
        still: one picture for all frames; its number.
        video_digest: sha256 of a video's file.
        video_stamp: the state in which it was summed.
        colour: the space that its pixels are in.
        noise: difference that grain and compression make, display values.
    """

    not_in_digest: ClassVar[frozenset[str]] = frozenset({"path", "video_stamp"})

    path: str
    start_frame: int
    still: int | None
    video_digest: str = ""
    video_stamp: str = ""
    colour: str
    noise: Annotated[float, Field(ge=0.03, le=0.2)] = 0.04

    @property
    def video(self) -> Sum | None:
        """What a video was when it was summed."""
        return Sum(self.video_digest, self.video_stamp) if self.video_digest else None


class Difference:
    """Compares a frame with its clean plate."""

    def __init__(self, settings: CleanPlateSettings) -> None:
        self._settings = settings
        self._source: PlateSource | None = None
        self._held: tuple[FloatArray, Ledger] | None = None

    def segment(self, frame: Frame) -> Mask:
        """Soft coverage; unsure where a hole in the subject was closed.

        Raises:
            FrameError: the clean plate is missing or damaged by now, or is of another place.
        """
        difference, exact = differences_of(frame.rgb, self._clean(frame.number))
        first = np.float32(self._settings.noise)
        coverage = np.clip((difference - first) / np.float32(_SPAN), 0, 1)
        keep_large(coverage, least=2e-4)
        unsure = fill_holes(coverage, exact > first, reach=0.006, largest=2e-3)
        share = float(np.count_nonzero(coverage > 0.5)) / coverage.size
        if share > _MOST_OF_THE_FRAME:
            raise FrameError(
                f"{share:.0%} of the frame differs from the clean plate",
                where=f"frame {frame.number}",
                fix="give the clean plate of this camera position, or a mask",
            )
        doubt = float(np.count_nonzero(unsure)) / max(share * coverage.size, 1.0)
        return Mask(frame.number, coverage, unsure, confidence=max(0.0, 1 - doubt))

    def digest(self, number: int) -> str:
        """sha256 of the settings and of the clean plate's file."""
        still = self._settings.still
        source = self._opened()
        return self._settings.digest(source.digest(number if still is None else still))

    def _clean(self, number: int) -> FloatArray:
        clean, read = self._held or self._read(number)
        for path, found in read.items():
            note(path, found)
        return clean

    def _read(self, number: int) -> tuple[FloatArray, Ledger]:
        """The clean plate of a frame, and what it was read from."""
        source = self._opened()
        still = self._settings.still
        with ledger() as read:
            frame = source.read(number if still is None else still)
        clean = display_transform(source.info, self._settings.colour)(frame.rgb)
        if still is not None:
            self._held = clean, read
        return clean, read

    def _opened(self) -> PlateSource:
        if self._source is None:
            self._source = open_plate(
                self._settings.path,
                start_frame=self._settings.start_frame,
                known=self._settings.video,
            )
        return self._source


def _prepare(request: Request) -> SegmentPlan:
    shot, plate = request.shot, request.plate
    if shot.clean_plate is None:
        raise MaskError(
            "no clean plate given", where="--segment clean-plate", fix="name it with --clean-plate"
        )
    path = str(Path(shot.clean_plate).absolute())
    start = shot.companion_start(plate.info.frames.first)
    with (
        told_as(MaskError, of=AdaMatteError),
        closing(open_plate(path, start_frame=start)) as clean,
    ):
        settings = _settings_for(request, path, clean, start)
        noise, notes = _noise(request, clean, settings)
        notes += [*clean.info.notes, *unlike(clean, clean.info.frames)]
    frames = f"frames {clean.info.frames.brief} beside a plate of {plate.info.frames.brief}"
    kind = "a still" if settings.still is not None else frames
    return SegmentPlan(
        method="clean-plate",
        settings=settings.model_copy(update={"noise": noise}),
        reason=f"clean-plate: {Path(path).name}, {kind}, colours in {settings.colour}",
        warnings=tuple(f"clean plate: {note}" for note in notes),
    )


def _refuse_elsewhere(have: PlateInfo, want: PlateInfo, path: str) -> None:
    """Refuse a clean plate of the plate's size that lies elsewhere, or may."""
    if want.data_window == want.display_window and have.data_window == have.display_window:
        return
    same_size = (want.display_window.width, want.display_window.height) == (want.width, want.height)
    windowed = have.codec.startswith("exr")
    if windowed and have.data_window == want.data_window:
        return
    if windowed or same_size:
        raise MaskError(
            "its pixels lie elsewhere than the plate's, or it does not say where",
            where=path,
            fix="save it as EXR, with the plate's data window",
        )


def _settings_for(
    request: Request, path: str, clean: PlateSource, start: int
) -> CleanPlateSettings:
    have, want = clean.info, request.plate.info
    if (have.width, have.height) != (want.width, want.height):
        raise MaskError(
            f"{have.width} × {have.height} pixels, but the plate has {want.width} × {want.height}",
            where=path,
            fix="give a clean plate of the size of the plate",
        )
    _refuse_elsewhere(have, want, path)
    still = have.frames.first if len(have.frames) == 1 else None
    if still is None:
        missing = asked_frames(request.shot, want).without(have.frames)
        if missing:
            raise MaskError(
                f"no clean plate for frames {missing}",
                where=path,
                fix="clean plates pair by number: give them all, or one still",
            )
    video = plate_sum(clean) if still is None else None
    return CleanPlateSettings(
        path=path,
        start_frame=start,
        still=still,
        video_digest="" if video is None else video.sha256,
        video_stamp="" if video is None else video.stamp,
        colour=input_colour(have).space,
    )


def _noise(
    request: Request, clean: PlateSource, settings: CleanPlateSettings
) -> tuple[float, list[str]]:
    """What grain and compression make, over sampled frames, with room above; and notes."""
    to_display = display_transform(clean.info, settings.colour)
    still, levels = settings.still, []
    numbers = sample_numbers(request.plate, 5)
    if still is None:
        numbers = tuple(number for number in numbers if number in clean.info.frames)
    seen = sampled(request.plate, request.to_display, numbers)
    for number, frame in seen.items():
        empty = to_display(clean.read(number if still is None else still).rgb)
        difference, _ = differences_of(frame, empty)
        quiet = difference[difference < _SURELY_SUBJECT]
        if quiet.size:
            levels.append(float(np.percentile(quiet, 98)))
    level = float(np.median(levels)) if levels else 0.0
    return round(min(max(1.5 * level, 0.03), 0.2), 3), list(left_out(numbers, seen))


def _build(plan: SegmentPlan, info: PlateInfo) -> Segmenter:  # noqa: ARG001
    return Difference(plan.of(CleanPlateSettings))


CLEAN_PLATE = Method(_prepare, _build, needs="--clean-plate FILE: the place without the subject")


def keep_large(coverage: FloatArray, *, least: float) -> None:
    """Clear, in place, the connected pieces under that share of the frame."""
    _, pieces, figures, _ = cv2.connectedComponentsWithStats(
        (coverage > 0.3).astype(np.uint8), connectivity=8
    )
    small = figures[:, cv2.CC_STAT_AREA] < least * coverage.size
    small[0] = True  # what is under 0.3 belongs to a piece only near it, below
    kept = (~small[pieces]).astype(np.uint8)
    near = cv2.dilate(kept, np.ones((5, 5), np.uint8)) > 0
    coverage[~near] = 0


def fill_holes(coverage: FloatArray, differs: Flags, *, reach: float, largest: float) -> Flags:
    """Close narrow gaps and small holes of the subject, in place; where that is unsure.

    What is enclosed and is not the clean plate is the subject: cloth before a hard edge, or much
    like the wall. What is enclosed and may be the clean plate is unsure.

    Args:
        coverage: `H × W`, 0 to 1.
        differs: where the frame plainly is not the clean plate, `H × W`.
        reach: half the width of a gap that is closed, as a share of the frame's height.
        largest: area of a hole that is filled whatever it shows, as a share of the frame.
    """
    subject = (coverage > 0.5).astype(np.uint8)
    radius = max(1, round(reach * coverage.shape[0]))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    closed = cv2.morphologyEx(subject, cv2.MORPH_CLOSE, disc)
    _, pieces, figures, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    small = figures[:, cv2.CC_STAT_AREA] < largest * coverage.size
    small[0] = False
    whole = (closed > 0) | small[pieces]
    filled = whole & (subject == 0)
    coverage[filled] = np.maximum(coverage[filled], 0.5)
    # The edge itself stays as soft as it was seen.
    within = depth(whole, 2 * radius + 1) > 2 * radius
    sure = within & differs
    coverage[sure] = 1
    unsure: Flags = filled & ~sure
    return unsure
