"""What is asked of a plate before the work begins."""

from __future__ import annotations

from plugin.errors import AdaMatteError, PlateError
from plugin.framerange import FrameRange
from plugin.plates.sequence import SequencePlate, difference
from plugin.types import PlateSource

__all__ = ["check_frames"]


def check_frames(source: PlateSource, frames: FrameRange) -> None:
    """Refuse frames that are missing, unreadable by their header, or of another size.

    Headers only: damage inside a frame shows when it is decoded, by its number.

    Args:
        source: an open plate.
        frames: the numbers asked for.

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
        return
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


def _count(frames: FrameRange) -> str:
    return f"{len(frames)} frame{'s are' if len(frames) > 1 else ' is'}"
