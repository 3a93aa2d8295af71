"""From a decoded picture's planes to RGB, by the equations of ITU-R BT.601, BT.709 and BT.2020.

The arithmetic is ours, in float32: FFmpeg's scaler takes untagged HD as BT.601, and its 16-bit
output of limited-range video ends at 65280, not 65535, which is most of an 8-bit code value.
"""

from typing import Any, cast

import av
import cv2
import numpy as np
import numpy.typing as npt

from plugin.plates.video.colour import Encoding
from plugin.types import FloatArray

_WEIGHTS = {"BT.709": (0.2126, 0.0722), "BT.601": (0.299, 0.114), "BT.2020": (0.2627, 0.0593)}
"""Kr and Kb of each matrix."""

_BYTE, _WORD = np.float32(255), np.float32(65535)


def rgb_of(frame: av.VideoFrame, encoding: Encoding) -> FloatArray:
    """The picture as `H × W × 3` float32 RGB within [0, 1], at the depth of its code values."""
    if encoding.matrix == "RGB":
        return _from_rgb(frame)
    frame = _planar(frame)
    bits = frame.format.components[0].bits
    luma = _plane(frame, 0, frame.width, frame.height)
    if len(frame.format.components) < 3:
        grey = _grey(_float(luma), bits, encoding.full)
        return np.repeat(grey[:, :, None], 3, axis=2)
    chroma = [_chroma(frame, index, encoding.site) for index in (1, 2)]
    stacked = cv2.merge([_float(luma), *chroma])
    rgb = cv2.transform(stacked, _to_rgb(encoding, bits))
    return _float(np.clip(rgb, 0.0, 1.0, out=rgb))


def alpha_of(frame: av.VideoFrame) -> FloatArray | None:
    """The picture's own alpha, `H × W` float32 within [0, 1]; None where it has none."""
    components = frame.format.components
    if len(components) != 4:
        return None
    bits = components[3].bits
    if frame.format.is_rgb and not frame.format.is_planar:
        return _packed(frame, bits, "rgba")[:, :, 3]
    frame = _little_endian(frame) if frame.format.is_rgb else _planar(frame)
    return _float(_plane(frame, 3, frame.width, frame.height)) / np.float32((1 << bits) - 1)


def _from_rgb(frame: av.VideoFrame) -> FloatArray:
    fmt = frame.format
    bits = max(component.bits for component in fmt.components)
    if fmt.is_planar and bits <= 16:
        frame = _little_endian(frame)
        red, green, blue = (_plane(frame, i, frame.width, frame.height) for i in (2, 0, 1))
        last = np.float32((1 << bits) - 1)
        return np.stack([_float(red), _float(green), _float(blue)], axis=2) / last
    return _packed(frame, bits, "rgb")


def _little_endian(frame: av.VideoFrame) -> av.VideoFrame:
    if not frame.format.is_big_endian:
        return frame
    return frame.reformat(format=frame.format.name.replace("be", "le"))


def _packed(frame: av.VideoFrame, bits: int, channels: str) -> FloatArray:
    """Packed pixels at their own depth: going up, FFmpeg's scaler makes 65280 of 255."""
    if bits <= 8:
        return _float(frame.to_ndarray(format={"rgb": "rgb24"}.get(channels, channels))) / _BYTE
    depth = 16 * len(channels)
    return _float(frame.to_ndarray(format=f"{channels}{depth}le")) / _WORD


def _planar(frame: av.VideoFrame) -> av.VideoFrame:
    """The same code values with each component in its own little-endian plane, chroma full or half.

    FFmpeg's scaler only moves samples here: depth and range stay.
    """
    fmt = frame.format
    separate = fmt.is_planar and len(frame.planes) == len(fmt.components) != 2
    layout = {(1, 1): "444p", (2, 1): "422p", (2, 2): "420p"}.get(_subsampling(frame), "")
    grey = len(fmt.components) < 3
    if separate and not fmt.is_big_endian and (layout or grey):
        return frame
    bits = max(component.bits for component in fmt.components)
    depth = "" if bits <= 8 else f"{bits}le"
    if grey:
        return frame.reformat(format=f"gray{depth}")
    alpha = "a" if len(fmt.components) == 4 else ""
    return frame.reformat(format=f"yuv{alpha}{layout or '444p'}{depth}")


def _subsampling(frame: av.VideoFrame) -> tuple[int, int]:
    """Luma samples a chroma sample, across and down."""
    fmt = frame.format
    if len(fmt.components) < 3:
        return (1, 1)
    return 64 // fmt.chroma_width(64), 64 // fmt.chroma_height(64)


def _plane(frame: av.VideoFrame, index: int, width: int, height: int) -> npt.NDArray[Any]:
    plane = frame.planes[index]
    bits = frame.format.components[min(index, len(frame.format.components) - 1)].bits
    dtype = np.dtype(np.uint8 if bits <= 8 else "<u2")
    samples = np.frombuffer(cast("memoryview[int]", plane), dtype)
    return samples.reshape(-1, plane.line_size // dtype.itemsize)[:height, :width]


def _float(pixels: npt.NDArray[Any]) -> FloatArray:
    return pixels.astype(np.float32, copy=False)


def _chroma(frame: av.VideoFrame, index: int, site: tuple[float, float]) -> FloatArray:
    """A chroma plane at full size, by linear interpolation between its samples' own places."""
    fmt = frame.format
    width, height = fmt.chroma_width(frame.width), fmt.chroma_height(frame.height)
    plane = _float(_plane(frame, index, width, height))
    if _subsampling(frame)[1] == 2:
        plane = _doubled(plane, 0, site[1])
    if _subsampling(frame)[0] == 2:
        plane = _doubled(plane, 1, site[0])
    return plane[: frame.height, : frame.width]


def _doubled(plane: FloatArray, axis: int, place: float) -> FloatArray:
    """At twice the height or width: each sample lies on the first, between, or on the second."""
    height, width = plane.shape
    if place == 0.5:
        size = (width, 2 * height) if axis == 0 else (2 * width, height)
        return _float(cv2.resize(plane, size, interpolation=cv2.INTER_LINEAR))
    wide = np.empty((2 * height, width) if axis == 0 else (height, 2 * width), np.float32)
    # Views with the axis first, from the end that a sample lies on.
    step = 1 if place == 0 else -1
    out, source = (wide, plane) if axis == 0 else (wide.T, plane.T)
    out, source = out[::step], source[::step]
    out[0::2] = source
    out[1:-1:2] = (source[:-1] + source[1:]) * np.float32(0.5)
    out[-1] = source[-1]
    return wide


def _grey(luma: FloatArray, bits: int, full: bool) -> FloatArray:
    black, span, _ = _levels(bits, full)
    return _float(np.clip((luma - np.float32(black)) / np.float32(span), 0, 1))


def _levels(bits: int, full: bool) -> tuple[int, int, int]:
    """Code value of black, and the spans of luma and of chroma."""
    step = 1 << (bits - 8)
    last = (1 << bits) - 1
    return (0, last, last) if full else (16 * step, 219 * step, 224 * step)


def _to_rgb(encoding: Encoding, bits: int) -> npt.NDArray[Any]:
    """3 × 4: code values of Y, Cb, Cr to R, G, B (BT.709, 3; H.273, equations 20 to 30)."""
    kr, kb = _WEIGHTS[encoding.matrix]
    kg = 1 - kr - kb
    black, luma, chroma = _levels(bits, encoding.full)
    red, blue = 2 * (1 - kr), 2 * (1 - kb)
    rows = [[1, 0, red], [1, -kb * blue / kg, -kr * red / kg], [1, blue, 0]]
    matrix = np.array(rows, np.float64) / (luma, chroma, chroma)
    offset = -matrix @ (black, 1 << (bits - 1), 1 << (bits - 1))
    return np.hstack([matrix, offset[:, None]])
