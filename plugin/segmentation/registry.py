"""The methods by name, and `auto`, which chooses one by what is given and what is seen."""

from collections.abc import Callable
from pathlib import Path

from plugin.errors import MaskError, ShotError
from plugin.request.shot import Shot
from plugin.segmentation.clean_plate.method import CLEAN_PLATE
from plugin.segmentation.learn.method import LEARN
from plugin.segmentation.masks.method import MASK
from plugin.segmentation.neural.onnx import ONNX
from plugin.segmentation.neural.sam2 import SAM2
from plugin.segmentation.plans import DisplayTransform, Method, Request, SegmentPlan
from plugin.segmentation.sampling import sample
from plugin.segmentation.screen.finding import find_screen
from plugin.segmentation.screen.method import CHROMA, screen_plan
from plugin.segmentation.track.method import TRACK
from plugin.segmentation.whole import NONE, plan_whole_frame
from plugin.types import Matter, PlateInfo, PlateSource, Segmenter

METHODS: dict[str, Method] = {
    "mask": MASK,
    "chroma": CHROMA,
    "clean-plate": CLEAN_PLATE,
    "track": TRACK,
    "learn": LEARN,
    "onnx": ONNX,
    "sam2": SAM2,
    "none": NONE,
}
"""Every method that `--segment` names, but for `auto`."""


_GIVEN = (
    ("mask", "mask"),
    ("prompt", "sam2"),
    ("keyframe", "learn"),
    ("clean_plate", "clean-plate"),
)
"""Options of `Shot` that say which method is meant."""


def prepare(shot: Shot, plate: PlateSource, to_display: DisplayTransform) -> SegmentPlan:
    """Settle once how the masks of a shot are made.

    Args:
        shot: the options.
        plate: the whole plate, whatever frames are asked for.
        to_display: the plate's RGB to display-referred RGB within [0, 1].

    Raises:
        MaskError: what is given does not fit the plate, or nothing trustworthy is there.
        ShotError: no such method.
        FrameError: a frame of the plate cannot be decoded.
    """
    request = Request(shot, plate, to_display)
    if shot.trimap is not None:
        return plan_whole_frame("ready trimaps are given: no segmentation is needed")
    if shot.segment == "auto":
        return _choose(request)
    return _method(shot.segment).prepare(request)


def in_order(plan: SegmentPlan) -> bool:
    """Whether a pass in frame order has to be done before workers start."""
    return _method(plan.method).first is not None


def run_first(
    plan: SegmentPlan,
    shot: Shot,
    plate: PlateSource,
    to_display: DisplayTransform,
    folder: Path,
    *,
    make_matter: Callable[[], Matter] | None = None,
    colour: str = "",
    step: Callable[[int, int], None] = lambda _done, _total: None,
    learning: Callable[[int, int], None] = lambda _done, _total: None,
) -> SegmentPlan:
    """Do what has to be done in frame order before workers start; nothing for most methods.

    Args:
        plan: from `prepare`.
        shot: the options.
        plate: the whole plate.
        to_display: the plate's RGB to display-referred RGB within [0, 1].
        folder: where its pictures go; made where it is needed.
        make_matter: makes the network, with which `track` corrects what it carried; None not to.
        colour: `InputColour.recipe`; masks that were carried under another are not taken again.
        step: is told how many pictures are done, of how many.
        learning: is told how many steps of learning are done, of how many, before the pictures.

    Returns:
        The plan to give to the workers.

    Raises:
        FrameError: a frame of the plate cannot be decoded.
        OutputError: the folder cannot be written.
    """
    method = _method(plan.method)
    if method.first is None:
        return plan
    matter = make_matter() if method.corrects and make_matter is not None else None
    request = Request(shot, plate, to_display, matter, colour, step, learning)
    return method.first(plan, request, folder)


def build(plan: SegmentPlan, info: PlateInfo) -> Segmenter:
    """The segmenter of a plan, in a worker.

    Raises:
        ShotError: no such method.
    """
    return _method(plan.method).build(plan, info)


def _method(name: str) -> Method:
    try:
        return METHODS[name]
    except KeyError:
        fix = f"one of auto, {', '.join(METHODS)}"
        raise ShotError("no such way to segment", where=f"--segment {name}", fix=fix) from None


def _choose(request: Request) -> SegmentPlan:
    """What is given goes before what is seen; nothing trustworthy is an error, never a guess."""
    for option, method in _GIVEN:
        if getattr(request.shot, option):
            return _named(_method(method).prepare(request))
    if request.shot.screen != "auto":
        return _named(_method("chroma").prepare(request))
    seen = sample(request.plate, request.to_display)
    look = find_screen(list(seen.values()))
    if look is not None and look.evident:
        return screen_plan(look, request.plate, seen, "auto chose chroma")
    options = "; ".join(method.needs for method in METHODS.values())
    raise MaskError(
        "no masks given and no screen seen",
        where=request.plate.info.path,
        fix=f"give one of these: --trimap PATTERN: ready trimaps; {options}",
    )


def _named(plan: SegmentPlan) -> SegmentPlan:
    return plan.model_copy(update={"reason": f"auto chose {plan.reason}"})
