"""What stands in `manifest.json`: what was asked, with which parts, what became of each frame."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from plugin.disk.inputs import Sum
from plugin.framerange import MAX_NUMBER, FrameRange
from plugin.plate_info import WIDEST, Sha256
from plugin.request.shot import Shot, asked_of
from plugin.types import FrameRecord, FrameResult, FrameState, PlateInfo, PlateKind

_NO_PIXELS = {field for field in Shot.model_fields if not asked_of(field).pixels}
"""The fields of `Shot` that no pixel depends on."""


_DEFAULTS = Shot(plate="-", out=Path()).model_dump(mode="json", exclude={*_NO_PIXELS, "plate"})
"""What a request of an earlier version had of what it did not know yet."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


Frames = Annotated[FrameRange, BeforeValidator(lambda given: given or FrameRange(()))]
"""As `FrameRange`; none is an empty text."""


class PlateRecord(PlateInfo):
    """The plate as probing found it; `bytes`, `digest` and `stamp` are a video's or image's file's.

    Windows are `x_min, y_min, x_max, y_max`, both corners included.
    """

    frames: Frames
    notes: tuple[str, ...] = Field(default=(), exclude=True)
    bytes: Annotated[int, Field(ge=0)] | None = None
    stamp: str = ""

    @model_validator(mode="before")
    @classmethod
    def _without_its_size(cls, fields: Any) -> Any:  # noqa: ANN401  whatever stands in a file
        """The size stands in the file for those who read it; the data window says it here."""
        if not isinstance(fields, dict):
            return fields
        sides = [fields[name] for name in ("width", "height") if name in fields]
        if any(type(side) is not int or not 0 < side <= WIDEST for side in sides):
            raise ValueError("not the size of a picture")
        return {name: value for name, value in fields.items() if name not in ("width", "height")}

    @model_serializer(mode="wrap")
    def _with_its_size(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {**dump(self), "width": self.width, "height": self.height}

    @property
    def sum(self) -> Sum | None:
        """What a video's or image's file was; None for a sequence."""
        return Sum(self.digest, self.stamp) if self.digest else None

    @classmethod
    def of(cls, info: PlateInfo, whole: Sum | None = None) -> Self:
        """What the manifest keeps of a plate.

        Args:
            info: as probing found it.
            whole: the sum of a video's or image's file.
        """
        path = Path(info.path)
        alone = info.kind is not PlateKind.SEQUENCE and path.is_file()
        found = {name: getattr(info, name) for name in PlateInfo.model_fields if name != "notes"}
        if whole is not None:
            found |= {"digest": whole.sha256, "stamp": whole.stamp}
        return cls(**found, bytes=path.stat().st_size if alone else None)


class RequestRecord(_Record):
    """What a run was asked, as far as pixels depend on it: frames name the one that made them.

    Attributes:
        shot: the settings.
        override: sha256 of the trimap override file; a copy is kept in the output folder.
        weights: sha256 of the weights.
        asked: the frames that it was the last to be asked for.
    """

    shot: dict[str, Any]
    override: Sha256 = ""
    weights: Sha256 = ""
    asked: Frames = FrameRange(())

    @field_validator("shot")
    @classmethod
    def _the_unknown_has_its_default(cls, shot: dict[str, Any]) -> dict[str, Any]:
        return _DEFAULTS | shot

    @property
    def key(self) -> str:
        """A short name that two requests share only when they ask for the same."""
        text = json.dumps(self.model_dump(mode="json", exclude={"asked"}), sort_keys=True)
        return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()[:16]

    def asked_for(self, frames: Iterable[int]) -> Self:
        """The same, the last to be asked for these frames."""
        return self.model_copy(update={"asked": FrameRange.of(frames)})


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
        assumed: what the last run guessed of its input, a note each, as it stood on stderr.
        key_wanted: where the pass before the last run found that another key frame would help most.
        asked: all frames that runs on this folder were asked for.
        requests: what the runs asked that made the frames, by the key that each frame names.
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
    assumed: tuple[str, ...] = ()
    key_wanted: int | None = None
    asked: Frames = FrameRange(())
    requests: dict[str, RequestRecord] = Field(default_factory=dict)
    frames: dict[int, FrameRecord] = Field(default_factory=dict)

    @field_validator("frames")
    @classmethod
    def _frames_are_numbers(cls, frames: dict[int, FrameRecord]) -> dict[int, FrameRecord]:
        if any(abs(number) > MAX_NUMBER for number in frames):
            raise ValueError(f"frame numbers end at {MAX_NUMBER}")
        return frames

    def due(self, number: int) -> str:
        """Key of the request that a frame should be of: the last that asked for it."""
        return self._due.get(number) or self._last_key

    @cached_property
    def _due(self) -> dict[int, str]:
        return {n: key for key, request in self.requests.items() for n in request.asked}

    @cached_property
    def _last_key(self) -> str:
        return self.request.key

    @property
    def promised(self) -> FrameRange:
        """The frames that should be there: asked for, tried, or done."""
        return FrameRange.of({*self.asked, *self.frames})

    @property
    def keys(self) -> tuple[int, ...]:
        """Frames whose masks were given to be carried; none for other ways to segment."""
        return tuple(self.shot.keyframes)

    @property
    def request(self) -> RequestRecord:
        """What the last run was asked; without its frames."""
        settings = self.shot.model_dump(mode="json", exclude=_NO_PIXELS)
        return RequestRecord(shot=settings, override=self.override, weights=self.weights)

    def in_state(self, *states: FrameState) -> FrameRange:
        """The frames in one of these states."""
        return FrameRange.of(n for n, record in self.frames.items() if record.state in states)

    @property
    def not_done(self) -> FrameRange:
        """The frames that were tried and could not be done."""
        return self.in_state(FrameState.FAILED, FrameState.QUARANTINED)

    def with_results(self, results: Iterable[FrameResult]) -> Self:
        """The same with these results in the place of earlier ones."""
        request = self.request.asked_for(self.asked)
        key, plate = request.key, self.plate.path
        added = {r.number: r.record(key, plate) for r in results}
        requests = {**self.requests, key: request}
        return self.model_copy(update={"frames": {**self.frames, **added}, "requests": requests})


def merge(old: Manifest, new: Manifest, *, pictures: bool = False) -> Manifest:
    """What the folder holds after a run on some of its frames.

    Args:
        old: as the folder has it; its records stay for frames that are not in `new`.
        new: of this run; everything about the run is taken from it. A frame that it skipped keeps
            the timings and figures of the run that made it.
        pictures: the run made masks or trimaps alone. The manifest of a folder that has mattes goes
            on to tell of those: only what could not be done is added.
    """
    if pictures and any(record.digest for record in old.frames.values()):
        lost = {n: new.frames[n] for n in new.not_done}
        requests = {**old.requests, **(new.requests if lost else {})}
        return old.model_copy(update={"frames": {**old.frames, **lost}, "requests": requests})
    asked = FrameRange.of({*old.asked, *new.asked})
    frames = _joined(old.frames, new.frames)
    return new.model_copy(
        update={"asked": asked, "frames": frames, "requests": _requests(old, new, frames)},
    )


def _requests(
    old: Manifest, new: Manifest, frames: Mapping[int, FrameRecord]
) -> dict[str, RequestRecord]:
    """What was asked of the folder, both before and now: the last to ask for a frame has it.

    What is neither the last word on a frame nor made one is forgotten.
    """
    asked = {n for request in new.requests.values() for n in request.asked}
    both = dict(new.requests)
    for key, request in old.requests.items():
        later = new.requests.get(key)
        left = {*request.asked} - asked if later is None else {*request.asked, *later.asked}
        both[key] = request.asked_for(left)
    named = {record.request for record in frames.values()}
    return {key: request for key, request in both.items() if key in named or request.asked}


def _joined(
    old: Mapping[int, FrameRecord], new: Mapping[int, FrameRecord]
) -> dict[int, FrameRecord]:
    joined = dict(old)
    for number, record in new.items():
        before = old.get(number)
        same = before is not None and before.digest == record.digest != ""
        if same and record.state is FrameState.SKIPPED and before is not None:
            names = ("recipe", "request", "plate", "stamp", "near", "files", "pictures", "device")
            now = {name: getattr(record, name) for name in names}
            joined[number] = before.model_copy(update=now)
        else:
            joined[number] = record
    return joined
