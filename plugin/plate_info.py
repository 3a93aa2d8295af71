"""`PlateInfo`: what probing a plate found; one type, from the first look to the manifest."""

import re
from enum import StrEnum
from fractions import Fraction
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    ValidationError,
)

from plugin.framerange import FrameRange
from plugin.window import Window

WIDEST = 1 << 17
"""Most pixels of a side."""

_FASTEST = 100_000
_RATE = re.compile(r"\d{1,12}(/[1-9]\d{0,11})?", re.ASCII)


class PlateKind(StrEnum):
    """What the plate is on disk."""

    VIDEO = "video"
    SEQUENCE = "sequence"
    IMAGE = "image"


def _rate_of(given: object) -> Fraction | None:
    """A rate as it is or in text; only what is short is given to `Fraction`, which is patient."""
    if isinstance(given, str) and _RATE.fullmatch(given) is None:
        raise ValueError("not a rate such as 24 or 24000/1001")
    rate = Fraction(given) if isinstance(given, str | Fraction) else None
    if rate is not None and not 0 < rate <= _FASTEST:
        raise ValueError(f"not a rate up to {_FASTEST}")
    if rate is None and given is not None:
        raise ValueError("not a rate")
    return rate


def _of_pixels(window: Window) -> Window:
    if not (0 < window.width <= WIDEST and 0 < window.height <= WIDEST):
        raise ValueError("not the corners of a window")
    return window


Sha256 = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
_Rate = Annotated[
    Fraction | None, PlainValidator(_rate_of), PlainSerializer(str, when_used="unless-none")
]
_Corners = Annotated[Window, AfterValidator(_of_pixels)]


def no_plate(error: ValidationError) -> str:
    """What is wrong with what would have been a `PlateInfo`, in a few words."""
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}"


class PlateInfo(BaseModel):
    """What probing a plate found, before any frame is worked on; parsed once, where it is found.

    Attributes:
        path: the file, or the pattern of the sequence.
        kind: video, sequence or one image.
        frames: the numbers of all frames that are there.
        data_window: the pixels that are stored; its size is the size of every frame's array.
        display_window: the picture's frame; differs from `data_window` under overscan.
        pixel_aspect: width of a pixel over its height.
        rate: frames a second; None where the files do not say.
        timecode: `HH:MM:SS:FF` (`;` before the frames when drop-frame) of the first frame.
        codec: `h264`, `exr/zips`, `png`, …
        pixel_format: as the decoder names it: `yuv420p10le`, `half`, `uint16`, …
        bits: bits a channel in the file.
        colour: the space that the pixel values are in: `srgb_rec709_display`, `lin_rec709`, …
        notes: what a person should know: "untagged, taken as BT.709 by its size".
        digest: sha256 of a video's or an image's file; empty for a sequence, whose frames have
            one each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    path: str
    kind: PlateKind
    frames: FrameRange
    data_window: _Corners
    display_window: _Corners
    pixel_aspect: Annotated[float, Field(gt=0, le=1000)]
    rate: _Rate = None
    timecode: str | None = None
    codec: str = ""
    pixel_format: str = ""
    bits: Annotated[int, Field(ge=0, le=64)] = 0
    colour: str = ""
    notes: tuple[str, ...] = ()
    digest: Sha256 = ""

    @property
    def width(self) -> int:
        """Width of every frame's array."""
        return self.data_window.width

    @property
    def height(self) -> int:
        """Height of every frame's array."""
        return self.data_window.height
