"""Wide strands (threads, ropes, stems, rims) as quadrilaterals, painted in order, supersampled."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from model.training.mattes.base import Array, Floats, over
from model.training.mattes.strands import Strands, across, rasterise

_SHIFT = 4
_SCALE = 4
_FINE = 2.2  # px: strands nowhere wider than this go to the fine rasteriser


class Painted(NamedTuple):
    """Coverage S × S in [0, 1] and, if colours were given, straight RGB S × S × 3."""

    coverage: Array
    colour: Array | None


def ribbons(points: Floats, widths: Floats, size: int) -> Array:
    """Coverage S × S of opaque strands of any width; fine ones go to `rasterise`.

    Args:
        points: N × P × 2, px.
        widths: N × P, px.
        size: S, px.
    """
    fine = widths.max(axis=1, initial=0.0) < _FINE
    n = int(fine.sum())
    thin = Strands(
        points=points[fine].astype(np.float32),
        widths=widths[fine].astype(np.float32),
        opacity=np.ones(n, np.float32),
        values=np.zeros((n, 0), np.float32),
    )
    drawn = rasterise(thin, size, size).coverage
    return over(drawn, paint(points[~fine], widths[~fine], size).coverage)


def paint(points: Floats, widths: Floats, size: int, colours: Floats | None = None) -> Painted:
    """Strands painted one over the other, the last on top.

    Args:
        points: N × P × 2, px.
        widths: N × P, px.
        size: S, px.
        colours: N × P × 3 RGB in [0, 1] along the strands, or None.
    """
    quads = _quads(points, widths)
    side = size * _SCALE
    cover = np.zeros((side, side), np.uint8)
    canvas = np.zeros((side, side, 3), np.uint8) if colours is not None else None
    shades = None if colours is None else np.rint(colours * 255).astype(np.int64).tolist()
    for i, strand in enumerate(quads):
        for j, quad in enumerate(strand):
            cv2.fillConvexPoly(cover, quad, (255,), shift=_SHIFT)
            if canvas is not None and shades is not None:
                cv2.fillConvexPoly(canvas, quad, shades[i][j], shift=_SHIFT)
    coverage = cv2.resize(cover, (size, size), interpolation=cv2.INTER_AREA) / np.float32(255)
    if canvas is None:
        return Painted(np.asarray(coverage, np.float32), None)
    # Nothing was painted outside `cover`, so the canvas is premultiplied by it already.
    colour = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA) / np.float32(255)
    straight = colour / np.maximum(coverage, 1e-3)[..., None]
    return Painted(np.asarray(coverage, np.float32), np.clip(straight, 0, 1).astype(np.float32))


def _quads(points: Floats, widths: Floats) -> list[list[NDArray[np.int32]]]:
    """Fixed-point corners of every strand's pieces; neighbours share an edge."""
    if points.shape[0] == 0:
        return []
    # OpenCV fills the pixels on a polygon's border as well: half a sub-pixel on either side.
    half = np.maximum(0.5 * widths - 0.5 / _SCALE, 0.02)[..., None]
    side = across(points) * half
    left = np.rint(((points + side + 0.5) * _SCALE - 0.5) * 2**_SHIFT).astype(np.int32)
    right = np.rint(((points - side + 0.5) * _SCALE - 0.5) * 2**_SHIFT).astype(np.int32)
    corners = np.stack((left[:, :-1], left[:, 1:], right[:, 1:], right[:, :-1]), axis=2)
    return [list(strand) for strand in corners]
