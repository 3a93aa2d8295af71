"""`Front`: from a plate's frame to its raw alpha. Knows nothing of Ray.

plate ─► mask ─► trimap ─► network ─► raw alpha, on disk where others will look at it
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np

from plugin.colour.display import display_transform
from plugin.driver.plan import Plan
from plugin.errors import AdaMatteError, FrameError
from plugin.framerange import FrameRange
from plugin.plates import open_plate
from plugin.result.grey_png import read_grey, write_grey
from plugin.result.layout import OutputLayout
from plugin.result.raw_files import Raw, RawFiles
from plugin.segmentation import build
from plugin.trimap.override import Override, load
from plugin.trimap.source import TrimapPlan, TrimapSource
from plugin.types import (
    BACKGROUND,
    Frame,
    LabelArray,
    Mask,
    Matter,
    PlateInfo,
    PlateSource,
    Segmenter,
)
from workers.neighbours import LARGE, Area, Matted, Once, Source, raw_frame
from workers.overlap import BESIDE
from workers.shared_matter import SharedMatter
from workers.stage_clock import Stages, Turns

__all__ = ["Front", "as_grey"]


class Front:
    """What a worker holds of plate, segmenter and network. May be used from two threads at once.

    Args:
        plan: the job.
        make_matter: makes the network; by default `SharedMatter`, loaded when first needed.

    Raises:
        AdaMatteError: the plate is gone or is not the one that was probed.
    """

    def __init__(self, plan: Plan, make_matter: Callable[[Plan], Matter] | None = None) -> None:
        self.plan = plan
        shot = plan.shot
        self.layout = OutputLayout.of(shot)
        self.plate: PlateSource = open_plate(
            shot.plate,
            start_frame=shot.start_frame,
            digest=plan.plate_digest,
            layer=shot.layer,
            canvas=plan.canvas,
            one_colour=plan.colour.by_tags,
        )
        info = self.plate.info
        self.to_display = display_transform(info, plan.colour)
        corrections = _corrections(plan, info)
        self.trimaps = TrimapSource(plan.trimap or TrimapPlan(kind="band"), info, corrections)
        self.segmenter: Segmenter | None = build(plan.segment, info) if plan.segment else None
        self.matter = (make_matter or SharedMatter)(plan)
        radius = plan.stabilise.radius if plan.stabilise else 0
        self.raws = RawFiles(self.layout, info, shot.bits)
        self.large = info.width * info.height > LARGE
        self.turns = Turns(large=self.large and radius > 0)
        self._raw_recipes: Once[str] = Once(4 * radius + BESIDE)

    def read(self, number: int, stages: Stages) -> Source:
        """A frame of the plate, and as the network is to see it.

        Raises:
            FrameError: it cannot be decoded.
        """
        with stages("decode", self.turns.reading):
            frame = self.plate.read(number)
        with stages("colour"):
            rgb = self.to_display(frame.rgb)
        own = frame.data_window or self.plate.info.data_window
        return Source(frame, rgb, self.plate.info.data_window.area_of(own))

    def matte(self, number: int, stages: Stages) -> Matted:
        """A frame's own alpha: from the network, or from the disk if it was there before."""
        if not self.around(number):
            source = self.read(number, stages)
            raw, mask = self._infer(number, source, stages)
            with stages("encode"):
                self._write_pictures(number, mask, raw, source.area)
            return Matted(number, raw, mask, source)
        with self.turns.plate:
            return self._matte_among_others(number, stages)

    def _matte_among_others(self, number: int, stages: Stages) -> Matted:
        source = self.read(number, stages)
        if self.large:
            source = source.without_plate()
        mask: Mask | None = None
        with stages("check", self.turns.reading):
            recipe = self.raw_recipe(number)
        with stages("check"):
            raw = None if self.plan.shot.force else self._raw_before(number, recipe)
        if raw is None:
            # The network and all that follows see what the frame's own data window holds.
            raw, mask = self._infer(number, source, stages)
            with stages("encode"):
                self._write_pictures(number, mask, raw, source.area)
                self.raws.write(source.frame, raw, recipe)
        whole = self.plate.info.data_window
        steady = raw_frame(number, raw, source, whole, source.frame.data_window or whole)
        return Matted(number, raw, mask, None if self.large else source, steady)

    def _infer(self, number: int, source: Source, stages: Stages) -> tuple[Raw, Mask | None]:
        seen = Frame(number, source.rgb, source.frame.timecode)
        with stages("segment", self.turns.reading):
            mask = self.mask(seen)
        with stages("trimap", self.turns.reading):
            trimap = self.trimaps.trimap(number, mask, seen.rgb).labels
        labels = np.ascontiguousarray(trimap[source.area])
        image = np.ascontiguousarray(source.rgb[source.area])
        with stages("network", self.turns.network):
            adapted, alpha = self.matter(image, labels)
        stored = self.raws.as_stored(alpha) if self.around(number) else alpha
        return Raw(stored, adapted, trimap), mask

    @cached_property
    def network(self) -> str:
        """`Matter.digest` of the network that makes these frames; empty where none does."""
        return self.matter.digest if self.plan.goal == "alpha" else ""

    def around(self, number: int) -> list[int]:
        """The neighbours that stabilisation looks at; none where it is off."""
        return [] if self.plan.stabilise is None else self.plan.stabilise.around(number)

    def raw_recipe(self, number: int) -> str:
        """sha256 of all that a frame's raw alpha is made from; call it in `turns.reading`."""
        return self._raw_recipes.get(number, self._raw_recipe)

    def _raw_recipe(self, number: int) -> str:
        """Of the network's alpha; empty for a frame that cannot be had: it is left out."""
        try:
            inputs = self.inputs(number, self.plate.digest(number))
            return self.plan.raw_recipe(self.network, *inputs)
        except FrameError:
            return ""

    def inputs(self, number: int, plate: str) -> list[str]:
        """Digests of what goes into a frame's matte; call it in `turns.reading`."""
        masked = self.segmenter.digest(number) if self.segmenter is not None else ""
        trimapped = self.trimaps.digest(number) if self.plan.goal != "mask" else ""
        return [plate, masked, trimapped]

    def _raw_before(self, number: int, recipe: str) -> Raw | None:
        if not self.pictures_there(number):
            return None
        found = self.raws.read(number, recipe)
        return None if found is None else found[0]

    def pictures_there(self, number: int) -> bool:
        """Whether the pictures to be kept of a frame can be read."""
        try:
            for kind in self.plan.shot.keep - {"raw"}:
                read_grey(self.layout.pattern(kind).path(number))
        except (AdaMatteError, OSError):
            return False
        return True

    def mask(self, seen: Frame) -> Mask | None:
        """The mask of a frame, where one is needed; call it in `turns.reading`."""
        if self.segmenter is None or not (self.trimaps.needs_mask or self.plan.goal == "mask"):
            return None
        return self.segmenter.segment(seen)

    def _write_pictures(self, number: int, mask: Mask | None, raw: Raw, area: Area) -> None:
        """Pictures come before the alpha: where it is, they are. All have the plate's window."""
        keep = self.plan.shot.keep
        if "mask" in keep and mask is not None:
            self.keep("mask", number, as_grey(mask))
        if "trimap" in keep:
            self.keep("trimap", number, raw.trimap)
        if "adapted" in keep:
            adapted = np.full_like(raw.trimap, BACKGROUND)
            adapted[area] = raw.adapted
            self.keep("adapted", number, adapted)

    def keep(self, kind: str, number: int, pixels: LabelArray) -> None:
        """Write a picture beside the alpha."""
        write_grey(self.layout.pattern(kind).path(number), pixels, root=self.layout.out)


def _corrections(plan: Plan, info: PlateInfo) -> Override | None:
    """The shot's override file, as it was when the driver read it.

    Raises:
        OverrideError: it has changed since.
    """
    if plan.shot.override is None:
        return None
    return load(plan.shot.override, info, asked=FrameRange(()), sha256=plan.override)


def as_grey(mask: Mask) -> LabelArray:
    """A mask in 8 bits."""
    grey: LabelArray = np.round(mask.coverage * 255).astype(np.uint8)
    return grey
