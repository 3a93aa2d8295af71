"""`VideoPlate`: a video file read by frame number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av

from plugin.errors import FrameError, PlateError
from plugin.framerange import MAX_FRAMES, FrameRange
from plugin.plates.digest import file_digest
from plugin.plates.orientation import Orientation
from plugin.plates.timecode import advance
from plugin.plates.video_colour import encoding_of
from plugin.plates.video_decoder import Decoder
from plugin.plates.video_pixels import alpha_of, rgb_of
from plugin.plates.video_probe import Probe, interlaced, probe
from plugin.types import FloatArray, Frame, PlateInfo, PlateKind, Window

__all__ = ["VideoPlate"]


class VideoPlate:
    """Frames of a video: `start_frame` plus their place in presentation order.

    Args:
        path: the file.
        reader: its container, by `plugin.plates.sniff`.
        start_frame: number of the first frame.
        digest: sha256 of the file where it is known already.

    Raises:
        PlateError: the video cannot be read as a whole; see `plugin.plates.video_probe`.
    """

    def __init__(self, path: Path, reader: str, *, start_frame: int, digest: str = "") -> None:
        self._path = path
        self._digest = digest
        found = probe(path, reader)
        self._decoder = Decoder(path, reader, found.index)
        try:
            self._first = self._decoder.first()
            if self._first.interlaced_frame:
                raise interlaced(path)
            self._orientation = Orientation.of(self._first, path)
            self._encoding = encoding_of(self._first, found.tags, path)
            self._info = self._describe(found, start_frame)
        except BaseException:
            self.close()
            raise

    @property
    def info(self) -> PlateInfo:
        """What probing found; its `digest` is empty until `digest` or `file_digest` was called."""
        return replace(self._info, digest=self._digest)

    @property
    def has_alpha(self) -> bool:
        """Whether the pictures carry an alpha of their own, as ProRes 4444 may."""
        return len(self._first.format.components) == 4

    def read(self, number: int) -> Frame:
        """Decode one frame; going forward needs no seek.

        Raises:
            FrameError: not in the plate, damaged, or of another size or kind than the first.
        """
        rgb = self._orientation.apply(rgb_of(self._picture(number), self._encoding))
        timecode = self._info.timecode
        if timecode is not None:
            timecode = advance(timecode, self._place(number), self._info.rate)
        return Frame(number, rgb, timecode)

    def read_alpha(self, number: int) -> FloatArray | None:
        """The frame's own alpha, `H × W` float32 within [0, 1]; None where it has none.

        Raises:
            FrameError: as `read`.
        """
        alpha = alpha_of(self._picture(number))
        return None if alpha is None else self._orientation.apply(alpha)

    def digest(self, number: int) -> str:
        """sha256 over the file's sha256 and the frame's place in it.

        Raises:
            FrameError: not in the plate, or the file is gone.
        """
        place = self._place(number)
        try:
            return hashlib.sha256(f"{self.file_digest()}:{place}".encode()).hexdigest()
        except PlateError as error:
            raise FrameError(error.what, where=self._where(number), fix=error.fix) from error

    def file_digest(self) -> str:
        """sha256 of the file, which is read through at the first call.

        Raises:
            PlateError: the file is gone.
        """
        if not self._digest:
            try:
                self._digest = file_digest(self._path)
            except OSError as error:
                what = f"the video cannot be read: {error.strerror or error}"
                raise PlateError(what, where=self._path, fix="check path and rights") from error
        return self._digest

    def close(self) -> None:
        """Give back the file and the decoder."""
        self._decoder.close()

    def _where(self, number: int) -> str:
        return f"{self._path}, frame {number}"

    def _place(self, number: int) -> int:
        if number not in self._info.frames:
            raise FrameError(
                "the plate has no such frame",
                where=self._where(number),
                fix=f"it has {self._info.frames}",
            )
        return number - self._info.frames.first

    def _picture(self, number: int) -> av.VideoFrame:
        where = self._where(number)
        picture = self._decoder.frame(self._place(number), where)
        if _shape(picture) != _shape(self._first):
            raise FrameError(
                f"{_shape(picture)} in a plate of {_shape(self._first)}",
                where=where,
                fix="split the video where it changes",
            )
        if picture.interlaced_frame:
            raise FrameError("the frame is interlaced", where=where, fix="deinterlace it first")
        return picture

    def _describe(self, found: Probe, start_frame: int) -> PlateInfo:
        count = len(self._decoder.index.times)
        if count > MAX_FRAMES:
            raise PlateError(f"over {MAX_FRAMES} frames", where=self._path, fix="split the video")
        width, height, pixel_aspect = self._first.width, self._first.height, found.pixel_aspect
        if self._orientation.transposed:
            width, height, pixel_aspect = height, width, 1 / pixel_aspect
        window = Window.of_size(width, height)
        return PlateInfo(
            path=str(self._path),
            kind=PlateKind.VIDEO,
            frames=FrameRange.span(start_frame, start_frame + count - 1),
            data_window=window,
            display_window=window,
            pixel_aspect=float(pixel_aspect),
            rate=found.rate,
            timecode=found.timecode,
            codec=found.codec,
            pixel_format=self._first.format.name,
            bits=max(component.bits for component in self._first.format.components),
            colour=self._encoding.colour,
            notes=tuple(self._notes(found)),
        )

    def _notes(self, found: Probe) -> Iterator[str]:
        index = self._decoder.index
        yield from self._encoding.notes
        if self._orientation.note:
            yield self._orientation.note
        if not index.steady:
            yield "variable frame rate, frames told apart by their times"
        if hidden := len(found.index.times) - len(index.times):
            yield f"{hidden} leading frames cannot be decoded and are left out"
        if self.has_alpha:
            yield "has an alpha of its own"


def _shape(picture: av.VideoFrame) -> str:
    return f"{picture.width} × {picture.height} {picture.format.name}"
