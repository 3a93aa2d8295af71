"""Which frames to look at first, why, and where.

Each reason has a level from which it is worth a look; a frame's severity is that of its strongest
reason over its level, and a little for the others. What changes from frame to frame is held against
the frames around it, so that a frame that is out of line leads, and not the one after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from plugin.report.figures import Box

__all__ = ["Figures", "Reason", "Suspect", "percent", "worst"]

_MOST = 12
_AROUND = 7
"""Frames on each side that a frame is held against."""

_OVERRULED = 0.01
"""Share of the subject and its band whose definite labels AdaMatting overrules."""

_FLICKER, _FLICKER_OF_ALL = 0.10, 0.35
"""Above the frames around, and at all: what moves fast is hard to follow for the flow too."""

_JUMP_AT_MOST = 0.9
"""A change that stays (a cut, an entrance) is never as bad as one that goes away again."""

_COVERAGE, _BAND = 0.35, 0.5
"""By what part coverage and unknown share may differ from the frames around."""

_UNKNOWN, _UNSURE = 0.5, 0.4
_LEAST, _LEAST_USUAL = 0.02, 0.1
"""Shares of the picture that a subject, and what is usual, count as at least."""

_OTHERS = 0.25


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of one frame; None where it is not.

    Attributes:
        number: the frame.
        unknown: share of the pixels.
        overruled: share of the pixels.
        coverage: mean alpha.
        confidence: of the segmentation, 0 to 1.
        held: the frame whose mask is held for this one.
        flicker: against the frame before.
        seconds: wall time.
        overruled_box: where it lies thickest.
        flicker_box: likewise.
    """

    number: int
    unknown: float | None = None
    overruled: float | None = None
    coverage: float | None = None
    confidence: float | None = None
    held: int | None = None
    flicker: float | None = None
    seconds: float | None = None
    overruled_box: Box | None = None
    flicker_box: Box | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a frame is worth a look.

    Attributes:
        name: `overruled`, `flicker`, `jump`, `coverage`, `band`, `unknown`, `confidence`.
        severity: 1 is worth a look.
        text: in plain words.
        box: where; None where it is the whole frame.
    """

    name: str
    severity: float
    text: str
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Suspect:
    """A frame to look at.

    Attributes:
        number: the frame.
        severity: of all its reasons; from 1 on it is worth a look.
        reasons: the strongest first.
    """

    number: int
    severity: float
    reasons: tuple[Reason, ...] = field(default=())

    @property
    def box(self) -> Box | None:
        """Where to look: of the strongest reason that names a place."""
        return next((reason.box for reason in self.reasons if reason.box is not None), None)


def worst(frames: Sequence[Figures], most: int = _MOST) -> list[Suspect]:
    """The frames to look at, the worst first.

    Args:
        frames: all that are done, in order.
        most: how many at most.

    Returns:
        Those that are worth a look; where none is, the first three of what comes nearest.
    """
    coverage, unknown = _usual([f.coverage for f in frames]), _usual([f.unknown for f in frames])
    flicker = _usual([f.flicker for f in frames])
    suspects = []
    for place, one in enumerate(frames):
        after = frames[place + 1] if place + 1 < len(frames) else None
        reasons = sorted(
            [
                *_of_itself(one),
                *_of_motion(one, after, flicker[place]),
                *_out_of_line(one, coverage[place], unknown[place]),
            ],
            key=lambda reason: -reason.severity,
        )
        if reasons:
            others = sum(reason.severity for reason in reasons[1:])
            severity = reasons[0].severity + _OTHERS * min(others, reasons[0].severity)
            shown = [r for r in reasons if r.severity >= 0.5] or reasons[:1]
            suspects.append(Suspect(one.number, severity, tuple(shown)))
    suspects.sort(key=lambda suspect: (-suspect.severity, suspect.number))
    bad = [suspect for suspect in suspects if suspect.severity >= 1]
    return (bad or suspects[:3])[:most]


def _of_itself(one: Figures) -> Iterator[Reason]:
    if one.overruled:
        part = min(1.0, max((one.coverage or 0) + (one.unknown or 0), _LEAST))
        text = f"the adapted trimap disagrees with the input on {percent(one.overruled)} of pixels"
        severity = one.overruled / part / _OVERRULED
        yield Reason("overruled", severity, text, one.overruled_box)
    if one.unknown:
        severity = one.unknown / _UNKNOWN
        advice = ": a narrower band may do" if severity >= 1 else ""
        text = f"{percent(one.unknown)} of the picture is unknown{advice}"
        yield Reason("unknown", severity, text)
    if one.confidence is not None and one.confidence < 1:
        text = f"the segmentation is only {percent(one.confidence)} sure of its mask"
        if one.held is not None:
            text = f"no mask of its own: that of frame {one.held} is held"
        yield Reason("confidence", (1 - one.confidence) / _UNSURE, text)


def _of_motion(one: Figures, after: Figures | None, usual: float | None) -> Iterator[Reason]:
    """A matte that differs from both neighbours is out of line; from one, it has changed."""
    if not one.flicker:
        return
    ending = after.flicker if after is not None and after.number == one.number + 1 else None
    both = min(one.flicker, ending or 0.0)
    severity = max((both - (usual or 0.0)) / _FLICKER, both / _FLICKER_OF_ALL)
    if severity >= 0.5:
        text = f"the matte flickers: {percent(both)} of it is not where the motion puts it"
        yield Reason("flicker", severity, text, one.flicker_box)
    else:
        text = f"{percent(one.flicker)} of the matte changed from the frame before"
        severity = min(_JUMP_AT_MOST, (one.flicker - (usual or 0.0)) / _FLICKER)
        if severity > 0:
            yield Reason("jump", severity, text, one.flicker_box)


def _out_of_line(one: Figures, coverage: float | None, unknown: float | None) -> Iterator[Reason]:
    for name, value, usual, level, what in (
        ("coverage", one.coverage, coverage, _COVERAGE, "the subject covers"),
        ("band", one.unknown, unknown, _BAND, "the unknown band covers"),
    ):
        if value is None or usual is None:
            continue
        off = abs(value - usual) / max(usual, _LEAST_USUAL)
        if off > level / 2:
            text = f"{what} {percent(value)} of the picture, the frames around {percent(usual)}"
            yield Reason(name, off / level, text)


def _usual(values: Sequence[float | None]) -> list[float | None]:
    """The median of each frame's neighbourhood; None where too few are known."""
    found: list[float | None] = []
    for place in range(len(values)):
        # As many on each side, so that a steady rise or fall is not out of line at its ends.
        reach = min(_AROUND, place, len(values) - 1 - place)
        reach = max(reach, 2)
        near = values[max(0, place - reach) : place + reach + 1]
        known = [value for value in near if value is not None]
        found.append(float(np.median(known)) if len(known) >= 3 else None)
    return found


def percent(share: float) -> str:
    """A share in words: `6 %`, `0.4 %`, `0.03 %`."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.5 else f"{value:.2g} %"
