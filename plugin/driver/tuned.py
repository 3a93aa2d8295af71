"""`--learn alpha`: the network is tuned to a shot's finished key alphas, before the first frame.

    DIR/track/tuned.safetensors    its weights
    DIR/track/tuned.json           of what they were made, and their sha256

They depend on the shipped weights, the keys and their frames, and on how trimaps are made: neither
on the frames asked for nor on corrections. Whatever comes to the same folder with the same of all
that takes them as they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from plugin.disk.atomic import made, write_whole
from plugin.disk.inputs import read_whole
from plugin.driver.plan import RECIPE_VERSION, Plan
from plugin.errors import MaskError, SurroundingsError, told_as
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.segmentation.masks.files import read_coverage
from plugin.segmentation.plans import DisplayTransform, Request, SegmentPlan
from plugin.segmentation.track.method import TrackSettings, mask_reader
from plugin.trimap.source import TrimapPlan, TrimapSource
from plugin.types import UNKNOWN, FloatArray, Mask, PlateInfo, PlateSource

_MOST = 1 << 30
"""Bytes of weights."""

_PIXELS = 1 << 25
"""Of the frames that are learned from, together: half a gigabyte."""

_HALF = 0.5

_MASK, _SHARP = 0.5, 1.25
"""Soft pixels to a pixel of the outline. A mask has none, stored as JPEG next to none; a shape that
is smooth, as of roto, has one, mattes of hair, fur or blur more."""

_LEVELS = 24
"""Fewer greys have only shapes that were made larger or of few samples, unless they are tiny."""

_Kind = Literal["mask", "shape", "matte"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    sha256: str


@told_as(MaskError)
def look_at_keys(shot: Shot, masks: SegmentPlan | None, info: PlateInfo) -> tuple[str, ...]:
    """What a person should know of the keys before `--learn alpha` learns from them.

    Args:
        shot: the options; of others nothing is said.
        masks: how masks are made.
        info: the plate.

    Raises:
        MaskError: there are no key frames, or all of them are masks without a soft edge.
    """
    if shot.learn != "alpha":
        return ()
    fix = "give finished mattes as --keyframe FRAME=FILE, or leave --learn alpha away"
    if masks is None or not isinstance(masks.settings, TrackSettings):
        what = "no key frames to learn from" if not shot.keyframe else "no keys are carried"
        with_them = f"{fix}; --segment learn and track carry them"
        raise MaskError(what, where="--learn alpha", fix=with_them)
    kinds = _kinds(masks.settings, info)
    hard, shapes = (
        FrameRange.of(number for number, kind in kinds.items() if kind == asked)
        for asked in ("mask", "shape")
    )
    if len(hard) == len(kinds):
        raise MaskError("the keys are masks without a soft edge", where="--learn alpha", fix=fix)
    notes = []
    if hard:
        notes.append(f"keys without a soft edge carry, and teach the network nothing: {hard}")
    if shapes:
        why = "right for a sharp hard subject, wrong for a roto shape"
        notes.append(f"keys soft by a pixel or in few greys teach it such edges, {why}: {shapes}")
    return tuple(notes)


def _kinds(settings: TrackSettings, info: PlateInfo) -> dict[int, _Kind]:
    """What each key is, by its look: a feathered mask passes for a matte."""
    return {
        number: _kind(read_coverage(Path(file), info, settings.readings[number]))
        for number, file in sorted(settings.keys.items())
    }


def _kind(alpha: FloatArray) -> _Kind:
    inside = (alpha > _HALF).astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    outline = np.count_nonzero(inside > cv2.erode(inside, cross))
    soft = alpha[(alpha > 0.1) & (alpha < 0.9)]  # not what JPEG leaves about a hard edge
    if not outline or soft.size < _MASK * outline:
        return "mask"
    few = np.unique(np.round(soft * 255)).size < min(_LEVELS, soft.size / 8)
    return "shape" if few or soft.size < _SHARP * outline else "matte"


@told_as(MaskError)
def tuned(
    plan: Plan,
    plate: PlateSource,
    to_display: DisplayTransform,
    folder: Path,
    *,
    step: Callable[[int, int], None],
    say: Callable[[str], None],
) -> Plan:
    """The plan with the shot's own weights, taught or found.

    Args:
        plan: of the job; as it is where it does not ask for them.
        plate: the whole plate.
        to_display: the plate's RGB to what the network sees.
        folder: where they lie.
        step: is told how many steps are done, of how many.
        say: is told which keys they are from.

    Raises:
        MaskError: no key has an edge to learn from.
        FrameError: a key's frame cannot be decoded.
        SurroundingsError: the weights that were asked for are others by now.
        OutputError: the disk refuses.
    """
    from model.tuning import RECIPE, STEPS_A_MINUTE

    if plan.shot.learn != "alpha" or plan.goal != "alpha" or plan.segment is None:
        return plan
    settings = plan.segment.of(TrackSettings)
    trimaps = TrimapSource(plan.trimap or TrimapPlan(kind="band"), plate.info)
    keys = _chosen(settings, plate.info)
    steps = max(1, round(plan.shot.learn_minutes * STEPS_A_MINUTE))
    made_of = [RECIPE, RECIPE_VERSION, steps, plan.weights, plan.colour.recipe]
    for number in keys:
        key = settings.digests[number], settings.readings[number].model_dump(mode="json")
        made_of.append([number, *key, plate.digest(number), trimaps.digest(number)])
    recipe = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
    file, record = folder / "tuned.safetensors", folder / "tuned.json"
    sha256 = _kept(file, record, recipe)
    if not sha256:
        lessons = _lessons(keys, settings, Request(plan.shot, plate, to_display), trimaps)
        weights = _taught(plan, lessons, steps, step)
        sha256 = hashlib.sha256(weights).hexdigest()
        made(folder)
        write_whole(file, weights)
        write_whole(record, _Record(recipe=recipe, sha256=sha256).model_dump_json().encode())
    say(f"the network is tuned to the finished alphas of {keys}")
    return plan.model_copy(update={"weights": sha256, "tuned": str(file.absolute())})


def _chosen(settings: TrackSettings, info: PlateInfo) -> FrameRange:
    """The keys that are no mere masks; of more than memory should hold, as many, evenly spread."""
    finished = [number for number, kind in _kinds(settings, info).items() if kind != "mask"]
    most = max(1, _PIXELS // (info.width * info.height))
    places = np.linspace(0, len(finished) - 1, min(most, len(finished))).round().astype(int)
    return FrameRange.of(finished[place] for place in places)


def _kept(file: Path, record: Path, recipe: str) -> str:
    """sha256 of the weights that an earlier run left, made from the same; empty if it did not."""
    try:
        said = _Record.model_validate_json(read_whole(record, _MOST))
        sha256 = hashlib.sha256(read_whole(file, _MOST)).hexdigest()
    except (OSError, ValidationError):
        return ""
    return sha256 if (said.recipe, said.sha256) == (recipe, sha256) else ""


def _taught(plan: Plan, lessons: list[Any], steps: int, step: Callable[[int, int], None]) -> bytes:
    from model.inference.threads import settled_process
    from model.inference.weight_files import find_weights, load_network
    from model.tuning import tune, weights_of

    shipped = find_weights(plan.shot.model)
    if shipped.sha256 != plan.weights:
        what, fix = "the weights have changed since the job began", "run the same command again"
        raise SurroundingsError(what, where=shipped.path, fix=fix)
    with settled_process():
        network = load_network(shipped)
        tune(network, lessons, steps, step)
        return weights_of(network)


def _lessons(
    keys: FrameRange, settings: TrackSettings, request: Request, trimaps: TrimapSource
) -> list[Any]:
    """The keys with the trimap that a mask of each would get."""
    from model.tuning import Finished

    alpha_of, found = mask_reader(settings, request), []
    for number in keys:
        alpha = alpha_of(number)
        rgb = request.to_display(request.plate.read(number).rgb)
        # As between keys, where masks are carried: their edge is decided.
        mask = Mask(number, (alpha > _HALF).astype(np.float32))
        labels = trimaps.trimap(number, mask, rgb).labels
        if (labels == UNKNOWN).any():
            found.append(Finished(rgb, labels, alpha))
    if not found:
        fix = "widen the band: --erode, --dilate"
        raise MaskError("no key has an edge to learn from", where="--learn alpha", fix=fix)
    return found
