"""`sam2`: Segment Anything 2 follows what was pointed at, boxed or masked on a few frames.

It runs through the shot in order, so it is a pass of its own, and its masks lie on disk before
matting starts, as those of `track` do.
"""

from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from plugin.disk.inputs import Sum, note
from plugin.errors import FrameError, MaskError, told_as
from plugin.framerange import FrameRange
from plugin.plates.companions.pictures import digest_of
from plugin.plates.companions.values import Reading
from plugin.segmentation.masks.files import read_coverage
from plugin.segmentation.neural.prompts import parse_prompts
from plugin.segmentation.plans import Method, Request, SegmentPlan
from plugin.segmentation.track.carried import CarriedMasks, reached
from plugin.segmentation.track.method import CarriedSettings, TrackReader, check_keys, named_weak
from plugin.types import FloatArray, PlateInfo, Segmenter

DEFAULT_WEIGHTS = "facebook/sam2.1-hiera-small"


class Sam2Settings(CarriedSettings, method="sam2"):
    """What SAM 2 is told.

    Attributes:
        weights: a folder, or a name on the hub.
        content: sha256 of a local folder's weights; empty for the hub.
        prompts: as they were given.
        keys: key masks by frame number; absolute.
        readings: how the files' values become coverage, for each key mask.
        digests: sha256 of each key mask's file.
    """

    not_in_digest: ClassVar[frozenset[str]] = CarriedSettings.not_in_digest | {"keys"}

    weights: str
    content: str = ""
    prompts: tuple[str, ...] = ()
    keys: dict[int, str]
    readings: dict[int, Reading]
    digests: dict[int, str]


@told_as(MaskError)
def _prepare(request: Request) -> SegmentPlan:
    shot, info = request.shot, request.plate.info
    prompts = parse_prompts(shot.prompt, info)
    keys = {number: str(Path(file).absolute()) for number, file in shot.keyframes.items()}
    if not prompts and not keys:
        raise MaskError(
            "SAM 2 is told nothing",
            where="--segment sam2",
            fix="point at the subject: --prompt 1001=point:320,180, or give a --keyframe mask",
        )
    both = FrameRange.of(prompts).intersection(FrameRange.of(keys))
    if both:
        raise MaskError(
            f"frames {both} have a mask and points or a box", where="--prompt", fix="keep one"
        )
    readings, how, notes = check_keys(keys, shot, info)
    weights = shot.segment_model or DEFAULT_WEIGHTS
    settings = Sam2Settings(
        weights=weights,
        content=_content(weights),
        prompts=shot.prompt,
        keys=keys,
        readings=readings,
        digests={n: digest_of(Path(file)) for n, file in keys.items()},
    )
    # Missing weights are refused before anything is written, and no GPU is held for the question.
    _load(settings, "cpu")
    told = f"told on frames {FrameRange.of([*prompts, *keys])}"
    return SegmentPlan(
        method="sam2",
        settings=settings,
        reason=f"sam2: {Path(weights).name}, told on frames {told}{how and f', {how}'}",
        warnings=notes,
    )


def _content(weights: str) -> str:
    folder = Path(weights)
    if not folder.is_dir():
        return ""
    return digest_of(folder / "model.safetensors")


def _load(settings: Sam2Settings, device: str) -> Any:  # noqa: ANN401  of a lazy import
    from model.segmenters.sam2 import Sam2 as Network

    network = Network(settings.weights, device=device)
    if _content(settings.weights) != settings.content:
        raise MaskError(
            "SAM 2's weights have changed", where=settings.weights, fix="start the job again"
        )
    return network


def _kind(device: str) -> str:
    """Of the device that SAM 2 runs on: one makes other masks than the next."""
    from model.inference.device import choose_device, kind_of

    return kind_of(choose_device(device))


@told_as(MaskError)
def _run_first(plan: SegmentPlan, request: Request, folder: Path) -> SegmentPlan:
    from model.segmenters.sam2 import Prompt

    settings = plan.of(Sam2Settings)
    info = request.plate.info
    told = {
        number: Prompt(points=prompt.points, box=prompt.box)
        for number, prompt in parse_prompts(settings.prompts, info).items()
    }
    for number, file in settings.keys.items():
        reading = settings.readings[number]
        note(Path(file), Sum(settings.digests[number]))
        told[number] = Prompt(mask=read_coverage(Path(file), info, reading))
    frames = reached(request, FrameRange.of(told))
    kind = _kind(request.shot.device)
    recipe = settings.digest("sam2/1", *([] if kind == "cpu" else [kind]))
    masks = CarriedMasks(folder, request, recipe, frames)
    carried = masks.kept()
    if carried is None:
        masks.prepare()
        network = _load(settings, request.shot.device)

        def read(number: int) -> FloatArray:
            return request.to_display(request.plate.read(number).rgb)

        done = network.follow(frames.numbers, read, told)
        request.step(0, len(frames))
        for count, (number, coverage, seen) in enumerate(done, 1):
            key = told[number].mask if number in told else None
            sure = np.zeros(coverage.shape, np.bool_)
            masks.save(number, coverage if key is None else key, sure, seen)
            request.step(count, len(frames))
        carried = masks.finish()
        if set(carried.confidence) != set(frames):
            raise FrameError("SAM 2 left frames out", where=folder, fix="report it")
    return named_weak(plan, settings.after(folder, carried))


def _build(plan: SegmentPlan, info: PlateInfo) -> Segmenter:
    return TrackReader(plan.of(Sam2Settings), info)


SAM2 = Method(
    _prepare,
    _build,
    needs="--segment sam2 --prompt FRAME=point:X,Y: Segment Anything 2",
    first=_run_first,
)
