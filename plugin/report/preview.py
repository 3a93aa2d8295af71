"""The preview: the shot as a small film, alpha and comp side by side, in one mp4."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av
import av.error
import cv2
import numpy as np
from av.codec.codec import UnknownCodecError
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from plugin.disk.atomic import output_error, refuse_escape, temporary_name
from plugin.errors import OutputError
from plugin.types import LabelArray

COMP_COLOUR = (0.85, 0.18, 0.32)
"""What the subject is put over: a colour that neither skin, screens nor foliage have."""

_ENCODERS: Mapping[str, Mapping[str, str]] = {
    "libx264": {"crf": "20", "preset": "veryfast", "maxrate": "3M", "bufsize": "3M"},
    "libopenh264": {"b": "2M"},
    "libvpx-vp9": {"crf": "34", "b": "2M", "deadline": "realtime", "cpu-used": "8"},
}
"""What browsers play, the most widely played first."""

_BT709 = 1
_GREY = np.uint8(40)
_THREADS = 2


def comp_of(tiles: Mapping[str, LabelArray]) -> LabelArray:
    """The frame over `COMP_COLOUR`, `h × w × 3` uint8; alpha alone where there is no plate."""
    alpha = tiles["alpha"].astype(np.float32) / 255
    front = tiles.get("colours", tiles.get("plate"))
    if front is None:
        return tiles["alpha"]
    back = np.array(COMP_COLOUR, np.float32) * 255
    return np.rint(alpha * front + (1 - alpha) * back).astype(np.uint8)


def write_preview(
    path: Path,
    frames: Iterable[tuple[int, Mapping[str, LabelArray] | None]],
    size: tuple[int, int],
    rate: Fraction,
    root: Path,
) -> str:
    """Encode the film beside its name and rename it; its index in front, so that it plays at once.

    Args:
        path: the file.
        frames: number and tiles in order; None where there is no picture: a dark card says so.
        size: width and height of a tile.
        rate: frames a second.
        root: the output folder.

    Returns:
        The encoder's name; empty where this FFmpeg has none, and nothing was written.

    Raises:
        OutputError: the disk refuses.
        av.error.FFmpegError: the encoder fails.
    """
    name = next((name for name in _ENCODERS if _has(name)), "")
    if not name:
        return ""
    refuse_escape(path, root)
    temporary = path.with_name(temporary_name(path.name))  # the index goes in front in a second go
    try:
        with av.open(temporary, "w", format="mp4", options={"movflags": "faststart"}) as container:
            _encode(container, name, frames, size, rate)
        temporary.replace(path)
    except OSError as error:
        if isinstance(error, av.error.FFmpegError):
            raise
        raise output_error(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)
    return name


def _encode(
    container: OutputContainer,
    encoder: str,
    frames: Iterable[tuple[int, Mapping[str, LabelArray] | None]],
    size: tuple[int, int],
    rate: Fraction,
) -> None:
    width, height = (max(16, side - side % 2) for side in size)
    stream = container.add_stream(encoder, rate, options=dict(_ENCODERS[encoder]))
    if not isinstance(stream, VideoStream):
        raise OutputError("not an encoder of video", where=encoder, fix="report it")
    stream.width, stream.height = 2 * width, height
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.thread_count = _THREADS
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = ColorRange.MPEG
    for place, (number, tiles) in enumerate(frames):
        picture = av.VideoFrame.from_ndarray(_pair(number, tiles, width, height), "rgb24")
        frame = picture.reformat(
            format="yuv420p",
            src_colorspace=Colorspace.ITU709,
            dst_colorspace=Colorspace.ITU709,
            src_color_range=ColorRange.JPEG,
            dst_color_range=ColorRange.MPEG,
        )
        frame.pts, frame.time_base = place, 1 / rate
        container.mux(stream.encode(frame))
    container.mux(stream.encode())


def _has(encoder: str) -> bool:
    try:
        av.Codec(encoder, "w")
    except UnknownCodecError:
        return False
    return True


def _pair(
    number: int, tiles: Mapping[str, LabelArray] | None, width: int, height: int
) -> LabelArray:
    """Alpha beside comp, the frame's number under them."""
    if tiles is None:
        pair = np.full((height, 2 * width, 3), _GREY, np.uint8)
        label = f"{number}: no picture"
    else:
        halves = [_fit(tiles["alpha"], width, height), _fit(comp_of(tiles), width, height)]
        pair = np.concatenate(halves, axis=1)
        label = str(number)
    place = (4, height - 5)
    for colour, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        font = cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(pair, label, place, font, 0.4, colour, thick, cv2.LINE_AA)
    return np.ascontiguousarray(pair)


def _fit(tile: LabelArray, width: int, height: int) -> LabelArray:
    if tile.shape[:2] == (height, width):
        return tile
    return np.asarray(cv2.resize(tile, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
