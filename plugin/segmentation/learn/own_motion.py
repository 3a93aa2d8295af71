"""What moves by itself in a frame: otherwise than the scene does before the camera.

Whatever goes with a key's subject is the subject's, though the key does not show it: trousers below
a key's lower edge, an arm that was behind the back. Most of a frame is scene: what most of the
optical flow to the frame beside it has in common (affine, by RANSAC) is the camera's, the rest is
motion of one's own. Behind a cut, or where nothing agrees, it is not known.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from plugin.segmentation.track.motion import Picture, grid
from plugin.types import FloatArray

Seen = npt.NDArray[np.uint8]
"""A frame and its own motion, `h × w × 4`, as the network of a shot is shown it."""

_FAST = 0.006
"""Of the picture's longer side, a frame: motion of one's own that surely is one (tanh of it)."""

_CUT = 30.0
"""Codes by which frames differ in the mean, moved onto each other, that have a cut between them."""

_APART, _EVERY = 0.7, 8
"""How far, in pixels, flow of the scene may be from the camera's, and the grid it is asked on."""

_SCENE = 0.25
"""So much of the frame moves as the scene does at least, or nothing is known."""


def seen_beside(picture: Picture, beside: Picture | None) -> Seen:
    """A frame with a fourth channel: how much moves by itself, from the frame beside it.

    Args:
        picture: the frame.
        beside: the one before or after it, of the same size; None where there is none.
    """
    from model.segmenters.shot import FASTEST, UNKNOWN_MOTION

    apart = None if beside is None else _apart(picture, beside)
    if apart is None:
        motion = np.full(picture.shape[:2], UNKNOWN_MOTION, np.uint8)
    else:
        motion = np.rint(np.tanh(apart / (_FAST * max(apart.shape))) * FASTEST).astype(np.uint8)
    return np.dstack([picture, motion])


def _apart(picture: Picture, beside: Picture) -> FloatArray | None:
    """By how many pixels each moves otherwise than the scene, `h × w`; None where none agree."""
    one = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    other = np.asarray(cv2.cvtColor(beside, cv2.COLOR_RGB2GRAY), np.uint8)
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = np.asarray(method.calc(one, other, np.zeros((*one.shape, 2), np.float32)), np.float32)
    there = grid(*one.shape)
    x, y = np.moveaxis(there + flow, 2, 0)
    moved = cv2.remap(other, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if float(cv2.absdiff(moved, one).mean()) > _CUT:
        return None
    some = slice(_EVERY // 2, None, _EVERY)
    start = there[some, some].reshape(-1, 2)
    cv2.setRNGSeed(1)  # RANSAC draws; the result must not depend on what ran before
    found = cv2.estimateAffine2D(
        start,
        start + flow[some, some].reshape(-1, 2),
        method=cv2.RANSAC,
        ransacReprojThreshold=_APART,
        maxIters=500,
    )
    matrix: object = found[0]
    if not isinstance(matrix, np.ndarray) or float(np.mean(found[1])) < _SCENE:
        return None
    scene = cv2.transform(there, matrix.astype(np.float32)) - there
    return np.asarray(np.hypot(*np.moveaxis(flow - scene, 2, 0)), np.float32)
