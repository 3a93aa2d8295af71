"""What a worker notes of a frame for the report, while it has the arrays in hand."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from plugin.types import UNKNOWN, FloatArray, LabelArray, Mask

_CELLS = 48
"""Cells of the picture's longest side in which `densest` looks."""

_DENSE = 0.3
"""A cell counts as dense from this share of the densest one's weight on."""

_SIDES = ("left", "top", "right", "bottom")


@dataclass(frozen=True, slots=True)
class Box:
    """Where to look: pixels of the plate's data window, right and bottom excluded."""

    left: int
    top: int
    right: int
    bottom: int


def frame_figures(
    labels: LabelArray,
    adapted: LabelArray,
    alpha: FloatArray,
    *,
    area: tuple[slice, slice] | None = None,
) -> dict[str, float]:
    """Figures of one frame, for `FrameResult.statistics`.

    Args:
        labels: `h × w`, the trimap that went in.
        adapted: `h × w`, the adapted trimap.
        alpha: `h × w`, as stored.
        area: rows and columns of the plate's data window that the three show; None is all.

    Returns:
        Shares of pixels: `unknown`, `adapted_unknown`, `overruled` (T̂ contradicts a definite
        label), `coverage` (mean alpha); `centre` of alpha from the left, and where what was
        overruled lies thickest, `overruled_left`, … in pixels of the plate's data window.
    """
    definite = labels != UNKNOWN
    overruled = definite & (adapted != labels)
    found = {
        "unknown": _share(~definite),
        "adapted_unknown": _share(adapted == UNKNOWN),
        "overruled": _share(overruled),
        "coverage": float(alpha.mean(dtype=np.float64)),
    }
    x, y = (0, 0) if area is None else (area[1].start or 0, area[0].start or 0)
    if found["coverage"] > 0:
        columns = alpha.sum(axis=0, dtype=np.float64)
        found["centre"] = float((columns * (np.arange(len(columns)) + x + 0.5)).sum()) / float(
            columns.sum()
        )
    box = densest(overruled.astype(np.float32)) if found["overruled"] > 0 else None
    if box is not None:
        found |= noted("overruled", Box(box.left + x, box.top + y, box.right + x, box.bottom + y))
    return found


def mask_figures(mask: Mask | None) -> dict[str, float]:
    """Figures of a frame's mask: `confidence`, and `held`, the frame whose mask it is."""
    if mask is None:
        return {}
    held = {} if mask.held is None else {"held": float(mask.held)}
    return {"confidence": float(mask.confidence), **held}


def noted(name: str, box: Box) -> dict[str, float]:
    """A box as figures, `<name>_left` and so on."""
    corners = (box.left, box.top, box.right, box.bottom)
    return {f"{name}_{side}": float(at) for side, at in zip(_SIDES, corners, strict=True)}


def box_of(statistics: Mapping[str, float], name: str) -> Box | None:
    """The box that `noted` wrote; None where there is none."""
    sides = [statistics.get(f"{name}_{side}") for side in _SIDES]
    known = [round(side) for side in sides if side is not None]
    return Box(*known) if len(known) == len(_SIDES) else None


def densest(weight: FloatArray) -> Box | None:
    """The box of the connected part of a picture that holds most of its weight.

    An edge that is off by a pixel all around a subject weighs little anywhere; a missing hand
    weighs much in one place.

    Args:
        weight: `H × W` float32, 0 and up.

    Returns:
        The box; None where nothing weighs anything.
    """
    height, width = weight.shape
    cell = max(1.0, max(height, width) / _CELLS)
    size = (max(1, round(width / cell)), max(1, round(height / cell)))
    grid = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    if not grid.max() > 0:
        return None
    dense = (grid >= _DENSE * grid.max()).astype(np.uint8)
    _, part_of, _, _ = cv2.connectedComponentsWithStats(dense, connectivity=8)
    heavy = np.bincount(part_of.ravel(), weights=grid.ravel())
    heavy[0] = 0
    rows, columns = np.nonzero(part_of == int(heavy.argmax()))
    across, down = width / size[0], height / size[1]
    return Box(
        int(columns.min() * across),
        int(rows.min() * down),
        min(width, int(np.ceil((columns.max() + 1) * across))),
        min(height, int(np.ceil((rows.max() + 1) * down))),
    )


def _share(where: npt.NDArray[np.bool_]) -> float:
    return float(np.count_nonzero(where)) / max(1, where.size)
