"""Descriptions of plates that tests make up, and plates that they paint."""

from __future__ import annotations

from typing import Any

from plugin.framerange import FrameRange
from plugin.types import PlateInfo, PlateKind, Window


def png_plate(width: int, height: int, frames: str = "1001-1010", **changes: Any) -> PlateInfo:
    """A sequence of 8-bit sRGB pictures."""
    window = Window.of_size(width, height)
    info = PlateInfo(
        path="plate.%04d.png",
        kind=PlateKind.SEQUENCE,
        frames=FrameRange.parse(frames),
        data_window=window,
        display_window=window,
        pixel_aspect=1.0,
        rate=None,
        timecode=None,
        codec="png",
        pixel_format="uint8",
        bits=8,
        colour="srgb_rec709_display",
    )
    return PlateInfo.model_validate(dict(info) | changes)


def exr_plate(
    data: Window, display: Window | None = None, frames: str = "1001-1010", **changes: Any
) -> PlateInfo:
    """A sequence of scene-linear half EXRs; without `display` that is the data window."""
    own: dict[str, Any] = {
        "path": "plate.%04d.exr",
        "data_window": data,
        "display_window": display or data,
        "codec": "exr/zips",
        "pixel_format": "half",
        "bits": 16,
        "colour": "lin_rec709",
    }
    return png_plate(data.width, data.height, frames, **own | changes)


class Painted:
    """What every painted plate has beside its `read`."""

    info: PlateInfo

    def digest(self, number: int) -> str:
        """A frame's digest: it never changes."""
        return f"{number}"

    def close(self) -> None:
        """Nothing is open."""
