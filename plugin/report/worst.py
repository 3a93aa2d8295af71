"""Which frames to look at first, why, and where.

Each reason has a level from which it is worth a look; a frame's severity is that of its strongest
reason over its level, and a little for the others. What changes from frame to frame is held against
the frames around it, so that a frame that is out of line leads, and not the one after it. Frames on
both sides of a cut are not held against each other. Of neighbours with the same reason one leads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from plugin.report.figures import Box
from plugin.report.reasons import (
    Figures,
    Reason,
    of_its_look,
    of_itself,
    of_keys,
    of_motion,
    of_pieces,
    out_of_line,
)

_MOST = 12
_AROUND = 7
"""Frames on each side that a frame is held against."""

_CUT = 0.45
"""Flicker from which a change that stays is a cut: both sides are scenes of their own."""

_APART = 3
"""Frames up to which neighbours with the same reason are one thing to look at."""

_AGAIN = 2 / 3
"""What a frame counts for that says again what a neighbour says."""

_OTHERS = 0.25


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


def worst(frames: Sequence[Figures], most: int = _MOST, keys: Sequence[int] = ()) -> list[Suspect]:
    """The frames to look at, the worst first.

    Args:
        frames: all that are done, in order.
        most: how many at most.
        keys: frames whose masks were given, between which they were carried.

    Returns:
        Those that are worth a look; where none is, the first three of what comes nearest.
    """
    scenes = _scenes(frames)
    coverage, unknown, flicker = (
        _usual([getattr(f, name) for f in frames], scenes)
        for name in ("coverage", "unknown", "flicker")
    )
    between, given = _between(frames, keys), frozenset(keys)
    suspects = []
    for place, one in enumerate(frames):
        after = _next(frames, place)
        reasons = sorted(
            [
                *of_itself(one),
                *of_its_look(one),
                *(of_keys(one, *between[one.number]) if one.number in between else ()),
                *of_motion(one, after, flicker[place]),
                *of_pieces(one, after),
                # A key's band is its own: it is those around it that are out of line.
                *out_of_line(one, coverage[place], None if one.number in given else unknown[place]),
            ],
            key=lambda reason: -reason.severity,
        )
        if reasons:
            others = sum(reason.severity for reason in reasons[1:])
            severity = reasons[0].severity + _OTHERS * min(others, reasons[0].severity)
            if reasons[0].severity < 1:  # many small things make no large one
                severity = min(severity, 0.99)
            shown = [r for r in reasons if r.severity >= 0.5] or reasons[:1]
            suspects.append(Suspect(one.number, severity, tuple(shown)))
    suspects.sort(key=lambda suspect: (-suspect.severity, suspect.number))
    bad = [suspect for suspect in suspects if suspect.severity >= 1]
    return _one_of_neighbours(bad or suspects)[: most if bad else 3]


def _one_of_neighbours(suspects: Sequence[Suspect]) -> list[Suspect]:
    """The same, the strongest first; who says a neighbour's again counts for less."""
    ranked: list[tuple[float, Suspect]] = []
    for one in suspects:
        name = one.reasons[0].name
        said = any(
            abs(one.number - other.number) <= _APART and other.reasons[0].name == name
            for rank, other in ranked
            if rank == other.severity
        )
        ranked.append((one.severity * _AGAIN if said else one.severity, one))
    return [one for _, one in sorted(ranked, key=lambda pair: -pair[0])]


def _next(frames: Sequence[Figures], place: int) -> Figures | None:
    after = frames[place + 1] if place + 1 < len(frames) else None
    return after if after is not None and after.number == frames[place].number + 1 else None


def _scenes(frames: Sequence[Figures]) -> list[int]:
    """Which scene each frame is of: a change of most of the matte that stays begins another."""
    scenes, scene = [], 0
    for place, one in enumerate(frames):
        after = _next(frames, place)
        ending = 0.0 if after is None else after.flicker or 0.0
        if (one.flicker or 0.0) >= _CUT > 2 * ending:
            scene += 1
        scenes.append(scene)
    return scenes


def _between(frames: Sequence[Figures], keys: Sequence[int]) -> dict[int, tuple[Figures, Figures]]:
    """The keys before and after each frame that lies between two; keys that are done alone."""
    known = [one for one in frames if one.number in frozenset(keys)]
    found: dict[int, tuple[Figures, Figures]] = {}
    for before, after in pairwise(known):
        found |= {
            one.number: (before, after)
            for one in frames
            if before.number < one.number < after.number
        }
    return found


def _usual(values: Sequence[float | None], scenes: Sequence[int]) -> list[float | None]:
    """The median of each frame's neighbourhood in its scene; None where too few are known."""
    found: list[float | None] = []
    for place, scene in enumerate(scenes):
        first, last = scenes.index(scene), len(scenes) - 1 - scenes[::-1].index(scene)
        # As many on each side, so that a steady rise or fall is not out of line at its ends.
        reach = max(min(_AROUND, place - first, last - place), 2)
        near = values[max(first, place - reach) : min(last, place + reach) + 1]
        known = [value for value in near if value is not None]
        found.append(float(np.median(known)) if len(known) >= 3 else None)
    return found
