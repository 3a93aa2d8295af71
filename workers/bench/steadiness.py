"""What stabilisation takes from the error, on rendered shots with their true alpha."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model import Matter
from model.evaluation.metrics import dtssd, mse
from plugin.framerange import FrameRange
from plugin.stabilise.flow import Flows, RawFrame
from plugin.stabilise.plan import StabilisePlan
from plugin.stabilise.smoothing import stabilise
from plugin.synthetic import ShotKind, SyntheticShot, render
from plugin.trimap.band import trimap_from_mask
from plugin.trimap.stretches import stretches_of
from plugin.types import UNKNOWN, FloatArray, LabelArray, Mask
from plugin.types import Matter as AnyMatter
from workers.bench.child import in_child
from workers.bench.figures import Figure, Settings

KINDS = ("static", "pan", "fast", "wind", "blur", "occlusion")
FRAMES = 10
_SIZE = (320, 180)


@dataclass(frozen=True, slots=True)
class Errors:
    """Of one shot's alphas, in the units of `evaluate`, mean over frames.

    Attributes:
        dtssd: over all pixels.
        dtssd_unknown: over pixels that the trimaps of both frames leave unknown.
        mse: over unknown pixels.
    """

    dtssd: float
    dtssd_unknown: float
    mse: float


def errors_of(
    alphas: Sequence[FloatArray], truths: Sequence[FloatArray], labels: Sequence[LabelArray]
) -> Errors:
    """The errors of a shot."""
    unknown = [one == UNKNOWN for one in labels]
    each = [mse(a, t, u) for a, t, u in zip(alphas, truths, labels, strict=True)]
    wrong = [a - t for a, t in zip(alphas, truths, strict=True)]
    steps = []
    for place in range(1, len(wrong)):
        both = unknown[place] & unknown[place - 1]
        step = (wrong[place] - wrong[place - 1])[both]
        steps.append(float(np.sqrt(np.square(step).mean())) if both.any() else 0.0)
    # `dtssd` of the whole frame is in the same units: hundredths.
    return Errors(dtssd(alphas, truths), 100 * float(np.mean(steps)), float(np.mean(each)))


def _shot_errors(shot: SyntheticShot, matter: AnyMatter, radius: int = 2) -> tuple[Errors, Errors]:
    """Errors of the raw alphas and of the stabilised ones."""
    truths, labels, alphas, raws = [], [], [], []
    for number in range(shot.frames):
        frame = render(shot, number)
        picture = np.rint(frame.plate_rgb * 255).astype(np.uint8)
        rgb = picture.astype(np.float32) / np.float32(255)
        mask = Mask(number, frame.mask.astype(np.float32) / np.float32(255))
        trimap = trimap_from_mask(
            mask, erode=8, dilate=12, height=shot.height, found=stretches_of(rgb, mask)
        ).labels
        _, alpha = matter(rgb, trimap)
        region = (trimap == UNKNOWN) | ((alpha > 0) & (alpha < 1))
        truths.append(frame.alpha)
        labels.append(trimap)
        alphas.append(alpha)
        raws.append(RawFrame(number, picture, alpha, region))
    plan = StabilisePlan(radius=radius, frames=FrameRange.span(0, shot.frames - 1))
    flows = Flows.of_radius(radius)
    steady = [stabilise(raw, [raws[n] for n in plan.around(raw.number)], flows) for raw in raws]
    before = errors_of(alphas, truths, labels)
    return before, errors_of(steady, truths, labels)


def measure(*, kind: str, seeds: Sequence[int], model: str, frames: int = FRAMES) -> dict[str, Any]:
    """Mean errors of a kind of shot over its seeds, `raw` and `steady`. Runs in a child process."""
    matter = Matter(model, device="cpu")
    width, height = _SIZE
    pairs = [
        _shot_errors(SyntheticShot(ShotKind(kind), seed, width, height, frames), matter)
        for seed in seeds
    ]
    fields = ("dtssd", "dtssd_unknown", "mse")
    return {
        name: {f: float(np.mean([getattr(pair[side], f) for pair in pairs])) for f in fields}
        for side, name in enumerate(("raw", "steady"))
    }


def figures(settings: Settings) -> Iterator[Figure]:
    """What is left of each error after stabilisation, percent of what it was."""
    for kind in KINDS:
        found = in_child("stabilise", kind=kind, seeds=settings.seeds, model=settings.model)
        raw, steady = found["raw"], found["steady"]
        for field, words, goal in (
            ("dtssd", "dtSSD, all pixels", 70.0),
            ("dtssd_unknown", "dtSSD, unknown pixels", 70.0),
            ("mse", "MSE, unknown pixels", 100.0),
        ):
            left = 100 * steady[field] / max(raw[field], 1e-9)
            yield Figure(f"stabilised · {kind} · {words}", left, "%", "lower", goal)
