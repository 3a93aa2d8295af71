"""`VideoPlate`: a video file read by frame number."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import av
from pydantic import ValidationError

from plugin.disk.inputs import Sum, note, place_of, regular, stamp_of
from plugin.errors import FrameError, PlateError, told_as
from plugin.framerange import MAX_FRAMES, FrameRange
from plugin.plate_info import no_plate
from plugin.plates.timecode import advance
from plugin.plates.video.chroma import chroma_site
from plugin.plates.video.colour import ColourTags, encoding_of
from plugin.plates.video.decoder import Decoder
from plugin.plates.video.orientation import Orientation
from plugin.plates.video.pixels import alpha_of, rgb_of
from plugin.plates.video.probe import Probe, interlaced, probe
from plugin.types import FloatArray, Frame, PlateInfo, PlateKind, Window

_ANY_SIZE = 1 << 62
_WAIT = "wait until it is there, and run the same command again"


class VideoPlate:
    """Frames of a video: `start_frame` plus their place in presentation order.

    The file is opened once: another that takes its name later is not read. One that is written
    over in place is noticed, and its frames fail.

    Args:
        path: the file.
        reader: its container, by `plugin.plates.sniff`.
        start_frame: number of the first frame.
        known: what the file was when it was summed; one in another state is summed again.

    Raises:
        PlateError: the video cannot be read as a whole (see `plugin.plates.video.probe`), or is
            not the one that is known.
    """

    def __init__(
        self, path: Path, reader: str, *, start_frame: int, known: Sum | None = None
    ) -> None:
        self._path = path
        self._file = ExitStack()
        try:
            self._handle = self._file.enter_context(regular(path, _ANY_SIZE))
        except OSError as error:
            raise _unreadable(path, error) from error
        self._stamp = stamp_of(self._handle)
        self._sum = known if known is not None and known.stamp == self._stamp else None
        try:
            if known is not None and self._summed().sha256 != known.sha256:
                what, fix = (
                    "the video has changed since the job began",
                    "run the same command again",
                )
                raise PlateError(what, where=path, fix=fix)
            place = place_of(self._handle)
            found = probe(place, reader, path)
            self._decoder = Decoder(place, reader, found.index, path)
        except BaseException:
            self._file.close()
            raise
        try:
            self._first = self._decoder.first()
            if self._first.interlaced_frame:
                raise interlaced(path)
            self._orientation = Orientation.of(self._first, path)
            encoding = encoding_of(self._first, found.tags, path)
            site, sited = chroma_site(path, reader, found.codec, full=encoding.full)
            notes = (*encoding.notes, *filter(None, [sited]))
            self._encoding = replace(encoding, site=site, notes=notes)
            try:
                self._info = self._describe(found, start_frame)
            except ValidationError as error:
                fix = "copy or write it again"
                raise PlateError(f"the video's {no_plate(error)}", where=path, fix=fix) from error
        except BaseException:
            self.close()
            raise

    @property
    def info(self) -> PlateInfo:
        """What probing found; its `digest` is empty until `digest` or `file_sum` was called."""
        sha256 = "" if self._sum is None else self._sum.sha256
        return self._info.model_copy(update={"digest": sha256})

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
        return Frame(number, rgb, timecode, digest=self._digest_of(number))

    def read_alpha(self, number: int) -> FloatArray | None:
        """The frame's own alpha, `H × W` float32 within [0, 1]; None where it has none.

        Raises:
            FrameError: as `read`.
        """
        alpha = alpha_of(self._picture(number))
        self._digest_of(number)  # enters the file into the frame's ledger
        return None if alpha is None else self._orientation.apply(alpha)

    def digest(self, number: int) -> str:
        """sha256 over the file's sha256 and the frame's place in it.

        Raises:
            FrameError: not in the plate, or the file is gone.
        """
        place = self._place(number)
        with told_as(FrameError, of=PlateError, where=self._where(number)):
            found = self.file_sum()
        return hashlib.sha256(f"{found.sha256}:{place}".encode()).hexdigest()

    def file_sum(self) -> Sum:
        """The sum of the file that is open, which is read through at the first call.

        Raises:
            PlateError: the disk refuses, or the file is being written.
            FrameError: the ledger has another file under its name.
        """
        found = self._summed()
        note(self._path, found)
        return found

    def _summed(self) -> Sum:
        if self._sum is None:
            try:
                with place_of(self._handle).open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
            except OSError as error:
                raise _unreadable(self._path, error) from error
            if stamp_of(self._handle) != self._stamp:
                raise PlateError("the video is being written", where=self._path, fix=_WAIT)
            self._sum = Sum(digest, self._stamp)
        return self._sum

    def _digest_of(self, number: int) -> str:
        """The digest of a frame that was just decoded: of a file that is still as it was opened."""
        if stamp_of(self._handle) != self._stamp:
            what = "the video was written over while it was read"
            raise FrameError(what, where=self._where(number), fix="run the same command again")
        return "" if self._sum is None else self.digest(number)

    def close(self) -> None:
        """Give back the file and the decoder."""
        self._decoder.close()
        self._file.close()

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
        if ColourTags.of(picture) != ColourTags.of(self._first):
            what = "its colour tags are others than the first frame's"
            raise FrameError(what, where=where, fix="split the video where they change")
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
        yield from found.notes
        if self._orientation.note:
            yield self._orientation.note
        if not index.steady:
            yield "variable frame rate, frames told apart by their times"
        if hidden := len(found.index.times) - len(index.times):
            yield f"{hidden} leading frames cannot be decoded and are left out"
        if self.has_alpha:
            yield "has an alpha of its own"


def _unreadable(path: Path, error: OSError) -> PlateError:
    what = f"the video cannot be read: {error.strerror or error}"
    return PlateError(what, where=path, fix="check path and rights")


def _shape(picture: av.VideoFrame) -> str:
    return f"{picture.width} × {picture.height} {picture.format.name}"
