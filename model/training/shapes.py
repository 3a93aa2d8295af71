"""Plain shapes with edges one to three pixels wide: bodies, limbs, cloth, things with corners."""

import math

import torch
import torch.nn.functional as nnf
from torch import Tensor

from model.training.draw import Draw

_SIDES = 5


def hard_shapes(draw: Draw, size: int) -> Tensor:
    """A shape for each sample: half of them blobs, half polygons with bent sides.

    Both are signed distances in pixels, cut off at half the width of the edge, which is what a
    sensor makes of an edge in focus.

    Returns:
        N × 1 × size × size, 0 to 1.
    """
    fine, level, bend, width = draw.between(
        (0, 0.3), (-0.3, 0.3), (0, 0.08 * size), (0, math.log(2.5)), each=(1, 1, 1)
    )
    slow = draw.noise(size, 4)
    field = torch.addcmul(slow + level, draw.noise(size, 10), fine)
    blob = field / _slope(field).clamp_min(0.4 / size)
    corners = torch.addcmul(_polygon(draw, size), slow, bend)
    distance = torch.where(draw.chance(0.5, each=(1, 1, 1))[0], blob, corners)
    return (distance / width.exp() + 0.5).clamp_(0, 1)


def _slope(field: Tensor) -> Tensor:
    """Length of the gradient, a pixel."""
    padded = nnf.pad(field, (1, 1, 1, 1), mode="replicate")
    across = padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]
    down = padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]
    return torch.hypot(across, down) / 2


def _polygon(draw: Draw, size: int) -> Tensor:
    """Signed distance, pixels, to a convex polygon about a point near the middle.

    Long and thin ones are among them, like limbs and poles.
    """
    axis = torch.arange(size, device=draw.device, dtype=torch.float32) - (size - 1) / 2
    start, x, y = draw.between((0, 2 * math.pi), *[(-0.3 * size, 0.3 * size)] * 2, each=(1, 1, 1))
    corner = 2 * math.pi / _SIDES
    turns = draw.between(
        *[((i - 0.3) * corner, (i + 0.3) * corner) for i in range(_SIDES)], each=(1, 1)
    )
    reach = draw.between(*[(math.log(0.07 * size), math.log(0.7 * size))] * _SIDES, each=(1, 1))
    turn = torch.stack(turns, dim=1) + start
    # Sums of products, not a matrix product: that may be cut to ten bits on a GPU.
    inside = torch.addcmul(torch.stack(reach, dim=1).exp(), turn.cos(), x - axis)
    inside = torch.addcmul(inside, turn.sin(), y - axis.view(-1, 1))
    return inside.amin(dim=1, keepdim=True)
