"""A training run as one TOML file."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError

from model.config import CONFIGS, AdaMattingConfig
from plugin.errors import ShotError

_Share = Annotated[float, Field(ge=0, le=1)]


class Synthesis(BaseModel):
    """How batches are made.

    Attributes:
        crop: side of the training patches, pixels.
        zoom: source pixels a patch pixel, log-uniform; with a patch of 320 the paper's 320 to 800.
        cutouts: share of the samples whose foreground is a real cut-out; the rest is procedural.
        dressed: share of the cut-outs that get a photograph's colours.
        retextured: share of the procedural mattes with colours of their own that get a photograph's
            texture all the same.
        shapes: share of the samples without a cut-out that are plain shapes with hard edges.
        doubled: share of the samples with a second foreground behind the first.
        materials: share of the samples with a foreground of two materials.
        alike: share of the samples in which foreground and background share local colours.
        linear: share of the samples that are mixed in linear light, gamma 2.2.
        shear: largest, pixels across for each down.
        hue: largest turn of hue, degrees.
        widest: largest radius of erosion and dilation, pixels.
        wrong: share of the trimaps that are also wrong.
        staircase: share of the trimaps that come from a mask of low resolution.
        lost: share of the trimaps in which a large part of the picture is wholly unknown.
        context: share of the patches in which what lies outside a rectangle is cut away.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    crop: Annotated[int, Field(ge=64, le=1024, multiple_of=32)] = 320
    zoom: tuple[float, float] = (0.67, 2.5)
    cutouts: _Share = 0.4
    dressed: _Share = 0.25
    retextured: _Share = 0.2
    shapes: _Share = 0.3
    doubled: _Share = 0.33
    materials: _Share = 0.25
    alike: _Share = 0.2
    linear: _Share = 0.33
    shear: Annotated[float, Field(ge=0, le=1)] = 0.15
    hue: Annotated[float, Field(ge=0, le=180)] = 20.0
    widest: Annotated[int, Field(ge=2, le=256)] = 100
    wrong: _Share = 0.15
    staircase: _Share = 0.25
    lost: _Share = 0.15
    context: _Share = 0.2


class Recipe(BaseModel):
    """One training run. The defaults are the paper's (section 4.1).

    Attributes:
        network: a name of `model.config.CONFIGS`.
        ablate: fields of `AdaMattingConfig` to change, for the ablations.
        banks: the packed banks, see `model.training.banks.pack`; None where a run packs its own.
        out: folder of checkpoints and log.
        start: weights to begin from instead of random ones.
        steps: optimiser steps in all.
        batch: samples a step.
        rate: base learning rate of Adam; poly schedule with power 0.9 after `warm_up` steps.
        weight_decay: of Adam.
        fixed_weight: σ of the linear mix of Eq. 5 for the ablation; None is Eq. 3.
        laplacian: ours: weight of an L1 between Laplacian pyramids of α̂ and α_gt, 0 is off.
        ema: decay of the running average of the weights, which is what is exported.
        quarter: the propagation unit works on a random quarter of the patches at each step; it is
            more than half of the arithmetic.
        precision: bf16 only where the device gains.
        sigmas: σ₁ and σ₂ of Eq. 3 at the start.
        sigma_rate: learning rate of σ₁ and σ₂; None is `rate`.
        mattes: procedural mattes to begin with where pictures are packed for the run.
        room: how many of them the bank holds; more are rendered while it trains, and the oldest
            give way.
        size: side of the pictures packed for the run, pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: str = "resnet50"
    ablate: dict[str, Any] = {}
    banks: Path | None = None
    out: Path
    start: Path | None = None
    steps: Annotated[int, Field(ge=1)]
    batch: Annotated[int, Field(ge=1)] = 16
    rate: Annotated[float, Field(gt=0)] = 1e-4
    warm_up: Annotated[int, Field(ge=0)] = 0
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    fixed_weight: Annotated[float, Field(ge=0, le=1)] | None = None
    laplacian: Annotated[float, Field(ge=0)] = 0.0
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.999
    quarter: bool = False
    precision: Literal["fp32", "bf16"] = "fp32"
    sigmas: tuple[PositiveFloat, PositiveFloat] = (4.0, 4.0)
    sigma_rate: PositiveFloat | None = None
    mattes: Annotated[int, Field(ge=1)] = 500
    room: Annotated[int, Field(ge=8)] = 4000
    size: Annotated[int, Field(ge=128, le=2048)] = 512
    seed: int = 0
    synthesis: Synthesis = Synthesis()

    @property
    def config(self) -> AdaMattingConfig:
        """The network's configuration, ablations applied."""
        return AdaMattingConfig.from_dict(CONFIGS[self.network].as_dict() | self.ablate)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe; relative paths in it are relative to the file.

    Raises:
        ShotError: the file is missing, not TOML, or says something unknown.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        recipe = Recipe(**values)
        recipe.config  # noqa: B018  an unknown network or ablation shows here
    except OSError as error:
        raise ShotError(
            f"cannot be read: {error.strerror}", where=path, fix="name a file"
        ) from None
    except (ValidationError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        what = str(error).replace("\n", "; ")
        raise ShotError(what, where=path, fix="see model/configs for examples") from None
    folder = path.resolve().parent
    paths = {name: getattr(recipe, name) for name in ("banks", "out", "start")}
    return recipe.model_copy(update={k: folder / v for k, v in paths.items() if v is not None})
