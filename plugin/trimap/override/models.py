"""The trimap override file, `trimap-override/1`, as it is written.

Everything that can be said about a file without its shot is said here: unknown keys, kinds of
rules, ranges of numbers. What needs the shot (frames, sizes, pictures) is checked by `load`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)

_MAX_RULES = 10_000
_MAX_POINTS = 10_000
KINDS = ("params", "image", "polygon", "stroke")
"""The keys that tell one kind of rule from another; a rule has exactly one of them."""

_Coordinate: TypeAlias = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False)]
Point: TypeAlias = tuple[_Coordinate, _Coordinate]
Band: TypeAlias = Annotated[float, Field(ge=0, le=500, allow_inf_nan=False)]
_Label: TypeAlias = Literal["background", "unknown", "foreground"]
_KeyFrame: TypeAlias = Annotated[str, StringConstraints(pattern=r"^(0|-?[1-9][0-9]{0,6})$")]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _Rule(_Strict):
    id: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$"),
        Field(description="Names the rule in messages; each once."),
    ]
    frames: Annotated[
        str,
        StringConstraints(max_length=4096, pattern=r"^[0-9x, -]+$"),
        Field(description="1001-1020, 1001-1020x2 or 1001,1005-1010; within the shot."),
    ]


class Params(_Strict):
    """Another band around the mask's edge; what is left out stays as the shot has it."""

    erode: Annotated[Band | None, Field(description="Inside, pixels of a 1080p frame.")] = None
    dilate: Annotated[Band | None, Field(description="Outside, pixels of a 1080p frame.")] = None
    edge: Annotated[
        Literal["auto", "hard", "hair"] | None,
        Field(description="What the outline is; then erode and dilate scale what is measured."),
    ] = None

    @model_validator(mode="after")
    def _says_something(self) -> Params:
        if self.erode is None and self.dilate is None and self.edge is None:
            raise ValueError("give erode, dilate, edge or several of them")
        return self


class ParamsRule(_Rule):
    """Other trimap parameters for some frames."""

    params: Params


class ImageRule(_Rule):
    """Painted trimaps: 0 background, 128 unknown, 255 foreground."""

    image: Annotated[
        str,
        StringConstraints(min_length=1, max_length=1024),
        Field(description="A pattern, or one picture for all frames; below the file's folder."),
    ]
    mode: Annotated[
        Literal["replace", "merge"],
        Field(description="merge leaves a pixel alone where the picture's alpha is 0."),
    ] = "replace"


class PolygonRule(_Rule):
    """A filled polygon, keyed on frames: linear between keys, held before and after them."""

    set: _Label
    polygon: Annotated[
        dict[_KeyFrame, Annotated[tuple[Point, ...], Field(min_length=3, max_length=_MAX_POINTS)]],
        Field(min_length=1, description="Frame number to corners; every key as many corners."),
    ]

    @field_validator("polygon")
    @classmethod
    def _as_many_corners(
        cls, polygon: dict[str, tuple[Point, ...]]
    ) -> dict[str, tuple[Point, ...]]:
        counts = {len(points) for points in polygon.values()}
        if len(counts) > 1:
            raise ValueError(f"its keys have different numbers of corners: {sorted(counts)}")
        return polygon


class Stroke(_Strict):
    """A round brush along a line."""

    points: Annotated[tuple[Point, ...], Field(min_length=1, max_length=_MAX_POINTS)]
    radius: Annotated[float, Field(gt=0, le=10_000, allow_inf_nan=False)]


class StrokeRule(_Rule):
    """A brush stroke, the same on all its frames."""

    set: _Label
    stroke: Stroke


def _kind_of(value: object) -> str | None:
    """Which kind a rule is of; None where that cannot be told."""
    if isinstance(value, _Rule):
        return next(kind for kind in KINDS if hasattr(value, kind))
    if not isinstance(value, dict):
        return None
    named = [kind for kind in KINDS if kind in value]
    return named[0] if len(named) == 1 else None


Rule: TypeAlias = Annotated[
    Annotated[ParamsRule, Tag("params")]
    | Annotated[ImageRule, Tag("image")]
    | Annotated[PolygonRule, Tag("polygon")]
    | Annotated[StrokeRule, Tag("stroke")],
    Discriminator(_kind_of),
]


class PlateSize(_Strict):
    """The plate's display window, whose pixels the coordinates are in."""

    width: Annotated[int, Field(ge=1, le=100_000)]
    height: Annotated[int, Field(ge=1, le=100_000)]


class OverrideFile(_Strict):
    """Corrections to the trimaps of one shot. Rules apply in order; the last one wins."""

    model_config = ConfigDict(title="AdaMatte trimap override")

    format: Annotated[Literal["trimap-override/1"], Field(alias="schema")]
    shot: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    plate: PlateSize
    rules: Annotated[tuple[Rule, ...], Field(max_length=_MAX_RULES)]
