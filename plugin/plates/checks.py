"""What is asked of a plate before the work begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from plugin.colour.primaries import between
from plugin.disk.inputs import read_whole
from plugin.errors import AdaMatteError, PlateError
from plugin.framerange import FrameRange
from plugin.plates.images.header import ImageHeader
from plugin.plates.images.sequence import SequencePlate, difference
from plugin.plates.limits import check_size
from plugin.types import PlateSource, Window

_MOST_KNOWN = 4096


class KnownCanvas(BaseModel):
    """What a look at all headers of a plate found, for those who do a few of its frames.

    Attributes:
        files: `SequencePlate.files` then.
        window: what `check_frames` returned.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    window: Window | None

    @classmethod
    def of(cls, source: PlateSource, window: Window | None) -> KnownCanvas | None:
        """Of a plate that was just checked; None of a video, and where files may yet change."""
        files = source.files() if isinstance(source, SequencePlate) else ""
        return cls(files=files, window=window) if files else None

    def could_hold(self, windows: list[Window]) -> bool:
        """Whether the window holds these, none of which is to be known from anywhere else."""
        if self.window is None:
            return len(set(windows)) == 1
        with suppress(PlateError):
            check_size(self.window.width, self.window.height, Path())
            return all(self.window.joined(one) == self.window for one in windows)
        return False

    @classmethod
    def read(cls, path: Path) -> KnownCanvas | None:
        """From a file; None where there is none that makes sense, and all headers are looked at."""
        with suppress(OSError, ValidationError):
            return cls.model_validate_json(read_whole(path, _MOST_KNOWN))
        return None


def check_frames(
    source: PlateSource, frames: FrameRange, known: KnownCanvas | None = None
) -> Window | None:
    """Refuse frames that are missing, unreadable by their header, or of another display window.

    Headers only: damage inside a frame shows when it is decoded, by its number.

    Args:
        source: an open plate.
        frames: the numbers asked for.
        known: of an earlier look at all of the plate's headers; it holds while its files are the
            same, and only the first header and those of `frames` are read then.

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
    if first.reader != "openexr":
        return None
    if known is not None and known.files == source.files():
        windows = [source.header(number).data_window for number in (info.frames.first, *frames)]
        if known.could_hold(windows):
            return known.window
    return _canvas(source, first)


def unlike(source: PlateSource, frames: FrameRange, in_space: str = "") -> tuple[str, ...]:
    """What the first frame's header does not say for all: a note each, with the frames' numbers.

    Args:
        source: an open plate, its frames checked.
        frames: the numbers asked for.
        in_space: the colour space that all are taken in; empty where each file says its own.

    Raises:
        PlateError: frames are in spaces between which there is no plain way.
    """
    if not isinstance(source, SequencePlate):
        return ()
    first = source.header(source.info.frames.first)
    apart: dict[tuple[str, str], list[int]] = {}
    for number in frames:
        for what, value in _told(source.header(number), first):
            apart.setdefault((what, value), []).append(number)
    return tuple(
        _recoloured(source, value, FrameRange.of(numbers), in_space)
        if what == "colour"
        else _apart(what, value, FrameRange.of(numbers))
        for (what, value), numbers in apart.items()
    )


def _told(header: ImageHeader, first: ImageHeader) -> Iterator[tuple[str, str]]:
    """What a header says otherwise than the first, as text."""
    if header is first:
        return
    pairs = {
        "colour": (header.colour, first.colour),
        "pixel aspect": (f"{header.pixel_aspect:.4g}", f"{first.pixel_aspect:.4g}"),
        "channels": (header.picture.label, first.picture.label),
        "pixels": (_pixels(header), _pixels(first)),
        "rate": (f"{header.rate}", f"{first.rate}"),
        "codec": (header.codec, first.codec),
    }
    yield from ((what, mine) for what, (mine, its) in pairs.items() if mine != its)
    known = {*first.notes, *header.picture.notes}
    yield from (("", note) for note in header.notes if note not in known)


def _pixels(header: ImageHeader) -> str:
    return f"of {header.bits} bits, {header.pixel_format}"


def _apart(what: str, value: str, frames: FrameRange) -> str:
    if what == "":
        return f"frames {frames.brief}: {value}"
    return (
        f"frames {frames.brief}: {what} {value}, unlike the first: each is read by its own header"
    )


def _recoloured(source: SequencePlate, value: str, frames: FrameRange, in_space: str) -> str:
    first = source.info.colour
    if in_space:
        return f"frames {frames.brief}: their files say {value}, taken in {in_space} all the same"
    if between(value, first) is None:
        raise PlateError(
            f"{_count(frames)} in another colour space: {frames.brief} ({value}, not {first})",
            where=source.info.path,
            fix="render them alike, or say which holds for all with --in-colour",
        )
    return f"frames {frames.brief}: colours in {value}, brought to the first frame's {first}"


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
