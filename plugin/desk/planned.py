"""From the request of this moment to a plan: at the door, and whenever its files are others."""

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from plugin.disk.atomic import made, temporary_name
from plugin.driver.plan import Plan
from plugin.driver.probe import pass_in_order, probed
from plugin.errors import MaskError
from plugin.framerange import FrameRange
from plugin.progress.modes import Progress, QuietProgress
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.segmentation.track.method import CarriedSettings
from plugin.types import PlateInfo, PlateSource

_BY_KEYS = ("track", "learn", "sam2")
_OTHERS = ("mask", "trimap", "clean_plate")


@dataclass(frozen=True, slots=True)
class Planned:
    """A shot as it would be matted now.

    Attributes:
        plan: the job, without an override.
        info: the plate.
        frames: of the shot.
        bare: why there are no masks yet; then the plan has every pixel unknown and nothing runs.
    """

    plan: Plan
    info: PlateInfo
    frames: FrameRange
    bare: str = ""

    @property
    def key_wanted(self) -> int | None:
        """The frame on which another key would help most; None where none would."""
        masks = self.plan.segment
        if masks is None or not isinstance(masks.settings, CarriedSettings):
            return None
        wanted = masks.settings.key_wanted
        return wanted if wanted in self.frames else None


def takes_keys(shot: Shot) -> bool:
    """Whether masks that are drawn on a shot's frames would be used, and read as they are."""
    if shot.mask_layer or shot.mask_invert or shot.mask_range:
        return False
    told = any(getattr(shot, field) for field in _OTHERS) or shot.screen != "auto"
    return shot.segment in _BY_KEYS or (shot.segment == "auto" and not told)


def takes_prompts(shot: Shot) -> bool:
    """Whether points and boxes would be used: for SAM 2, where it is installed."""
    there = importlib.util.find_spec("transformers") is not None
    return takes_keys(shot) and (shot.segment == "sam2" or (shot.segment == "auto" and there))


@contextmanager
def probing(shot: Shot, progress: Progress) -> Iterator[tuple[Planned, PlateSource]]:
    """Probe a shot, as `probed` does; one whose masks are still to be drawn too.

    Yields:
        The plan before its pass in order, and the plate, open until the block ends.

    Raises:
        RequestError: it cannot be matted, and not for want of keys.
        DeviceError: the device asked for is missing.
    """
    bare, asked = "", shot
    if takes_keys(shot) and not (shot.keyframe or shot.prompt):
        bare = _why_bare(shot)
    if bare:
        asked = shot.model_copy(update={"segment": "none", "learn": "off"})
        progress.note(f"{bare}: draw the subject on a frame")
        progress = QuietProgress()
    with probed(asked, "alpha", progress) as (plan, plate, frames):
        yield Planned(plan, plate.info, frames, bare), plate


def _why_bare(shot: Shot) -> str:
    if shot.segment != "auto":
        return f"no keys for --segment {shot.segment} yet"
    try:
        with probed(shot, "alpha", QuietProgress()):
            return ""
    except MaskError as error:
        return error.what


def plan_again(shot: Shot, progress: Progress) -> Planned:
    """Plan a shot that is open, its pass in order done too; whatever it raises, all is as before.

    Args:
        shot: the request of this moment.
        progress: is told of the pass; what its `step` raises ends it.

    Raises:
        AdaMatteError: the shot cannot be matted as it is.
    """
    layout = OutputLayout.of(shot)
    with probing(shot, progress) as (planned, plate), _workshop(layout) as folder:
        plan = pass_in_order(planned.plan, plate, layout, progress, here=True, folder=folder)
        masks = plan.segment
        if masks is not None and isinstance(masks.settings, CarriedSettings):
            _exchange(folder, layout.track)
            settings = masks.settings.model_copy(update={"folder": str(layout.track.absolute())})
            masks = masks.model_copy(update={"settings": settings})
            tuned = plan.tuned and str((layout.track / Path(plan.tuned).name).absolute())
            plan = plan.model_copy(update={"segment": masks, "tuned": tuned})
        return Planned(plan, planned.info, planned.frames, planned.bare)


@contextmanager
def _workshop(layout: OutputLayout) -> Iterator[Path]:
    """A folder that holds what was carried; what is carried anew lies there until it is whole."""
    folder = layout.out / temporary_name("track")
    made(folder)
    try:
        if layout.track.is_dir():
            for entry in layout.track.iterdir():
                _lay_beside(entry, folder / entry.name)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _lay_beside(source: Path, target: Path) -> None:
    """The same file under another name: files of ours are replaced, never written into."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _exchange(source: Path, target: Path) -> None:
    """Put what is new in its place, the record last."""
    made(target)
    entries = sorted(source.iterdir(), key=lambda entry: entry.suffix == ".json")
    for entry in entries:
        place = target / entry.name
        if not place.exists() or not entry.samefile(place):
            entry.replace(place)
