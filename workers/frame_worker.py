"""`FrameWorker`: does frames by number. Knows nothing of Ray; what an executor runs.

plate ─► mask ─► trimap ─► adapted trimap, alpha ─► verified EXR
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from plugin.colour.display import interop_id
from plugin.driver.plan import Device, Plan, read_plan
from plugin.errors import AdaMatteError, FrameError, OutputError, SurroundingsError
from plugin.exr.alpha_file import AlphaFormat, Colours, is_current, write_alpha
from plugin.finish import Finished, Finisher
from plugin.plates import NON_FINITE
from plugin.report.figures import frame_figures
from plugin.report.sprites import SpriteForm, straight, tiles_of, write_sprite
from plugin.stabilise.flow import Flows, RawFrame
from plugin.stabilise.smoothing import stabilise
from plugin.trimap.overlay import overlay, write_overlay
from plugin.types import (
    UNKNOWN,
    FloatArray,
    Frame,
    FrameResult,
    FrameState,
    LabelArray,
    Mask,
    Matte,
    Matter,
    Trimap,
)
from workers.neighbours import Matted, Once, Source
from workers.overlap import BESIDE
from workers.raw_alphas import Front, as_grey
from workers.stage_clock import Stages

__all__ = ["FrameWorker"]


class FrameWorker:
    """Everything that one worker holds between frames: plate, segmenter, network.

    What it does with a frame depends on the plan and the frame's number alone. `do` may be called
    from two threads at once: one frame is decoded or encoded while another has the network.

    Args:
        plan: the job.
        make_matter: makes the network; by default `SharedMatter`, loaded when first needed.

    Raises:
        AdaMatteError: the plate is gone or is not the one that was probed.
    """

    def __init__(self, plan: Plan, make_matter: Callable[[Plan], Matter] | None = None) -> None:
        self.plan, self.front = plan, Front(plan, make_matter)
        self.layout, self.plate = self.front.layout, self.front.plate
        self.finisher = Finisher(plan.finish, self.plate.info)
        self._turns = self.front.turns
        radius = plan.stabilise.radius if plan.stabilise else 0
        self._flows = Flows.of_radius(radius)
        self._matted: Once[Matted] = Once(2 * radius + BESIDE)

    @classmethod
    def of_file(cls, job: Path, device: Device) -> FrameWorker:
        """The worker of a plan file, its network on the device that the executor has for it."""
        return cls(read_plan(job).model_copy(update={"device": device}))

    def close(self) -> None:
        """Give back the plate's files."""
        with self._turns.reading:
            self.plate.close()

    def do(self, number: int) -> FrameResult:
        """One frame, unless it is already there and whole.

        Returns:
            What became of it; a frame that cannot be done is a result too, in state `failed`.

        Raises:
            SurroundingsError: the disk or the device failed; no other frame would fare better.
            Exception: not ours; the executor tries the frame again.
        """
        began, started = time.time(), time.monotonic()
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
        seconds = time.monotonic() - started
        return replace(result, seconds=seconds, stages=stages.seconds, began=began)

    def _do(self, number: int, stages: Stages) -> FrameResult:
        with stages("check", self._turns.reading):
            seen_plate = self.plate.digest(number)
            recipe = self._recipe(number, seen_plate)
            raw_recipe = self.front.raw_recipe(number) if self.front.around(number) else ""
        with stages("check"):
            digest = None if self.plan.shot.force else self._done_before(number, recipe, raw_recipe)
        if digest is not None:
            return FrameResult(number, FrameState.SKIPPED, digest, recipe, plate=seen_plate)
        if self.plan.goal != "alpha":
            return self._do_before_network(number, recipe, stages)
        matted = self._matted.get(number, lambda one: self.front.matte(one, stages))
        alpha, used = self._steadied(matted, stages)
        if len(used) < len(self.front.around(number)):
            with stages("check", self._turns.reading):
                recipe = self._recipe(number, seen_plate, used)
        with self._turns.plate:
            source = matted.source or self.front.read(number, stages)
            digest, statistics = self._finish(matted, source, alpha, recipe, stages)
        matted.source = matted.mask = None
        return FrameResult(
            number, FrameState.DONE, digest, recipe, statistics=statistics, plate=seen_plate
        )

    def _finish(
        self, matted: Matted, source: Source, alpha: FloatArray, recipe: str, stages: Stages
    ) -> tuple[str, dict[str, float]]:
        """Write the frame's alpha and its small pictures; the file's digest, and the figures."""
        number, raw, area = matted.number, matted.raw, source.area
        if matted.steady is not None:
            alpha = np.ascontiguousarray(alpha[area])
        with stages("finish", self._turns.finishing):
            finished = self.finisher.finish(number, source.frame.rgb[area], alpha, area)
        with stages("encode"):
            digest = self._write(source.frame, recipe, finished)
        labels = np.ascontiguousarray(raw.trimap[area])
        statistics = frame_figures(labels, raw.adapted, finished.alpha, mask=matted.mask, area=area)
        if self.plan.shot.report:
            with stages("report"):
                matte = Matte(number, finished.alpha, raw.adapted)
                self._sprite(source, raw.trimap, matte, digest, fg=finished.foreground)
        if wrong := source.frame.attributes.get(NON_FINITE):
            statistics["non_finite"] = float(wrong)
        return digest, statistics

    def _do_before_network(self, number: int, recipe: str, stages: Stages) -> FrameResult:
        """`adamatte segment` and `adamatte trimap`."""
        source = self.front.read(number, stages)
        seen = Frame(number, source.rgb, source.frame.timecode)
        with stages("segment", self._turns.reading):
            mask = self.front.mask(seen)
        if self.plan.goal == "mask":
            return self._finish_mask(number, recipe, mask, stages)
        with stages("trimap", self._turns.reading):
            plain, trimap = self.front.trimaps.steps(number, mask, seen.rgb)
        with stages("encode"):
            self._show(seen, plain, trimap)
        return self._finish_trimap(number, recipe, mask, trimap, stages)

    def _steadied(self, matted: Matted, stages: Stages) -> tuple[FloatArray, list[int]]:
        """The alpha after stabilisation, of the plate's data window; the neighbours it came by.

        A neighbour that cannot be matted is left out. As the recipe says who was there, the frame
        is computed again once its neighbour can be.
        """
        if matted.steady is None:
            return matted.raw.alpha.astype(np.float32, copy=False), []
        neighbours: list[RawFrame] = []
        # The farthest ahead first: the frame beside this one is at the one before that, so that
        # its plate is read and its trimap made while the other has the network.
        for near in reversed(self.front.around(matted.number)):
            found = self._neighbour(near, stages)
            if found is not None and found.steady is not None:
                neighbours.insert(0, found.steady)
        with stages("stabilise", self._turns.finishing):
            alpha = stabilise(matted.steady, neighbours, self._flows)
        return alpha, [frame.number for frame in neighbours]

    def _neighbour(self, number: int, stages: Stages) -> Matted | None:
        """A frame that stabilisation looks at; None where it cannot be had."""
        for _ in range(self.plan.shot.retries + 1):
            try:
                return self._matted.get(number, lambda one: self.front.matte(one, stages))
            except SurroundingsError:
                raise
            except AdaMatteError:
                return None
            except Exception:  # noqa: S112  not ours: told of when it is that frame's turn
                continue
        return None

    def _recipe(self, number: int, plate: str, used: Sequence[int] | None = None) -> str:
        """Of a frame; `used` are the neighbours that it came by, if not all."""
        inputs = self.front.inputs(number, plate)
        if finished := self.finisher.digest(number):
            inputs.append(finished)
        if self.plan.stabilise is not None and self.plan.goal == "alpha":
            near = self.front.around(number) if used is None else used
            if near:
                inputs.append(self.plan.stabilise.digest)
            raws = {one: self.front.raw_recipe(one) for one in near}
            inputs += [f"{one} {recipe}" for one, recipe in raws.items() if recipe]
        return self.plan.recipe(self.front.network, *inputs)

    def _done_before(self, number: int, recipe: str, raw_recipe: str) -> str | None:
        """The digest of an alpha that is there, whole and of this recipe, its pictures too."""
        if self.plan.goal != "alpha" or not self.front.pictures_there(number):
            return None  # cheap, and their files carry no recipe
        kept = "raw" not in self.plan.shot.keep or not raw_recipe
        if not kept and self.front.raws.read(number, raw_recipe) is None:
            return None
        return is_current(self.layout.alpha(number), recipe)

    def _finish_mask(
        self, number: int, recipe: str, mask: Mask | None, stages: Stages
    ) -> FrameResult:
        if mask is None:
            raise FrameError("no mask", where=f"frame {number}", fix="give a --segment method")
        with stages("encode"):
            self.front.keep("mask", number, as_grey(mask))
        statistics = {"confidence": mask.confidence, "subject": float(mask.coverage.mean())}
        return FrameResult(number, FrameState.DONE, recipe=recipe, statistics=statistics)

    def _finish_trimap(
        self, number: int, recipe: str, mask: Mask | None, trimap: Trimap, stages: Stages
    ) -> FrameResult:
        with stages("encode"):
            if mask is not None and "mask" in self.plan.shot.keep:
                self.front.keep("mask", number, as_grey(mask))
            self.front.keep("trimap", number, trimap.labels)
        statistics = {"unknown": float((trimap.labels == UNKNOWN).mean())}
        return FrameResult(number, FrameState.DONE, recipe=recipe, statistics=statistics)

    def _show(self, seen: Frame, plain: Trimap, trimap: Trimap) -> None:
        """The picture that an artist checks a trimap by."""
        picture = overlay(seen.rgb, plain, trimap, self.front.trimaps.rules(seen.number))
        write_overlay(self.layout.pattern("overlay").path(seen.number), picture, self.layout.out)

    def _write(self, frame: Frame, recipe: str, finished: Finished) -> str:
        info, colour = self.plate.info, self.plan.colour
        own = frame.data_window or info.data_window
        aspect = info.pixel_aspect if frame.pixel_aspect is None else frame.pixel_aspect
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
            info=replace(info, data_window=own, pixel_aspect=aspect),
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
        source: Source,
        labels: LabelArray,
        matte: Matte,
        digest: str,
        *,
        fg: FloatArray | None,
    ) -> None:
        """The small pictures of the frame for the report; without them it is no worse a matte."""
        colours = None if fg is None else straight(fg, matte.alpha, self.front.to_display)
        form = SpriteForm.of(len(self.plate.info.frames))
        tiles = tiles_of(
            source.rgb,
            matte.alpha,
            form.side,
            source.area,
            trimap=labels,
            adapted=matte.adapted,
            colours=colours,
        )
        with suppress(OutputError):  # a disk that is full says so at the next alpha
            write_sprite(self.layout.out, source.frame.number, digest, tiles, form)
