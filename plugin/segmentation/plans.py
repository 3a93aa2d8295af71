"""What segmentation settles once per shot, and what every worker builds from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, SerializeAsAny, ValidationInfo, field_validator

from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.types import FloatArray, Matter, PlateInfo, PlateSource, Segmenter

DisplayTransform: TypeAlias = Callable[[FloatArray], FloatArray]
"""The plate's own RGB to display-referred RGB within [0, 1], `H × W × 3` float32."""


class Settings(BaseModel):
    """Base of each method's settings: everything that its masks depend on besides the pixels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    not_in_digest: ClassVar[frozenset[str]] = frozenset()
    """Fields that say where something lies, not what it is."""

    of_method: ClassVar[dict[str, type[Settings]]] = {}
    """Each method's own settings, by its name: what a plan that was written is read back as."""

    def __init_subclass__(cls, *, method: str = "", **config: Any) -> None:  # noqa: ANN401
        super().__init_subclass__(**config)
        if method:
            Settings.of_method[method] = cls

    @classmethod
    def __pydantic_init_subclass__(cls, **_given: object) -> None:
        """Pydantic hands it what `__init_subclass__` has taken."""

    def digest(self, *contents: str) -> str:
        """sha256 of the settings and of the digests of the files that go into a mask."""
        kept = self.model_dump(mode="json", exclude=set(self.not_in_digest))
        text = json.dumps([type(self).__name__, kept, *contents], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


T = TypeVar("T", bound=Settings)


class SegmentPlan(BaseModel):
    """How the masks of a shot are made: found once, in the driver, from the whole plate.

    Attributes:
        method: name of the method in the registry.
        settings: the method's own.
        reason: one line for the user: what was chosen, and why.
        warnings: what a person should know before trusting the masks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    settings: SerializeAsAny[Settings] = Settings()
    reason: str
    warnings: tuple[str, ...] = ()

    @field_validator("settings", mode="before")
    @classmethod
    def _settings_are_the_methods(cls, given: object, found: ValidationInfo) -> object:
        if not isinstance(given, dict):
            return given
        return Settings.of_method.get(found.data["method"], Settings).model_validate(given)

    def of(self, kind: type[T]) -> T:
        """The settings, as those of one method.

        Raises:
            TypeError: the plan is another method's; a mistake of the caller.
        """
        if not isinstance(self.settings, kind):
            raise TypeError(f"a plan of {self.method} has no {kind.__name__}")
        return self.settings


@dataclass(frozen=True, slots=True)
class Request:
    """What a method prepares from.

    Attributes:
        shot: the options.
        plate: the whole plate, open in the driver.
        to_display: the plate's RGB to what the network and the segmenters see.
        matter: the network, where a first pass may use it.
        colour: names the transform; another makes other masks.
        step: is told how many pictures of a first pass are done, of how many.
        learning: is told how many steps of learning before it are done, of how many.
    """

    shot: Shot
    plate: PlateSource
    to_display: DisplayTransform
    matter: Matter | None = None
    colour: str = ""
    step: Callable[[int, int], None] = lambda _done, _total: None
    learning: Callable[[int, int], None] = lambda _done, _total: None


@dataclass(frozen=True, slots=True)
class Method:
    """One way to segment.

    Attributes:
        prepare: runs once in the driver; raises `RequestError` before any work.
        build: runs in each worker, from the plan alone.
        needs: what a user gives to have it, for the list of options in a refusal.
        first: a pass over the frames in order that has to be done, once, before any worker starts;
            writes into the folder that it is given, and returns the plan to build from.
        corrects: that pass has the matting network correct its masks.
    """

    prepare: Callable[[Request], SegmentPlan]
    build: Callable[[SegmentPlan, PlateInfo], Segmenter]
    needs: str
    first: Callable[[SegmentPlan, Request, Path], SegmentPlan] | None = None
    corrects: bool = False


def asked_frames(shot: Shot, info: PlateInfo) -> FrameRange:
    """The plate's frames that the shot asks for."""
    if shot.frames is None:
        return info.frames
    return shot.frames.intersection(info.frames)
