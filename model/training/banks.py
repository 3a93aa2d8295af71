"""Banks: foregrounds, procedural mattes and photographs as uint8 tensors, ready for a device.

Decoding and resizing are done once (`pack`) and kept in one `.safetensors` file; a training run
reads that file and moves it to its device, where every batch is composed from it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.evaluation.compositions import clean_alpha
from model.planes.colour_planes import spread_colour
from model.training.data_split import is_held_out
from model.training.mattes import render_bank
from plugin.errors import ShotError
from plugin.types import FloatArray, LabelArray

__all__ = ["Banks", "load", "pack"]

_POINTS = 128
_MIXED = (8, 247)  # codes of alpha between which a pixel is mixed enough to centre a crop on


@dataclass(frozen=True, slots=True)
class Banks:
    """All source pictures of a training run, on one device; S is their common size.

    Attributes:
        cutouts: C × 4 × S × S uint8, straight RGB (spread under the transparent part) and alpha.
        cutout_points: C × 128 × 2 int16, (x, y) of random mixed pixels.
        mattes: M × 1 × S × S uint8, procedural alphas.
        colours: M × 3 × S × S uint8, their own colours where `coloured` says so.
        coloured: M bool.
        matte_points: M × 128 × 2 int16.
        photos: P × 3 × S × S uint8.
    """

    cutouts: Tensor
    cutout_points: Tensor
    mattes: Tensor
    colours: Tensor
    coloured: Tensor
    matte_points: Tensor
    photos: Tensor

    def to(self, device: torch.device) -> Banks:
        """The same banks on another device."""
        return Banks(*(getattr(self, field.name).to(device) for field in fields(self)))


def load(path: Path) -> Banks:
    """Read what `pack` wrote."""
    return Banks(**load_file(path))


def pack(data: Path, path: Path, *, size: int = 512, mattes: int = 1500, seed: int = 0) -> None:
    """Read `data/fg/*.webp` and `data/photos/*.jpg`, render the mattes, write one file.

    Pictures that `is_held_out` names are left for the test set.

    Args:
        data: the training folder.
        path: the `.safetensors` file to write.
        size: S, in pixels.
        mattes: how many procedural mattes to render.
        seed: of the procedural mattes and of the points.

    Raises:
        ShotError: there are no pictures in `data`.
    """
    cutout_files = _training_files(data / "fg", "*.webp")
    photo_files = _training_files(data / "photos", "*.jpg")
    rng = np.random.default_rng(seed)
    cutouts = np.stack([_cutout(file, size) for file in cutout_files])
    rendered = render_bank(mattes, size, seed, workers=os.cpu_count() or 1)
    tensors = {
        "cutouts": _planar(cutouts),
        "cutout_points": _points(cutouts[..., 3], rng),
        "mattes": torch.from_numpy(rendered.alphas[:, None].copy()),
        "colours": _planar(rendered.colours),
        "coloured": torch.from_numpy(rendered.has_colour.copy()),
        "matte_points": _points(rendered.alphas, rng),
        "photos": _planar(np.stack([_photo(file, size) for file in photo_files])),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)


def _training_files(folder: Path, pattern: str) -> Sequence[Path]:
    files = [file for file in sorted(folder.glob(pattern)) if not is_held_out(file.name)]
    if not files:
        raise ShotError("no training pictures", where=folder, fix=f"put {pattern} files there")
    return files


def _planar(pictures: LabelArray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))


def _points(alphas: LabelArray, rng: np.random.Generator) -> Tensor:
    """Random mixed pixels of each alpha; random pixels of one that has none."""
    size = alphas.shape[-1]
    points = np.empty((len(alphas), _POINTS, 2), np.int16)
    for number, alpha in enumerate(alphas):
        ys, xs = np.nonzero((alpha > _MIXED[0]) & (alpha < _MIXED[1]))
        if len(xs) == 0:
            points[number] = rng.integers(0, size, (_POINTS, 2))
            continue
        chosen = rng.integers(0, len(xs), _POINTS)
        points[number] = np.stack((xs[chosen], ys[chosen]), axis=1)
    return torch.from_numpy(points)


def _cutout(file: Path, size: int) -> LabelArray:
    """One RGBA cut-out, `S × S × 4`, its colours spread under the transparent part.

    Encoders leave any colour under alpha 0; after a rotation or a blur of alpha it would show.
    """
    bgra = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    if bgra is None or bgra.ndim != 3 or bgra.shape[2] != 4:
        raise ShotError("not an RGBA picture", where=file, fix="remove it from the bank")
    height, width = bgra.shape[:2]
    scale = size / max(height, width)
    target = (max(1, round(width * scale)), max(1, round(height * scale)))
    straight = bgra.astype(np.float32) / 255
    straight[..., 3] = clean_alpha(np.asarray(bgra[..., 3], np.uint8))
    straight[..., :3] *= straight[..., 3:]
    resized = cv2.resize(
        straight, target, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    )
    canvas: FloatArray = np.zeros((size, size, 4), np.float32)
    top, left = (size - target[1]) // 2, (size - target[0]) // 2
    canvas[top : top + target[1], left : left + target[0]] = resized
    alpha = canvas[..., 3]
    straight_rgb = canvas[..., 2::-1] / np.maximum(alpha, np.float32(1 / 255))[..., None]
    weight = np.clip(alpha * 2 - 0.5, 0, 1).astype(np.float32)
    rgb = spread_colour(straight_rgb.astype(np.float32), weight)
    rgba = np.concatenate((rgb, alpha[..., None]), axis=2)
    out: LabelArray = np.round(np.clip(rgba, 0, 1) * 255).astype(np.uint8)
    return out


def _photo(file: Path, size: int) -> LabelArray:
    """The middle square of a photograph, `S × S × 3` RGB."""
    bgr = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ShotError("not a picture", where=file, fix="remove it from the bank")
    height, width = bgr.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = bgr[top : top + edge, left : left + edge]
    small = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small[..., ::-1], np.uint8)
