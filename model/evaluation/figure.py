"""A picture to look at: image, trimap, adapted trimap, alpha and truth, an image a row."""

from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from model.training.pictures import to_bytes, write_png
from plugin.types import FloatArray, LabelArray

_WIDTH: Final = 320
_GAP: Final = 4


class Figure:
    """Collects rows up to a number, then is written.

    Args:
        rows: images beyond that many are left out.
    """

    def __init__(self, rows: int = 10) -> None:
        self.rows = rows
        self._strips: list[npt.NDArray[np.uint8]] = []

    def add(
        self,
        image: FloatArray,
        trimap: LabelArray,
        adapted: LabelArray,
        alpha: FloatArray,
        truth: FloatArray,
    ) -> None:
        """One image: `H × W × 3` in [0, 1], two trimaps of 0, 128, 255, two mattes in [0, 1]."""
        if len(self._strips) >= self.rows:
            return
        panels = [to_bytes(image)] + [
            np.repeat(grey[..., None], 3, axis=2)
            for grey in (trimap, adapted, to_bytes(alpha), to_bytes(truth))
        ]
        height = round(image.shape[0] * _WIDTH / image.shape[1])
        size = (_WIDTH, min(height, 2 * _WIDTH))
        small = [cv2.resize(panel, size, interpolation=cv2.INTER_AREA) for panel in panels]
        spaced = [np.pad(p, ((0, _GAP), (0, _GAP), (0, 0)), constant_values=90) for p in small]
        self._strips.append(np.asarray(np.concatenate(spaced, axis=1), np.uint8))

    def write(self, path: Path) -> None:
        """As an 8-bit PNG, rows below each other; nothing where nothing was added.

        Raises:
            OutputError: the file cannot be written.
        """
        if self._strips:
            write_png(path, np.concatenate(self._strips))
