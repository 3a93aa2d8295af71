"""Decoding one image file."""

from pathlib import Path

import cv2
import numpy as np
import OpenEXR  # type: ignore[import-not-found]
from OpenImageIO import ImageInput

from plugin.errors import FrameError
from plugin.image.halves import as_floats
from plugin.plates.images import exr_luma_chroma
from plugin.plates.images.header import ImageHeader, complaint, plain_reason
from plugin.types import FloatArray

LARGEST = np.float32(65504.0)
"""What an infinity becomes: the largest number of a half float."""

_STORED = {"half": np.float16, "float": np.float32}


def decode(header: ImageHeader, image: ImageInput | None, path: Path, named: Path) -> FloatArray:
    """The plate's channels, `H × W × 3` float32: integers over their largest value, floats as is.

    Args:
        header: of the file.
        image: the open file, both from `reading`.
        path: a name under which it may be opened.
        named: how it is called in errors.

    Raises:
        FrameError: any part of the picture is missing or damaged.
    """
    channels = header.picture.rgb
    if image is None:
        return _luma_chroma(path, named)
    planes = _exr_planes(header, image, path) if header.reader == "openexr" else None
    if planes is not None:
        return planes
    pixels = _read(header, image, [c for c in channels if c >= 0], path, named)
    if len(channels) == 1:
        return np.repeat(pixels, 3, axis=2)
    if -1 not in channels:
        return pixels
    rgb = np.zeros((*pixels.shape[:2], 3), np.float32)
    rgb[:, :, [place for place, c in enumerate(channels) if c >= 0]] = pixels
    return rgb


def decode_alpha(
    header: ImageHeader, image: ImageInput | None, path: Path, named: Path
) -> FloatArray | None:
    """The picture's own alpha, `H × W` float32 within [0, 1]; None where it has none.

    Arguments and errors as of `decode`.
    """
    if header.picture.alpha is None or image is None:
        return None
    alpha = _read(header, image, [header.picture.alpha], path, named)[:, :, 0]
    alpha = np.nan_to_num(alpha, nan=0.0, posinf=1.0, neginf=0.0)
    return np.clip(alpha, 0, 1, out=alpha)


def _exr_planes(header: ImageHeader, image: ImageInput, path: Path) -> FloatArray | None:
    """Red, green and blue by OpenEXR itself, which takes half as long for the same values.

    None for whatever is not three full channels of halves or floats in the first part, and for what
    it cannot read: OpenImageIO knows more kinds, and says what is wrong with a file.
    """
    picture, spec = header.picture, image.spec(header.picture.part, 0)
    if picture.part or len(set(picture.rgb)) != 3 or min(picture.rgb) < 0:
        return None
    stored = [_STORED.get(str(spec.channelformat(channel))) for channel in picture.rgb]
    if None in stored:
        return None
    try:
        file = OpenEXR.InputFile(str(path))  # its `header()` does not survive damage
        planes = file.channels([spec.channelnames[channel] for channel in picture.rgb])
        file.close()
        floats = [
            as_floats(np.frombuffer(plane, kind).reshape(spec.height, spec.width))
            for plane, kind in zip(planes, stored, strict=True)
        ]
    except Exception:  # whatever it was, the other library tells it
        return None
    return np.asarray(cv2.merge(floats), np.float32)


def _luma_chroma(path: Path, named: Path) -> FloatArray:
    found = exr_luma_chroma.read(path)
    if found is None:
        raise _damaged("some of its lines are missing or corrupted", named)
    return found


def _damaged(why: str, path: Path) -> FrameError:
    return FrameError(f"the image is damaged: {why}", where=path, fix="render or copy it again")


def _read(
    header: ImageHeader, image: ImageInput, channels: list[int], path: Path, named: Path
) -> FloatArray:
    first, last = min(channels), max(channels)
    try:
        pixels = image.read_image(header.picture.part, 0, first, last + 1, "float")
    except MemoryError as error:
        raise _damaged("its size does not fit into memory", named) from error
    # A cut JPEG comes back with grey below the cut, and a message: only silence means whole.
    message = complaint(image.geterror)
    if pixels is None or message:
        raise _damaged(plain_reason(message, path) or "no pixels", named)
    chosen = [channel - first for channel in channels]
    if chosen != list(range(pixels.shape[2])):
        pixels = pixels[:, :, chosen]
    return np.ascontiguousarray(pixels, dtype=np.float32)


def make_finite(rgb: FloatArray) -> int:
    """Set NaN to 0 and infinities to ±`LARGEST`, in place.

    Returns:
        How many pixels had one.
    """
    wrong = ~np.isfinite(rgb)
    if not wrong.any():
        return 0
    count = int(wrong.any(axis=2).sum())
    np.nan_to_num(rgb, copy=False, nan=0.0, posinf=float(LARGEST), neginf=-float(LARGEST))
    return count
