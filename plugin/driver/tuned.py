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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from plugin.disk.atomic import made, write_whole
from plugin.disk.inputs import read_whole
from plugin.driver.plan import Plan
from plugin.errors import MaskError, told_as
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.segmentation.masks.files import read_coverage
from plugin.segmentation.plans import DisplayTransform, Request, SegmentPlan
from plugin.segmentation.track.method import TrackSettings, mask_reader
from plugin.trimap.source import TrimapPlan, TrimapSource
from plugin.types import UNKNOWN, FloatArray, Mask, PlateInfo, PlateSource

_MOST = 1 << 30
"""Bytes of weights."""


_HALF = 0.5


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: str
    sha256: str


@told_as(MaskError)
def refuse_unfinished(shot: Shot, masks: SegmentPlan | None, info: PlateInfo) -> None:
    """Refuse `--learn alpha` where there is no finished alpha to learn from.

    Args:
        shot: the options.
        masks: how masks are made.
        info: the plate.

    Raises:
        MaskError: there are no key frames, or all of them are masks without a soft edge.
    """
    if shot.learn != "alpha":
        return
    fix = "give finished mattes as --keyframe FRAME=FILE, or leave --learn alpha away"
    if masks is None or not isinstance(masks.settings, TrackSettings):
        raise MaskError("no key frames to learn from", where="--learn alpha", fix=fix)
    settings = masks.settings
    alphas = (
        read_coverage(Path(file), info, settings.readings[number])
        for number, file in settings.keys.items()
    )
    if not any(map(_is_finished, alphas)):
        raise MaskError("the keys are masks without a soft edge", where="--learn alpha", fix=fix)


def _is_finished(alpha: FloatArray) -> bool:
    return bool(((alpha > 0) & (alpha < 1)).any())


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
        OutputError: the disk refuses.
    """
    from model.inference.threads import settled_process
    from model.inference.weight_files import find_weights, load_network
    from model.tuning import RECIPE, STEPS_A_MINUTE, tune, weights_of

    if plan.shot.learn != "alpha" or plan.goal != "alpha" or plan.segment is None:
        return plan
    settings = plan.segment.of(TrackSettings)
    request = Request(plan.shot, plate, to_display)
    trimaps = TrimapSource(plan.trimap or TrimapPlan(kind="band"), plate.info)
    keys = _finished(settings, request)
    steps = max(1, round(plan.shot.learn_minutes * STEPS_A_MINUTE))
    made_of = [RECIPE, steps, plan.weights, plan.colour.recipe]
    for number in keys:
        key = settings.digests[number], settings.readings[number].model_dump(mode="json")
        made_of.append([number, *key, plate.digest(number), trimaps.digest(number)])
    recipe = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
    file, record = folder / "tuned.safetensors", folder / "tuned.json"
    sha256 = _kept(file, record, recipe)
    if not sha256:
        with settled_process():
            network = load_network(find_weights(plan.shot.model))
            tune(network, _lessons(keys, request, trimaps), steps, step)
            weights = weights_of(network)
        sha256 = hashlib.sha256(weights).hexdigest()
        made(folder)
        write_whole(file, weights)
        write_whole(record, _Record(recipe=recipe, sha256=sha256).model_dump_json().encode())
    say(f"the network is tuned to the finished alphas of {FrameRange.of(keys)}")
    return plan.model_copy(update={"weights": sha256, "tuned": str(file.absolute())})


def _kept(file: Path, record: Path, recipe: str) -> str:
    """sha256 of the weights that an earlier run left, made from the same; empty if it did not."""
    try:
        said = _Record.model_validate_json(read_whole(record, _MOST))
        sha256 = hashlib.sha256(read_whole(file, _MOST)).hexdigest()
    except (OSError, ValidationError):
        return ""
    return sha256 if (said.recipe, said.sha256) == (recipe, sha256) else ""


def _finished(settings: TrackSettings, request: Request) -> dict[int, FloatArray]:
    """The alphas of the keys that are no mere masks: those say nothing of soft edges."""
    alpha_of = mask_reader(settings, request)
    alphas = {number: alpha_of(number) for number in sorted(settings.keys)}
    return {number: alpha for number, alpha in alphas.items() if _is_finished(alpha)}


def _lessons(keys: Mapping[int, FloatArray], request: Request, trimaps: TrimapSource) -> list[Any]:
    """The keys with the trimap that a mask of each would get."""
    from model.tuning import Finished

    found = []
    for number, alpha in keys.items():
        rgb = request.to_display(request.plate.read(number).rgb)
        # As between keys, where masks are carried: their edge is decided.
        mask = Mask(number, (alpha > _HALF).astype(np.float32))
        labels = trimaps.trimap(number, mask, rgb).labels
        if (labels == UNKNOWN).any():
            found.append(Finished(rgb, labels, alpha))
    if not found:
        fix = "give keys on which the subject is seen"
        raise MaskError("no key has an edge to learn from", where="--learn alpha", fix=fix)
    return found
