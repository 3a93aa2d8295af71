"""A test set of 1080p frames: held-out rendered hair over held-out photographs.

    OUT/<n>/image.png           1920 × 1080, 8-bit RGB
    OUT/<n>/alpha.png           its matte, 8-bit grey
    OUT/<n>/trimap.png          unknown grown by 6 to 14 pixels
    OUT/<n>/trimap-large.png    by 25 to 50
    OUT/frames.json             the recipe: seed, sources, places

One or two subjects a frame, cut off where they stand against the frame's edge, enlarged by at most
half (by 1.7 where they fill its height). A third of the frames is mixed in linear light, as films
are, and a third has the background that comes nearest to the hair's colour.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from model.evaluation.compositions import held_out, read_cutout
from model.evaluation.perturb import dilated_trimap
from model.training.data_split import group_key, rendered_kind
from model.training.pictures import read_image, to_bytes, write_json, write_png
from plugin.errors import RequestError
from plugin.types import FloatArray

_WIDTH, _HEIGHT = 1920, 1080
_ENLARGED: Final = (1.1, 1.5)
_CUT: Final = 30  # opaque pixels on a border from where on a subject counts as cut off by it
_NARROW, _LARGE = (6, 14), (25, 50)
_GRAIN: Final = 0.008
_SEED: Final = 0  # of everything that is drawn


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Colours and coverage of a whole frame.

    Attributes:
        rgb: `H × W × 3` float32 within [0, 1], straight, display-referred sRGB.
        alpha: `H × W` float32 within [0, 1].
    """

    rgb: FloatArray
    alpha: FloatArray


def build_hair_frames(
    data: Path,
    out: Path,
    *,
    count: int = 24,
) -> int:
    """Build the set from `DATA/fg/*` and `DATA/photos/*`. The same arguments give the same pixels.

    Args:
        data: the training folder; only what training never sees is taken.
        out: an empty or missing folder.
        count: how many frames.

    Returns:
        How many frames were written.

    Raises:
        RequestError: `out` is not empty, there is no held-out hair or photograph, or a picture is
            damaged.
        OutputError: the folder cannot be written.
    """
    if out.exists() and any(out.iterdir()):
        raise RequestError("the folder is not empty", where=out, fix="choose a new one")
    rng = np.random.default_rng(_SEED)
    subjects = _endless(_hair(data / "fg"), rng)
    photos = _endless(_wide(data / "photos"), rng)
    recipe = []
    for index in range(count):
        name = f"{index:02d}"
        files = [next(subjects) for _ in range(1 if index % 3 == 0 else 2)]
        front = _front(files, rng)
        candidates = [next(photos) for _ in range(6 if index % 3 == 1 else 1)]
        back = _nearest(candidates, front)
        linear = index % 3 == 2
        _write(out / name, front, _background(back, rng), rng, linear=linear)
        sources = [file.name for file in files]
        recipe.append({"name": name, "hair": sources, "background": back.name, "linear": linear})
    write_json(out / "frames.json", {"schema": "hair-frames/1", "seed": _SEED, "frames": recipe})
    return count


def over(front: Layer, back: Layer) -> Layer:
    """Two layers as one, its colours straight again."""
    alpha = front.alpha + (1 - front.alpha) * back.alpha
    share = (front.alpha / np.maximum(alpha, np.float32(1e-6)))[..., None]
    rgb = np.where(alpha[..., None] > 0, share * front.rgb + (1 - share) * back.rgb, back.rgb)
    return Layer(np.asarray(rgb, np.float32), np.asarray(alpha, np.float32))


def mixed(front: Layer, background: FloatArray, *, linear: bool) -> FloatArray:
    """αF + (1 − α)B (Eq. 1), `H × W × 3` float32, display-referred sRGB.

    Args:
        front: F and α.
        background: B, as large.
        linear: mix in linear light; all pictures are display-referred all the same.
    """
    alpha = front.alpha[..., None]
    if not linear:
        return np.asarray(alpha * front.rgb + (1 - alpha) * background, np.float32)
    light = alpha * _to_linear(front.rgb) + (1 - alpha) * _to_linear(background)
    encoded = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(encoded, np.float32)


def _to_linear(display: FloatArray) -> FloatArray:
    """The sRGB curve of IEC 61966-2-1, decoded."""
    curved = ((display + 0.055) / 1.055) ** 2.4
    return np.asarray(np.where(display <= 0.04045, display / 12.92, curved), np.float32)


def _hair(folder: Path) -> list[Path]:
    files = [file for file in held_out(folder) if rendered_kind(file.name) is not None]
    if not files:
        raise RequestError("no held-out rendered hair", where=folder, fix="give training pictures")
    return files


def _wide(folder: Path) -> list[Path]:
    """Photographs in landscape and colour, one of a group."""
    chosen: dict[str, Path] = {}
    for file in held_out(folder):
        photo = read_image(file)
        height, width = photo.shape[:2]
        if width >= 1.25 * height and np.ptp(photo, axis=2).mean() > 0.05:
            chosen.setdefault(group_key(file.name), file)
    if not chosen:
        raise RequestError("no held-out landscape", where=folder, fix="give wide photographs")
    return list(chosen.values())


def _endless(files: Sequence[Path], rng: np.random.Generator) -> Iterator[Path]:
    """All of them in a random order, then again in another."""
    while True:
        yield from (files[index] for index in rng.permutation(len(files)))


def _front(files: Sequence[Path], rng: np.random.Generator) -> Layer:
    """The subjects side by side, the later ones behind."""
    left = bool(rng.random() < 0.5)
    whole = _placed(files[0], rng, left=left, alone=len(files) == 1)
    for file in files[1:]:
        whole = over(whole, _placed(file, rng, left=not left, alone=False))
    return whole


def _placed(file: Path, rng: np.random.Generator, *, left: bool, alone: bool) -> Layer:
    """One cut-out in an empty frame: on the ground, in the frame's left or right half."""
    cutout = read_cutout(file)
    rgba = np.dstack((cutout.rgb * cutout.alpha[..., None], cutout.alpha))
    cuts = _cuts(cutout.alpha)
    if cuts[0] and cuts[1]:  # sunk until one side is free
        rgba = rgba[: -max(1, round(0.2 * len(rgba)))]
        cuts = _cuts(rgba[..., 3])
    if (cuts[1] and left) or (cuts[0] and not left) or (not any(cuts[:2]) and rng.random() < 0.5):
        rgba, cuts = rgba[:, ::-1], (cuts[1], cuts[0], cuts[2])
    scale = float(rng.uniform(*_ENLARGED))
    if cuts[2]:
        scale = _HEIGHT / len(rgba)
    large = cv2.resize(rgba, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    large = np.clip(large, 0, 1)[-_HEIGHT:, :_WIDTH]
    height, width = large.shape[:2]
    room = (_WIDTH if alone else max(_WIDTH // 2 + 120, width)) - width
    shift = 0 if any(cuts[:2]) else int(rng.uniform(0, 1) * room)
    at = shift if left else _WIDTH - width - shift
    frame = np.zeros((_HEIGHT, _WIDTH, 4), np.float32)
    frame[_HEIGHT - height :, at : at + width] = large
    alpha = frame[..., 3]
    rgb = frame[..., :3] / np.maximum(alpha, np.float32(1 / 255))[..., None]
    gain = np.float32(rng.uniform(0.8, 1.1))
    return Layer(np.clip(rgb * gain, 0, 1).astype(np.float32), alpha)


def _cuts(alpha: FloatArray) -> tuple[bool, bool, bool]:
    """Whether the picture's left, right and upper border cut the subject off."""
    borders = (alpha[:, 0], alpha[:, -1], alpha[0])
    left, right, upper = (int((border > 0.5).sum()) > _CUT for border in borders)
    return left, right, upper


def _nearest(photos: Sequence[Path], front: Layer) -> Path:
    """The photograph whose mean colour is nearest to that of what is mixed in front."""
    if len(photos) == 1:
        return photos[0]
    hair = front.rgb[(front.alpha > 0.2) & (front.alpha < 0.9)].mean(axis=0)
    return min(photos, key=lambda f: float(np.square(read_image(f).mean((0, 1)) - hair).sum()))


def _background(file: Path, rng: np.random.Generator) -> FloatArray:
    """A piece of a photograph, enlarged to the frame."""
    photo = read_image(file)
    scale = max(_HEIGHT / photo.shape[0], _WIDTH / photo.shape[1]) * float(rng.uniform(1, 1.15))
    large = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_LANCZOS4)
    down = int(rng.uniform(0, 1) * (large.shape[0] - _HEIGHT))
    right = int(rng.uniform(0, 1) * (large.shape[1] - _WIDTH))
    piece = large[down : down + _HEIGHT, right : right + _WIDTH]
    return np.asarray(np.clip(piece, 0, 1), np.float32)


def _write(
    folder: Path, front: Layer, back: FloatArray, rng: np.random.Generator, *, linear: bool
) -> None:
    # The matte as it is stored decides picture and trimaps, so that all agree.
    alpha = to_bytes(front.alpha)
    stored = np.asarray(alpha / np.float32(255), np.float32)
    image = mixed(Layer(front.rgb, stored), back, linear=linear)
    # Grain over everything, as a camera's: the same added to F and to B.
    noise = rng.standard_normal(image.shape, np.float32) * np.float32(_GRAIN)
    write_png(folder / "image.png", to_bytes(np.asarray(image + noise, np.float32)))
    write_png(folder / "alpha.png", alpha)
    for stem, widths in (("trimap", _NARROW), ("trimap-large", _LARGE)):
        width = int(rng.integers(widths[0], widths[1] + 1))
        write_png(folder / f"{stem}.png", dilated_trimap(stored, width))
