"""Training pictures as small as they can travel: what `pack` reads, for a machine far away.

    python -m model.training.travel DATA FOLDER [--size 512] [--limit-mb 52]

Only what training may see. Cut-outs: their longest side `--size`, alpha without loss, colours
spread under what is transparent, so that no strand loses its colour to what surrounds it.
Photographs: the middle square that `pack` takes, at the highest quality at which everything fits.
Where `--size` is that of the bank, nothing is resampled twice.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from model.planes.colour_planes import spread_colour
from model.training.banks import middle_square, training_files
from model.training.pictures import decode, write_bytes
from plugin.errors import RequestError
from plugin.types import FloatArray, LabelArray

_COLOURS: Final = 92
"""WebP quality of a cut-out's colours."""

_QUALITIES: Final = (95, 90, 85, 80, 75, 70, 60, 50)
"""WebP quality of photographs, tried in this order; below the last they are not worth the trip."""

_SAMPLE: Final = 12
"""Every how many photographs one is encoded to foretell the size of all."""


def travel(data: Path, folder: Path, *, size: int = 512, limit: int = 52_000_000) -> int:
    """Write the training side of `data` to `folder`, `fg/*.webp` and `photos/*.webp`.

    Args:
        data: the training folder.
        folder: an empty or missing one.
        size: of the photographs' squares, and at most that of the cut-outs' longest side, pixels.
        limit: bytes that all files together must not exceed.

    Returns:
        The WebP quality of the photographs.

    Raises:
        RequestError: `folder` is not empty, a picture is damaged, or nothing fits the limit.
        ShotError: there are no pictures in `data`.
        OutputError: the folder cannot be written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise RequestError("the folder is not empty", where=folder, fix="choose a new one")
    cutouts, photos = training_files(data)
    encoded = _encoded(cutouts, partial(_cutout, size=size))
    room = limit - sum(map(len, encoded))
    for quality in _QUALITIES:
        encode = partial(_photo, size=size, quality=quality)
        some = _encoded(photos[::_SAMPLE], encode)
        if sum(map(len, some)) * len(photos) > room * len(some):
            continue
        squares = _encoded(photos, encode)
        if sum(map(len, squares)) <= room:
            _write(folder / "fg", cutouts, encoded)
            _write(folder / "photos", photos, squares)
            return quality
    raise RequestError(
        f"{len(cutouts)} cut-outs and {len(photos)} photographs of {size} pixels do not fit"
        f" {limit} bytes",
        where=data,
        fix="give a higher limit or a smaller size",
    )


def _encoded(files: Sequence[Path], encode: Callable[[Path], bytes]) -> list[bytes]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(encode, files))


def _write(folder: Path, sources: Sequence[Path], encoded: Sequence[bytes]) -> None:
    for source, data in zip(sources, encoded, strict=True):
        write_bytes(folder / f"{source.stem}.webp", data)


def _cutout(file: Path, size: int) -> bytes:
    """A cut-out made smaller; its alpha is the stored one, which is cleaned when it is packed."""
    bgra = decode(file)
    if bgra.dtype != np.uint8 or bgra.ndim != 3 or bgra.shape[2] != 4:
        raise RequestError("no cut-out of 8-bit RGBA", where=file, fix="leave it out of the folder")
    mixed: FloatArray = bgra.astype(np.float32) / np.float32(255)
    mixed[..., :3] *= mixed[..., 3:]
    factor = size / max(bgra.shape[:2])
    if factor < 1:
        smaller = cv2.resize(mixed, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        mixed = np.asarray(smaller, np.float32)
    alpha = mixed[..., 3]
    straight = np.asarray(mixed[..., :3] / np.maximum(alpha, 1 / 255)[..., None], np.float32)
    # Colours of what is barely there say nothing, and would cost most of the bytes.
    weight = np.asarray(np.clip(alpha * 2 - 0.5, 0, 1), np.float32)
    colours = spread_colour(straight, weight)
    rgba = np.concatenate((colours, alpha[..., None]), axis=2)
    return _webp(np.round(np.clip(rgba, 0, 1) * 255).astype(np.uint8), _COLOURS)


def _photo(file: Path, size: int, quality: int) -> bytes:
    return _webp(middle_square(file, size), quality)


def _webp(picture: LabelArray, quality: int) -> bytes:
    """WebP bytes of B, G, R or B, G, R, A; alpha is always without loss."""
    _, data = cv2.imencode(".webp", picture, (cv2.IMWRITE_WEBP_QUALITY, quality))
    return data.tobytes()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the folder, and say what it weighs."""
    parser = argparse.ArgumentParser(prog="python -m model.training.travel")
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=512, help="side of the bank, pixels")
    parser.add_argument("--limit-mb", type=float, default=52.0)
    asked = parser.parse_args(arguments)
    limit = int(asked.limit_mb * 1e6)
    quality = travel(asked.data, asked.folder, size=asked.size, limit=limit)
    weight = sum(file.stat().st_size for file in asked.folder.rglob("*.webp"))
    sys.stdout.write(f"{weight / 1e6:.1f} MB in {asked.folder}; photographs at {quality}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
