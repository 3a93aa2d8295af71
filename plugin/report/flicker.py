"""Flicker: how much of the matte changed that the plate's own motion does not explain.

With the optical flow from each frame to the one before, the matte before is carried along:

    flicker(t) = Σ |α(t) − carried α(t−1)| / Σ max(α(t), carried α(t−1))

0 is a matte that moves with the picture, 1 one that has nothing in common with the last. Pieces of
the matte that come, or go, with nothing near them in the other frame are told apart. Measured on
the report's small pictures; changes below what their compression adds are left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from plugin.report.figures import Box, densest
from plugin.types import FloatArray, LabelArray

Shares = tuple[float, float, float, float]
"""A box as shares of width and height: left, top, right, bottom."""

_NOISE = np.float32(6 / 255)
_LEAST_SUBJECT = 0.005
"""Share of the picture that a subject counts as at least: a speck that flickers is a speck."""

_LEAST_SIDE = 24
"""Below this the flow has nothing to hold on to, and stands still."""

_PIECE, _NOTHING = np.float32(0.3), np.float32(0.1)
"""Alpha from which a piece is one, and up to which there is none."""

_NEAR = 0.02
"""Of the longest side: what lies so near in the other frame is the same piece."""


@dataclass(frozen=True, slots=True)
class Change:
    """From one frame to the next.

    Attributes:
        value: `flicker`, 0 to 1.
        box: where it is thickest.
        come: of the pieces that were not there before, the share of the subject.
        gone: of the pieces that were, and are not any more.
        come_box: where what came is thickest.
        gone_box: where what went was.
    """

    value: float
    box: Shares | None
    come: float = 0.0
    gone: float = 0.0
    come_box: Shares | None = None
    gone_box: Shares | None = None


def change(before: Mapping[str, LabelArray], after: Mapping[str, LabelArray]) -> Change:
    """Compare two frames that follow each other.

    Args:
        before: tiles from `read_sprite`; the plate is left out of account where either has none.
        after: the same of the next frame, at the same size.
    """
    old, new = _alpha_of(before), _alpha_of(after)
    if "plate" in before and "plate" in after:
        old = _carried(old, before["plate"], after["plate"])
    gap = np.maximum(np.abs(new - old) - _NOISE, 0)
    subject = max(float(np.maximum(new, old).sum()), _LEAST_SUBJECT * new.size)
    come, gone = _pieces(new, old), _pieces(old, new)
    return Change(
        min(1.0, float(gap.sum()) / subject),
        _shares(densest(gap), gap.shape),
        float(come.sum()) / subject,
        float(gone.sum()) / subject,
        _shares(densest(come), gap.shape),
        _shares(densest(gone), gap.shape),
    )


def _alpha_of(tiles: Mapping[str, LabelArray]) -> FloatArray:
    return tiles["alpha"][..., 0].astype(np.float32) / np.float32(255)


def _pieces(here: FloatArray, there: FloatArray) -> FloatArray:
    """The parts of one matte that the other has nothing of, nor anything near."""
    reach = 2 * max(1, round(_NEAR * max(here.shape))) + 1
    taken = cv2.dilate((there > _NOTHING).astype(np.uint8), np.ones((reach, reach), np.uint8))
    count, part_of = cv2.connectedComponents((here > _PIECE).astype(np.uint8), connectivity=8)
    known = np.zeros(count, np.bool_)
    known[np.unique(part_of[taken > 0])] = True
    known[0] = True
    return np.ascontiguousarray(np.where(known[part_of], 0, here), np.float32)


def _carried(alpha: FloatArray, before: LabelArray, after: LabelArray) -> FloatArray:
    height, width = alpha.shape
    if min(height, width) < _LEAST_SIDE:
        return alpha
    one, other = (cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (after, before))
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = method.calc(one, other, np.zeros((height, width, 2), np.float32))
    down, right = np.mgrid[0:height, 0:width].astype(np.float32)
    where = right + flow[..., 0], down + flow[..., 1]
    moved = cv2.remap(alpha, *where, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _shares(box: Box | None, shape: tuple[int, ...]) -> Shares | None:
    if box is None:
        return None
    height, width = shape[:2]
    return box.left / width, box.top / height, box.right / width, box.bottom / height
