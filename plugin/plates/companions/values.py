"""What the stored values of a matte stand for: which channel counts, what is one and what is none.

Mattes come with values from 0 to 1, from 0 to 255 in files of more bits, as labels of objects, in
the colours beside an empty alpha, at the levels of video. A few of a shot's are looked at before
the work; what has one sensible reading is read so and said, what has two is refused with both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel, ConfigDict

from plugin.errors import PictureError
from plugin.image.channels import most
from plugin.plates.companions.layers import MatteLayer
from plugin.plates.companions.looks import ALL, MOST_LEVELS, NOTHING, Look, Plane
from plugin.types import FloatArray

_ODD_MAXIMA = {255: "8", 1023: "10", 4095: "12", 16383: "14", 32767: "15", 32768: "15"}
"""Largest values of fewer bits, as they are found in files of 16."""

_LABELS_END = 31
_OVERSHOOT = 1.25
_VIDEO = (16 / 255, 235 / 255)
_FIX = "say what is none and what is all with --mask-range LOW-HIGH, in the file's own values"


class Reading(BaseModel):
    """How stored values become coverage.

    Attributes:
        part: the part's place in the file.
        channels: full names; of several the largest value counts.
        low: what is 0; integers as a share of their largest value.
        high: what is 1.
        only: exactly `high` is the subject, whatever else there is.
        near: how far a value may lie from `high` and be it.
        invert: black is the subject.
        scaled: the picture has the plate's shape and another size.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    part: int = 0
    channels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 1.0
    only: bool = False
    near: float = 1e-5
    invert: bool = False
    scaled: bool = False


def coverage_of(values: FloatArray, reading: Reading) -> FloatArray:
    """Coverage within [0, 1], `H × W`, of stored values, `H × W × C`."""
    value = most(values)
    if reading.only:
        value = (np.abs(value - np.float32(reading.high)) <= reading.near).astype(np.float32)
    elif (reading.low, reading.high) != (0, 1):
        value = (value - np.float32(reading.low)) / np.float32(reading.high - reading.low)
    value = np.clip(value, 0, 1)
    return 1 - value if reading.invert else value


@dataclass(frozen=True, slots=True)
class Asked:
    """What the user says of the values.

    Attributes:
        low: of `--mask-range`, in the file's own values; None where nothing is said.
        high: likewise.
        invert: of `--mask-invert`.
    """

    low: float | None = None
    high: float | None = None
    invert: bool = False


def understand(
    looks: Iterable[Look], layer: MatteLayer, full: float, asked: Asked, where: object
) -> tuple[Reading, list[str]]:
    """Settle how a shot's mattes are read.

    Args:
        looks: at some of them, at least one.
        layer: the channels.
        full: the largest value of its integers; 1 for floats.
        asked: what the user says.
        where: the files, for errors.

    Returns:
        The reading, and what a person should know of it.

    Raises:
        PictureError: the values have no sensible reading, or more than one.
    """
    looks = list(looks)
    channels, planes, notes = _channel(looks, layer, where)
    reading = Reading(part=layer.part, channels=channels, invert=asked.invert)
    if asked.low is not None and asked.high is not None:
        low, high = asked.low / full, asked.high / full
        near = 0.4 / full if full > 1 else 1e-5 * max(1.0, abs(high))
        asked_for = {"low": low, "high": high, "only": low == high, "near": near}
        return reading.model_copy(update=asked_for), notes
    low, high, more = _range(_joined(planes), full, where)
    return reading.model_copy(update={"low": low, "high": high}), [*notes, *more]


def _channel(
    looks: list[Look], layer: MatteLayer, where: object
) -> tuple[tuple[str, ...], list[Plane], list[str]]:
    """The channels that count, what they hold, and a note where others were passed over."""
    alphas = [look.alpha for look in looks if look.alpha is not None]
    colours = [look.colours for look in looks if look.colours is not None]
    if not colours:
        return layer.names, alphas, []
    notes: list[str] = []
    if layer.alpha is not None and alphas:
        seen = {(plane.low, plane.high) for plane in alphas}
        low, high = min(low for low, _ in seen), max(high for _, high in seen)
        if low < high or (low == 0 and max(plane.high for plane in colours) <= 0):
            if any(look.apart for look in looks):
                raise PictureError(
                    "its alpha and its colours are two different mattes",
                    where=where,
                    fix="say which: --mask-layer A or --mask-layer RGB",
                )
            return (layer.alpha,), alphas, []
        notes.append(f"the masks' alpha is {low:.4g} everywhere: their colours are taken instead")
    used = sorted({place for look in looks for place in look.used})
    if len(used) == 1 and len(layer.colours) > 1:
        name = layer.colours[used[0]]
        return (name,), colours, [*notes, f"only {name} of their colours holds anything: taken"]
    if not all(look.grey for look in looks):
        if not all(look.single for look in looks):
            names = ", ".join(layer.colours)
            raise PictureError(
                f"{names} differ: a picture, or several objects by their colours",
                where=where,
                fix="give a matte, or say which channel it is with --mask-layer",
            )
        notes.append("they are painted in one colour: its brightest channel is taken")
    return layer.colours, colours, notes


def _joined(planes: Sequence[Plane]) -> Plane:
    levels: set[float] | None = set()
    for plane in planes:
        levels = None if levels is None or plane.levels is None else levels | {*plane.levels}
    few = levels is not None and len(levels) <= MOST_LEVELS
    return Plane(
        min(plane.low for plane in planes),
        max(plane.high for plane in planes),
        tuple(sorted(levels)) if levels is not None and few else None,
        max((plane.flat for plane in planes), key=len),  # objects stand beside each other
    )


def _range(seen: Plane, full: float, where: object) -> tuple[float, float, list[str]]:
    """What is 0, what is 1, and what was assumed of it."""
    peak, whole = seen.high, full > 1
    on = [value for value in seen.levels or () if value != 0]
    if peak <= 0:
        return 0, 1, []
    if seen.levels is not None and len(on) == 1:
        same = peak == 1
        text = f"the masks hold only 0 and {_own(peak, full)}: taken as off and on"
        return 0, peak, [] if same else [text]
    _refuse_labels(seen, on, full, where)
    if abs(seen.low - _VIDEO[0]) < 0.006 and abs(seen.high - _VIDEO[1]) < 0.006:
        return *_VIDEO, ["levels of video, 16 to 235 of 255, taken as none and all"]
    if whole:
        return _of_integers(seen, full)
    return _of_floats(seen, where)


def _own(value: float, full: float) -> str:
    return f"{value * full:.4g}" + (f" of {full:.0f}" if full > 1 else "")


def _refuse_labels(seen: Plane, on: list[float], full: float, where: object) -> None:
    """Several objects by number: small whole values, or several flat greys."""
    if seen.levels is None or len(on) < 2:
        return
    own = [value * full for value in on]
    whole = all(abs(value - round(value)) < 1e-3 for value in own)
    small = whole and own[0] > 0 and own[-1] <= _LABELS_END and (full > 1 or own[-1] > 1)
    greys = [value for value in seen.flat if NOTHING < value / seen.high < ALL]
    if not small and len(greys) < 2:
        return
    told = own if small else [value * full for value in greys]
    listed = ", ".join(f"{value:.4g}" for value in told[:8])
    fix = f"say which is the subject: --mask-range {told[0]:.4g}-{told[0]:.4g}"
    raise PictureError(f"labels of several objects: {listed}", where=where, fix=fix)


def _of_integers(seen: Plane, full: float) -> tuple[float, float, list[str]]:
    peak = round(seen.high * full)
    if full > 255 and peak <= 255:
        return 0, 255 / full, ["8-bit values in files of more bits: 255 is taken as one"]
    if full > 32768 and peak in _ODD_MAXIMA:
        return 0, peak / full, [f"{_ODD_MAXIMA[peak]}-bit values: {peak} is taken as one"]
    return 0, 1, _middling(seen, full)


def _of_floats(seen: Plane, where: object) -> tuple[float, float, list[str]]:
    peak = seen.high
    if 128 < peak <= 255.5 and seen.low >= 0:
        return 0, 255, [f"values up to {peak:.4g}: 255 is taken as one"]
    if 32768 < peak <= 65536 and seen.low >= 0:
        return 0, 65535, [f"values up to {peak:.5g}: 65535 is taken as one"]
    if peak > _OVERSHOOT or seen.low < 1 - _OVERSHOOT:
        what = f"values from {seen.low:.4g} to {peak:.4g}: not a matte from 0 to 1"
        raise PictureError(what, where=where, fix=_FIX)
    beyond = seen.low < 0 or peak > 1
    notes = [f"values from {seen.low:.4g} to {peak:.4g}, held within 0 and 1"] if beyond else []
    return 0, 1, notes + _middling(seen, 1)


def _middling(seen: Plane, full: float) -> list[str]:
    """Mattes that never are all, or never none: taken as they are, and said."""
    notes = []
    if seen.high < ALL:
        notes.append(f"their largest value is {_own(seen.high, full)}: taken as it is")
    if seen.low > NOTHING:
        notes.append(f"their smallest value is {_own(seen.low, full)}: taken as it is")
    greys = [value for value in seen.flat if NOTHING < value < ALL]
    if len(greys) == 1 and seen.levels is not None and len(seen.levels) <= 4:
        notes.append(f"areas of {_own(greys[0], full)} are taken as partly covered")
    return notes


def is_framed(looks: Iterable[Look], layer: MatteLayer, reading: Reading) -> bool:
    """Whether every picture is subject along all its edges, and not within: inverted, perhaps."""
    alpha = reading.channels == (layer.alpha,)
    planes = [look.alpha if alpha else look.colours for look in looks]
    width = reading.high - reading.low
    if reading.invert or reading.only or width <= 0 or not planes:
        return False
    ends = [
        ((plane.border - reading.low) / width, (plane.low - reading.low) / width)
        for plane in planes
        if plane is not None
    ]
    return bool(ends) and all(border > ALL and low < NOTHING for border, low in ends)


def span_of(look: Look, layer: MatteLayer, reading: Reading) -> tuple[float, float]:
    """The least and the most coverage that a picture has under a reading."""
    alpha = look.colours is None or reading.channels == (layer.alpha,)
    plane = look.alpha if alpha else look.colours
    if plane is None:
        return 0.0, 1.0
    if reading.only:
        near = [abs(value - reading.high) <= reading.near for value in plane.levels or ()]
        ends = (float(bool(near) and all(near)), float(not near or any(near)))
    else:
        width = reading.high - reading.low
        low, high = ((value - reading.low) / width for value in (plane.low, plane.high))
        ends = min(max(low, 0.0), 1.0), min(max(high, 0.0), 1.0)
    return (1 - ends[1], 1 - ends[0]) if reading.invert else ends
