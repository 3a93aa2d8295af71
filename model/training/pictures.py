"""Reading and writing the pictures of benchmarks: images, mattes and trimaps, 8 or 16 bit."""

import json
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from plugin.disk.atomic import made, write_whole
from plugin.errors import OutputError, RequestError, TrimapError
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray

_Picture = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


def decode(path: Path) -> _Picture:
    """A picture as it is stored: `H × W` or `H × W × C`, uint8 or uint16, colours as B, G, R.

    Raises:
        RequestError: the file is missing, or is no picture of 8 or 16 bits.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RequestError(
            f"cannot read the picture ({error.strerror})", where=path, fix="check the folder"
        ) from error
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if picture is None or picture.dtype not in (np.uint8, np.uint16):
        raise RequestError(
            "not a picture of 8 or 16 bits", where=path, fix="replace it with a whole PNG"
        )
    return cast(_Picture, picture)


def read_image(path: Path) -> FloatArray:
    """An image, `H × W × 3` float32 RGB within [0, 1]; grey is spread, an alpha channel dropped.

    Raises:
        RequestError: the file is missing or damaged.
    """
    picture = decode(path)
    if picture.ndim == 2:
        picture = picture[:, :, None]
    colours = picture[:, :, 2::-1] if picture.shape[2] >= 3 else picture[:, :, [0, 0, 0]]
    return np.ascontiguousarray(_to_unit(colours))


def read_alpha(path: Path) -> FloatArray:
    """A matte, `H × W` float32 within [0, 1]; the first channel, where it was stored as colour.

    Raises:
        RequestError: the file is missing or damaged.
    """
    return np.ascontiguousarray(_to_unit(_first_channel(decode(path))))


def read_trimap(path: Path) -> LabelArray:
    """A trimap, `H × W` uint8 of 0, 128 and 255.

    Raises:
        RequestError: the file is missing or damaged.
        TrimapError: it has other values than a trimap.
    """
    labels = _first_channel(decode(path))
    if labels.dtype != np.uint8 or not np.isin(labels, (BACKGROUND, UNKNOWN, FOREGROUND)).all():
        raise TrimapError(
            "values other than 0, 128 and 255", where=path, fix="store the trimap as 8-bit grey"
        )
    return np.ascontiguousarray(labels, dtype=np.uint8)


def to_bytes(unit: FloatArray) -> npt.NDArray[np.uint8]:
    """Values within [0, 1] as 8 bits, rounded to the nearest."""
    return np.asarray(np.rint(np.clip(unit, 0, 1) * np.float32(255)), dtype=np.uint8)


def write_png(path: Path, picture: npt.NDArray[np.uint8]) -> None:
    """Write an 8-bit picture (`H × W`, or `H × W × 3` RGB) whole or not at all.

    Raises:
        OutputError: the folder cannot be written.
    """
    stored = picture[:, :, ::-1] if picture.ndim == 3 else picture
    whole, data = cv2.imencode(".png", np.ascontiguousarray(stored))
    if not whole:
        raise OutputError("cannot encode a PNG", where=path, fix="report this")
    write_bytes(path, data.tobytes())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; its folder is made.

    Raises:
        OutputError: the folder cannot be written.
    """
    made(path.parent)
    write_whole(path, data, root=Path("/"))  # a link of that name is the user's own


def write_json(path: Path, told: object) -> None:
    """The value as JSON that people can read too; errors as of `write_bytes`."""
    write_bytes(path, (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())


def _first_channel(picture: _Picture) -> _Picture:
    return picture if picture.ndim == 2 else picture[:, :, 0]


def _to_unit(picture: _Picture) -> FloatArray:
    return (picture / np.float32(np.iinfo(picture.dtype).max)).astype(np.float32)
