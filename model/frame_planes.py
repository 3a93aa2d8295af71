"""The colour planes of a frame, where its unknown pixels need them.

They come from boxes that depend on the trimap alone, so that however the network's own work is cut
up, it reads the same planes: the matting Laplacian ties pixels together over any distance.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from model.colour_planes import colour_planes
from model.pieces import as_one_hot, as_picture, padded_side, piece
from model.regions import Rectangle, apart
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray

__all__ = ["FramePlanes"]

_MARGIN = 96  # known colours around what is unknown; at least what the network sees of it


class FramePlanes:
    """Computed at once, read by rectangle.

    Args:
        image: `H × W × 3` float32 within [0, 1].
        trimap: `H × W` uint8 of 0, 128, 255.
        device: where to compute and keep them.
    """

    def __init__(self, image: FloatArray, trimap: LabelArray, device: torch.device) -> None:
        height, width = (padded_side(side) for side in trimap.shape)
        unknown = np.zeros((height, width), np.bool_)
        unknown[: trimap.shape[0], : trimap.shape[1]] = trimap == UNKNOWN
        boxes = apart(unknown, margin=_MARGIN)
        if not all(_knows_both(trimap, box) for box in boxes):
            boxes = [Rectangle(0, 0, height, width)]  # the colours are elsewhere in the frame
        self.parts = [
            (
                box,
                colour_planes(
                    as_picture(piece(image, box), device), as_one_hot(piece(trimap, box), device)
                ),
            )
            for box in boxes
        ]

    def piece(self, where: Rectangle, image: Tensor, trimap: Tensor) -> Tensor:
        """The planes of a rectangle, 1 × 9 × h × w.

        Far from anything unknown: its own colour on both sides, its known alpha.

        Args:
            where: the rectangle.
            image: its pixels, 1 × 3 × h × w.
            trimap: its trimap, 1 × 3 × h × w, one-hot.
        """
        alpha = trimap[:, 2:]
        out = torch.cat((image, image, alpha, torch.zeros_like(alpha), alpha), dim=1)
        for box, planes in self.parts:
            if not where.overlaps(box):
                continue
            top, left = max(where.top, box.top), max(where.left, box.left)
            bottom, right = min(where.bottom, box.bottom), min(where.right, box.right)
            out[
                ..., top - where.top : bottom - where.top, left - where.left : right - where.left
            ] = planes[..., top - box.top : bottom - box.top, left - box.left : right - box.left]
        return out


def _knows_both(trimap: LabelArray, box: Rectangle) -> bool:
    inside = trimap[box.slices]
    return bool((inside == BACKGROUND).any() and (inside == FOREGROUND).any())
