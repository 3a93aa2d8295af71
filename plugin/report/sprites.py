"""Sprites: the small pictures of one frame in one JPEG, one under the other.

`report/frames/1043.<digest>.patd-270.jpg` holds plate, alpha, trimap and adapted trimap of frame
1043, 270 rows each, as its alpha of that digest shows them; `c` would be foreground colours. The
name says all, so that a sprite of an older matte is never taken for this one's. Workers write them
while they matte.

Around each picture its own edge is repeated, to a whole number of JPEG's blocks: neither the codec
nor a browser that scales it mixes a picture with the one below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from plugin.disk.atomic import write_whole
from plugin.disk.inputs import read_whole
from plugin.errors import OutputError
from plugin.image.channels import thrice
from plugin.types import FloatArray, LabelArray

FOLDER = "report/frames"
"""Below the output folder."""

_LETTERS: Mapping[str, str] = {
    "plate": "p",
    "alpha": "a",
    "trimap": "t",
    "adapted": "d",
    "colours": "c",
}
"""What a sprite may hold, in its order."""

_NAME = re.compile(r"(-?\d{1,8})\.([0-9a-f]{16})\.(p?a?t?d?c?)(?:-(\d{1,4}))?\.jpg", re.ASCII)
_MOST_OF_A_FILE = 16 << 20
_MOST_BYTES = 64 << 10
_ALL_BYTES = 128 << 20
_LEAST_BYTES = 6 << 10
_SIDES = ((2_000, 480), (8_000, 320), (10**9, 192))
"""Up to so many frames, the longest side of a tile."""

_GUTTER, _BLOCK = 4, 16
"""Rows that are repeated at least above and below a picture; rows of a block of JPEG."""

_QUALITIES = (84, 68, 50, 32)
_HALVINGS = 4
_LEAST_ALPHA = np.float32(1e-3)

T = TypeVar("T", FloatArray, LabelArray)


@dataclass(frozen=True, slots=True)
class SpriteForm:
    """How large the sprites of a shot are.

    Attributes:
        side: longest side of a tile, pixels.
        limit: bytes of a sprite.
    """

    side: int
    limit: int

    @classmethod
    def of(cls, frames: int) -> SpriteForm:
        """For a shot of so many frames: together at most 128 MB up to 20 000 frames."""
        side = next(side for most, side in _SIDES if frames <= most)
        return cls(side, max(_LEAST_BYTES, min(_MOST_BYTES, _ALL_BYTES // max(1, frames))))


def _sprite_name(number: int, digest: str, tiles: Mapping[str, LabelArray], rows: int = 0) -> str:
    """The file name of a frame's sprite.

    Args:
        number: the frame.
        digest: of its alpha.
        tiles: what it holds.
        rows: of each picture; 0 for those of `tiles`.
    """
    kinds = "".join(_LETTERS[kind] for kind in _LETTERS if kind in tiles)
    rows = rows or next(iter(tiles.values())).shape[0]
    return f"{number}.{digest[:16]}.{kinds}-{rows}.jpg"


def _pitch_of(rows: int) -> int:
    """Rows from one picture of a sprite to the next."""
    return -(-(rows + 2 * _GUTTER) // _BLOCK) * _BLOCK


def tiles_of(
    seen: FloatArray | None,
    alpha: FloatArray,
    side: int,
    area: tuple[slice, slice] | None = None,
    *,
    trimap: LabelArray | None = None,
    adapted: LabelArray | None = None,
    colours: FloatArray | None = None,
) -> dict[str, LabelArray]:
    """The small pictures of a frame, all of one size, in the order of `_LETTERS`.

    Args:
        seen: `H × W × 3` float32, the plate, display-referred; None where it is gone.
        alpha: `H × W` float32, or `h × w` of the area.
        side: longest side, pixels; nothing is enlarged.
        area: rows and columns of the plate that alpha, adapted and colours have; the plate and
            the trimap have all.
        trimap: `H × W`, the trimap that went in.
        adapted: `H × W`, the adapted trimap.
        colours: `H × W × 3` float32, the foreground, display-referred, not premultiplied.
    """
    if seen is not None and area is not None:
        alpha = _laid(alpha, area, seen)
        adapted = None if adapted is None else _laid(adapted, area, seen)
        colours = None if colours is None else _laid(colours, area, seen)
    height, width = alpha.shape
    shrunk = min(1.0, side / max(height, width))
    size = (max(1, round(width * shrunk)), max(1, round(height * shrunk)))
    given = {"plate": seen, "alpha": alpha, "trimap": trimap, "adapted": adapted}
    return {
        kind: _small(picture, size)
        for kind, picture in (given | {"colours": colours}).items()
        if picture is not None
    }


def _laid(part: T, area: tuple[slice, slice], whole: FloatArray) -> T:
    """A picture of an area on the canvas of the plate; black, which is background, around it."""
    if part.shape[:2] == whole.shape[:2]:
        return part
    canvas = np.zeros((*whole.shape[:2], *part.shape[2:]), part.dtype)
    canvas[area] = part
    return canvas


def straight(
    foreground: FloatArray, alpha: FloatArray, to_display: Callable[[FloatArray], FloatArray]
) -> FloatArray:
    """Premultiplied foreground of the plate's space as straight display-referred colours.

    Args:
        foreground: `H × W × 3` float32, 0 where alpha is.
        alpha: `H × W` float32.
        to_display: from the plate's space, each pixel for itself.
    """
    left, top, across, down = cv2.boundingRect((alpha > 0).astype(np.uint8))
    box = slice(top, top + down), slice(left, left + across)
    shown = np.empty_like(foreground)
    shown[:] = to_display(np.zeros((1, 1, 3), np.float32))
    if across:
        colours = foreground[box] / thrice(np.maximum(alpha[box], _LEAST_ALPHA))
        shown[box] = to_display(colours)
    return shown


def _small(picture: FloatArray | LabelArray, size: tuple[int, int]) -> LabelArray:
    if picture.dtype == np.uint8:  # three classes stay three classes
        classes = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)
        return np.asarray(classes, np.uint8)
    small = cv2.resize(np.ascontiguousarray(picture), size, interpolation=cv2.INTER_AREA)
    levels: LabelArray = np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)
    return levels


def write_sprite(
    out: Path, number: int, digest: str, tiles: Mapping[str, LabelArray], form: SpriteForm
) -> Path:
    """Write a frame's sprite.

    Returns:
        The file.

    Raises:
        OutputError: the disk refuses, or the picture cannot be encoded.
    """
    folder = out / FOLDER
    data, rows = _encoded(tiles, form.limit, folder)
    path = folder / _sprite_name(number, digest, tiles, rows)
    write_whole(path, data, durable=False, root=out)
    return path


def _stack(tiles: Mapping[str, LabelArray], halvings: int) -> LabelArray:
    ordered = [tiles[kind] for kind in _LETTERS if kind in tiles]
    height, width = (max(1, side >> halvings) for side in ordered[0].shape[:2])
    if halvings:
        ordered = [
            np.asarray(cv2.resize(tile, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
            for tile in ordered
        ]
    rgb = [np.repeat(t[..., None], 3, axis=2) if t.ndim == 2 else t for t in ordered]
    below = _pitch_of(height) - height - _GUTTER
    framed = [np.pad(t, ((_GUTTER, below), (0, 0), (0, 0)), mode="edge") for t in rgb]
    return np.concatenate(framed, axis=0)


def _encoded(tiles: Mapping[str, LabelArray], limit: int, path: Path) -> tuple[bytes, int]:
    """The best JPEG within the limit, and its pictures' rows; of mere noise, a smaller one."""
    data, rows = b"", 0
    for halvings in range(_HALVINGS):
        stack = _stack(tiles, halvings)
        rows = max(1, next(iter(tiles.values())).shape[0] >> halvings)
        for quality in _QUALITIES:
            done, jpeg = cv2.imencode(".jpg", stack[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
            if not done:
                fix = "the report goes on without it"
                raise OutputError("the picture cannot be encoded", where=path, fix=fix)
            data = jpeg.tobytes()
            if len(data) <= limit:
                return data, rows
    return data, rows


def sprite_key(name: str) -> tuple[int, str] | None:
    """Frame and first 16 digits of the digest of a sprite's file name; None for other names."""
    found = _NAME.fullmatch(name)
    return None if found is None else (int(found[1]), found[2])


def scan_sprites(out: Path) -> dict[tuple[int, str], Path]:
    """The sprites that are there, by frame and the first 16 digits of the alpha's digest."""
    folder = out / FOLDER
    found: dict[tuple[int, str], Path] = {}
    if not folder.is_dir():
        return found
    for entry in folder.iterdir():
        key = sprite_key(entry.name)
        if key is None or not entry.is_file():
            continue
        if key not in found or len(entry.name) > len(found[key].name):  # more tiles
            found[key] = entry
    return found


def read_sprite(path: Path, *, half: bool = False) -> dict[str, LabelArray] | None:
    """The tiles of a sprite, each `h × w × 3` uint8 RGB; None where the file is damaged.

    Args:
        path: the file.
        half: at half the size, in a third of the time.
    """
    name = _NAME.fullmatch(path.name)
    how = cv2.IMREAD_REDUCED_COLOR_2 if half else cv2.IMREAD_COLOR
    try:
        data = np.frombuffer(read_whole(path, _MOST_OF_A_FILE), np.uint8)
        stack = cv2.imdecode(data, how) if data.size else None
    except (OSError, cv2.error):
        return None
    if stack is None or name is None or not name[3] or stack.shape[0] < len(name[3]):
        return None
    kinds = [kind for kind, letter in _LETTERS.items() if letter in name[3]]
    height = stack.shape[0] / len(kinds)
    rgb = np.asarray(stack[..., ::-1], np.uint8)
    tall, first = int(height), 0.0
    if name[4]:
        scale = height / _pitch_of(int(name[4]))
        tall, first = max(1, int(int(name[4]) * scale)), _GUTTER * scale
    return {
        kind: np.ascontiguousarray(rgb[round(i * height + first) :][:tall])
        for i, kind in enumerate(kinds)
    }
