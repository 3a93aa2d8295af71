"""`SequencePlate`: image files read by frame number, one file a frame."""

import hashlib
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from OpenImageIO import ImageInput

from plugin.colour.primaries import between, recoloured
from plugin.disk.inputs import LARGEST, YOUNG_NS, Held, Sum, held, stamp, sum_of
from plugin.errors import FrameError, PlateError, told_as
from plugin.framerange import FrameRange
from plugin.pattern import FramePattern, number_in, sequence_around
from plugin.plates.images.exr_attributes import carried_attributes
from plugin.plates.images.header import ImageHeader, read_header, reading
from plugin.plates.images.pixels import decode, decode_alpha, make_finite
from plugin.plates.nearby import nothing_there
from plugin.plates.timecode import advance
from plugin.types import FloatArray, Frame, PlateInfo, PlateKind, Window

NON_FINITE = "adamatte/nonFinitePixels"
"""Attribute of a frame in which NaN or infinite pixels were made safe: how many."""


class SequencePlate:
    """A sequence by its pattern, or a single image as a shot of one frame.

    Args:
        pattern: names the files, or the one file.
        start_frame: number of a single image whose name does not end in one.
        layer: the EXR layer, view or part to read.

    Raises:
        PlateError: nothing matches, or the first file cannot be read.
    """

    def __init__(self, pattern: FramePattern | Path, *, start_frame: int, layer: str = "") -> None:
        self._layer, self._began = layer, time.time_ns()
        self._headers: dict[int, tuple[str, ImageHeader]] = {}
        self._pattern = pattern
        if isinstance(pattern, FramePattern):
            self._kind = PlateKind.SEQUENCE
            frames, beside = pattern.listing()
        else:
            self._kind, beside = PlateKind.IMAGE, sequence_around(pattern)
            frames = FrameRange((number_in(pattern, start_frame),))
        if not frames:
            raise nothing_there(Path(str(pattern)))
        first = pattern.path(frames.first) if isinstance(pattern, FramePattern) else pattern
        self._header = self._looked(frames.first, first)
        info = {name: getattr(self._header, name) for name in PlateInfo.model_fields}
        notes = (*self._header.notes, *beside)
        self._info = PlateInfo.model_validate(
            {**info, "path": str(pattern), "kind": self._kind, "frames": frames, "notes": notes}
        )
        self.settle(None, one_colour=True)

    def settle(self, canvas: Window | None, *, one_colour: bool) -> None:
        """See `plugin.plates.settle`. No file is looked at."""
        self._one_colour = one_colour
        self._canvas = canvas or self._header.data_window
        self._moves = canvas is not None
        self._info = self._info.model_copy(update={"data_window": self._canvas})

    @property
    def info(self) -> PlateInfo:
        """What the first file's header and the list of files say."""
        return self._info

    @property
    def has_alpha(self) -> bool:
        """Whether the files carry an alpha of their own."""
        return self._header.picture.alpha is not None

    def path(self, number: int) -> Path:
        """The file of one frame.

        Raises:
            FrameError: the plate has no such frame.
        """
        if number not in self._info.frames:
            raise FrameError(
                "the plate has no such frame",
                where=f"{self._pattern}, frame {number}",
                fix=f"it has {self._info.frames}",
            )
        if isinstance(self._pattern, FramePattern):
            return self._pattern.path(number)
        return self._pattern

    def header(self, number: int) -> ImageHeader:
        """One file's header, no pixels; read again only if the file's size or time is another.

        Raises:
            PlateError: missing or damaged.
            FrameError: the plate has no such frame.
        """
        return self._looked(number, self.path(number))

    def _looked(self, number: int, path: Path) -> ImageHeader:
        try:
            state = stamp(path.stat())
        except OSError:
            return read_header(path, self._layer)
        held = self._headers.get(number)
        if held is None or held[0] != state:
            held = self._headers[number] = state, read_header(path, self._layer)
        return held[1]

    def files(self) -> str:
        """sha256 of the state of every frame's file, none of them opened.

        Empty where one is missing, has changed since its header was looked at, or may change and
        keep its state.
        """
        total = hashlib.sha256(f"{self._info.frames} {self._layer}".encode())
        for number in self._info.frames:
            try:
                status = self.path(number).stat()
            except OSError:
                return ""
            state = stamp(status)
            looked_at = self._headers.get(number, (state,))[0]
            if looked_at != state or status.st_mtime_ns > self._began - YOUNG_NS:
                return ""
            total.update(state.encode())
        return total.hexdigest()

    def read(self, number: int) -> Frame:
        """Decode one frame; the order does not matter.

        Raises:
            FrameError: not in the plate, missing, damaged, or of another size than the first.
        """
        path = self.path(number)
        attributes: Mapping[str, object] = {}
        with self._opened(path) as (file, header, image):
            rgb = decode(header, image, file.place, path)
            if header.reader == "openexr":
                attributes = carried_attributes(file.place, header.picture.part)
        if wrong := make_finite(rgb):
            attributes = {**attributes, NON_FINITE: wrong}
        if self._one_colour and header.colour != self._header.colour:
            rgb = self._recoloured(rgb, header, path)
            attributes = {k: v for k, v in attributes.items() if k != "chromaticities"}
        own = header.data_window if self._moves else None
        if header.data_window != self._canvas:
            rgb = _laid(rgb, header.data_window, self._canvas)
        aspect = header.pixel_aspect
        other = None if aspect == self._header.pixel_aspect else aspect
        timecode = self._timecode_of(number, header)
        return Frame(
            number,
            rgb,
            timecode,
            attributes,
            data_window=own,
            pixel_aspect=other,
            digest=file.sum.sha256,
            smpte=header.smpte,
        )

    def _recoloured(self, rgb: FloatArray, header: ImageHeader, path: Path) -> FloatArray:
        matrix = between(header.colour, self._header.colour)
        if matrix is None:
            what = f"colours in {header.colour} in a plate of {self._header.colour}"
            raise FrameError(what, where=path, fix="render it like the others, or say --in-colour")
        return recoloured(rgb, matrix)

    def read_alpha(self, number: int) -> FloatArray | None:
        """The frame's own alpha, `H × W` float32 within [0, 1]; None where it has none.

        Raises:
            FrameError: as `read`.
        """
        path = self.path(number)
        with self._opened(path) as (file, header, image):
            alpha = decode_alpha(header, image, file.place, path)
        if alpha is None or header.data_window == self._canvas:
            return alpha
        return _laid(alpha, header.data_window, self._canvas)

    def digest(self, number: int) -> str:
        """sha256 of the frame's file.

        Raises:
            FrameError: not in the plate, or the file is gone.
        """
        return self._sum(number).sha256

    def file_sum(self) -> Sum | None:
        """The sum of a single image's file; None for a sequence, whose frames have one each.

        Raises:
            FrameError: the file is gone.
        """
        return self._sum(self._info.frames.first) if self._kind is PlateKind.IMAGE else None

    def _sum(self, number: int) -> Sum:
        path = self.path(number)
        with _readable(path):
            return sum_of(path, LARGEST)

    def close(self) -> None:
        """Nothing stays open between frames."""

    @contextmanager
    def _opened(self, path: Path) -> Iterator[tuple[Held, ImageHeader, ImageInput | None]]:
        """A file in memory, opened once for its header, which is checked, and its pixels."""
        with (
            _readable(path),
            held(path) as file,
            told_as(FrameError, of=PlateError, where=path),
            reading(file.place, self._layer, path) as (header, image),
        ):
            self._check(header, path)
            yield file, header, image

    def _check(self, header: ImageHeader, path: Path) -> None:
        why = difference(header, self._header)
        if self._canvas.joined(header.data_window) != self._canvas or (
            not self._moves and header.data_window != self._canvas
        ):
            why = f"data window {_text(header.data_window)} in a plate of {_text(self._canvas)}"
        if why:
            raise FrameError(why, where=path, fix="render it like the other frames")

    def _timecode_of(self, number: int, header: ImageHeader) -> str | None:
        first = self._info.timecode
        if header.timecode is not None or first is None:
            return header.timecode
        return advance(first, number - self._info.frames.first, self._info.rate)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """The system's refusals as this frame's."""
    try:
        yield
    except OSError as error:
        what = f"the frame cannot be read: {error.strerror or error}"
        raise FrameError(what, where=path, fix="render or copy it again") from error


def difference(header: ImageHeader, first: ImageHeader) -> str:
    """How a frame's picture differs from the first frame's; empty when it does not.

    Data windows may move from frame to frame; the display window is the shot's.
    """
    if header.display_window != first.display_window:
        return (
            f"display window {_text(header.display_window)} in a plate of"
            f" {_text(first.display_window)}"
        )
    return ""


def _text(window: Window) -> str:
    at = f" at ({window.x_min}, {window.y_min})" if window.x_min or window.y_min else ""
    return f"{window.width} × {window.height}{at}"


def _laid(pixels: FloatArray, own: Window, canvas: Window) -> FloatArray:
    """A frame's pixels on a larger window, 0 around them as in every compositor."""
    laid = np.zeros((canvas.height, canvas.width, *pixels.shape[2:]), np.float32)
    laid[canvas.area_of(own)] = pixels
    return laid
