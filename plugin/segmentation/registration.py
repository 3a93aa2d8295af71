"""Bringing two pictures of one place together: a small shift, and a change of exposure."""

from __future__ import annotations

import cv2
import numpy as np

from plugin.types import FloatArray

__all__ = ["expose", "shift"]

_WIDTH = 512
_FARTHEST = 0.03
"""Largest shift that is looked for, as a share of the frame's width."""

_LEAST = 0.15
"""A shift under this many pixels is left alone: moving a picture softens it."""


def shift(clean: FloatArray, rgb: FloatArray) -> FloatArray:
    """`clean` moved by the shake between it and `rgb`, where that brings the two closer.

    Phase correlation of their edges finds one translation, at most 3 % of the width; borders that
    it uncovers go on.
    """
    height, width = rgb.shape[:2]
    scale = min(1.0, _WIDTH / width)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    one, other = _edges(clean, size), _edges(rgb, size)
    (right, down), _ = cv2.phaseCorrelate(one, other, cv2.createHanningWindow(size, cv2.CV_32F))
    right, down = right / scale, down / scale
    if max(abs(right), abs(down)) < _LEAST or max(abs(right), abs(down)) > _FARTHEST * width:
        return clean
    move = np.array([[1, 0, right], [0, 1, down]], np.float64)
    warped = cv2.warpAffine(
        clean, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    moved = np.asarray(warped, np.float32)
    return moved if _apart(moved, rgb) < 0.98 * _apart(clean, rgb) else clean


def expose(clean: FloatArray, rgb: FloatArray) -> FloatArray:
    """`clean` with each channel scaled to the exposure of `rgb`, by what most of the frame says."""
    matched = clean
    for _ in range(2):
        near = np.abs(rgb - matched).max(axis=2) < (1.0 if matched is clean else 0.1)
        near &= (clean.min(axis=2) > 0.04) & (rgb.max(axis=2) < 0.98)
        if np.count_nonzero(near) < 100:
            break
        gain = np.median(rgb[near] / clean[near], axis=0).astype(np.float32)
        matched = np.asarray(clean * gain, np.float32)
    return matched


def _edges(rgb: FloatArray, size: tuple[int, int]) -> FloatArray:
    grey = cv2.resize(rgb.mean(axis=2), size, interpolation=cv2.INTER_AREA)
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.asarray(np.minimum(np.hypot(across, down), 0.5), np.float32)


def _apart(one: FloatArray, other: FloatArray) -> float:
    """Middle difference of two pictures where there are edges, which is where a shift shows."""
    grey = one.mean(axis=2)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    strong = edges >= np.percentile(edges, 80)
    return float(np.median(np.abs(one - other).max(axis=2)[strong]))
