"""Pictures that come with a plate: masks, trimaps, clean plates, painted overrides.

They are read as stored values (8 and 16 bit as 0 to 1, half and float as they are) and laid on the
plate's data window:

- A picture without windows of its own, as large as the plate's data window, lies on it.
- A picture whose display window is as large as the plate's lies on that one, by its own data
  window. Outside its data window it is empty, as in every compositor; under the plate's overscan,
  which it does not know, its edge goes on.
- Any other size is refused, nothing is ever scaled.

Every function takes the class of error to raise: one picture is a mask to one caller and a trimap
to the next, and the same damage is a `RequestError` before the work and a `FrameError` in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import OpenImageIO as oiio  # noqa: N813

from plugin.disk.inputs import held, place_of, regular, sum_of
from plugin.errors import AdaMatteError
from plugin.types import FloatArray, PlateInfo, Window

__all__ = [
    "PICTURE_SUFFIXES",
    "PictureHeader",
    "digest_of",
    "is_picture",
    "lay_on_plate",
    "read_channels",
    "read_header",
    "read_matte",
    "read_picture",
    "refuse_misfit",
]

PICTURE_SUFFIXES = frozenset({".png", ".tif", ".tiff", ".exr", ".jpg", ".jpeg", ".dpx"})
MAX_CHANNELS = 64
_REPAIR = "render it again"


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """What a picture's header says.

    Attributes:
        path: the file.
        data_window: the pixels that are stored.
        display_window: the picture's frame.
        channels: their names, in the file's order.
        alpha: index of the alpha channel; None where there is none.
    """

    path: Path
    data_window: Window
    display_window: Window
    channels: tuple[str, ...]
    alpha: int | None


def is_picture(path: str | Path) -> bool:
    """Whether the name is one of a still picture, rather than of a video."""
    return Path(path).suffix.lower() in PICTURE_SUFFIXES


def digest_of(path: Path, *, error: type[AdaMatteError]) -> str:
    """The sha256 of a file.

    Raises:
        error: it is missing, cannot be read, or no regular file.
        FrameError: the ledger has it with other bytes.
    """
    with _readable(path, error):
        return sum_of(path).sha256


@contextmanager
def _readable(path: Path, error: type[AdaMatteError]) -> Iterator[None]:
    """The system's refusals as the caller's."""
    _refuse_missing(path, error)
    try:
        yield
    except OSError as problem:
        raise _unreadable(path, problem.strerror or "not readable", error) from problem


def read_header(path: Path, *, error: type[AdaMatteError]) -> PictureHeader:
    """Sizes and channels, without decoding a pixel.

    Raises:
        error: the file is missing, no picture, deep, or holds more than 64 channels.
    """
    with _readable(path, error), regular(path) as handle:
        return _header(place_of(handle), path, error)


def _header(place: Path, path: Path, error: type[AdaMatteError]) -> PictureHeader:
    picture = _open(place, path, error)
    spec = picture.spec()
    picture.close()
    if spec.deep or spec.depth > 1 or not 0 < spec.nchannels <= MAX_CHANNELS:
        raise _unreadable(path, "not a flat picture", error)
    return PictureHeader(
        path,
        _window(spec.x, spec.y, spec.width, spec.height),
        _window(spec.full_x, spec.full_y, spec.full_width, spec.full_height),
        tuple(spec.channelnames),
        spec.alpha_channel if spec.alpha_channel >= 0 else None,
    )


def refuse_misfit(header: PictureHeader, info: PlateInfo, *, error: type[AdaMatteError]) -> None:
    """Check that a picture fits the plate.

    Raises:
        error: it has another size than the plate.
    """
    if _placed_window(header, info) is None:
        have, want = header.display_window, info.display_window
        raise error(
            f"{have.width} × {have.height} pixels, but the plate has {want.width} × {want.height}",
            where=header.path,
            fix="render it at the size of the plate",
        )
    stored = header.data_window
    if stored.width * stored.height > 4 * info.width * info.height + 4_000_000:
        raise error(
            f"a data window of {stored.width} × {stored.height} pixels",
            where=header.path,
            fix="crop it to the size of the plate",
        )


def read_channels(path: Path, info: PlateInfo, *, error: type[AdaMatteError]) -> FloatArray:
    """All channels on the plate's data window, `H × W × C` float32, as stored; finite.

    NaN is 0, infinities are the largest float16.

    Raises:
        error: the file is missing, damaged, or of another size.
    """
    return read_picture(path, info, error=error)[1]


def read_picture(
    path: Path, info: PlateInfo, *, error: type[AdaMatteError]
) -> tuple[PictureHeader, FloatArray]:
    """`read_channels`, and the header of the very same file.

    Raises:
        error: as `read_channels`.
    """
    return _read(path, info, lambda header: (0, len(header.channels)), error)


def read_matte(
    path: Path, info: PlateInfo, *, from_alpha: bool, error: type[AdaMatteError]
) -> FloatArray:
    """One channel on the plate's data window, `H × W` float32 within [0, 1].

    It is the alpha where `from_alpha` holds and the file has one, else the largest of the (first
    three) others: of a grey picture its grey, of a mask painted in one colour its shape.

    Raises:
        error: the file is missing, damaged, or of another size.
    """

    def picked(header: PictureHeader) -> tuple[int, int]:
        if from_alpha and header.alpha is not None:
            return header.alpha, header.alpha + 1
        colours = [i for i in range(len(header.channels)) if i != header.alpha]
        return (0, min(len(colours), 3)) if colours else (0, 1)

    values: FloatArray = _read(path, info, picked, error)[1].max(axis=2)
    return np.clip(values, 0, 1)


def lay_on_plate(
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


def _read(
    path: Path,
    info: PlateInfo,
    picked: Callable[[PictureHeader], tuple[int, int]],
    error: type[AdaMatteError],
) -> tuple[PictureHeader, FloatArray]:
    """The header, and the channels from the first that `picked` names by it up to the second."""
    with _readable(path, error), held(path) as file:
        header = _header(file.place, path, error)
        refuse_misfit(header, info, error=error)
        picture = _open(file.place, path, error)
        pixels = picture.read_image(0, 0, *picked(header), oiio.FLOAT)
        message = picture.geterror() if pixels is None else ""
        picture.close()
    if pixels is None:
        raise _unreadable(path, f"damaged ({_one_line(message)})", error)
    finite = np.nan_to_num(pixels.astype(np.float32, copy=False), posinf=65504, neginf=-65504)
    window = _placed_window(header, info)
    assert window is not None, "refuse_misfit has looked"  # noqa: S101
    if window == info.data_window:
        return header, np.ascontiguousarray(finite)
    return header, lay_on_plate(finite, window, info)


def _placed_window(header: PictureHeader, info: PlateInfo) -> Window | None:
    """The picture's data window in the plate's coordinates; None where it does not fit."""
    stored, frame = header.data_window, header.display_window
    if stored == frame and _size(stored) == _size(info.data_window):
        return info.data_window
    if _size(frame) != _size(info.display_window):
        return None
    right = info.display_window.x_min - frame.x_min
    down = info.display_window.y_min - frame.y_min
    return Window(
        stored.x_min + right, stored.y_min + down, stored.x_max + right, stored.y_max + down
    )


def _size(window: Window) -> tuple[int, int]:
    return window.width, window.height


def _window(x: int, y: int, width: int, height: int) -> Window:
    return Window(x, y, x + width - 1, y + height - 1)


def _open(place: Path, path: Path, error: type[AdaMatteError]) -> oiio.ImageInput:
    # Colours as they are stored: by default they come multiplied by alpha.
    straight = oiio.ImageSpec()
    straight["oiio:UnassociatedAlpha"] = 1
    picture: oiio.ImageInput | None = oiio.ImageInput.open(str(place), straight)
    if picture is None:
        raise _unreadable(path, f"not a picture ({_one_line(oiio.geterror())})", error)
    return picture


def _refuse_missing(path: Path, error: type[AdaMatteError]) -> None:
    if not path.is_file():
        raise error("no such file", where=path, fix="check the name")


def _one_line(message: str) -> str:
    return next((line.strip() for line in message.splitlines() if line.strip()), "no reason given")


def _unreadable(path: Path, what: str, error: type[AdaMatteError]) -> AdaMatteError:
    return error(what, where=path, fix=_REPAIR)
