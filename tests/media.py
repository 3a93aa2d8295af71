"""Small real media files for tests: videos by PyAV, images by OpenImageIO and OpenEXR."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import OpenEXR  # type: ignore[import-not-found]
import pytest
from OpenImageIO import ImageBuf, ImageSpec

DATA = Path(__file__).parents[2] / "shared" / "data"

Array = npt.NDArray[Any]
Planes = Sequence[Array]


def shared(relative: str) -> Path:
    """A file of the shared data; skips the test where the machine has none."""
    path = DATA / relative
    if not path.exists():
        pytest.skip(f"no shared data at {path}")
    return path


@dataclass(frozen=True)
class Codec:
    """How to encode so that flat colours survive to the last code value.

    Attributes:
        name: FFmpeg's encoder.
        pixels: its pixel format.
        suffix: of the file, which chooses the container.
        options: of the encoder.
        size: width and height; some codecs take few.
    """

    name: str
    pixels: str
    suffix: str
    options: Mapping[str, str] = field(default_factory=dict)
    size: tuple[int, int] = (64, 48)

    @property
    def bits(self) -> int:
        """Bits a component."""
        return av.VideoFormat(self.pixels).components[0].bits

    def __str__(self) -> str:
        return f"{self.name}-{self.pixels}-{self.suffix[1:]}"


@dataclass(frozen=True)
class Tags:
    """Matrix, primaries, transfer (ITU-T H.273) and range (1 limited, 2 full); 0 is not tagged."""

    matrix: int = 2
    primaries: int = 2
    transfer: int = 2
    range: int = 0


def flat_planes(pixels: str, size: tuple[int, int], values: Sequence[int]) -> list[Array]:
    """One plane a component, each of one code value."""
    fmt = av.VideoFormat(pixels)
    shapes = [
        (fmt.chroma_height(size[1]), fmt.chroma_width(size[0])) if c.is_chroma else size[::-1]
        for c in fmt.components
    ]
    dtype = np.uint8 if fmt.components[0].bits == 8 else np.uint16
    return [np.full(shape, value, dtype) for shape, value in zip(shapes, values, strict=True)]


def write_video(
    path: Path,
    codec: Codec,
    frames: Iterable[Planes],
    *,
    tags: Tags = Tags(),
    rate: int = 24,
    times: Sequence[int] | None = None,
    metadata: Mapping[str, str] | None = None,
    container: Mapping[str, str] | None = None,
    prepare: Callable[[av.VideoStream], None] | None = None,
) -> Path:
    """Encode frames given as planes of code values.

    Args:
        path: the file; its suffix chooses the container.
        codec: encoder, pixel format and options.
        frames: one list of planes a frame, at the sizes of the pixel format.
        tags: colour tags of stream and frames.
        rate: frames a second, and ticks of `times`.
        times: presentation time of each frame in 1/rate seconds; by default 0, 1, 2, ….
        metadata: of the container.
        container: options of the muxer.
        prepare: does more to the stream before encoding.
    """
    with av.open(str(path), "w", options=dict(container or {})) as output:
        stream = output.add_stream(codec.name, rate=rate, options=dict(codec.options))
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = codec.size
        stream.pix_fmt = codec.pixels
        context = stream.codec_context
        context.colorspace, context.color_primaries = tags.matrix, tags.primaries
        context.color_trc, context.color_range = tags.transfer, tags.range
        output.metadata.update(metadata or {})
        if prepare is not None:
            prepare(stream)
        for number, planes in enumerate(frames):
            picture = _picture(codec, planes, tags)
            picture.pts = number if times is None else times[number]
            output.mux(stream.encode(picture))
        output.mux(stream.encode())
    return path


def _picture(codec: Codec, planes: Planes, tags: Tags) -> av.VideoFrame:
    picture = av.VideoFrame(*codec.size, codec.pixels)
    picture.colorspace, picture.color_range = tags.matrix, tags.range
    for plane, pixels in zip(picture.planes, planes, strict=True):
        rows = np.zeros((pixels.shape[0], plane.line_size // pixels.itemsize), pixels.dtype)
        rows[:, : pixels.shape[1]] = pixels
        plane.update(rows.tobytes().ljust(plane.buffer_size, b"\0")[: plane.buffer_size])
    return picture


LOSSLESS = Codec("ffv1", "gbrp12le", ".mkv")
"""RGB of 12 bits to the bit, planes in the order G, B, R."""

H264 = Codec("libx264", "yuv420p", ".mp4", {"qp": "0", "g": "12", "bf": "3"}, (32, 32))
"""Lossless H.264 with B-frames and a key frame every 12 frames."""


def numbered(codec: Codec, count: int) -> list[list[Array]]:
    """Frames that can be told apart: luma is 16 more than twice the frame's place."""
    return [
        flat_planes(codec.pixels, codec.size, (16 + 2 * place, 128, 128)) for place in range(count)
    ]


def place_of(rgb: npt.NDArray[np.float32]) -> int:
    """Which frame of `numbered` this is."""
    assert float(np.ptp(rgb)) < 1 / 255
    return round((float(rgb.mean()) * 219) / 2)


def checker(width: int, height: int) -> npt.NDArray[np.bool_]:
    """One-pixel checker with a marked corner and edges, so that no flip or shift maps it on itself.

    The top left 3 × 2 pixels are set, and the last pixel of the top row is clear.
    """
    y, x = np.mgrid[:height, :width]
    pattern: npt.NDArray[np.bool_] = (x + y) % 2 == 0
    pattern[:2, :3] = True
    pattern[0, -1] = False
    return pattern


def write_image(path: Path, pixels: Array, **attributes: Any) -> Path:
    """Write `H × W × C` with OpenImageIO at the depth of its dtype.

    Args:
        path: the file; its suffix chooses the format.
        pixels: uint8, uint16, float16 or float32.
        attributes: of the file; `__` stands for `:` in names.
    """
    height, width, channels = pixels.shape
    kind = {"float16": "half", "float32": "float"}.get(pixels.dtype.name, pixels.dtype.name)
    spec = ImageSpec(width, height, channels, kind)
    for name, value in attributes.items():
        spec.attribute(name.replace("__", ":"), value)
    image = ImageBuf(spec)
    image.set_pixels(image.roi, pixels)
    assert image.write(str(path)), image.geterror()
    return path


def write_exr(
    path: Path,
    channels: Mapping[str, Array],
    *,
    data: tuple[int, int] = (0, 0),
    display: tuple[int, int, int, int] | None = None,
    **attributes: Any,
) -> Path:
    """Write an EXR with the `OpenEXR` module.

    Args:
        path: the file.
        channels: `H × W` arrays by full channel name.
        data: the data window's upper left corner.
        display: the display window's corners, both included; by default the data window.
        attributes: more of the header.
    """
    height, width = next(iter(channels.values())).shape
    corner = np.array(data, np.int32)
    window = (corner, corner + np.array([width - 1, height - 1], np.int32))
    shown = window if display is None else (np.array(display[:2]), np.array(display[2:]))
    header = {
        "type": OpenEXR.scanlineimage,
        "compression": OpenEXR.ZIPS_COMPRESSION,
        "dataWindow": window,
        "displayWindow": tuple(corner.astype(np.int32) for corner in shown),
        **attributes,
    }
    OpenEXR.File(header, dict(channels)).write(str(path))
    return path


def rgb_channels(rgb: Array, layer: str = "") -> dict[str, Array]:
    """`H × W × 3` as channels R, G, B, of a layer if one is named."""
    prefix = f"{layer}." if layer else ""
    return {f"{prefix}{name}": np.ascontiguousarray(rgb[:, :, i]) for i, name in enumerate("RGB")}


def sequence(folder: Path, numbers: Iterable[int], make: Callable[[int], Array]) -> str:
    """EXR frames `plate.%04d.exr` of half floats; returns the pattern."""
    for number in numbers:
        write_exr(folder / f"plate.{number:04d}.exr", rgb_channels(make(number)))
    return str(folder / "plate.%04d.exr")


def raw_exr(
    channels: Mapping[str, tuple[int, Array]],
    width: int,
    height: int,
    window: tuple[int, int] = (0, 0),
) -> bytes:
    """An uncompressed half-float EXR, written by hand: the modules refuse subsampled channels.

    Args:
        channels: subsampling (1 or 2, both ways) and samples, by name.
        width: of the data window.
        height: of the data window.
        window: the data window's upper left corner, even.
    """
    names = sorted(channels)
    x, y = window
    box = struct.pack("<4i", x, y, x + width - 1, y + height - 1)
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<iB3xii", 1, 0, channels[name][0], channels[name][0])
        for name in names
    )
    header = b"\x76\x2f\x31\x01" + struct.pack("<i", 2)
    for name, kind, value in (
        ("channels", "chlist", listed + b"\0"),
        ("compression", "compression", b"\0"),
        ("dataWindow", "box2i", box),
        ("displayWindow", "box2i", box),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0, 0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1)),
    ):
        header += name.encode() + b"\0" + kind.encode() + b"\0"
        header += struct.pack("<i", len(value)) + value
    header += b"\0"
    lines = [_raw_line(channels, names, row) for row in range(height)]
    offsets, body, position = b"", b"", len(header) + 8 * height
    for row, line in enumerate(lines):
        offsets += struct.pack("<Q", position + len(body))
        body += struct.pack("<ii", y + row, len(line)) + line
    return header + offsets + body


def _raw_line(channels: Mapping[str, tuple[int, Array]], names: list[str], row: int) -> bytes:
    parts = []
    for name in names:
        step, samples = channels[name]
        if row % step == 0:
            parts.append(samples[row // step].astype("<f2").tobytes())
    return b"".join(parts)
