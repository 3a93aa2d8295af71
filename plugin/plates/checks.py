"""What is asked of a plate before the work begins."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from plugin.errors import AdaMatteError, PlateError
from plugin.framerange import FrameRange
from plugin.plates.image_header import ImageHeader
from plugin.plates.limits import check_size
from plugin.plates.sequence import SequencePlate, difference
from plugin.types import PlateSource, Window

__all__ = ["check_frames"]


def check_frames(source: PlateSource, frames: FrameRange) -> Window | None:
    """Refuse frames that are missing, unreadable by their header, or of another display window.

    Headers only: damage inside a frame shows when it is decoded, by its number.

    Args:
        source: an open plate.
        frames: the numbers asked for.

    Returns:
        The window that holds the data windows of all the plate's frames, asked for or not, where
        they are not one; else None. So it is the same for every part of a shot.

    Raises:
        PlateError: names the frames.
    """
    info = source.info
    missing = frames.without(info.frames)
    if missing:
        raise PlateError(
            f"{_count(missing)} missing: {missing}",
            where=info.path,
            fix=f"render them, or ask for frames among {info.frames} with --frames",
        )
    if not isinstance(source, SequencePlate):
        return None
    wrong: dict[int, str] = {}
    first = source.header(info.frames.first)
    for number in frames:
        try:
            why = difference(source.header(number), first)
        except AdaMatteError as error:
            why = error.what
        if why:
            wrong[number] = why
    if wrong:
        numbers = FrameRange.of(wrong)
        raise PlateError(
            f"{_count(numbers)} unlike the others: {numbers} ({wrong[numbers.first]})",
            where=info.path,
            fix="render them like the others, or leave them out with --frames",
        )
    return _canvas(source, first) if first.reader == "openexr" else None


def _canvas(source: SequencePlate, first: ImageHeader) -> Window | None:
    """The window that holds every frame's, where they differ; what is unlike is left out."""
    info = source.info
    canvas, moves = info.data_window, False
    for number in info.frames:
        with suppress(AdaMatteError):
            header = source.header(number)
            if not difference(header, first):
                moves |= header.data_window != info.data_window
                canvas = canvas.joined(header.data_window)
    if not moves:
        return None
    check_size(canvas.width, canvas.height, Path(info.path))
    return canvas


def _count(frames: FrameRange) -> str:
    return f"{len(frames)} frame{'s are' if len(frames) > 1 else ' is'}"
