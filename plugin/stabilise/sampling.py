"""Samples of a picture: where they lie, and what stands there."""

import cv2
import numpy as np

from plugin.image.halves import as_floats
from plugin.image.regions import Box
from plugin.types import FloatArray, Stored


def places(rows: slice, columns: slice) -> tuple[FloatArray, FloatArray]:
    """Column and row of each sample."""
    down, across = (np.arange(s.start, s.stop, s.step or 1) for s in (rows, columns))
    x, y = np.meshgrid(across.astype(np.float32), down.astype(np.float32))
    return x, y


def read(image: np.ndarray, x: FloatArray, y: FloatArray) -> FloatArray:
    """What stands at places, between pixels linearly."""
    found = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32)


def read_part(image: Stored, x: FloatArray, y: FloatArray) -> FloatArray:
    """`read`, of the part that is looked at alone: `remap` does not know halves."""
    rows, columns = (_span(at, size) for at, size in zip((y, x), image.shape, strict=True))
    part = as_floats(image[rows, columns])
    return read(part, x - np.float32(columns.start), y - np.float32(rows.start))


def _span(places: FloatArray, size: int) -> slice:
    """The pixels between which places lie, one at least."""
    first = min(max(int(np.floor(places.min())), 0), size - 1)
    return slice(first, max(min(int(np.floor(places.max())) + 2, size), first + 1))


def as_unit(picture: np.ndarray) -> FloatArray:
    """Bytes as 0 to 1."""
    return np.asarray(picture, np.float32) / np.float32(255)


def common(wide: slice, box: slice) -> slice:
    """The samples of the one that lie in the other."""
    first = max(wide.start, wide.start + -(-(box.start - wide.start) // wide.step) * wide.step)
    return slice(first, min(wide.stop, box.stop), wide.step)


def samples(span: slice) -> int:
    """How many a span has."""
    return len(range(span.start, span.stop, span.step or 1))


def part_of(span: slice, wide: slice) -> slice:
    """Where the samples of a part are among those of the whole."""
    start = (span.start - wide.start) // (wide.step or 1)
    return slice(start, start + samples(span))


def placed(values: FloatArray, place: Box, shape: tuple[int, int]) -> FloatArray:
    """Values in their place of a larger array of zeros."""
    if values.shape[:2] == shape:
        return values
    whole = np.zeros((*shape, *values.shape[2:]), np.float32)
    whole[place] = values
    return whole
