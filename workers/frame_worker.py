"""`FrameWorker`: does frames by number. Knows nothing of Ray; what an executor runs.

plate ─► mask ─► trimap ─► adapted trimap, alpha ─► verified EXR
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from plugin.disk.inputs import ledger, note
from plugin.driver.plan import Device, Plan, read_plan
from plugin.errors import AdaMatteError, FrameError, RequestError, SurroundingsError, told_as
from plugin.exr.alpha_file import is_current
from plugin.finish import Finisher
from plugin.image.halves import as_floats
from plugin.plates import NON_FINITE
from plugin.report.faults import look_at
from plugin.report.figures import frame_figures
from plugin.stabilise.flow import Flows, RawFrame
from plugin.stabilise.smoothing import stabilise
from plugin.types import (
    UNKNOWN,
    FloatArray,
    FrameResult,
    FrameState,
    Mask,
    Matter,
    Trimap,
)
from workers.neighbours import Inputs, Matted, Once, Source
from workers.overlap import BESIDE
from workers.raw_alphas import RawAlphas, as_grey
from workers.stage_clock import Stages
from workers.written import Writer

_AGAIN = "run the same command again"


class FrameWorker:
    """Everything that one worker holds between frames: plate, segmenter, network.

    What it does with a frame depends on the plan and the frame's number alone. `do` may be called
    from two threads at once: one frame is decoded or encoded while another has the network.

    Args:
        plan: the job.
        make_matter: makes the network; by default `SharedMatter`, loaded when first needed.

    Raises:
        SurroundingsError: the plate, or something else that was probed, is gone or another by now.
    """

    def __init__(self, plan: Plan, make_matter: Callable[[Plan], Matter] | None = None) -> None:
        self.plan = plan
        with told_as(SurroundingsError, of=RequestError, fix=_AGAIN):  # none when the driver looked
            self.raw_alphas = RawAlphas(plan, make_matter)
        self.layout, self.plate = self.raw_alphas.layout, self.raw_alphas.plate
        self.finisher = Finisher(plan.finish, self.plate.info)
        self._turns, self._writer = self.raw_alphas.turns, Writer(self.raw_alphas)
        radius = plan.stabilise.radius if plan.stabilise else 0
        self._flows = Flows.of_radius(radius)
        self._matted: Once[Matted] = Once(2 * radius + BESIDE)

    @classmethod
    def of_file(cls, job: Path, device: Device) -> Self:
        """The worker of a plan file, its network on the device that the executor has for it."""
        return cls(read_plan(job).model_copy(update={"device": device}))

    def close(self) -> None:
        """Give back the plate's files; a frame that is still in the works is not written."""
        self._turns.door.shut()
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
        started = time.monotonic()
        stages = Stages()
        try:
            with ledger(keep=self.plan.goal != "alpha") as read:
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
        taken = {"seconds": time.monotonic() - started, "stages": stages.seconds}
        return result.model_copy(update={"read": read, **taken})

    def _do(self, number: int, stages: Stages) -> FrameResult:
        if self.plan.goal != "alpha":
            return self._do_before_network(number, stages)
        before = self._done_before(number, stages)
        if before is not None:
            return before
        matted = self._matted.get(number, lambda one: self.raw_alphas.matte(one, stages))
        alpha, near = self._steadied(matted, stages)
        with stages("check", self._turns.reading):
            recipe = self._recipe(number, matted.inputs, near)
        with self._turns.plate:
            source = matted.source or self.raw_alphas.read(number, stages)
            digest, statistics = self._finish(matted, source, alpha, recipe, stages)
        matted.source = None
        return self._result(
            number,
            FrameState.DONE,
            matted.inputs,
            near,
            digest=digest,
            recipe=recipe,
            statistics=statistics,
        )

    def _result(
        self,
        number: int,
        state: FrameState,
        inputs: Inputs,
        near: Mapping[int, Inputs],
        **found: Any,  # noqa: ANN401  fields of the result
    ) -> FrameResult:
        tried = dict.fromkeys(self.raw_alphas.around(number), "")
        return FrameResult(
            number=number,
            state=state,
            plate=inputs.plate,
            near=tried | {one: theirs.plate for one, theirs in near.items()},
            pictures=self.raw_alphas.pictures(inputs),
            device=self.raw_alphas.kind,
            **found,
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
        layers = self.raw_alphas.layers(raw, area)
        with stages("encode"), self._turns.door:
            digest = self._writer.alpha(source.frame, recipe, finished, layers)
        labels = np.ascontiguousarray(raw.trimap[area])
        with stages("report"):
            statistics = frame_figures(labels, raw.adapted, finished.alpha, area=area)
            if self.plan.shot.report:
                statistics |= look_at(source.rgb[area], labels, finished.alpha, area)
            statistics |= raw.figures
        if self.plan.shot.report:
            with stages("report"), self._turns.door:
                self._writer.sprite(source, raw.trimap, raw.adapted, finished, digest)
        if wrong := source.frame.attributes.get(NON_FINITE):
            statistics["non_finite"] = float(wrong)
        return digest, statistics

    def _do_before_network(self, number: int, stages: Stages) -> FrameResult:
        """`adamatte segment` and `adamatte trimap`."""
        source = self.raw_alphas.read(number, stages)
        with stages("check", self._turns.reading):
            inputs = self.raw_alphas.inputs(number, source.frame.digest, {})
        seen = source.seen
        with stages("segment", self._turns.reading):
            mask = self.raw_alphas.mask(seen)
        if self.plan.goal == "mask":
            return self._finish_mask(number, inputs, mask, stages)
        with stages("trimap", self._turns.reading):
            plain, trimap = self.raw_alphas.trimaps.steps(number, mask, seen.rgb)
        with stages("encode"), self._turns.door:
            self._writer.overlay(seen, plain, trimap)
        return self._finish_trimap(number, inputs, mask, trimap, stages)

    def _steadied(self, matted: Matted, stages: Stages) -> tuple[FloatArray, dict[int, Inputs]]:
        """The alpha after stabilisation, of the plate's data window; the neighbours it came by.

        A neighbour that cannot be matted is left out. As the recipe says who was there, the frame
        is computed again once its neighbour can be.
        """
        if matted.steady is None:
            return as_floats(matted.raw.alpha), {}
        neighbours: list[RawFrame] = []
        near: dict[int, Inputs] = {}
        # The farthest ahead first: the frame beside this one is at the one before that, so that
        # its plate is read and its trimap made while the other has the network.
        for number in reversed(self.raw_alphas.around(matted.number)):
            found = self._neighbour(number, stages)
            if found is not None and found.steady is not None:
                neighbours.insert(0, found.steady)
                near[number] = found.inputs
        with stages("stabilise", self._turns.steadying):
            alpha = stabilise(matted.steady, neighbours, self._flows)
        return alpha, near

    def _neighbour(self, number: int, stages: Stages) -> Matted | None:
        """A frame that stabilisation looks at; None where it cannot be had."""
        for _ in range(self.plan.shot.retries + 1):
            try:
                return self._matted.get(number, lambda one: self.raw_alphas.matte(one, stages))
            except SurroundingsError:
                raise
            except AdaMatteError:
                return None
            except Exception:  # noqa: S112  not ours: told of when it is that frame's turn
                continue
        return None

    def _recipe(self, number: int, own: Inputs, near: Mapping[int, Inputs]) -> str:
        """Of a frame, by what it and the neighbours that it came by were made from.

        All their files enter the ledger: what was another file once is an error of this frame.
        """
        for each in (own, *near.values()):
            each.note()
        parts = list(own.digests)
        if finished := self.finisher.digest(number):
            parts.append(finished)
        if self.plan.stabilise is not None and near:
            parts.append(self.plan.stabilise.digest)
            parts += [f"{one} {near[one].recipe}" for one in sorted(near)]
        return self.plan.recipe(own.network, *parts)

    def _done_before(self, number: int, stages: Stages) -> FrameResult | None:
        """The result of a frame that is there, whole and of its present recipe, its pictures too.

        Nothing is summed where there is no file; and what is summed here does not stand in the
        ledger of a frame that is computed.
        """
        raw_alphas, path = self.raw_alphas, self.layout.alpha(number)
        if self.plan.shot.force or not path.is_file():
            return None
        with ledger() as read:
            with stages("check", self._turns.reading):
                own = raw_alphas.known(number)
                around = {one: raw_alphas.known(one) for one in raw_alphas.around(number)}
                near = {one: inputs for one, inputs in around.items() if inputs is not None}
                recipe = "" if own is None else self._recipe(number, own, near)
            with stages("check"):
                if own is None or not raw_alphas.pictures_there(number, own):
                    return None
                digest = is_current(path, recipe) if raw_alphas.raw_there(number, own) else None
        if digest is None:
            return None
        for file, found in read.items():
            note(file, found)
        return self._result(number, FrameState.SKIPPED, own, near, digest=digest, recipe=recipe)

    def _finish_mask(
        self, number: int, inputs: Inputs, mask: Mask | None, stages: Stages
    ) -> FrameResult:
        if mask is None:
            raise FrameError("no mask", where=f"frame {number}", fix="give a --segment method")
        with stages("encode"), self._turns.door:
            self.raw_alphas.keep("mask", number, as_grey(mask), inputs)
        statistics = {"confidence": mask.confidence, "subject": float(mask.coverage.mean())}
        return self._picture_result(number, inputs, statistics)

    def _picture_result(
        self, number: int, inputs: Inputs, statistics: dict[str, float]
    ) -> FrameResult:
        recipe = self.plan.recipe(inputs.network, *inputs.digests)
        return self._result(
            number, FrameState.DONE, inputs, {}, recipe=recipe, statistics=statistics
        )

    def _finish_trimap(
        self, number: int, inputs: Inputs, mask: Mask | None, trimap: Trimap, stages: Stages
    ) -> FrameResult:
        with stages("encode"), self._turns.door:
            if mask is not None and "mask" in self.plan.shot.keep:
                self.raw_alphas.keep("mask", number, as_grey(mask), inputs)
            self.raw_alphas.keep("trimap", number, trimap.labels, inputs)
        statistics = {"unknown": float((trimap.labels == UNKNOWN).mean())}
        return self._picture_result(number, inputs, statistics)
