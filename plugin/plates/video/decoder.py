"""`Decoder`: one frame of a video at a time, exactly the one that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import chain
from pathlib import Path

import av
from av.codec import CodecContext
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from plugin.errors import FrameError, PlateError
from plugin.plates.video.file import open_container, read_errors
from plugin.plates.video.index import FrameIndex


class Decoder:
    """Decodes forward without seeking while frames are asked for in order.

    Otherwise it seeks to the key frame from which the frame comes out whole and decodes up to it.
    Every frame is checked against the index by its presentation time (or its count, in files that
    have no times), so that a container that seeks wrongly cannot hand out another frame.
    """

    def __init__(self, path: Path, reader: str, index: FrameIndex, named: Path) -> None:
        self._path, self._named = path, named
        self._reader = reader
        self._index = index
        self._container: InputContainer | None = None
        self._pictures: Iterator[tuple[int, av.VideoFrame]] = iter(())
        self._held: tuple[int, av.VideoFrame] | None = None
        self._fed = -1
        self._stream_number = 0
        self._other: VideoCodecContext | None = None
        self._broken: dict[int, int] = {}

    @property
    def index(self) -> FrameIndex:
        """The frames there are; leading ones that cannot be decoded are left out."""
        return self._index

    @cached_property
    def _first(self) -> av.VideoFrame:
        self._rewind(0)
        with read_errors(self._path, self._reader, self._named):
            item = next(self._pictures, None)
        if item is None:
            raise PlateError(
                "no frame of it can be decoded", where=self._named, fix="copy or export it again"
            )
        time, picture = item
        if self._index.timed and time > self._index.times[0]:
            self._index = self._index.from_time(time)
        self._held = item
        return picture

    def first(self) -> av.VideoFrame:
        """The first frame that can be decoded.

        Raises:
            PlateError: none can.
        """
        return self._first

    def frame(self, place: int, where: str) -> av.VideoFrame:
        """Decode the frame at `place` in presentation order.

        Args:
            place: 0 for the first.
            where: names the frame in errors.

        Raises:
            FrameError: it is damaged or does not come out.
        """
        time = self._index.times[place]
        start = self._index.start(time)
        position = self._index.position(time)
        if self._broken.get(start, position + 1) <= position:
            raise _damaged("it refers to a frame that is damaged", where)
        try:
            if not self._can_go_on(time, start):
                self._rewind(start)
            return self._forward_to(time, where)
        except (av.FFmpegError, OSError, ValueError) as error:
            self._held = None
            self._broken[start] = min(max(self._fed, start), position)
            self._fed = -1
            raise _damaged(getattr(error, "strerror", None) or str(error), where) from error

    def close(self) -> None:
        """Give back the file and the decoder."""
        self._pictures = iter(())
        self._held = None
        if self._container is not None:
            self._container.close()
            self._container = None

    def _can_go_on(self, time: int, start: int) -> bool:
        """Whether decoding on from here meets the frame before a seek would."""
        return self._held is not None and self._held[0] <= time and start <= self._fed + 1

    def _forward_to(self, time: int, where: str) -> av.VideoFrame:
        while self._held is None or self._held[0] < time:
            self._held = next(self._pictures, None)
            if self._held is None:
                raise _damaged("the decoder ends before it", where)
        if self._held[0] != time:
            raise _damaged("the decoder passes over it", where)
        if self._held[1].is_corrupt:
            raise _damaged("parts of it could not be decoded", where)
        return self._held[1]

    def _rewind(self, start: int) -> None:
        """Go to where the packet at decode position `start` is the next to be decoded."""
        self._held = None
        if self._container is None or start == 0 or not self._index.timed:
            self._reopen(start)
            return
        entry = self._index.entries[start]
        target = entry.pts if entry.dts is None else entry.dts
        assert target is not None, "a timed index has times"  # noqa: S101
        stream = self._stream()
        self._other = _alpha_decoder(stream)
        self._container.seek(target, stream=stream, backward=True)
        packets = self._container.demux(stream)
        first = next(packets)
        position = self._index.packet_position(first.pts)
        if position is None or position > start:
            self._reopen(start)
        else:
            self._pictures = self._decoded(chain([first], packets), position, start)

    def _reopen(self, start: int) -> None:
        """Read packets from the start: where a container that cannot seek ends up, too."""
        self.close()
        self._container, stream = open_container(self._path, self._reader, self._named)
        self._stream_number = stream.index
        self._other = _alpha_decoder(stream)
        self._pictures = self._decoded(self._container.demux(stream), 0, start)

    def _stream(self) -> VideoStream:
        assert self._container is not None, "only called while open"  # noqa: S101
        stream = self._container.streams[self._stream_number]
        assert isinstance(stream, VideoStream), "opened as one"  # noqa: S101
        return stream

    def _decoded(
        self, packets: Iterator[Packet[VideoStream]], position: int, start: int
    ) -> Iterator[tuple[int, av.VideoFrame]]:
        """Frames with their times, from packets of which the first is at `position`."""
        count = 0
        for packet in packets:
            if packet.size and position < start:
                position += 1
                continue
            self._fed = position
            for picture in packet.decode() if self._other is None else self._other.decode(packet):
                time = picture.pts if self._index.timed else count
                count += 1
                if time is not None:
                    yield time, picture
            position += 1


def _alpha_decoder(stream: VideoStream) -> VideoCodecContext | None:
    """A decoder that gives the alpha of VP8 and VP9, which lies beside the picture; else None.

    FFmpeg's own leave it out without a word; libvpx decodes both.
    """
    name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec_context.codec.canonical_name)
    said = {key.lower(): value for key, value in stream.metadata.items()}.get("alpha_mode", "0")
    if name is None or said.strip() in {"", "0"}:
        return None
    context = CodecContext.create(name, "r")
    assert isinstance(context, VideoCodecContext), "it is one of video"  # noqa: S101
    context.extradata = stream.codec_context.extradata
    return context


def _damaged(why: str, where: str) -> FrameError:
    return FrameError(
        f"the frame cannot be decoded: {why}", where=where, fix="copy or export the video again"
    )
