"""The screen behind a subject: its colour, found once per shot, and its light, modelled per frame.

Colours are display-referred RGB turned into `(a, b, y)`: `a` and `b` span the plane perpendicular
to grey, so that `(a, b)` is how far a colour is from grey and towards which hue, and `y` is the
mean of the channels. A shadow on the screen scales all three; a subject moves `(a, b)`.
"""

from dataclasses import dataclass
from math import cos, degrees, radians, sin, sqrt

import cv2
import numpy as np
import numpy.typing as npt

from plugin.image.push_pull import push_pull
from plugin.types import FloatArray

_OPPONENT = np.array(
    [
        [2 / sqrt(6), -1 / sqrt(6), -1 / sqrt(6)],
        [0, 1 / sqrt(2), -1 / sqrt(2)],
        [1 / 3, 1 / 3, 1 / 3],
    ],
    np.float32,
)
_RING = 0.06
_HUE_REACH = 15.0
_FIELD_WIDTH = 256


@dataclass(frozen=True, slots=True)
class ScreenLook:
    """How much of the frames looks like one evenly coloured screen.

    Attributes:
        rgb: its display colour, the median of its pixels.
        hue: direction of its `(a, b)`, degrees.
        border: share of the frames' outer 6 % that it covers.
        area: share of the frames that it covers.
        saturation: median of `1 - min / max` of its pixels.
        spread: median deviation from that saturation.
        light: median deviation of `y`, as a share of its median.
    """

    rgb: tuple[float, float, float]
    hue: float
    border: float
    area: float
    saturation: float
    spread: float
    light: float

    @property
    def usable(self) -> bool:
        """A screen that can be keyed when the user says that there is one, but not its colour."""
        there = self.border >= 0.2 or self.area >= 0.35
        return there and self.saturation >= 0.55 and self.spread <= 0.06 and self.light <= 0.25

    @property
    def evident(self) -> bool:
        """A screen that is taken for one unasked: green or blue, on the borders, even, and lit.

        Skies, water, wooden floors, lawns and painted walls fail at least one of these.
        """
        return (
            (50 <= self.hue <= 165 or 218 <= self.hue <= 265)
            and self.border >= 0.4
            and self.saturation >= 0.7
            and self.spread <= 0.06
            and self.light <= 0.25
            and max(self.rgb) >= 0.35
        )


def to_opponent(rgb: FloatArray) -> FloatArray:
    """Display RGB, `H × W × 3`, as `(a, b, y)`."""
    return np.asarray(cv2.transform(rgb, _OPPONENT), np.float32)


def find_screen(frames: list[FloatArray]) -> ScreenLook | None:
    """The hue that covers most of the frames' borders, and how like a screen it looks.

    Args:
        frames: display RGB, `H × W × 3` each, all of one size; a few hundred pixels wide suffice.

    Returns:
        None where hardly anything on the borders has a hue at all.
    """
    stack = np.stack(frames)
    hue, saturation, value = _hue_saturation_value(stack)
    coloured = (saturation > 0.35) & (value > 0.15) & _ring(stack.shape[:3])
    counts = np.histogram(hue[coloured], 72, (0, 360))[0]
    smooth = counts + np.roll(counts, 1) + np.roll(counts, -1)
    if smooth.max() < 0.02 * _ring(stack.shape[:3]).sum():
        return None
    return look_at(frames, (float(smooth.argmax()) + 0.5) * 5)


def look_at(frames: list[FloatArray], hue: float) -> ScreenLook | None:
    """How much of the frames has the hue, in degrees, and how even it is; None where nothing."""
    stack = np.stack(frames)
    hues, saturation, value = _hue_saturation_value(stack)
    same = (saturation > 0.35) & (value > 0.15) & (_apart(hues, hue) < _HUE_REACH)
    if not same.any():
        return None
    red, green, blue = (float(v) for v in np.median(stack[same], axis=0))
    middle = float(np.median(saturation[same]))
    light = stack[same].mean(axis=1)
    middle_light = float(np.median(light))
    return ScreenLook(
        rgb=(red, green, blue),
        hue=_hue_of(np.array([[[red, green, blue]]], np.float32)),
        border=float(same[_ring(stack.shape[:3])].mean()),
        area=float(same.mean()),
        saturation=middle,
        spread=float(np.median(np.abs(saturation[same] - middle))),
        light=float(np.median(np.abs(light - middle_light))) / max(middle_light, 1e-6),
    )


def seeds_of(opponent: FloatArray, hue: float, strength: float) -> npt.NDArray[np.bool_]:
    """Pixels that are screen beyond doubt, in light or in soft shadow.

    Args:
        opponent: `(a, b, y)` of the frame, `H × W × 3`.
        hue: the screen's, degrees.
        strength: the screen's chroma over its `y`.
    """
    a, b, y = opponent[..., 0], opponent[..., 1], opponent[..., 2]
    along = a * np.float32(cos(radians(hue))) + b * np.float32(sin(radians(hue)))
    across = np.abs(b * np.float32(cos(radians(hue))) - a * np.float32(sin(radians(hue))))
    enough = along > np.float32(0.7 * strength) * y
    seeds: npt.NDArray[np.bool_] = enough & (across < np.float32(0.3) * along) & (y > 0.06)
    return seeds


def field_of(opponent: FloatArray, hue: float, strength: float) -> FloatArray | None:
    """What the screen looks like behind every pixel: `(a, b, y)`, `h × w × 3`, at most 256 wide.

    Seeds of the frame are averaged in a pyramid; cells without any take the level above (push and
    pull), so wrinkles and uneven light are followed where the screen is seen and spread smoothly
    under the subject. None where the frame shows no screen.
    """
    height, width = opponent.shape[:2]
    scale = min(1.0, _FIELD_WIDTH / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(opponent, size, interpolation=cv2.INTER_AREA)
    seeds = seeds_of(np.asarray(small, np.float32), hue, strength).astype(np.uint8)
    inner = cv2.erode(seeds, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    weight = (inner if inner.any() else seeds).astype(np.float32)
    if not weight.any():
        return None
    return push_pull(np.asarray(small, np.float32) * weight[..., None], weight)


def _hue_saturation_value(
    stack: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    value = stack.max(axis=-1)
    saturation = (value - stack.min(axis=-1)) / np.maximum(value, 1e-6)
    flat = to_opponent(np.ascontiguousarray(stack.reshape(-1, stack.shape[-2], 3)))
    hue = np.degrees(np.arctan2(flat[..., 1], flat[..., 0])) % 360
    return hue.reshape(value.shape).astype(np.float32), saturation, value


def _hue_of(rgb: FloatArray) -> float:
    a, b, _ = (float(v) for v in to_opponent(rgb)[0, 0])
    return degrees(np.arctan2(b, a)) % 360


def _apart(hues: FloatArray, hue: float) -> FloatArray:
    apart: FloatArray = np.abs((hues - np.float32(hue) + 180) % 360 - 180)
    return apart


def _ring(shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """The outer pixels of every frame of a stack of that shape."""
    _, height, width = shape
    edge = max(1, round(_RING * height))
    ring = np.ones(shape, np.bool_)
    ring[:, edge : height - edge, edge : width - edge] = False
    return ring
