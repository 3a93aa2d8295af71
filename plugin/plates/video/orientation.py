"""The display matrix of phones and cameras: quarter turns and mirrors, applied to the pixels."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, cast

import av
import numpy as np
from av.sidedata.sidedata import SideData, Type

from plugin.errors import PlateError
from plugin.types import FloatArray

_ONE = 1 << 16
_TOLERANCE = _ONE // 1000


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pixels are turned to be looked at.

    Attributes:
        transposed: rows become columns, first of all.
        mirror_x: columns are reversed after that.
        mirror_y: rows are reversed after that.
    """

    transposed: bool = False
    mirror_x: bool = False
    mirror_y: bool = False

    @classmethod
    def of(cls, frame: av.VideoFrame, where: object) -> Self:
        """Read a frame's display matrix (ISO/IEC 14496-12, 8.3.2): x' = ax + cy, y' = bx + dy.

        Raises:
            PlateError: the matrix turns by other than quarters, scales or shears.
        """
        # It says that it is a mapping, but only yields values.
        beside = cast("Iterable[SideData]", frame.side_data)
        matrix = next((data for data in beside if data.type is Type.DISPLAYMATRIX), None)
        if matrix is None:
            return cls()
        cells = np.frombuffer(bytes(matrix), "=i4")
        a, b, c, d = (_sign(int(cells[index])) for index in (0, 1, 3, 4))
        if a and d and (b, c) == (0, 0):
            return cls(mirror_x=a < 0, mirror_y=d < 0)
        if b and c and (a, d) == (0, 0):
            return cls(True, mirror_x=c < 0, mirror_y=b < 0)
        raise PlateError(
            "the display matrix is not a quarter turn or a mirror",
            where=where,
            fix="export the video without rotation metadata",
        )

    @property
    def note(self) -> str:
        """What is done, for people; empty when nothing is."""
        turns = {
            (False, True, True): "turned by 180°",
            (True, True, False): "turned by 90° clockwise",
            (True, False, True): "turned by 90° anticlockwise",
            (False, True, False): "mirrored left to right",
            (False, False, True): "mirrored top to bottom",
            (True, False, False): "transposed",
            (True, True, True): "transposed and turned by 180°",
        }
        key = (self.transposed, self.mirror_x, self.mirror_y)
        return f"{turns[key]}, as its display matrix asks" if key in turns else ""

    def apply(self, pixels: FloatArray) -> FloatArray:
        """The picture as it is looked at, C-contiguous. `H × W` or `H × W × 3`."""
        if self.transposed:
            pixels = pixels.swapaxes(0, 1)
        if self.mirror_x:
            pixels = pixels[:, ::-1]
        if self.mirror_y:
            pixels = pixels[::-1]
        return np.ascontiguousarray(pixels)


def _sign(cell: int) -> int | None:
    """-1, 0 or 1 of a 16.16 number; None for anything else."""
    for sign in (-1, 0, 1):
        if abs(cell - sign * _ONE) <= _TOLERANCE:
            return sign
    return None
