"""The QC picture: a few frames of a result side by side, to be looked at."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from plugin.disk.atomic import write_whole
from plugin.framerange import FrameRange
from plugin.report.preview import comp_of
from plugin.types import LabelArray

_CELL_WIDTH = 320
_BAND = 22
_GROUND = 24
_ORDER = ("plate", "trimap", "adapted", "alpha")


def contact_sheet(rows: Sequence[tuple[int, Mapping[str, LabelArray]]], path: Path) -> bool:
    """Write a PNG with a row for each frame: plate, trimaps, alpha, comp.

    Args:
        rows: frame numbers and their small pictures, as `read_sprite` gives them.
        path: of the PNG.

    Returns:
        Whether it could be drawn.

    Raises:
        OutputError: the disk refuses.
    """
    drawn = [_row(number, tiles) for number, tiles in rows]
    width = max(row.shape[1] for row in drawn)
    sheet = np.concatenate([_widened(row, width) for row in drawn], axis=0)
    done, png = cv2.imencode(".png", sheet[..., ::-1])
    if done:
        write_whole(path, png.tobytes(), durable=False)
    return bool(done)


def evenly(frames: FrameRange, count: int) -> FrameRange:
    """At most `count` of the frames, evenly spread, the first and the last among them."""
    if len(frames) <= count:
        return frames
    places = np.linspace(0, len(frames) - 1, count).round().astype(int)
    return FrameRange.of(frames.numbers[place] for place in places)


def _row(number: int, tiles: Mapping[str, LabelArray]) -> LabelArray:
    cells = [_cell(tiles[kind], f"{number} {kind}") for kind in _ORDER if kind in tiles]
    if "alpha" in tiles:
        cells.append(_cell(comp_of(tiles), f"{number} comp"))
    return np.concatenate(cells, axis=1)


def _widened(row: LabelArray, width: int) -> LabelArray:
    wide = np.full((row.shape[0], width, 3), _GROUND, np.uint8)
    wide[:, : row.shape[1]] = row
    return wide


def _cell(picture: LabelArray, label: str) -> LabelArray:
    """One picture at the sheet's width, with its label under it."""
    height = max(1, round(picture.shape[0] * _CELL_WIDTH / picture.shape[1]))
    shrinks = picture.shape[1] > _CELL_WIDTH
    how = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    cell = np.full((height + _BAND, _CELL_WIDTH, 3), _GROUND, np.uint8)
    cell[:height] = cv2.resize(picture, (_CELL_WIDTH, height), interpolation=how)
    font, grey = cv2.FONT_HERSHEY_SIMPLEX, (200, 200, 200)
    cv2.putText(cell, label, (6, height + 15), font, 0.42, grey, 1, cv2.LINE_AA)
    return cell
