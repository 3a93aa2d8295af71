"""Where a companion picture lies on its plate: by windows, by size, or scaled.

- A picture without windows of its own, as large as the plate's data window, lies on it. Where that
  window is as large as the display window and lies elsewhere, both would do: it is refused.
- A picture whose display window is as large as the plate's lies on that one, by its own data
  window. Outside its data window it is empty, as in every compositor; under the plate's overscan,
  which it does not know, its edge goes on.
- A matte of the plate's shape and another size, as networks give them, is scaled, if all of them
  are of that size. Any other size is refused.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from plugin.errors import PictureError
from plugin.plates.images.exr_layers import Part
from plugin.types import FloatArray, PlateInfo, Window

_LARGE = 64
"""Height of pictures that may be a whole pixel off their shape: networks like even sizes."""


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What a picture's header says.

    Attributes:
        path: the file.
        data_window: the pixels that are stored.
        display_window: the picture's frame.
        parts: the channels, part by part, in the file's order.
        full: the largest value of its integers; 1 for floats.
        windowed: its format knows windows.
        pages: how many pictures it holds.
    """

    path: Path
    data_window: Window
    display_window: Window
    parts: tuple[Part, ...]
    full: float = 255.0
    windowed: bool = False
    pages: int = 1

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of the first part's channels."""
        return self.parts[0].channels

    @property
    def alpha(self) -> int | None:
        """Index of the first part's alpha; None where there is none."""
        last = [name.rpartition(".")[2].lower() for name in self.channels]
        return next((last.index(name) for name in ("a", "alpha") if name in last), None)

    @property
    def grey(self) -> int:
        """Index of the channel that counts in a picture of labels."""
        return next((i for i in range(len(self.channels)) if i != self.alpha), 0)


def refuse_misfit(
    header: PictureHeader,
    info: PlateInfo,
    *,
    scaled: bool = False,
) -> None:
    """Check that a picture fits the plate.

    Args:
        header: the picture's.
        info: the plate.
        scaled: another size is accepted, if the shape is the plate's.

    Raises:
        PictureError: it has another size than the plate, or lies in either of two places.
    """
    have, data, display = header.display_window, info.data_window, info.display_window
    both = _size(data) == _size(display) and data != display
    if both and not header.windowed and _size(have) == _size(data):
        raise PictureError(
            f"it fits the plate's data window, at ({data.x_min}, {data.y_min}), and its display"
            f" window, at ({display.x_min}, {display.y_min})",
            where=header.path,
            fix="save it as EXR, with its windows",
        )
    if _placed_window(header, info) is None and not (scaled and _shaped(header, info)):
        raise PictureError(
            f"{have.width} × {have.height} pixels, but the plate has"
            f" {display.width} × {display.height}",
            where=header.path,
            fix="render it at the size of the plate",
        )
    stored = header.data_window
    if stored.width * stored.height > 4 * info.width * info.height + 4_000_000:
        raise PictureError(
            f"a data window of {stored.width} × {stored.height} pixels",
            where=header.path,
            fix="crop it to the size of the plate",
        )


def place_note(header: PictureHeader, info: PlateInfo) -> str:
    """Where a picture lies and whether it is scaled, where that was to be found out; else empty."""
    have = header.display_window
    if _placed_window(header, info) is None:
        target = _shaped(header, info) or info.display_window
        where = "display window" if target == info.display_window else "data window"
        return (
            f"{have.width} × {have.height} pixels, scaled to the plate's {where} of"
            f" {target.width} × {target.height}"
        )
    known = header.windowed and header.data_window == info.data_window
    exr_frame = header.windowed and _size(have) == _size(info.display_window)
    if info.data_window == info.display_window or known or exr_frame:
        return ""
    where = "data" if _size(have) == _size(info.data_window) else "display"
    return f"{have.width} × {have.height} pixels, laid on the plate's {where} window"


def laid(pixels: FloatArray, header: PictureHeader, info: PlateInfo) -> FloatArray:
    """A picture's pixels, `h × w × C`, on the plate's data window; `refuse_misfit` has looked."""
    window = _placed_window(header, info)
    if window is None:
        window = _shaped(header, info) or info.display_window
        pixels = _resized(pixels, window)
    if window == info.data_window:
        return np.ascontiguousarray(pixels)
    return _lay_on_plate(pixels, window, info)


def _resized(pixels: FloatArray, window: Window) -> FloatArray:
    smaller = window.width < pixels.shape[1]
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    found = cv2.resize(pixels, (window.width, window.height), interpolation=method)
    return np.asarray(found, np.float32).reshape(window.height, window.width, pixels.shape[2])


def _lay_on_plate(
    pixels: npt.NDArray[np.float32], stored: Window, info: PlateInfo
) -> npt.NDArray[np.float32]:
    """Lay `h × w × C` pixels, which cover `stored` of the plate, on the plate's data window."""
    data, display = info.data_window, info.display_window
    columns, inside_x = _source(
        (data.x_min, data.x_max), (stored.x_min, stored.x_max), (display.x_min, display.x_max)
    )
    rows, inside_y = _source(
        (data.y_min, data.y_max), (stored.y_min, stored.y_max), (display.y_min, display.y_max)
    )
    laid = pixels[rows[:, None], columns[None, :]]
    laid[~(inside_y[:, None] & inside_x[None, :])] = 0
    return np.ascontiguousarray(laid)


def _source(
    wanted: tuple[int, int], stored: tuple[int, int], display: tuple[int, int]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Where along one axis each wanted pixel comes from, and whether anything is stored there."""
    position = np.arange(wanted[0], wanted[1] + 1)
    known = (position >= stored[0]) & (position <= stored[1])
    position = np.where(known, position, np.clip(position, *display))
    inside = (position >= stored[0]) & (position <= stored[1])
    return np.clip(position, *stored) - stored[0], inside


def _shaped(header: PictureHeader, info: PlateInfo) -> Window | None:
    """The plate's window that a picture without windows has the shape of, as far as rounding."""
    have = header.display_window
    if header.data_window != have:
        return None
    near = 1.0 if have.height >= _LARGE else 0.5
    for window in (info.display_window, info.data_window):
        across = window.width * have.height / window.height
        down = window.height * have.width / window.width
        if abs(across - have.width) <= near and abs(down - have.height) <= near:
            return window
    return None


def _placed_window(header: PictureHeader, info: PlateInfo) -> Window | None:
    """The picture's data window in the plate's coordinates; None where it does not fit."""
    stored, frame = header.data_window, header.display_window
    if stored == frame and _size(stored) == _size(info.data_window):
        own = header.windowed and stored == info.display_window
        return stored if own else info.data_window
    if _size(frame) != _size(info.display_window):
        return None
    right = info.display_window.x_min - frame.x_min
    down = info.display_window.y_min - frame.y_min
    return Window(
        stored.x_min + right, stored.y_min + down, stored.x_max + right, stored.y_max + down
    )


def _size(window: Window) -> tuple[int, int]:
    return window.width, window.height
