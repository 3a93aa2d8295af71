"""The QC picture: a few frames of a result side by side, to be looked at."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from plugin.atomic import write_whole
from plugin.colour import display_transform
from plugin.errors import OutputError
from plugin.exr import read_alpha
from plugin.framerange import FrameRange
from plugin.layout import OutputLayout
from plugin.pictures import read_grey
from plugin.plates import open_plate
from plugin.segmentation import DisplayTransform
from plugin.shot import Shot
from plugin.types import FloatArray, Frame, LabelArray, Window

__all__ = ["contact_sheet", "evenly"]

COMP_COLOUR = (0.85, 0.18, 0.32)
"""What the subject is put over: a colour that neither skin, screens nor foliage have."""

_LEAST_ALPHA = np.float32(1e-3)
_CELL_WIDTH = 320
_BAND = 22


def contact_sheet(shot: Shot, frames: FrameRange, path: Path, canvas: Window | None = None) -> None:
    """Write a PNG with a row for each frame: plate, trimaps where kept, alpha, comp.

    Args:
        shot: as it was run.
        frames: which; all must be there.
        path: of the PNG.
        canvas: `Plan.canvas`.

    Raises:
        FrameError: a frame of the plate or the alpha cannot be read.
        OutputError: the disk refuses.
    """
    layout = OutputLayout.of(shot)
    opened = open_plate(shot.plate, start_frame=shot.start_frame, layer=shot.layer, canvas=canvas)
    with closing(opened) as plate:
        to_display = display_transform(plate.info, shot.in_colour)
        window = plate.info.data_window
        rows = [_row(layout, to_display, plate.read(number), window) for number in frames]
    sheet = np.concatenate(rows, axis=0)
    ok, png = cv2.imencode(".png", sheet[..., ::-1])
    if not ok:
        raise OutputError("the picture cannot be encoded", where=path, fix="report this as a bug")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, png.tobytes(), durable=False)


def evenly(frames: FrameRange, count: int) -> FrameRange:
    """At most `count` of the frames, evenly spread, the first and the last among them."""
    if len(frames) <= count:
        return frames
    places = np.linspace(0, len(frames) - 1, count).round().astype(int)
    return FrameRange.of(frames.numbers[place] for place in places)


def _row(
    layout: OutputLayout, to_display: DisplayTransform, frame: Frame, window: Window
) -> LabelArray:
    number, seen = frame.number, to_display(frame.rgb)
    stored = read_alpha(layout.alpha(number))
    alpha = np.zeros((window.height, window.width), np.float32)
    alpha[window.area_of(stored.data_window)] = stored.alpha
    cells = [_cell(seen, f"{number} plate")]
    for kind in ("trimap", "adapted"):
        file = layout.pattern(kind).path(number)
        if file.is_file():
            grey = np.asarray(read_grey(file) / 255, np.float32)
            cells.append(_cell(_as_rgb(grey), kind))
    cells.append(_cell(_as_rgb(alpha), "alpha"))
    if stored.foreground is not None:
        seen = seen.copy()
        straight = stored.foreground / np.maximum(stored.alpha, _LEAST_ALPHA)[..., None]
        seen[window.area_of(stored.data_window)] = to_display(np.ascontiguousarray(straight))
    over = alpha[..., None] * seen + (1 - alpha[..., None]) * np.array(COMP_COLOUR, np.float32)
    cells.append(_cell(over, "comp"))
    return np.concatenate(cells, axis=1)


def _as_rgb(grey: FloatArray) -> FloatArray:
    return np.repeat(grey[..., None], 3, axis=2)


def _cell(picture: FloatArray, label: str) -> LabelArray:
    """One picture at the sheet's width, 8 bits, with its label under it."""
    height = round(picture.shape[0] * _CELL_WIDTH / picture.shape[1])
    shrinks = picture.shape[1] > _CELL_WIDTH
    how = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    small = cv2.resize(np.ascontiguousarray(picture), (_CELL_WIDTH, height), interpolation=how)
    cell = np.full((height + _BAND, _CELL_WIDTH, 3), 24, np.uint8)
    cell[:height] = np.round(np.clip(small, 0, 1) * 255)
    font, grey = cv2.FONT_HERSHEY_SIMPLEX, (200, 200, 200)
    cv2.putText(cell, label, (6, height + 15), font, 0.42, grey, 1, cv2.LINE_AA)
    return cell
