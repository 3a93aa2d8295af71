"""`Plan`: what the driver settles once and every worker reads; the only thing that travels.

A plan is a small JSON file of paths, numbers and settings. Whatever is found from the shot as a
whole (a screen's colour, the plate's sha256) is found before the first frame and stands in it, so
that a frame comes out the same whoever computes it.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from plugin.colour.display import InputColour
from plugin.disk.atomic import temporary_name, write_whole
from plugin.disk.inputs import Sum, read_whole
from plugin.errors import SurroundingsError
from plugin.exr.alpha_file import Bits
from plugin.finish import FinishPlan
from plugin.request.shot import Shot
from plugin.segmentation import SegmentPlan
from plugin.stabilise.plan import StabilisePlan
from plugin.trimap.source import TrimapPlan
from plugin.types import Window

Goal = Literal["alpha", "trimap", "mask"]
"""How far a frame goes: `adamatte run`, `adamatte trimap`, `adamatte segment`."""

Device = Literal["auto", "cpu", "cuda"]
"""What the network runs on; `auto` is settled where it runs."""

RECIPE_VERSION = 10
"""Raised whenever the same plan makes other pixels than before."""

_MAX_PLAN = 64 << 20


class Plan(BaseModel):
    """One job, settled.

    Attributes:
        shot: what was asked.
        goal: how far each frame goes.
        plate: what a video's or an image's file is; None for a sequence.
        colour: the plate's colour space, and who said so.
        segment: how masks are made; None where ready trimaps replace them.
        trimap: how trimaps are made.
        canvas: the window that holds every frame's, where data windows move; else None.
        finish: what is done to the network's alpha, and whether colours are estimated.
        override: sha256 of the override file; empty without one.
        stabilise: how the alphas are steadied; None where they are not.
        weights: sha256 of the network's weights; empty when the network is not needed.
        tuned: file of the weights that were tuned to the shot; empty for those it names.
        assumed: what was guessed of the input and told to the user.
        device: of the network: settled where this machine does the work; the wish where others do.
        version: of the program, for the provenance.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    shot: Shot
    goal: Goal = "alpha"
    plate: Sum | None = None
    colour: InputColour
    segment: SegmentPlan | None = None
    trimap: TrimapPlan | None = None
    canvas: Window | None = None
    finish: FinishPlan = FinishPlan()
    stabilise: StabilisePlan | None = None
    override: str = ""
    weights: str = ""
    tuned: str = ""
    device: Device = "cpu"
    assumed: tuple[str, ...] = ()
    version: str

    @property
    def may_go_on_without_gpu(self) -> bool:
        """Whether the CPU may do what no GPU does any more: that was left open, and it can."""
        shot = self.shot
        return self.device == "cuda" and shot.device == "auto" and shot.precision != "fp16"

    def recipe(self, network: str, *inputs: str) -> str:
        """sha256 of everything that determines a frame's stored pixels.

        Args:
            network: `Matter.digest`; empty where the network is not needed.
            inputs: digests of what goes into this frame: plate, mask, trimap, finish.
        """
        shot = self.shot
        parts: list[object] = [
            RECIPE_VERSION,
            self.goal,
            self.colour.recipe,
            network,
            shot.channels,
            shot.bits,
            shot.compression,
            *inputs,
        ]
        if shot.layers:
            parts.append(f"layers {','.join(sorted(shot.layers))}")
        return self._sum(parts)

    def raw_recipe(self, network: str, *inputs: str) -> str:
        """sha256 of everything that determines the network's own alpha of a frame, as stored."""
        parts: list[object] = [RECIPE_VERSION, "raw", self.colour.recipe]
        sure = ["confidence"] if "confidence" in self.shot.layers else []
        return self._sum([*parts, network, self.raw_bits, *sure, *inputs])

    @property
    def raw_bits(self) -> Bits:
        """Of raw alphas on disk: where nothing steadies them, exactly as the network gave them."""
        return "float" if self.stabilise is None else self.shot.bits

    def picture_recipe(self, kind: str, plate: str, mask: str, trimap: str, network: str) -> str:
        """sha256 of everything that determines a picture that is kept beside the alpha.

        Args:
            kind: `mask`, `trimap` or `adapted`.
            plate: digest of the plate's frame.
            mask: of what makes its mask.
            trimap: of what makes its trimap.
            network: `Matter.digest`.
        """
        parts: list[object] = [RECIPE_VERSION, kind, self.colour.recipe, plate, mask]
        parts += [] if kind == "mask" else [trimap]
        return self._sum([*parts, network] if kind == "adapted" else parts)

    def _sum(self, parts: list[object]) -> str:
        shot = self.shot
        # What is off stays out, so that what earlier versions wrote is still current.
        if shot.layer:
            parts.append(f"layer {shot.layer}")
        if self.canvas is not None:
            parts.append(str(self.canvas))
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


@contextmanager
def plan_file(plan: Plan) -> Iterator[Path]:
    """The plan as a file in the shot's output folder, for as long as the job runs.

    Raises:
        OutputError: the folder cannot be written.
    """
    # Named as a temporary of this process, so that a killed job's plan is swept with the rest.
    path = plan.shot.out / temporary_name("plan.json")
    write_whole(path, plan.model_dump_json(indent=1).encode())
    try:
        yield path
    finally:
        with suppress(OSError):  # a disk that refuses has been told of; the next run sweeps it
            path.unlink(missing_ok=True)


def read_plan(path: Path) -> Plan:
    """Read what `plan_file` wrote.

    Raises:
        SurroundingsError: the file is gone or damaged, as when the output folder is not shared
            with the worker's machine.
    """
    try:
        return Plan.model_validate_json(read_whole(path, _MAX_PLAN))
    except (OSError, ValidationError) as error:
        raise SurroundingsError(
            f"the job's plan cannot be read: {type(error).__name__}",
            where=path,
            fix="let every worker see the output folder under the same path",
        ) from error
