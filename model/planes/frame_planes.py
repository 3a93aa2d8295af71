"""The colour planes of a frame, where its unknown pixels need them.

They come from boxes that depend on the trimap alone, so that however the network's own work is cut
up, it reads the same planes: the matting Laplacian ties pixels together over any distance.
"""

import numpy as np
import torch
from torch import Tensor

from model.planes.active_blocks import BLOCK, ActiveBlocks
from model.planes.colour_planes import known_planes, planes_in_blocks
from model.planes.dense_planes import dense_planes
from model.rectangles.pieces import LABELS, as_one_hot, as_picture, padded_side, piece
from model.rectangles.regions import Rectangle, apart
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray

_MARGIN = 96  # known colours around what is unknown; at least what the network sees of it

_CLASSES = np.zeros(256, np.uint8)
_CLASSES[LABELS] = range(len(LABELS))


class FramePlanes:
    """Computed at once, read by rectangle.

    Args:
        image: `H × W × 3` float32 within [0, 1].
        trimap: `H × W` uint8 of 0, 128, 255.
        device: where to compute and keep them.
        dense: whole boxes, not blocks; None is so on devices other than a CPU.
    """

    def __init__(
        self,
        image: FloatArray,
        trimap: LabelArray,
        device: torch.device,
        *,
        dense: bool | None = None,
    ) -> None:
        height, width = (padded_side(side) for side in trimap.shape)
        unknown = np.zeros((height, width), np.bool_)
        unknown[: trimap.shape[0], : trimap.shape[1]] = trimap == UNKNOWN
        boxes = apart(unknown, margin=_MARGIN)
        if not all(_knows_both(trimap, box) for box in boxes):
            boxes = [Rectangle(0, 0, height, width)]  # the colours are elsewhere in the frame
        self._parts: list[tuple[ActiveBlocks, Tensor]] = []
        self._wholes: list[tuple[Rectangle, Tensor]] = []
        for box in boxes:
            if device.type != "cpu" if dense is None else dense:
                picture = as_picture(piece(image, box), device).contiguous()
                one_hot = as_one_hot(piece(trimap, box), device)
                self._wholes.append((box, dense_planes(picture, one_hot)))
                continue
            classes = torch.from_numpy(_CLASSES[piece(trimap, box)]).to(device)[None, None]
            blocks, values = planes_in_blocks(as_picture(piece(image, box), device), classes)
            self._parts.append((blocks.moved(box.top // BLOCK, box.left // BLOCK), values))

    def piece(self, where: Rectangle, image: Tensor, trimap: Tensor) -> Tensor:
        """The planes of a rectangle, 1 × 10 × h × w.

        Args:
            where: the rectangle; its sides lie at multiples of `CELL`.
            image: its pixels, 1 × 3 × h × w.
            trimap: its trimap, 1 × 3 × h × w, one-hot.
        """
        out = known_planes(image, trimap[:, 2:]).contiguous()
        for blocks, values in self._parts:
            chosen, inside = blocks.within(
                *(side // BLOCK for side in (where.top, where.left, where.bottom, where.right))
            )
            inside.put(values[chosen], out)
        for box, values in self._wholes:
            if box.overlaps(where):
                both = box.within(where)
                there = values[..., *both.moved(-box.top, -box.left).slices]
                out[..., *both.moved(-where.top, -where.left).slices] = there
        return out


def _knows_both(trimap: LabelArray, box: Rectangle) -> bool:
    inside = trimap[box.slices]
    return bool((inside == BACKGROUND).any() and (inside == FOREGROUND).any())
