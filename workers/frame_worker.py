"""`FrameWorker`: does frames by number. Knows nothing of Ray; what an executor runs.

plate ─► mask ─► trimap ─► adapted trimap, alpha ─► verified EXR
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from plugin.colour import display_transform, interop_id
from plugin.errors import AdaMatteError, FrameError, OutputError, SurroundingsError
from plugin.exr import AlphaFormat, Colours, is_current, write_alpha
from plugin.finish import Finished, Finisher
from plugin.framerange import FrameRange
from plugin.layout import OutputLayout
from plugin.overlay import overlay, write_overlay
from plugin.override import Override, load
from plugin.pictures import read_grey, write_grey
from plugin.plan import Plan, read_plan
from plugin.plates import NON_FINITE, open_plate
from plugin.report.figures import frame_figures
from plugin.report.sprites import SpriteForm, straight, tiles_of, write_sprite
from plugin.segmentation import build
from plugin.trimap_source import TrimapPlan, TrimapSource
from plugin.types import (
    BACKGROUND,
    UNKNOWN,
    FloatArray,
    Frame,
    FrameResult,
    FrameState,
    LabelArray,
    Mask,
    Matte,
    Matter,
    PlateInfo,
    PlateSource,
    Segmenter,
    Trimap,
)
from workers.stages import Stages

__all__ = ["FrameWorker"]

Area = tuple[slice, slice]
"""Rows and columns of the plate's data window."""


class FrameWorker:
    """Everything that one worker holds between frames: plate, segmenter, network.

    What it does with a frame depends on the plan and the frame's number alone.

    Args:
        plan: the job.
        make_matter: makes the network, when first needed; by default `model.Matter`.

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
        )
        info = self.plate.info
        self.to_display = display_transform(info, plan.colour)
        corrections = _corrections(plan, info)
        self.trimaps = TrimapSource(plan.trimap or TrimapPlan(kind="band"), info, corrections)
        self.segmenter: Segmenter | None = build(plan.segment, info) if plan.segment else None
        self.finisher = Finisher(plan.finish, info)
        self._make_matter = make_matter or _bundled_matter

    @classmethod
    def of_file(cls, job: Path) -> FrameWorker:
        """The worker of a plan file."""
        return cls(read_plan(job))

    def close(self) -> None:
        """Give back the plate's files."""
        self.plate.close()

    def do(self, number: int) -> FrameResult:
        """One frame, unless it is already there and whole.

        Returns:
            What became of it; a frame that cannot be done is a result too, in state `failed`.

        Raises:
            SurroundingsError: the disk or the device failed; no other frame would fare better.
        """
        started = time.monotonic()
        stages = Stages()
        try:
            result = self._do(number, stages)
        except SurroundingsError:
            raise
        except AdaMatteError as error:
            return FrameResult(
                number=number,
                state=FrameState.FAILED,
                seconds=time.monotonic() - started,
                stages=stages.seconds,
                error=str(error),
            )
        return replace(result, seconds=time.monotonic() - started, stages=stages.seconds)

    def _do(self, number: int, stages: Stages) -> FrameResult:
        with stages("check"):
            seen_plate = self.plate.digest(number)
            recipe = self._recipe(number, seen_plate)
            digest = None if self.plan.shot.force else self._done_before(number, recipe)
        if digest is not None:
            return FrameResult(number, FrameState.SKIPPED, digest, recipe, plate=seen_plate)
        with stages("decode"):
            frame = self.plate.read(number)
        with stages("colour"):
            seen = Frame(number, self.to_display(frame.rgb), frame.timecode)
        with stages("segment"):
            mask = self._mask(seen)
        if self.plan.goal == "mask":
            return self._finish_mask(number, recipe, mask, stages)
        with stages("trimap"):
            plain, trimap = self.trimaps.steps(number, mask, seen.rgb)
        if self.plan.goal == "trimap":
            with stages("encode"):
                self._show(seen, plain, trimap)
            return self._finish_trimap(number, recipe, mask, trimap, stages)
        # The network and all that follows see what the frame's own data window holds.
        own = frame.data_window or self.plate.info.data_window
        area = self.plate.info.data_window.area_of(own)
        labels = np.ascontiguousarray(trimap.labels[area])
        with stages("network"):
            adapted, alpha = self.matter(np.ascontiguousarray(seen.rgb[area]), labels)
        with stages("finish"):
            finished = self.finisher.finish(number, frame.rgb[area], alpha, area)
        matte = Matte(number, finished.alpha, adapted)
        with stages("encode"):
            self._write_pictures(number, mask, trimap, matte, area)
            digest = self._write(frame, recipe, finished)
        statistics = frame_figures(labels, adapted, finished.alpha, mask=mask, area=area)
        if self.plan.shot.report:
            with stages("report"):
                self._sprite(seen, trimap, matte, digest, area=area, fg=finished.foreground)
        if wrong := frame.attributes.get(NON_FINITE):
            statistics["non_finite"] = float(wrong)
        return FrameResult(
            number, FrameState.DONE, digest, recipe, statistics=statistics, plate=seen_plate
        )

    @cached_property
    def matter(self) -> Matter:
        """The network, made when the first frame needs it."""
        return self._make_matter(self.plan)

    def _recipe(self, number: int, plate: str) -> str:
        masked = self.segmenter.digest(number) if self.segmenter is not None else ""
        trimapped = self.trimaps.digest(number) if self.plan.goal != "mask" else ""
        inputs = [plate, masked, trimapped]
        if finished := self.finisher.digest(number):
            inputs.append(finished)
        return self.plan.recipe(*inputs)

    def _done_before(self, number: int, recipe: str) -> str | None:
        """The digest of an alpha that is there, whole and of this recipe, its pictures too."""
        if self.plan.goal != "alpha":
            return None  # cheap, and their files carry no recipe
        try:
            for kind in self.plan.shot.keep:
                read_grey(self.layout.pattern(kind).path(number))
        except (AdaMatteError, OSError):
            return None
        return is_current(self.layout.alpha(number), recipe)

    def _mask(self, seen: Frame) -> Mask | None:
        if self.segmenter is None or not (self.trimaps.needs_mask or self.plan.goal == "mask"):
            return None
        return self.segmenter.segment(seen)

    def _finish_mask(
        self, number: int, recipe: str, mask: Mask | None, stages: Stages
    ) -> FrameResult:
        if mask is None:
            raise FrameError("no mask", where=f"frame {number}", fix="give a --segment method")
        with stages("encode"):
            self._keep("mask", number, _as_grey(mask))
        statistics = {"confidence": mask.confidence, "subject": float(mask.coverage.mean())}
        return FrameResult(number, FrameState.DONE, recipe=recipe, statistics=statistics)

    def _finish_trimap(
        self, number: int, recipe: str, mask: Mask | None, trimap: Trimap, stages: Stages
    ) -> FrameResult:
        with stages("encode"):
            if mask is not None and "mask" in self.plan.shot.keep:
                self._keep("mask", number, _as_grey(mask))
            self._keep("trimap", number, trimap.labels)
        statistics = {"unknown": float((trimap.labels == UNKNOWN).mean())}
        return FrameResult(number, FrameState.DONE, recipe=recipe, statistics=statistics)

    def _show(self, seen: Frame, plain: Trimap, trimap: Trimap) -> None:
        """The picture that an artist checks a trimap by."""
        picture = overlay(seen.rgb, plain, trimap, self.trimaps.rules(seen.number))
        write_overlay(self.layout.pattern("overlay").path(seen.number), picture, self.layout.out)

    def _write_pictures(
        self, number: int, mask: Mask | None, trimap: Trimap, matte: Matte, area: Area
    ) -> None:
        """Pictures come before the alpha: where it is, they are. All have the plate's window."""
        keep = self.plan.shot.keep
        if "mask" in keep and mask is not None:
            self._keep("mask", number, _as_grey(mask))
        if "trimap" in keep:
            self._keep("trimap", number, trimap.labels)
        if "adapted" in keep:
            adapted = np.full_like(trimap.labels, BACKGROUND)
            adapted[area] = matte.adapted
            self._keep("adapted", number, adapted)

    def _write(self, frame: Frame, recipe: str, finished: Finished) -> str:
        info, colour = self.plate.info, self.plan.colour
        colours = None
        if finished.foreground is not None:
            colours = Colours(
                finished.foreground,
                colour.space,
                interop_id(colour),
                tagged=not self.plan.shot.in_colour,
            )
        return write_alpha(
            self.layout.alpha(frame.number),
            finished.alpha,
            info=replace(info, data_window=frame.data_window or info.data_window),
            frame=frame,
            provenance={
                "version": self.plan.version,
                "model": self.plan.shot.model,
                "weights": self.plan.weights,
                "override": self.plan.override,
                "recipe": recipe,
            },
            form=AlphaFormat.of(self.plan.shot),
            colours=colours,
            root=self.layout.out,
        )

    def _sprite(
        self,
        seen: Frame,
        labels: Trimap,
        matte: Matte,
        digest: str,
        *,
        area: Area,
        fg: FloatArray | None,
    ) -> None:
        """The small pictures of the frame for the report; without them it is no worse a matte."""
        colours = None if fg is None else straight(fg, matte.alpha, self.to_display)
        form = SpriteForm.of(len(self.plate.info.frames))
        tiles = tiles_of(
            seen.rgb,
            matte.alpha,
            form.side,
            area,
            trimap=labels.labels,
            adapted=matte.adapted,
            colours=colours,
        )
        with suppress(OutputError):  # a disk that is full says so at the next alpha
            write_sprite(self.layout.out, seen.number, digest, tiles, form)

    def _keep(self, kind: str, number: int, pixels: LabelArray) -> None:
        write_grey(self.layout.pattern(kind).path(number), pixels, root=self.layout.out)


def _bundled_matter(plan: Plan) -> Matter:
    from model import Matter as NetworkMatter

    return NetworkMatter(
        plan.shot.model, device=plan.device, precision=plan.precision, tile=plan.shot.tile
    )


def _corrections(plan: Plan, info: PlateInfo) -> Override | None:
    """The shot's override file, as it was when the driver read it.

    Raises:
        OverrideError: it has changed since.
    """
    if plan.shot.override is None:
        return None
    return load(plan.shot.override, info, asked=FrameRange(()), sha256=plan.override)


def _as_grey(mask: Mask) -> LabelArray:
    grey: LabelArray = np.round(mask.coverage * 255).astype(np.uint8)
    return grey


def _share(where: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    return float(np.count_nonzero(where)) / max(1, where.size)
