"""`learn`: a small network is taught the key frames, and carries their masks through the shot.

It is a first pass as that of `track` is (`run_first`), with a network that corrects every step. The
network depends on the keys, their frames and the number of steps alone, never on which frames were
asked for, on workers or on the clock; it lies beside the carried masks, and whatever comes to the
same folder with the same keys takes it as it is.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from plugin.disk.atomic import made, write_whole
from plugin.disk.inputs import read_whole
from plugin.errors import FrameError, MaskError, told_as
from plugin.framerange import FrameRange
from plugin.segmentation.learn.chain import following
from plugin.segmentation.learn.own_motion import Seen, seen_beside
from plugin.segmentation.learn.thin import corrected_but_thin
from plugin.segmentation.plans import Method, Request, SegmentPlan
from plugin.segmentation.sampling import sample_numbers
from plugin.segmentation.track.method import (
    TrackReader,
    TrackSettings,
    mask_reader,
    named_weak,
    plan_of_keys,
)
from plugin.segmentation.track.tracking import run_tracking, working_mask, working_picture
from plugin.types import PlateInfo, Segmenter

_OTHERS = 13
"""Frames without a key that are looked at for what else is in the shot."""

_MOST = 64 << 20
"""Bytes of a network or of what is said of it; it has two million."""


class LearnSettings(TrackSettings, method="learn"):
    """The keys of a shot, and how long they are learned.

    Attributes:
        steps: of the optimiser.
    """

    steps: int = Field(ge=1)


class _Record(BaseModel):
    """`learned.json`: from what the network was made, and which it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    sha256: str


@told_as(MaskError)
def _prepare(request: Request) -> SegmentPlan:
    from model.segmenters.shot import STEPS_A_MINUTE

    steps = max(1, round(request.shot.learn_minutes * STEPS_A_MINUTE))
    return plan_of_keys(
        request,
        "learn",
        LearnSettings,
        f"learned in {steps} steps and carried both ways",
        steps=steps,
    )


@told_as(MaskError)
def _run_first(plan: SegmentPlan, request: Request, folder: Path) -> SegmentPlan:
    from model.inference.threads import settled_process

    settings = plan.of(LearnSettings)
    with settled_process():
        learner, digest = _learner(settings, request, folder)
        network = "" if request.matter is None else request.matter.digest
        carried = run_tracking(
            request,
            folder,
            settings.digest("learn/4", network, digest),
            FrameRange.of(settings.keys),
            mask_reader(settings, request),
            follow=lambda: following(learner),
            correct=corrected_but_thin,
        )
    return named_weak(plan, settings.after(folder, carried))


def _learner(settings: LearnSettings, request: Request, folder: Path) -> tuple[Any, str]:
    """The network of the shot, found or taught, and its sha256."""
    from model.segmenters.shot import RECIPE, ShotLearner

    others = _others(settings, request)
    shown = (*sorted(settings.keys), *others)
    looked_at = {number for each in shown for number in (each, _beside(request, each))}
    plate = {number: request.plate.digest(number) for number in sorted(looked_at)}
    text = json.dumps([RECIPE, settings.digest(), request.colour, plate])
    recipe = hashlib.sha256(text.encode()).hexdigest()
    file, record = folder / "learned.safetensors", folder / "learned.json"
    weights = _kept(file, record, recipe)
    if weights is not None:
        return ShotLearner.of(weights), hashlib.sha256(weights).hexdigest()
    learner = _taught(settings, request, others)
    weights = learner.weights
    digest = hashlib.sha256(weights).hexdigest()
    made(folder)
    write_whole(file, weights)
    write_whole(record, _Record(recipe=recipe, sha256=digest).model_dump_json().encode())
    return learner, digest


def _kept(file: Path, record: Path, recipe: str) -> bytes | None:
    """The network that an earlier run left, made from the same; None if it did not."""
    try:
        said = _Record.model_validate_json(read_whole(record, _MOST))
        weights = read_whole(file, _MOST)
    except (OSError, ValidationError):
        return None
    same = said.recipe == recipe and said.sha256 == hashlib.sha256(weights).hexdigest()
    return weights if same else None


def _others(settings: LearnSettings, request: Request) -> tuple[int, ...]:
    """Frames of the whole plate, whatever is asked for, that show what else is in the shot."""
    return tuple(n for n in sample_numbers(request.plate, _OTHERS) if n not in settings.keys)


def _taught(settings: LearnSettings, request: Request, others: tuple[int, ...]) -> Any:  # noqa: ANN401
    from model.segmenters.shot import Known, ShotLearner

    mask_of = mask_reader(settings, request)
    keys = []
    for number in sorted(settings.keys):
        picture = _seen(request, number)
        keys.append(Known.of(picture, working_mask(mask_of(number), picture)))
    seen = [picture for n in others for picture in _if_readable(request, n)]
    return ShotLearner.taught(keys, settings.steps, seen, told=request.learning)


def _beside(request: Request, number: int) -> int:
    """The plate's next frame, or the one before its last: from which it is seen what moves."""
    numbers = request.plate.info.frames.numbers
    at = numbers.index(number)
    return numbers[at + 1] if at + 1 < len(numbers) else numbers[max(at - 1, 0)]


def _seen(request: Request, number: int) -> Seen:
    picture = working_picture(request, number)
    try:
        return seen_beside(picture, working_picture(request, _beside(request, number)))
    except FrameError:
        return seen_beside(picture, None)


def _if_readable(request: Request, number: int) -> tuple[Seen, ...]:
    try:
        return (_seen(request, number),)
    except FrameError:
        return ()  # it fails later, by its number


def _build(plan: SegmentPlan, info: PlateInfo) -> Segmenter:
    return TrackReader(plan.of(LearnSettings), info)


LEARN = Method(
    _prepare,
    _build,
    needs="--segment learn --keyframe FRAME=FILE: a network that learns those masks",
    first=_run_first,
    corrects=True,
)
