"""From a request to a plan: the whole of it is probed before anything is written."""

import importlib.metadata
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from plugin.colour.display import InputColour, display_transform, input_colour
from plugin.disk.inputs import ledger
from plugin.disk.names import as_stored, refuse_foreign, refuse_long
from plugin.driver.apart import pass_apart
from plugin.driver.executor import refuse_share
from plugin.driver.plan import Goal, Plan
from plugin.driver.tuned import look_at_keys, tuned
from plugin.errors import PlateError, ShotError
from plugin.finish import FinishPlan, plan_finish, refuse_format
from plugin.framerange import MAX_NUMBER, FrameRange
from plugin.plates import KnownCanvas, check_frames, plate_of, plate_sum, settle, unlike
from plugin.progress.modes import Progress, QuietProgress
from plugin.request.job_file import PATH_FIELDS, option_name
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.segmentation import in_order, prepare, run_first
from plugin.stabilise.plan import StabilisePlan, plan_stabilise
from plugin.trimap.override import load as load_override
from plugin.trimap.source import plan_trimaps
from plugin.types import Matter, PlateInfo, PlateSource, Window


def anchored(shot: Shot) -> Shot:
    """The same with absolute paths: workers have other current folders."""
    fields = ("plate", "mask", "clean_plate", "trimap", "override", "holdout", "garbage")
    given = {field: getattr(shot, field) for field in fields}
    update: dict[str, object] = {
        field: str(Path(as_stored(path)).absolute())
        for field, path in given.items()
        if path is not None and "://" not in path
    }
    update["keyframe"] = tuple(
        f"{number}={Path(as_stored(file)).absolute()}" for number, file in shot.keyframes.items()
    )
    network = shot.segment_model
    if network is not None and (network.endswith(".onnx") or Path(network).is_dir()):
        update["segment_model"] = str(Path(network).absolute())
    if shot.model.endswith(".safetensors"):
        update["model"] = str(Path(shot.model).absolute())
    out = Path(as_stored(str(shot.out))).absolute()
    return shot.model_copy(update={**update, "out": out})


class _Said(QuietProgress):
    """Tells each note once, and keeps it for the manifest."""

    def __init__(self, told: Progress, notes: Iterable[str] = ()) -> None:
        self._told = told
        self.notes = list(notes)

    def note(self, text: str) -> None:
        """Pass it on, unless it was said before."""
        if text not in self.notes:
            self.notes.append(text)
            self._told.note(text)

    def tell(self, *texts: str) -> None:
        """Each of them that is not empty."""
        for text in filter(None, texts):
            self.note(text)


@contextmanager
def probed(
    shot: Shot, goal: Goal, progress: Progress, *, here: bool = True
) -> Iterator[tuple[Plan, PlateSource, FrameRange]]:
    """Probe the whole request; nothing is written before the block begins.

    Args:
        shot: with absolute paths.
        goal: how far frames go.
        progress: is told what was chosen, and what a person should know.
        here: whether the job runs from this machine; else nothing is asked of its devices.

    Yields:
        The plan; the plate, open until the block ends, on the plan's canvas; the frames to do.

    Raises:
        RequestError: what was asked for cannot be done.
        DeviceError: the device asked for is missing.
    """
    refuse_format(shot)
    _refuse_names(shot)
    with closing(plate_of(shot)) as plate:
        plan, frames = _plan(shot, goal, plate, _Said(progress), here=here)
        yield plan, plate, frames


def probe_job(
    shot: Shot, goal: Goal, progress: Progress, *, here: bool = True
) -> tuple[Plan, PlateInfo, FrameRange]:
    """`probed`, for those who read nothing of the plate."""
    with probed(shot, goal, progress, here=here) as (plan, plate, frames):
        return plan, plate.info, frames


def _plan(
    shot: Shot, goal: Goal, plate: PlateSource, progress: _Said, *, here: bool
) -> tuple[Plan, FrameRange]:
    canvas, frames, steady, colour = _frames(shot, goal, plate, progress)
    # Neighbours only looked at are matted too, where there is something to mask them by.
    wide = shot if steady is None or shot.mask else _reaching(shot, steady, frames)
    info = plate.info
    override = _override(shot, info, frames, progress) if goal != "mask" else ""
    progress.tell(*info.notes, colour.note)
    if canvas is not None:
        progress.note("the data window moves: each alpha has that of its own frame")
    trimaps = plan_trimaps(shot, info) if goal != "mask" else None
    progress.tell(*(() if trimaps is None else trimaps.notes))
    masks = None
    if trimaps is None or trimaps.kind == "band":
        masks = prepare(_for_the_driver(wide, here=here), plate, display_transform(info, colour))
        progress.tell(masks.reason, *masks.warnings)
    finish = FinishPlan()
    if goal == "alpha":
        progress.tell(*look_at_keys(shot, masks, info))
        finish, notes = plan_finish(shot, info, masks)
        progress.tell(*notes)
    whole = plate_sum(plate)
    here = here and _works_here(shot)
    network = _network(shot, here=here) if goal == "alpha" else {}
    plan = Plan(
        shot=shot,
        goal=goal,
        plate=whole,
        colour=colour,
        override=override,
        segment=masks,
        trimap=trimaps,
        canvas=canvas,
        finish=finish,
        stabilise=steady,
        **network,
        assumed=tuple(progress.notes),
        version=importlib.metadata.version("adamatte"),
    )
    return plan, frames


def _refuse_names(shot: Shot) -> None:
    """Refuse names that cannot be passed on or written, before anything is."""
    for field in sorted(PATH_FIELDS):
        refuse_foreign(getattr(shot, field) or "", option_name(field))
    for file in shot.keyframes.values():
        refuse_foreign(file, option_name("keyframe"))
    if shot.out.exists() and not shot.out.is_dir():
        fix = "name a folder, or move the file away"
        raise ShotError("a file stands where the output folder should be", where=shot.out, fix=fix)
    longest = OutputLayout.of(shot).pattern("adapted").path(-MAX_NUMBER)
    refuse_long(longest, "--shot" if len(shot.name) > 100 else "--out")


def _frames(
    shot: Shot, goal: Goal, plate: PlateSource, progress: _Said
) -> tuple[Window | None, FrameRange, StabilisePlan | None, InputColour]:
    """The frames to do, every header looked at; a window that holds all, where they differ.

    The plate's frames are laid on it from here on.
    """
    colour = input_colour(plate.info, shot.in_colour)
    frames = shot.frames or plate.info.frames
    if not frames:
        raise PlateError("no frames", where=shot.plate, fix="check the pattern")
    steady = plan_stabilise(shot, plate.info.frames) if goal == "alpha" else None
    canvas = check_frames(plate, frames, KnownCanvas.read(OutputLayout.of(shot).canvas))
    progress.tell(*unlike(plate, frames, in_space="" if colour.by_tags else colour.space))
    settle(plate, canvas, one_colour=colour.by_tags)
    return canvas, frames, steady, colour


def _reaching(shot: Shot, steady: StabilisePlan, frames: FrameRange) -> Shot:
    """The shot as if its frames' neighbours were asked for too."""
    reach = steady.reach(frames)
    return shot if reach == frames else shot.model_copy(update={"frames": reach})


def _override(shot: Shot, info: PlateInfo, frames: FrameRange, progress: _Said) -> str:
    """The override file's sha256, the file checked in full; empty without one."""
    if shot.override is None:
        return ""
    corrections = load_override(shot.override, info, shot=shot.name, asked=frames)
    progress.tell(*corrections.warnings)
    return corrections.sha256


def _network(shot: Shot, *, here: bool) -> dict[str, Any]:
    """The plan's device and weights; refused here rather than by every worker.

    What devices other machines have shows only there: a head without a GPU may have workers with
    one, whose precision is not a CPU's.
    """
    from model.inference.device import choose_device, choose_precision, gpu_count
    from model.inference.weight_files import BUNDLED, find_weights, load_network

    device = choose_device(shot.device) if here else shot.device
    choose_precision(shot.precision, device)
    if here and device == "cuda":
        refuse_share(shot, gpu_count())
    weights = find_weights(shot.model)
    if weights.path.parent != BUNDLED:  # those are pinned; a user's are read before anything else
        load_network(weights)
    return {"device": device, "weights": weights.sha256}


def _works_here(shot: Shot) -> bool:
    return shot.address is None or shot.executor == "process"


def _for_the_driver(shot: Shot, *, here: bool) -> Shot:
    """The shot for what the driver computes itself: workers elsewhere may have what it has not."""
    if here or shot.device == "cpu":
        return shot
    from model.inference.device import choose_device

    device = choose_device("auto")
    precision = "auto" if device == "cpu" and shot.precision == "fp16" else shot.precision
    return shot.model_copy(update={"device": device, "precision": precision})


def pass_in_order(
    plan: Plan,
    plate: PlateSource,
    layout: OutputLayout,
    progress: Progress,
    *,
    here: bool = False,
    folder: Path | None = None,
) -> Plan:
    """Do what must run through the shot in order, such as tracking; its result is on disk then.

    Args:
        plan: from `probed`.
        plate: open, on the plan's canvas.
        layout: of the output folder.
        progress: is told of what is found.
        here: in this process, on a GPU too; else what a GPU does is done in another.
        folder: where it goes, for who does it in this process; by default the shot's own.

    Raises:
        FrameError: a frame of the plate cannot be decoded.
        OutputError: the disk refuses.
    """
    asked = plan.segment
    if asked is None or not in_order(asked):
        return plan
    shot = _for_the_driver(plan.shot, here=_works_here(plan.shot))
    said = _Said(progress, plan.assumed)
    if not here and _on_gpu(shot):
        return pass_apart(plan, said.note, progress.step)
    if plan.stabilise is not None and shot.frames and not shot.mask:
        shot = _reaching(shot, plan.stabilise, shot.frames)
    with ledger():
        to_display = display_transform(plate.info, plan.colour)
        folder, step = folder or layout.track, partial(progress.step, "tuning")
        plan = tuned(plan, plate, to_display, folder, step=step, say=said.note)
        masks = run_first(
            asked,
            shot,
            plate,
            to_display,
            folder,
            make_matter=lambda: driver_network(shot),
            colour=plan.colour.recipe,
            step=partial(progress.step, asked.method),
            learning=partial(progress.step, "learning"),
        )
    if masks != asked:
        said.tell(masks.reason, *masks.warnings)
    return plan.model_copy(update={"segment": masks, "assumed": tuple(said.notes)})


def _on_gpu(shot: Shot) -> bool:
    from model.inference.device import choose_device

    return choose_device(shot.device) == "cuda"


def driver_network(shot: Shot) -> Matter:
    """The network for a first pass, which the driver runs itself."""
    from model import Matter as Network

    return Network(shot.model, device=shot.device, precision=shot.precision, tile=shot.tile)
