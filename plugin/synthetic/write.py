"""Synthetic shots on disk: a video as a camera would deliver it, and the truth beside it."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
import numpy.typing as npt
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from plugin.errors import OutputError, ShotError
from plugin.pattern import FramePattern
from plugin.synthetic.render import render
from plugin.synthetic.shot import SyntheticFrame, SyntheticShot
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


_FIRST = 1001
"""Number of a shot's first frame, unless another is asked for."""


@dataclass(frozen=True, slots=True)
class TruthFiles:
    """Where the truth of a shot lies: `alpha` 16-bit and `mask` 8-bit grey PNG, by frame number."""

    alpha: FramePattern
    mask: FramePattern


@dataclass(frozen=True, slots=True)
class ShotFiles:
    """A shot on disk: its video and its truth; the video's first frame is number 1001."""

    video: Path
    truth: TruthFiles


def write_shot(shot: SyntheticShot, folder: Path) -> ShotFiles:
    """Write `<folder>/<name>.mp4` and its truth, rendering every frame once.

    Raises:
        OutputError: the folder cannot be written.
    """
    truth = _truth_files(shot, folder)
    video = folder / f"{shot.name}.mp4"
    with _replacing(video) as temporary:
        frames = _writing_truth(_frames(shot), truth, _FIRST)
        encode((frame.plate_rgb for frame in frames), temporary, Encoding())
    return ShotFiles(video, truth)


def write_truth(shot: SyntheticShot, folder: Path, first: int = _FIRST) -> TruthFiles:
    """Write `alpha/<name>_alpha.%04d.png` and `mask/mask.%04d.png` below the folder.

    Raises:
        OutputError: the folder cannot be written.
    """
    files = _truth_files(shot, folder)
    for _ in _writing_truth(_frames(shot), files, first):
        pass
    return files


def write_video(
    shot: SyntheticShot,
    path: Path,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    rate: Fraction | int = 24,
) -> Path:
    """Encode a shot, tagged and converted as BT.709 of limited range.

    Args:
        shot: what to render.
        path: the file; its suffix names the container.
        codec: an encoder of FFmpeg.
        pixel_format: `yuv420p`, `yuv444p10le`, … as the encoder allows.
        rate: frames a second.

    Returns:
        The path.

    Raises:
        ShotError: this build of FFmpeg has no such encoder, pixel format or container.
        OutputError: the file cannot be written.
    """
    encoding = Encoding(codec, pixel_format, Fraction(rate))
    with _replacing(path) as temporary:
        encode((frame.plate_rgb for frame in _frames(shot)), temporary, encoding)
    return path


def _frames(shot: SyntheticShot) -> Iterator[SyntheticFrame]:
    return (render(shot, index) for index in range(shot.frames))


def _truth_files(shot: SyntheticShot, folder: Path) -> TruthFiles:
    alpha = FramePattern(folder / "alpha", f"{shot.name}_alpha.", 4, ".png")
    return TruthFiles(alpha, FramePattern(folder / "mask", "mask.", 4, ".png"))


def _writing_truth(
    frames: Iterable[SyntheticFrame], files: TruthFiles, first: int
) -> Iterator[SyntheticFrame]:
    """Pass frames on and write the truth of each as it goes by."""
    for frame in frames:
        number = first + frame.index
        alpha = np.rint(frame.alpha.astype(np.float64) * 65535).astype(np.uint16)
        _write_png(files.alpha.path(number), alpha)
        _write_png(files.mask.path(number), frame.mask)
        yield frame


def _write_png(path: Path, image: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> None:
    data = cv2.imencode(".png", image)[1].tobytes()
    with _replacing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file beside the one asked for, which takes its name once it is whole and on disk."""
    temporary = path.with_name(f".{path.stem}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except (OSError, av.error.FFmpegError) as error:
        what = f"cannot be written ({error.strerror or error})"
        fix = "check the folder's rights and space"
        raise OutputError(what, where=path, fix=fix) from error
    finally:
        with suppress(OSError):
            temporary.unlink()
