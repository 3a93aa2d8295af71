"""Opening a video and finding out, before any work, whether every frame of it can be had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.stream import VideoStream

from plugin.errors import PlateError
from plugin.plates.limits import check_size
from plugin.plates.timecode import at_rate
from plugin.plates.video.colour import ColourTags
from plugin.plates.video.container import is_fragmented, promised_bytes, timecode_rate
from plugin.plates.video.file import PICTURE, open_container, read_errors
from plugin.plates.video.index import FrameIndex

_PROGRESSIVE = frozenset({0, 1})
_RENDER_AGAIN = "copy or export it again"


@dataclass(frozen=True)
class Probe:
    """What one pass over a video's packets found.

    Attributes:
        index: its frames.
        codec: as FFmpeg names it: `h264`, `prores`, ….
        timecode: of the first frame, as the container has it.
        rate: frames a second, where known.
        notes: what is said of its streams and timecode, and was not followed.
        pixel_aspect: width of a stored pixel over its height.
        tags: how the stream as a whole is tagged.
    """

    index: FrameIndex
    codec: str
    timecode: str | None
    rate: Fraction | None
    pixel_aspect: Fraction
    tags: ColourTags
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Opened:
    path: Path
    reader: str
    container: InputContainer
    stream: VideoStream
    named: Path


def probe(path: Path, reader: str, named: Path | None = None) -> Probe:
    """Find every frame, decode none: from the sample table if that is enough, else by its packets.

    Args:
        path: the file, or a name for an open one.
        reader: its container.
        named: how it is called in errors, if not so.

    Raises:
        PlateError: no decoder, oversized, interlaced, cut short, or without a frame.
    """
    named = named or path
    container, stream = open_container(path, reader, named)
    with container, read_errors(path, reader, named):
        _check_stream(stream, named)
        ends: dict[int, Fraction] = {}
        if _has_table(stream, path, reader):
            index = FrameIndex.of_table(stream)
        else:
            packets = _own_packets(container, stream, ends)
            index = FrameIndex.of(packets, stream.codec_context.codec.canonical_name)
        _check_whole(_Opened(path, reader, container, stream, named), index, ends)
        rate = _rate(stream)
        timecode, notes = _timecode(container, stream, path, reader)
        others = [s.index for s in container.streams.video if s.index != stream.index]
        if others := [n for n in others if not container.streams[n].disposition & PICTURE]:
            notes.append(f"picture track {stream.index} is taken, of {len(others) + 1}")
        return Probe(
            index,
            codec=stream.codec_context.codec.canonical_name,
            timecode=timecode,
            rate=rate,
            notes=tuple(notes),
            pixel_aspect=stream.sample_aspect_ratio or Fraction(1),
            tags=ColourTags.of(stream.codec_context),
        )


def _has_table(stream: VideoStream, path: Path, reader: str) -> bool:
    """Whether the container's header says where every frame lies and when it is shown."""
    return (
        reader == "mov"
        and stream.codec_context.codec.intra_only
        and stream.frames > 0
        and not is_fragmented(path)
    )


def _check_stream(stream: VideoStream, path: Path) -> None:
    context = cast("VideoCodecContext | None", stream.codec_context)  # as it is, not as typed
    if context is None or context.pix_fmt is None:
        name = "unknown" if context is None else context.name
        raise PlateError(
            f"no picture can be made of its codec, {name}",
            where=path,
            fix="transcode it to ProRes, DNxHR or H.264",
        )
    check_size(context.width, context.height, path)
    if context.field_order not in _PROGRESSIVE:
        raise interlaced(path)


def interlaced(where: object) -> PlateError:
    """The refusal of interlaced video: half of each frame is another moment."""
    return PlateError(
        "the video is interlaced",
        where=where,
        fix="deinterlace it first, or if it is progressive (PsF), rewrap it with that flag",
    )


def _own_packets(
    container: InputContainer, stream: VideoStream, ends: dict[int, Fraction]
) -> Iterator[Packet[VideoStream]]:
    """The stream's packets up to where the file can be read; `ends` collects when each ends."""
    try:
        for packet in container.demux():
            _note_end(packet, ends)
            if packet.stream_index == stream.index:
                yield packet  # type: ignore[misc]  # of this stream, as the line above asks
    except av.FFmpegError:
        return  # what is missing is said with the number of frames that are there


def _note_end(packet: Packet[Stream], ends: dict[int, Fraction]) -> None:
    if packet.pts is not None and packet.time_base is not None:
        end = (packet.pts + (packet.duration or 0)) * packet.time_base
        ends[packet.stream_index] = max(end, ends.get(packet.stream_index, end))


def _check_whole(opened: _Opened, index: FrameIndex, ends: dict[int, Fraction]) -> None:
    size = opened.path.stat().st_size
    there = sum(entry.shown and entry.end <= size for entry in index.entries)
    promised_size = promised_bytes(opened.path, opened.reader)
    promised = _promised_packets(opened)
    if promised_size is not None and promised_size > size:
        share = f"{promised_size - size} bytes of the file are missing"
    elif len(index.entries) < promised:
        _refuse_empty(opened, index, promised)
        share = f"of {promised} that its index names"
    elif any(entry.end > size for entry in index.entries):
        share = "the others would lie behind its end"
    elif _ends_early(opened, ends):
        share = "it ends before the length that it states"
    elif not there:
        raise PlateError("there is no frame in it", where=opened.named, fix=_RENDER_AGAIN)
    else:
        return
    raise PlateError(
        f"the video is cut short: {_frames(there)} there, {share}",
        where=opened.named,
        fix=_RENDER_AGAIN,
    )


def _refuse_empty(opened: _Opened, index: FrameIndex, promised: int) -> None:
    """An AVI repeats a frame by an empty chunk: all else is there, and the last has its number."""
    times = [entry.pts for entry in index.entries if entry.pts is not None]
    if opened.reader != "avi" or not times or max(times) + 1 != promised:
        return
    missing = promised - len(index.entries)
    said = "is an empty chunk" if missing == 1 else "are empty chunks"
    raise PlateError(
        f"{missing} of its frames {said}: the one before is shown again",
        where=opened.named,
        fix="transcode it, so that every frame is there",
    )


def _frames(count: int) -> str:
    return "1 whole frame is" if count == 1 else f"{count} whole frames are"


def _promised_packets(opened: _Opened) -> int:
    """Pictures that the header promises; 0 where it does not say.

    A mov's index entries, not its sample count: an edit list may leave samples out for good.
    """
    if opened.reader == "mov":
        return len(opened.stream.index_entries)
    return opened.stream.frames if opened.reader in {"avi", "mxf"} else 0


def _ends_early(opened: _Opened, ends: dict[int, Fraction]) -> bool:
    """Whether the packets stop most of a frame or more before the stated length."""
    rate, container = _rate(opened.stream), opened.container
    if not ends or rate is None or container.duration is None:
        return False
    stated = Fraction(container.duration, av.time_base)
    if opened.reader != "matroska":  # whose duration counts from 0, not from its first picture
        stated += Fraction(container.start_time or 0, av.time_base)
    return stated - max(ends.values()) > Fraction(3, 4) / rate


def _rate(stream: VideoStream) -> Fraction | None:
    return stream.average_rate or stream.guessed_rate or None


def _timecode(
    container: InputContainer, stream: VideoStream, path: Path, reader: str
) -> tuple[str | None, list[str]]:
    """From the stream, a timecode track (tmcd), or the file as a whole; counted at its own rate."""
    tracks = [stream.metadata, *(s.metadata for s in container.streams), container.metadata]
    found = (tags.get("timecode") or tags.get("TIMECODE") for tags in tracks)
    text = next((text for text in found if text), None)
    counted = timecode_rate(path) if text and reader == "mov" else None
    rate = _rate(stream)
    if text is None or counted is None or rate is None or round(counted) == round(rate):
        return text, []
    said = f"the timecode track counts {float(counted):.6g} frames a second of {float(rate):.6g}"
    if round(rate) == 2 * round(counted):
        return at_rate(text, counted, rate), [f"{said}: each is counted, from {text}"]
    return text, [f"{said}: its first timecode is followed, at the video's rate"]
