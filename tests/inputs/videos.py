"""Videos: a file a row, and what is to be found in it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from plugin.framerange import FrameRange
from tests.inputs.plates import Made
from tests.media import H264, LOSSLESS, Codec, Tags, numbered, write_video

HD = Tags(matrix=1, primaries=1, transfer=1, range=1)
SIX: Mapping[str, object] = {"frames": FrameRange.span(1001, 1006)}
PRORES = Codec("prores_ks", "yuv422p10le", ".mov", {}, (64, 48))
MOTION_JPEG = Codec("mjpeg", "yuvj420p", ".avi", {}, (64, 48))


def _h264(folder: Path, **options: object) -> Path:
    return write_video(folder / "a.mp4", H264, numbered(H264, 6), **options)  # type: ignore[arg-type]


def _sited(folder: Path, kind: int, *, full: bool = False) -> Path:
    codec = replace(H264, options={**H264.options, "x264-params": f"chromaloc={kind}"})
    tags = replace(HD, range=2) if full else HD
    return write_video(folder / "a.mp4", codec, numbered(codec, 6), tags=tags)


def _late(folder: Path) -> Path:
    codec = replace(LOSSLESS, size=(32, 32))
    times = [30, 31, 32, 33, 34, 35]
    return write_video(folder / "a.mkv", codec, numbered(codec, 6), times=times)


def _clocked(folder: Path, rate: int, timecode: str, counted: int | None = None) -> Path:
    frames = numbered(PRORES, 6)
    metadata = {"timecode": timecode}
    path = write_video(folder / "a.mov", PRORES, frames, tags=HD, rate=rate, metadata=metadata)
    if counted is not None:
        data = bytearray(path.read_bytes())
        place = next(
            place
            for place in range(len(data) - 29)
            if data[place : place + 4] == b"tmcd" and not any(data[place + 4 : place + 10])
        )
        struct.pack_into(">IIB", data, place + 20, counted * 512, 512, counted)
        path.write_bytes(bytes(data))
    return path


def _two_tracks(folder: Path) -> Path:
    from av.stream import Disposition

    path = folder / "a.mkv"
    with av.open(str(path), "w") as output:
        streams = []
        for _ in range(2):
            stream = output.add_stream("ffv1", rate=24)
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height, stream.pix_fmt = 32, 32, "gray"
            streams.append(stream)
        streams[0].disposition = Disposition(0)
        streams[1].disposition = Disposition.default
        for _ in range(6):
            for value, stream in zip((0, 255), streams, strict=True):
                pixels = np.full((32, 32), value, np.uint8)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="gray")))
        for stream in streams:
            output.mux(stream.encode())
    return path


def _empty_chunk(folder: Path) -> Path:
    """An AVI in which the third frame's chunk is empty: it repeats the one before."""
    path = write_video(folder / "a.avi", MOTION_JPEG, numbered(MOTION_JPEG, 6))
    data = path.read_bytes()
    place = data.index(b"movi") + 4
    end = place - 4 + struct.unpack("<I", data[place - 8 : place - 4])[0]
    movie, index, count = b"movi", b"", 0
    while place < end:
        size = struct.unpack("<I", data[place + 4 : place + 8])[0]
        content = data[place + 8 : place + 8 + size] if count != 2 else b""
        index += data[place : place + 4] + struct.pack("<III", 16, len(movie), len(content))
        movie += data[place : place + 4] + struct.pack("<I", len(content))
        movie += content + b"\0" * (len(content) & 1)
        place, count = place + 8 + size + (size & 1), count + 1
    head = data[12 : data.index(b"movi") - 8]
    body = head + b"LIST" + struct.pack("<I", len(movie)) + movie
    body += b"idx1" + struct.pack("<I", len(index)) + index
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body) + 4) + b"AVI " + body)
    return path


def _cut(folder: Path) -> Path:
    path = _h264(folder)
    path.write_bytes(path.read_bytes()[:-200])
    return path


MAKERS: dict[str, Callable[[Path], Made]] = {
    "tagged": lambda f: (_h264(f, tags=HD), {"colour": "g24_rec709_display", **SIX}),
    "untagged": lambda f: (_h264(f), SIX),
    "full-range": lambda f: (_h264(f, tags=replace(HD, range=2)), SIX),
    "chroma-middle": lambda f: (_sited(f, 1), SIX),
    "chroma-corner": lambda f: (_sited(f, 2), SIX),
    "chroma-left-full": lambda f: (_sited(f, 0, full=True), SIX),
    "pq": lambda f: (
        _h264(f, tags=Tags(9, 9, 16, 1)),
        {"colour": "pq_rec2020_display"},
    ),
    "odd-transfer": lambda f: (_h264(f, tags=Tags(1, 1, 17, 1)), SIX),
    "late-start": lambda f: (_late(f), SIX),
    "uneven": lambda f: (_h264(f, times=[0, 1, 2, 5, 6, 9], tags=HD), SIX),
    "timecode-25": lambda f: (_clocked(f, 25, "10:00:00:24"), {"timecode": "10:00:00:24"}),
    "timecode-50": lambda f: (
        _clocked(f, 50, "10:00:00:27"),
        {"timecode": "10:00:00:27", "rate": Fraction(50)},
    ),
    "timecode-pairs": lambda f: (
        _clocked(f, 50, "10:00:00:12", counted=25),
        {"timecode": "10:00:00:24"},
    ),
    "timecode-other": lambda f: (_clocked(f, 25, "10:00:00:12", counted=24), SIX),
    "default-track": lambda f: (_two_tracks(f), SIX),
    "empty-chunks": lambda f: (_empty_chunk(f), {}),
    "cut-short": lambda f: (_cut(f), {}),
}
