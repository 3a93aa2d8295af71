"""Frames from the whole plate, to settle what holds for the shot."""

from collections.abc import Iterable

import cv2
import numpy as np

from plugin.errors import FrameError
from plugin.framerange import FrameRange
from plugin.segmentation.plans import DisplayTransform
from plugin.types import FloatArray, PlateSource

SAMPLES = 9
WIDTH = 320


def sample_numbers(plate: PlateSource, count: int = SAMPLES) -> tuple[int, ...]:
    """At most `count` frame numbers, spread over all the plate's frames whatever is asked for."""
    numbers = plate.info.frames.numbers
    if len(numbers) <= count:
        return numbers
    return tuple(numbers[round(i * (len(numbers) - 1) / (count - 1))] for i in range(count))


def sampled(
    plate: PlateSource, to_display: DisplayTransform, numbers: Iterable[int]
) -> dict[int, FloatArray]:
    """Those frames, display-referred, but for those that cannot be read: they fail as frames do.

    Raises:
        FrameError: not one of them can be decoded.
    """
    found: dict[int, FloatArray] = {}
    broken: FrameError | None = None
    for number in numbers:
        try:
            found[number] = to_display(plate.read(number).rgb)
        except FrameError as error:
            broken = broken or error
    if broken is not None and not found:
        raise broken
    return found


def left_out(numbers: Iterable[int], found: Iterable[int]) -> tuple[str, ...]:
    """What a person should know where not all of the frames that were wanted are there.

    Another run, or a farm's task that can read them, settles on something else.
    """
    gone = FrameRange.of(numbers).without(FrameRange.of(found))
    return (f"settled without frames that cannot be read: {gone.brief}",) if gone else ()


def sample(plate: PlateSource, to_display: DisplayTransform) -> dict[int, FloatArray]:
    """Nine frames of the whole plate, display-referred, at most 320 pixels wide.

    Raises:
        FrameError: not one of them can be decoded.
    """
    frames = sampled(plate, to_display, sample_numbers(plate))
    return {number: _small(rgb) for number, rgb in frames.items()}


def _small(rgb: FloatArray) -> FloatArray:
    height, width = rgb.shape[:2]
    if width <= WIDTH:
        return rgb
    size = WIDTH, max(1, round(height * WIDTH / width))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.float32)
