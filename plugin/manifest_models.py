"""What stands in `manifest.json`: what was asked, with which parts, what became of each frame."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from plugin.framerange import MAX_NUMBER, FrameRange
from plugin.shot import Shot
from plugin.types import FrameResult, FrameState, PlateInfo, PlateKind

__all__ = ["FrameRecord", "Manifest", "PlateRecord", "merge"]

Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
Corners = tuple[int, int, int, int]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PlateRecord(_Record):
    """The plate as probing found it; `bytes` and `digest` are those of a video's or image's file.

    Windows are `x_min, y_min, x_max, y_max`, both corners included.
    """

    path: str
    kind: PlateKind
    frames: str
    width: int
    height: int
    data_window: Corners
    display_window: Corners
    pixel_aspect: float
    rate: str | None = None
    timecode: str | None = None
    codec: str = ""
    pixel_format: str = ""
    bits: int = 0
    colour: str = ""
    bytes: int | None = None
    digest: Sha256 = ""

    @classmethod
    def of(cls, info: PlateInfo) -> PlateRecord:
        """What the manifest keeps of a plate."""
        data, display = info.data_window, info.display_window
        path = Path(info.path)
        alone = info.kind is not PlateKind.SEQUENCE and path.is_file()
        return cls(
            path=info.path,
            kind=info.kind,
            frames=str(info.frames),
            width=info.width,
            height=info.height,
            data_window=(data.x_min, data.y_min, data.x_max, data.y_max),
            display_window=(display.x_min, display.y_min, display.x_max, display.y_max),
            pixel_aspect=info.pixel_aspect,
            rate=None if info.rate is None else str(info.rate),
            timecode=info.timecode,
            codec=info.codec,
            pixel_format=info.pixel_format,
            bits=info.bits,
            colour=info.colour,
            bytes=path.stat().st_size if alone else None,
            digest=info.digest,
        )


class FrameRecord(_Record):
    """What became of one frame; the fields are those of `FrameResult`."""

    state: FrameState
    digest: Sha256 = ""
    recipe: str = ""
    seconds: float = 0.0
    stages: dict[str, float] = Field(default_factory=dict)
    statistics: dict[str, float] = Field(default_factory=dict)
    error: str = ""

    @field_validator("error", mode="after")
    @classmethod
    def _error_is_unicode(cls, text: str) -> str:
        return text.encode("utf-8", "backslashreplace").decode()  # it may name any file

    @classmethod
    def of(cls, result: FrameResult) -> FrameRecord:
        """The record of a worker's result, rounded; figures that are not finite are left out."""
        return cls(
            state=result.state,
            digest=result.digest,
            recipe=result.recipe,
            seconds=round(result.seconds, 4),
            stages=_rounded(result.stages, 4),
            statistics=_rounded(result.statistics, 6),
            error=result.error,
        )


class Manifest(_Record):
    """A shot's manifest.

    Attributes:
        schema_: always `adamatte-manifest/1`; `schema` in the file.
        version: of the program, of the last run.
        shot: what the last run was asked.
        plate: as the last run found it.
        model: name of the weights.
        weights: sha256 of the weights.
        override: sha256 of the shot's trimap override file; empty without one.
        started: ISO time of the last run's start; for people, nothing compares it.
        ended: ISO time of its end; None while it runs or when it was killed.
        asked: all frames that runs on this folder were asked for.
        frames: what became of each; frames not yet tried are missing.
    """

    model_config = ConfigDict(populate_by_name=True)

    schema_: Literal["adamatte-manifest/1"] = Field(default="adamatte-manifest/1", alias="schema")
    version: str
    shot: Shot
    plate: PlateRecord
    model: str
    weights: Sha256
    override: Sha256 = ""
    started: str = ""
    ended: str | None = None
    asked: str = ""
    frames: dict[int, FrameRecord] = Field(default_factory=dict)

    @field_validator("asked")
    @classmethod
    def _asked_parses(cls, text: str) -> str:
        return str(FrameRange.parse(text)) if text else ""

    @field_validator("frames")
    @classmethod
    def _frames_are_numbers(cls, frames: dict[int, FrameRecord]) -> dict[int, FrameRecord]:
        if any(abs(number) > MAX_NUMBER for number in frames):
            raise ValueError(f"frame numbers end at {MAX_NUMBER}")
        return frames

    @property
    def asked_frames(self) -> FrameRange:
        """`asked` as numbers."""
        return FrameRange.parse(self.asked) if self.asked else FrameRange(())

    @property
    def promised(self) -> FrameRange:
        """The frames that should be there: asked for, tried, or done."""
        return FrameRange.of({*self.asked_frames, *self.frames})

    def in_state(self, *states: FrameState) -> FrameRange:
        """The frames in one of these states."""
        return FrameRange.of(n for n, record in self.frames.items() if record.state in states)

    @property
    def not_done(self) -> FrameRange:
        """The frames that were tried and could not be done."""
        return self.in_state(FrameState.FAILED, FrameState.QUARANTINED)

    def with_results(self, results: Iterable[FrameResult]) -> Manifest:
        """The same with these results in the place of earlier ones."""
        added = {result.number: FrameRecord.of(result) for result in results}
        return self.model_copy(update={"frames": _joined(self.frames, added)})


def merge(old: Manifest, new: Manifest) -> Manifest:
    """What the folder holds after a run on some of its frames.

    Args:
        old: as the folder has it; its records stay for frames that are not in `new`.
        new: of this run; everything about the run is taken from it. A frame that it skipped keeps
            the timings and figures of the run that made it.
    """
    asked = FrameRange.of({*old.asked_frames, *new.asked_frames})
    return new.model_copy(
        update={"asked": str(asked), "frames": _joined(old.frames, new.frames)},
    )


def _rounded(figures: Mapping[str, float], digits: int) -> dict[str, float]:
    finite = ((name, float(value)) for name, value in figures.items() if math.isfinite(value))
    return {name: round(value, digits) for name, value in finite}


def _joined(
    old: Mapping[int, FrameRecord], new: Mapping[int, FrameRecord]
) -> dict[int, FrameRecord]:
    joined = dict(old)
    for number, record in new.items():
        before = old.get(number)
        same = before is not None and before.digest == record.digest != ""
        if not (same and record.state is FrameState.SKIPPED and before is not None):
            joined[number] = record
    return joined
