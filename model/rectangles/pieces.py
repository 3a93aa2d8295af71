"""Rectangles of a frame as tensors; beyond the frame's edge its border is repeated."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from model.rectangles.regions import CELL, Rectangle
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray

LABELS = np.array([BACKGROUND, UNKNOWN, FOREGROUND], np.uint8)
"""A trimap's values, in the order of the network's classes."""

_Scalar = TypeVar("_Scalar", bound=np.generic)


def padded_side(side: int) -> int:
    """The next multiple of `CELL`: what the network takes."""
    return -(-side // CELL) * CELL


def piece(pixels: npt.NDArray[_Scalar], where: Rectangle) -> npt.NDArray[_Scalar]:
    """The pixels of a rectangle, `h × w` or `h × w × C`."""
    rows, columns = where.slices
    return pad_edge(pixels[rows, columns], where)


def pad_edge(part: npt.NDArray[_Scalar], where: Rectangle) -> npt.NDArray[_Scalar]:
    """A rectangle's pixels as far as the frame has them, made whole."""
    missing = (
        where.bottom - where.top - part.shape[0],
        where.right - where.left - part.shape[1],
    )
    if not any(missing):
        return np.ascontiguousarray(part)
    return np.pad(
        part, ((0, missing[0]), (0, missing[1]), *((0, 0),) * (part.ndim - 2)), mode="edge"
    )


def as_picture(pixels: FloatArray, device: torch.device) -> Tensor:
    """`h × w × 3` → 1 × 3 × h × w."""
    # As it lies, `h × w × 3` is a channels-last tensor. Torch wants what may be written.
    planes = _uploaded(np.require(pixels, requirements=["C", "W"]), device).permute(2, 0, 1)[None]
    return planes.contiguous(memory_format=torch.channels_last)


def as_one_hot(labels: LabelArray, device: torch.device) -> Tensor:
    """`h × w` of 0, 128, 255 → 1 × 3 × h × w."""
    index = _uploaded(labels, device)[None, None]
    return torch.cat([(index == int(label)).float() for label in LABELS], dim=1)


def _uploaded(values: npt.NDArray[_Scalar], device: torch.device) -> Tensor:
    """To a GPU by way of pinned memory: the host goes on while it travels."""
    here = torch.from_numpy(values)
    if device.type != "cuda":
        return here.to(device)
    return here.pin_memory().to(device, non_blocking=True)
