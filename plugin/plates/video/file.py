"""Opening a video: by the one reader that its first bytes name, files alone; FFmpeg's errors."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from plugin.errors import PlateError
from plugin.plates.video.container import promised_bytes

_RENDER_AGAIN = "copy or export it again"

_DECODER_THREADS = 2
_NAMES = {"mov": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska,webm"}
_DEFAULT, PICTURE = 0x1, 0x400
"""FFmpeg's dispositions: the track that its author means, and a cover's still picture."""


@contextmanager
def read_errors(path: Path, reader: str, named: Path | None = None) -> Iterator[None]:
    """FFmpeg's errors as `PlateError`; `named` is how the file is called in them, if not so."""
    try:
        yield
    except (av.FFmpegError, OSError, ValueError) as error:
        what = f"the video cannot be opened: {getattr(error, 'strerror', None) or error}"
        missing = (promised_bytes(path, reader) or 0) - path.stat().st_size
        if missing > 0:
            what = f"the video is cut short: {missing} bytes are missing, no frame can be reached"
        elif reader == "mov":
            what += "; it may be cut short"
        raise PlateError(what, where=named or path, fix=_RENDER_AGAIN) from error


def open_container(
    path: Path, reader: str, named: Path | None = None
) -> tuple[InputContainer, VideoStream]:
    """Open with the named reader alone, files alone, and the first video stream.

    Decoding uses slice threads, never frame threads: a damaged frame is then reported as itself,
    and a seek costs no run-up.

    Raises:
        PlateError: unreadable, or no video in it.
    """
    logging.getLogger("libav").setLevel(logging.CRITICAL)
    options = {"protocol_whitelist": "file", "format_whitelist": _NAMES.get(reader, reader)}
    with read_errors(path, reader, named):
        container = av.open(f"file:{path}", mode="r", format=reader, options=options)
    streams = [s for s in container.streams.video if not s.disposition & PICTURE]
    if not streams:
        container.close()
        raise PlateError(
            "there is no picture in it", where=named or path, fix="give a file with video"
        )
    stream = next((s for s in streams if s.disposition & _DEFAULT), streams[0])
    stream.thread_type = "SLICE"
    stream.thread_count = _DECODER_THREADS
    return container, stream
