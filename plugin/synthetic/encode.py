"""Encoding float pictures as video, converted and tagged as BT.709 of limited range."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import numpy as np
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from plugin.errors import ShotError
from plugin.types import FloatArray

_BT709 = 1
"""Of primaries, transfer and matrix alike, in ITU-T H.273."""

_QUALITY = {
    "libx264": {"crf": "8", "preset": "fast"},
    "libx265": {"crf": "8", "preset": "fast", "x265-params": "log-level=error"},
}


@dataclass(frozen=True, slots=True)
class Encoding:
    """How to encode.

    Attributes:
        codec: an encoder of FFmpeg.
        pixel_format: `yuv420p`, `yuv444p10le`, … as the encoder allows.
        rate: frames a second.

    Raises:
        ShotError: this build of FFmpeg has no such encoder or pixel format.
    """

    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    rate: Fraction = Fraction(24)

    def __post_init__(self) -> None:
        try:
            encoder = av.Codec(self.codec, "w")
        except UnknownCodecError as error:
            fix = "install PyAV from PyPI, or name another encoder"
            raise ShotError("FFmpeg has no such encoder", where=self.codec, fix=fix) from error
        formats = [each.name for each in encoder.video_formats or []]
        if formats and self.pixel_format not in formats:
            where = f"{self.codec}, {self.pixel_format}"
            fix = f"use one of {', '.join(formats[:8])}"
            raise ShotError("the encoder does not take this pixel format", where=where, fix=fix)


def encode(pictures: Iterable[FloatArray], path: Path, encoding: Encoding) -> None:
    """Encode pictures in order.

    Args:
        pictures: `H × W × 3` float32 within [0, 1], display-referred, all of one size.
        path: the file; its suffix names the container.
        encoding: how.

    Raises:
        ShotError: the suffix names no container.
        av.error.FFmpegError: the file cannot be written, or FFmpeg refuses.
    """
    with _open(path) as container:
        stream: VideoStream | None = None
        for number, picture in enumerate(pictures):
            if stream is None:
                stream = _stream(container, picture, encoding)
            frame = _frame(picture, encoding.pixel_format)
            frame.pts = number
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode())


def _open(path: Path) -> OutputContainer:
    try:
        return av.open(path, "w")
    except av.error.FFmpegError:
        raise
    except ValueError as error:
        fix = "use .mp4, .mov or .mkv"
        raise ShotError("no such container of video", where=path.suffix, fix=fix) from error


def _stream(container: OutputContainer, picture: FloatArray, encoding: Encoding) -> VideoStream:
    """A new stream with size, pixels and colour described."""
    options = dict(_QUALITY.get(encoding.codec, {}))
    stream = container.add_stream(encoding.codec, encoding.rate, options=options)
    if not isinstance(stream, VideoStream):
        raise ShotError("not an encoder of video", where=encoding.codec, fix="name one of video")
    stream.height, stream.width = picture.shape[:2]
    stream.pix_fmt = encoding.pixel_format
    context = stream.codec_context
    context.time_base = 1 / encoding.rate
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = ColorRange.MPEG
    return stream


def _frame(picture: FloatArray, pixel_format: str) -> VideoFrame:
    """A picture as the encoder takes it. The matrix is named: FFmpeg's default is BT.601."""
    codes = np.rint(picture * np.float32(65535)).astype(np.uint16)
    frame = VideoFrame.from_ndarray(codes, format="rgb48le").reformat(
        format=pixel_format,
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
    )
    frame.color_primaries = frame.color_trc = frame.colorspace = _BT709
    frame.color_range = ColorRange.MPEG
    return frame
