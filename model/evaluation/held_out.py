"""What the project's own composition test set has in front and behind: all of it unseen."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from model.evaluation.compositions import Foreground, build_test_set, held_out, read_cutout
from model.training.data_split import rendered_kind
from model.training.mattes.registry import render_any
from model.training.pictures import read_image

_FRESH_SEED: Final = 900_000_000  # training banks count up from small seeds


def build_held_out_set(
    data: Path,
    out: Path,
    *,
    mattes: int,
    size: int,
    seed: int = 0,
    progress: Callable[[int, int, str], None] | None = None,
) -> int:
    """The test set of `DATA/fg/*` and `DATA/photos/*`, two backgrounds for each foreground.

    Arguments and errors as of `_held_out_foregrounds` and `build_test_set`.
    """
    foregrounds = _held_out_foregrounds(data / "fg", data / "photos", mattes=mattes, size=size)
    backgrounds = held_out(data / "photos")
    return build_test_set(
        out, foregrounds, backgrounds, per_foreground=2, seed=seed, progress=progress
    )


def _held_out_foregrounds(
    cutouts: Path, photos: Path, *, mattes: int, size: int
) -> list[Callable[[], Foreground]]:
    """What our test set has in front: held-out cut-outs and fresh procedural mattes."""
    textures = held_out(photos)
    rendered = [
        partial(_rendered, _FRESH_SEED + k, size, textures[k % len(textures)])
        for k in range(mattes)
    ]
    # Without rendered hair, which came later: the set stays what it was.
    files = [file for file in held_out(cutouts) if rendered_kind(file.name) is None]
    return [*(partial(_cutout_of, file, size) for file in files), *rendered]


def _cutout_of(file: Path, size: int) -> Foreground:
    cutout = read_cutout(file)
    factor = size / max(cutout.alpha.shape)
    if factor >= 1:
        return cutout
    alpha, rgb = (
        cv2.resize(plane, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        for plane in (cutout.alpha, cutout.rgb)
    )
    return Foreground(cutout.name, np.asarray(rgb, np.float32), np.asarray(alpha, np.float32))


def _rendered(seed: int, size: int, texture: Path) -> Foreground:
    matte = render_any(size, seed)
    colour = matte.colour
    if colour is None:  # enlarged: what real mattes are made of varies slowly
        photo = read_image(texture)
        edge = min(photo.shape[:2]) // 2
        colour = np.clip(cv2.resize(photo[:edge, :edge], (size, size)), 0, 1).astype(np.float32)
    return Foreground(f"{matte.kind}-{seed - _FRESH_SEED:03d}", colour, matte.alpha)
