"""`track`: masks of a few key frames, carried both ways through the shot.

Carrying runs in frame order, so it is a pass of its own (`run_first`), whose pictures lie on disk
before matting starts; workers only read them. Between two keys every frame is reached from both
sides, and each side counts by its nearness and its confidence; then the network corrects the mask.
It depends on the keys and the frames between, never on which frames were asked for.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ClassVar, Self

import numpy as np
from pydantic import Field

from plugin.disk.inputs import Sum, note
from plugin.errors import FrameError, MaskError, told_as
from plugin.framerange import FrameRange
from plugin.plates.companions.pictures import (
    digest_of,
    is_picture,
    read_picture,
)
from plugin.plates.companions.values import Reading
from plugin.request.shot import Shot
from plugin.segmentation.masks.files import read_coverage
from plugin.segmentation.masks.pairing import read_key
from plugin.segmentation.plans import Method, Request, SegmentPlan, Settings
from plugin.segmentation.track.carried import Carried, carried_file
from plugin.segmentation.track.tracking import run_tracking
from plugin.types import FloatArray, Frame, Mask, PlateInfo, Segmenter

WEAK = 0.5
"""Confidence under which a frame is named to the user."""


class CarriedSettings(Settings):
    """Where carried masks lie.

    Attributes:
        folder: of the carried masks; empty before the first pass.
        confidence: of each carried frame.
        key_wanted: the frame on which another key would help most, if any.
    """

    not_in_digest: ClassVar[frozenset[str]] = frozenset({"folder", "confidence", "key_wanted"})

    folder: str = ""
    confidence: dict[int, float] = Field(default_factory=dict)
    key_wanted: int | None = None

    def after(self, folder: Path, carried: Carried) -> Self:
        """The same, once the pass has been done into that folder."""
        found = {"confidence": carried.confidence, "key_wanted": carried.key_wanted}
        return self.model_copy(update={"folder": str(folder.absolute()), **found})


class TrackSettings(CarriedSettings, method="track"):
    """The keys of a shot.

    Attributes:
        keys: file of each key's mask by frame number; absolute.
        readings: how the files' values become coverage, for each key.
        digests: sha256 of each key's file.
    """

    not_in_digest: ClassVar[frozenset[str]] = CarriedSettings.not_in_digest | {"keys"}

    keys: Annotated[dict[int, str], Field(min_length=1)]
    readings: dict[int, Reading]
    digests: dict[int, str]


class TrackReader:
    """Reads what the first pass left."""

    def __init__(self, settings: CarriedSettings, info: PlateInfo) -> None:
        self._settings = settings
        self._info = info

    @told_as(FrameError)
    def segment(self, frame: Frame) -> Mask:
        """The carried mask, unsure where its flow was.

        Raises:
            FrameError: the first pass has not reached this frame, or its file is damaged.
        """
        path = self._file(frame.number)
        _, layers = read_picture(path, self._info)
        confidence = self._settings.confidence.get(frame.number, 0.0)
        coverage = np.ascontiguousarray(layers[..., 0])
        # A key is as it was drawn; what flow carried is decided, but for where it is unsure.
        firm = isinstance(self._settings, TrackSettings) and frame.number not in self._settings.keys
        return Mask(frame.number, coverage, layers[..., 1] > 0.5, confidence, firm=firm)

    @told_as(FrameError)
    def digest(self, number: int) -> str:
        """sha256 of the carried mask's file and of how sure it is.

        Not of the keys: one that leaves a frame's mask as it was leaves its matte as it was.
        """
        sure = self._settings.confidence.get(number, 0.0)
        text = f"carried {sure} {digest_of(self._file(number))}"
        return hashlib.sha256(text.encode()).hexdigest()

    def _file(self, number: int) -> Path:
        if number not in self._settings.confidence:
            raise FrameError(
                "no carried mask", where=f"frame {number}", fix="start the job again for it"
            )
        return carried_file(Path(self._settings.folder), number)


@told_as(MaskError)
def _prepare(request: Request) -> SegmentPlan:
    return plan_of_keys(request, "track", TrackSettings, "carried both ways")


def plan_of_keys(
    request: Request, method: str, kind: type[TrackSettings], way: str, **more: object
) -> SegmentPlan:
    """The plan of a method that goes by key masks.

    Args:
        request: the shot and its plate.
        method: its name.
        kind: of its settings.
        way: what becomes of the keys, for the user.
        more: of the settings.

    Raises:
        MaskError: there are none, or one cannot be taken.
    """
    shot, info = request.shot, request.plate.info
    keys = {number: str(Path(file).absolute()) for number, file in shot.keyframes.items()}
    if not keys:
        where, fix = f"--segment {method}", "name them: --keyframe FRAME=FILE"
        raise MaskError("no key frames given", where=where, fix=fix)
    readings, how, notes = check_keys(keys, shot, info)
    given = {
        "keys": keys,
        "readings": readings,
        "digests": {n: digest_of(Path(file)) for n, file in keys.items()},
        **more,
    }
    plural = "" if len(keys) == 1 else "s"
    return SegmentPlan(
        method=method,
        settings=kind.model_validate(given),
        reason=f"{method}: {len(keys)} key frame{plural} ({FrameRange.of(keys)}) {way}, {how}",
        warnings=notes,
    )


def check_keys(
    keys: dict[int, str], shot: Shot, info: PlateInfo
) -> tuple[dict[int, Reading], str, tuple[str, ...]]:
    """Check key masks against the plate; how each is read, in words too, and what is to be known.

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
    readings, told, ways = {}, [], []
    for number, file in keys.items():
        path = Path(file)
        if not is_picture(path):
            raise MaskError("a key is no picture", where=path, fix="give PNG, TIFF, EXR or JPEG")
        readings[number], how, notes = read_key(path, info, shot)
        ways.append(how)
        told += [f"key {number}: {note}" for note in notes]
    return readings, "; ".join(dict.fromkeys(ways)), tuple(told)


@told_as(MaskError)
def _run_first(plan: SegmentPlan, request: Request, folder: Path) -> SegmentPlan:
    settings = plan.of(TrackSettings)
    network = "" if request.matter is None else request.matter.digest
    recipe = settings.digest("track/4", network)
    carried = run_tracking(
        request, folder, recipe, FrameRange.of(settings.keys), mask_reader(settings, request)
    )
    return named_weak(plan, settings.after(folder, carried))


def mask_reader(settings: TrackSettings, request: Request) -> Callable[[int], FloatArray]:
    """Reads the mask of a key."""

    def mask_of(number: int) -> FloatArray:
        path = Path(settings.keys[number])
        note(path, Sum(settings.digests[number]))
        return read_coverage(path, request.plate.info, settings.readings[number])

    return mask_of


def named_weak(plan: SegmentPlan, done: CarriedSettings) -> SegmentPlan:
    """The plan after its first pass, with the frames that a key would help named."""
    weak = FrameRange.of(n for n, value in done.confidence.items() if value < WEAK)
    warnings = (f"a key here would help: {weak}",) if weak else ()
    if done.key_wanted is not None:
        warnings = (*warnings, f"a key here would help most: {done.key_wanted}")
    return plan.model_copy(
        update={
            "settings": done,
            "warnings": (*plan.warnings, *warnings),
        }
    )


def _build(plan: SegmentPlan, info: PlateInfo) -> Segmenter:
    return TrackReader(plan.of(TrackSettings), info)


TRACK = Method(
    _prepare,
    _build,
    needs="--keyframe FRAME=FILE: masks of a few frames",
    first=_run_first,
    corrects=True,
)
