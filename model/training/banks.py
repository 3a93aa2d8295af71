"""Banks: foregrounds, procedural mattes and photographs as uint8 tensors, ready for a device.

Decoding and resizing are done once (`pack`) and kept in one `.safetensors` file; a training run
reads that file and moves it to its device, where every batch is composed from it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from model.planes.colour_planes import spread_colour
from model.training.cutouts import cutout_alpha
from model.training.data_split import is_held_out
from model.training.mattes import MatteBank, render_bank
from plugin.errors import ShotError
from plugin.types import FloatArray, LabelArray

_OF_MATTES = ("mattes", "colours", "coloured", "matte_points")
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

    def with_room(self, mattes: int) -> Banks:
        """The same with so many places for mattes: its own, over and over, until others come."""
        places = torch.arange(max(mattes, len(self.mattes))) % len(self.mattes)
        return replace(self, **{name: getattr(self, name)[places] for name in _OF_MATTES})

    def put_mattes(self, first: int, tensors: dict[str, Tensor]) -> None:
        """Write mattes, as `matte_tensors` has them, from a place on; after the last comes 0."""
        places = torch.arange(first, first + len(tensors["mattes"])) % len(self.mattes)
        for name in _OF_MATTES:
            whole: Tensor = getattr(self, name)
            whole.index_copy_(0, places.to(whole.device), tensors[name].to(whole.device))


def load(path: Path) -> Banks:
    """Read what `pack` wrote."""
    return Banks(**load_file(path))


def pack(data: Path, path: Path, *, size: int = 512, mattes: int = 1500, seed: int = 0) -> None:
    """`gather`, and write one file; arguments and errors as there.

    Args:
        data: the training folder.
        path: the `.safetensors` file to write.
        size: S, in pixels.
        mattes: how many procedural mattes to render.
        seed: of the procedural mattes and of the points.
    """
    banks = gather(data, size=size, mattes=mattes, seed=seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({field.name: getattr(banks, field.name) for field in fields(banks)}, path)


def gather(data: Path, *, size: int = 512, mattes: int = 1500, seed: int = 0) -> Banks:
    """Read `data/fg/*` and `data/photos/*` on all cores, and render the mattes meanwhile.

    Pictures that `is_held_out` names are left for the test set.

    Args:
        data: the training folder, or what `model.training.travel` made of it.
        size: S, in pixels.
        mattes: how many procedural mattes to render, seeds `seed`, `seed` + 1, …
        seed: of the procedural mattes and of the points.

    Raises:
        ShotError: there are no pictures in `data`, or one cannot be read.
        SurroundingsError: a process that renders mattes has ended.
    """
    cutout_files, photo_files = training_files(data)
    workers = min(os.cpu_count() or 1, max(1, mattes // 16))
    with ThreadPoolExecutor(1) as beside:
        rendering = beside.submit(render_bank, mattes, size, seed, workers)
        cutouts = _read(cutout_files, _cutout, size)
        photos = _read(photo_files, _photo, size)
        rendered = rendering.result()
    points = _points(cutouts[:, 3].numpy(), np.random.default_rng([seed, 1]))
    return Banks(
        cutouts=cutouts, cutout_points=points, photos=photos, **matte_tensors(rendered, seed)
    )


def matte_tensors(rendered: MatteBank, seed: int) -> dict[str, Tensor]:
    """The fields of `Banks` that are of procedural mattes, for these.

    Args:
        rendered: the mattes.
        seed: of the points; give each piece of a `Rendering` one of its own.
    """
    return {
        "mattes": torch.from_numpy(rendered.alphas)[:, None],
        "colours": torch.from_numpy(rendered.colours).permute(0, 3, 1, 2).contiguous(),
        "coloured": torch.from_numpy(rendered.has_colour),
        "matte_points": _points(rendered.alphas, np.random.default_rng([seed, 2])),
    }


def training_files(data: Path) -> tuple[list[Path], list[Path]]:
    """The cut-outs and the photographs that training may see, sorted by name.

    Raises:
        ShotError: there are none of either.
    """
    found = []
    for kind, suffixes in (("fg", (".webp",)), ("photos", (".jpg", ".webp"))):
        files = sorted(f for f in (data / kind).glob("*") if f.suffix in suffixes)
        found.append([file for file in files if not is_held_out(file.name)])
        if not found[-1]:
            fix = f"put {' or '.join(suffixes)} files there"
            raise ShotError("no training pictures", where=data / kind, fix=fix)
    return found[0], found[1]


def _read(files: Sequence[Path], read: Callable[[Path, int], LabelArray], size: int) -> Tensor:
    """All the files, N × C × S × S uint8, by as many threads as there are cores."""
    first = read(files[0], size)
    out = np.empty((len(files), first.shape[2], size, size), np.uint8)

    def keep(number: int) -> None:
        out[number] = read(files[number], size).transpose(2, 0, 1)

    threads = torch.get_num_threads()
    with ThreadPoolExecutor(os.cpu_count(), initializer=torch.set_num_threads, initargs=(1,)) as p:
        for _ in p.map(keep, range(len(files))):
            pass
    torch.set_num_threads(threads)  # the pool's one thread each would hold for later threads too
    return torch.from_numpy(out)


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
    straight[..., 3] = cutout_alpha(np.asarray(bgra, np.uint8), file.name)
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


def middle_square(file: Path, size: int) -> LabelArray:
    """The middle square of a photograph, `S × S × 3`, B, G, R.

    Raises:
        ShotError: the file is no picture.
    """
    bgr = cv2.imread(str(file), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ShotError("not a picture", where=file, fix="remove it from the bank")
    height, width = bgr.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = bgr[top : top + edge, left : left + edge]
    return np.asarray(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA), np.uint8)


def _photo(file: Path, size: int) -> LabelArray:
    """`middle_square`, R, G, B."""
    return middle_square(file, size)[..., ::-1]
