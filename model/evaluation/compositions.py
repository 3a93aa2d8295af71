"""A composition test set from material held out of training, in the Composition-1k layout.

    OUT/merged/<foreground>_<n>.png      the composition, 8-bit RGB
    OUT/alpha_copy/<foreground>_<n>.png  its matte, 8-bit grey
    OUT/trimaps/<foreground>_<n>.png     a trimap of 10 to 30 pixels
    OUT/fg/<foreground>.png              the foreground colours, 8-bit RGB
    OUT/compositions.json                the recipe: seed, sources, widths
    OUT/bench/<foreground>_<n>/          the same as benchmark folders

The order is that of Deep Image Matting and of the AdaMatting paper: foreground by foreground, each
over the next `n` backgrounds of one list, numbered from 0; a background that is smaller than the
foreground is enlarged to cover it and cropped at its top left; colours are truncated to 8 bits.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from model.evaluation.benchmark import read_composition_1k, write_bench_folders
from model.evaluation.perturb import dilated_trimap
from model.training.cutouts import cutout_alpha
from model.training.data_split import is_held_out, rendered_kind
from model.training.mattes.registry import render_any
from model.training.pictures import decode, read_image, to_bytes, write_json, write_png
from plugin.errors import RequestError
from plugin.types import FloatArray, LabelArray

_WIDTHS: Final = (10, 30)
_PICTURES: Final = {".png", ".jpg", ".jpeg", ".webp"}


@dataclass(frozen=True, slots=True, eq=False)
class Foreground:
    """What stands in front: a cut-out, or a procedural matte with its colours.

    Attributes:
        name: unique in its set, good for a file name.
        rgb: `H × W × 3` float32 within [0, 1], straight (not multiplied by alpha).
        alpha: `H × W` float32 within [0, 1].
    """

    name: str
    rgb: FloatArray
    alpha: FloatArray


def held_out(folder: Path) -> list[Path]:
    """The pictures of a folder that training never sees (`is_held_out`), sorted by name.

    Raises:
        RequestError: there is none.
    """
    files = sorted(file for file in folder.glob("*") if file.suffix.lower() in _PICTURES)
    chosen = [file for file in files if is_held_out(file.name)]
    if not chosen:
        raise RequestError("no held-out pictures", where=folder, fix="give the folder of pictures")
    return chosen


def read_cutout(path: Path) -> Foreground:
    """A cut-out with straight alpha, its matte as of `cutout_alpha`.

    Raises:
        RequestError: the file is damaged, or has no alpha of 8 bits.
    """
    picture = decode(path)
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 4:
        raise RequestError("no cut-out of 8-bit RGBA", where=path, fix="leave it out of the folder")
    alpha = cutout_alpha(np.asarray(picture, dtype=np.uint8), path.name)
    return Foreground(path.stem, read_image(path), alpha)


def compose(foreground: Foreground, background: FloatArray) -> LabelArray:
    """αF + (1 − α)B as the public composition code makes it, `H × W × 3` uint8 RGB.

    Args:
        foreground: sets the size.
        background: `h × w × 3` within [0, 1]; enlarged (bicubic) to cover the foreground where it
            is smaller, then cropped at its top left.
    """
    height, width = foreground.alpha.shape
    factor = max(height / background.shape[0], width / background.shape[1])
    if factor > 1:
        size = (math.ceil(background.shape[1] * factor), math.ceil(background.shape[0] * factor))
        background = np.clip(cv2.resize(background, size, interpolation=cv2.INTER_CUBIC), 0, 1)
    alpha = foreground.alpha[:, :, None]
    mixed = alpha * foreground.rgb + (1 - alpha) * background[:height, :width]
    # Truncated like the public code's `int`; the margin keeps a whole value whole in float32.
    return np.asarray(np.floor(mixed * 255 + 1e-3), dtype=np.uint8)


def build_test_set(
    out: Path,
    foregrounds: Sequence[Callable[[], Foreground]],
    backgrounds: Sequence[Path],
    *,
    per_foreground: int = 4,
    seed: int = 0,
) -> int:
    """Build a composition test set. The same arguments give the same pixels.

    Args:
        out: an empty or missing folder; see the module's first lines for what is written.
        foregrounds: each gives one, when it is its turn: `partial(read_cutout, file)`, or the
            renderer of a procedural matte.
        backgrounds: photographs; their order is shuffled by `seed`.
        per_foreground: compositions of each foreground.
        seed: of the shuffling and of the trimaps' widths.

    Returns:
        How many compositions were written.

    Raises:
        RequestError: `out` is not empty, nothing to compose, or a picture is damaged.
        OutputError: the folder cannot be written.
    """
    if out.exists() and any(out.iterdir()):
        raise RequestError("the folder is not empty", where=out, fix="choose a new one")
    if not foregrounds or not backgrounds:
        raise RequestError("nothing to compose", where=out, fix="give foregrounds and backgrounds")
    rng = np.random.default_rng(seed)
    rounds = cycle([backgrounds[index] for index in rng.permutation(len(backgrounds))])
    recipe: list[dict[str, object]] = []
    for load in foregrounds:
        foreground = load()
        write_png(out / "fg" / f"{foreground.name}.png", to_bytes(foreground.rgb))
        for n in range(per_foreground):
            file = next(rounds)
            width = int(rng.integers(_WIDTHS[0], _WIDTHS[1] + 1))
            name = f"{foreground.name}_{n}"
            _write_composition(out, name, foreground, read_image(file), width)
            recipe.append({"name": name, "background": file.name, "trimap_px": width})
    whole = {"schema": "compositions/1", "seed": seed, "compositions": recipe}
    write_json(out / "compositions.json", whole)
    write_bench_folders(read_composition_1k(out), out / "bench")
    return len(recipe)


def _write_composition(
    out: Path, name: str, foreground: Foreground, background: FloatArray, width: int
) -> None:
    # The matte as it is stored decides composition and trimap, so that all three agree.
    alpha = to_bytes(foreground.alpha)
    stored = np.asarray(alpha / np.float32(255), dtype=np.float32)
    merged = compose(Foreground(foreground.name, foreground.rgb, stored), background)
    write_png(out / "merged" / f"{name}.png", merged)
    write_png(out / "alpha_copy" / f"{name}.png", alpha)
    write_png(out / "trimaps" / f"{name}.png", dilated_trimap(stored, width))


_FRESH_SEED: Final = 900_000_000  # training banks count up from small seeds


def build_held_out_set(data: Path, out: Path, *, mattes: int, size: int) -> int:
    """The test set of `DATA/fg/*` and `DATA/photos/*`, two backgrounds for each foreground.

    Arguments and errors as of `_held_out_foregrounds` and `build_test_set`.
    """
    foregrounds = _held_out_foregrounds(data / "fg", data / "photos", mattes=mattes, size=size)
    backgrounds = held_out(data / "photos")
    return build_test_set(out, foregrounds, backgrounds, per_foreground=2)


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
