"""What the page shows of a frame: its views, cut into tiles, each composed where it is asked for.

Below 100 % tiles are halves, quarters, eighths of the frame, as JPEG; at 100 % and above they are
the frame's own pixels, as PNG, and exact.
"""

from dataclasses import dataclass, field
from typing import Literal, get_args

import cv2
import numpy as np

from plugin.desk.held import Look, Matte, Trimaps
from plugin.errors import FrameError
from plugin.report.preview import COMP_COLOUR
from plugin.trimap.overlay import draw_over, outline_width
from plugin.types import FloatArray, LabelArray

View = Literal["plate", "key", "trimap", "adapted", "alpha", "comp"]
VIEWS: tuple[View, ...] = get_args(View)

SIDE = 1024
"""Of a tile, pixels at its level."""

_DEEPEST = 4
_CELL = 24
"""Of the checkerboard, pixels of the frame."""

_HALF, _DIMMED = 0.5, 0.35
_KEY, _CARRIED = (51, 255, 64), (200, 200, 200)

_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 92]
_JPEG += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of a frame.

    Attributes:
        level: 0 is the frame's own size, 1 half of it, and so on.
        column: from 0.
        row: from 0.
        exact: without loss.
    """

    level: int
    column: int
    row: int
    exact: bool = False

    def area(self, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns of the frame.

        Raises:
            FrameError: there is no such tile.
        """
        side = SIDE << self.level
        top, left = self.row * side, self.column * side
        if not 0 <= self.level <= _DEEPEST or not (0 <= top < height and 0 <= left < width):
            raise FrameError("no such tile", where="the desk", fix="load the page again")
        return slice(top, min(top + side, height)), slice(left, min(left + side, width))


@dataclass(frozen=True, slots=True, eq=False)
class Behind:
    """What a comp is laid over: a colour, a checkerboard, or a picture.

    Attributes:
        colour: three values within [0, 1]; None is the checkerboard.
        picture: `H × W × 3` uint8 as displayed, of the frame's size, in the colour's place.
    """

    colour: tuple[float, float, float] | None = COMP_COLOUR
    picture: LabelArray | None = None

    def part(self, area: tuple[slice, slice]) -> FloatArray:
        """Of these rows and columns, `h × w × 3` float32 within [0, 255]."""
        if self.picture is not None:
            return self.picture[area].astype(np.float32)
        rows, columns = (np.arange(s.start, s.stop) // _CELL for s in area)
        if self.colour is None:
            light = (rows[:, None] + columns[None]) % 2 == 0
            return np.where(light, 154, 102)[..., None].astype(np.float32).repeat(3, 2)
        size = len(rows), len(columns), 3
        return np.broadcast_to(np.array(self.colour, np.float32) * 255, size)


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A frame, and what a view needs of it.

    Attributes:
        look: the frame.
        trimaps: its trimap, for `trimap`.
        matte: its matte, for `adapted`, `alpha` and `comp`.
        behind: for `comp`.
        mask: for `key`, `H × W` within [0, 1]; None where there is none yet.
        keyed: the mask is a key, not one that was carried there.
    """

    look: Look
    trimaps: Trimaps | None = None
    matte: Matte | None = None
    behind: Behind = field(default_factory=Behind)
    mask: FloatArray | None = None
    keyed: bool = False


def draw(view: View, tile: Tile, scene: Scene) -> tuple[bytes, str]:
    """A tile as a file, and its media type.

    Raises:
        FrameError: there is no such tile.
    """
    area = tile.area(*scene.look.seen.shape[:2])
    picture = _picture(view, area, scene)
    if tile.level:
        size = (max(1, side >> tile.level) for side in picture.shape[1::-1])
        picture = np.asarray(cv2.resize(picture, tuple(size), interpolation=cv2.INTER_AREA))
    if picture.ndim == 3:
        picture = picture[..., ::-1]
    suffix, how = (".png", _PNG) if tile.exact else (".jpg", _JPEG)
    _, data = cv2.imencode(suffix, np.ascontiguousarray(picture), how)
    return data.tobytes(), "image/png" if tile.exact else "image/jpeg"


def _picture(view: View, area: tuple[slice, slice], scene: Scene) -> LabelArray:
    look, trimaps, matte = scene.look, scene.trimaps, scene.matte
    if view == "trimap" and trimaps is not None:
        return _over(look, trimaps, area)
    if view == "key" and scene.mask is not None:
        return _keyed(look, scene.mask, area, keyed=scene.keyed)
    if matte is not None and view == "adapted" and matte.adapted is not None:
        return matte.adapted[area]
    if matte is not None and view == "alpha":
        return np.rint(matte.alpha[area] * 255).astype(np.uint8)
    if matte is not None and view == "comp":
        front = look.seen if matte.front is None else matte.front
        share = matte.alpha[area][..., None]
        comp = front[area] * share + scene.behind.part(area) * (1 - share)
        return np.rint(comp).clip(0, 255).astype(np.uint8)
    return look.seen[area]


def _keyed(look: Look, mask: FloatArray, area: tuple[slice, slice], *, keyed: bool) -> LabelArray:
    """What is outside dimmed; the subject's edge a line: green of a key, grey of a carried mask."""
    part, back, rim = _rimmed(look.seen.shape, area)
    inside = mask[part] >= _HALF
    light = np.where(inside[..., None], np.float32(1), np.float32(_DIMMED))
    picture = np.rint(look.seen[part] * light).astype(np.uint8)
    cell = np.ones((2 * rim + 1, 2 * rim + 1), np.uint8)
    edge = inside & (cv2.erode(inside.astype(np.uint8), cell, borderValue=1) == 0)
    picture[edge] = _KEY if keyed else _CARRIED
    return picture[back]


def _over(look: Look, trimaps: Trimaps, area: tuple[slice, slice]) -> LabelArray:
    """Drawn as a whole, once; of one that a stroke was added to, only where that is."""
    if trimaps.drawn is None:
        before, trimaps.before = trimaps.before, None
        if before is None or before.drawn is None:
            trimaps.drawn = _part_over(look, trimaps, (slice(None), slice(None)))
        else:
            drawn = before.drawn.copy()
            left, top, width, height = cv2.boundingRect(
                (before.labels != trimaps.labels).astype(np.uint8)
            )
            if width:
                rim = outline_width(look.seen.shape[0])
                box = (
                    slice(max(0, top - rim), top + height + rim),
                    slice(max(0, left - rim), left + width + rim),
                )
                drawn[box] = _part_over(look, trimaps, box)
            trimaps.drawn = drawn
    return trimaps.drawn[area]


def _part_over(look: Look, trimaps: Trimaps, area: tuple[slice, slice]) -> LabelArray:
    size = look.seen.shape
    rows, columns = (slice(*part.indices(side)[:2]) for part, side in zip(area, size, strict=False))
    part, back, rim = _rimmed(size, (rows, columns))
    rgb = look.seen[part].astype(np.float32) / np.float32(255)
    return draw_over(rgb, trimaps.plain[part], trimaps.labels[part], rim)[back]


def _rimmed(
    size: tuple[int, ...], area: tuple[slice, slice]
) -> tuple[tuple[slice, slice], tuple[slice, slice], int]:
    """An area with as much around it as outlines are wide, and where in that it lies."""
    rim = outline_width(size[0])
    rows, columns = (
        slice(max(0, part.start - rim), min(side, part.stop + rim))
        for part, side in zip(area, size, strict=False)
    )
    back = tuple(
        slice(part.start - wide.start, part.stop - wide.start)
        for part, wide in zip(area, (rows, columns), strict=True)
    )
    return (rows, columns), (back[0], back[1]), rim
