"""Overrides that are suggested for a frame: each was tried on it, and on the ends of its range.

A fault suggests a rule: a wider band where hair is cut off, a narrower one where the old background
shows, the subject where it is see-through. The frame is matted with it, and looked at as before.
Only a rule that takes away a good part of the fault and does no other harm is suggested.

Rules that change the band hold for all frames of the shot, so that nothing pops where they begin;
those that mend what some frames have alone hold for as long as the fault does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from plugin.errors import AdaMatteError
from plugin.framerange import FrameRange
from plugin.report.figures import Box
from plugin.report.measure import Deadline
from plugin.report.reasons import LEVELS, Figures, percent
from plugin.report.worst import Suspect
from plugin.request.shot import Shot

Rule = dict[str, object]
"""As it stands in an override file."""

Attempt = Callable[[int, Rule | None], Mapping[str, float]]
"""The figures of a frame as the network would matte it under a further rule; None for none."""

Attempts = Callable[[Shot], AbstractContextManager[Attempt]]
"""What mattes frames of a shot again."""

_TRYING_S = 60.0
"""Seconds in which overrides are tried."""

_MOST_TRIED = 4
_ENOUGH = 0.7
"""What may be left of the fault."""

_HARM = 0.3
"""By how much all faults together, in levels, may rise."""

_SAID: Mapping[str, Callable[[float], str]] = {
    "halo": lambda value: f"a rim of {value:.1f} pixels",
    "eaten": lambda value: f"{value:.1f} pixels eaten",
    "soft": lambda value: f"an edge {value:.1f} pixels soft",
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule that helped.

    Attributes:
        rule: to be added to the shot's override file.
        before: the fault, in words.
        after: the same with the rule.
    """

    rule: Rule
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Tries:
    """What came of trying.

    Attributes:
        found: the rules that helped, by frame.
        tried: the frames on which rules were tried.
        notes: why none could be.
    """

    found: Mapping[int, Suggestion] = field(default_factory=dict)
    tried: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()


def suggestions(
    suspects: Sequence[Suspect],
    figures: Sequence[Figures],
    shot: Shot,
    corner: tuple[int, int],
    attempts: Attempts,
) -> Tries:
    """Try rules on the worst frames, as far as a minute reaches.

    Args:
        suspects: the frames to look at, the worst first.
        figures: of all frames.
        shot: its band, its frames, its folder.
        corner: of the data window, in pixels of the display window, which overrides count in.
        attempts: mattes frames.
    """
    worth = [one for one in suspects if one.severity >= 1][:_MOST_TRIED]
    if not worth:
        return Tries()
    try:
        with attempts(shot) as attempt:
            until = Deadline.within(_TRYING_S)
            return _tried(worth, figures, (shot, corner), attempt, until)
    except AdaMatteError as error:
        return Tries(notes=(f"no override was tried: {error.what}",))


def _tried(
    suspects: Sequence[Suspect],
    figures: Sequence[Figures],
    about: tuple[Shot, tuple[int, int]],
    attempt: Attempt,
    until: Deadline,
) -> Tries:
    by_number = {one.number: one for one in figures}
    found: dict[int, Suggestion] = {}
    tried_on: set[int] = set()
    for suspect in suspects:
        one, name = by_number[suspect.number], suspect.reasons[0].name
        if until.left <= 0 or name not in _MEASURED:
            continue
        plain = attempt(one.number, None)
        for rule in _candidates(name, one, figures, *about):
            if until.left <= 0:
                break
            tried_on.add(one.number)
            tried = attempt(one.number, rule)
            if _helps(name, plain, tried) and _harmless(rule, one.number, by_number, attempt):
                key = _MEASURED[name]
                found[one.number] = Suggestion(rule, _words(key, plain), _words(key, tried))
                break
    return Tries(found, frozenset(tried_on))


_MEASURED = {
    **{name: name for name in LEVELS},
    "pumping": "soft",
    "overruled": "overruled",
    "piece": "coverage",
    "missing": "coverage",
}
"""The figure by which it is told whether a reason is gone."""


def _candidates(
    name: str, one: Figures, figures: Sequence[Figures], shot: Shot, corner: tuple[int, int]
) -> Iterator[Rule]:
    """Rules that may help, the likeliest first."""
    erode, dilate = shot.erode or 4, shot.dilate or 6
    bands = {
        "clipped": [(erode, dilate * 2), (max(erode, 6), max(dilate * 3, 25))],
        "eaten": [(erode * 0.5, dilate), (erode * 0.5, dilate * 1.5)],
        "halo": [(erode, dilate * 0.5), (erode * 0.5, dilate * 0.25)],
        "through": [(erode, dilate * 0.5), (erode * 0.5, dilate * 0.25)],
        "pumping": [(erode * 0.5, dilate * 0.5), (erode * 0.25, dilate * 0.25)],
    }
    whole = FrameRange.of(f.number for f in figures)
    for inner, outer in bands.get(name, ()):
        params = {"erode": round(inner, 1), "dilate": round(outer, 1)}
        yield {"id": f"band-{one.number}", "frames": str(whole), "params": params}
    sets = {
        "holes": ("foreground",),
        "piece": ("background",),
        "missing": ("unknown", "foreground"),
        "overruled": ("unknown",),
    }
    box = one.boxes.get(_PLACES.get(name, name))
    if box is None:
        return
    frames = _as_long(name, one, figures)
    for what in sets.get(name, ()):
        polygon = {str(frames.first): _corners(box, corner)}
        yield {
            "id": f"look-{one.number}",
            "frames": str(frames),
            "set": what,
            "polygon": polygon,
        }


_PLACES = {"piece": "come", "missing": "gone"}


def _as_long(name: str, one: Figures, figures: Sequence[Figures]) -> FrameRange:
    """The frames around one that have the same fault, half as strong at least."""
    if name not in LEVELS:
        return FrameRange((one.number,))
    numbers = {f.number for f in figures if f.faults.get(name, 0) >= one.faults[name] / 2}
    first = last = one.number
    while first - 1 in numbers:
        first -= 1
    while last + 1 in numbers:
        last += 1
    return FrameRange.span(first, last)


def _helps(name: str, plain: Mapping[str, float], tried: Mapping[str, float]) -> bool:
    key = _MEASURED[name]
    before, after = plain.get(key, 0.0), tried.get(key, 0.0)
    if name == "missing":
        return after > before * 1.005 and _sum(tried) <= _sum(plain) + _HARM
    most = before * (0.995 if name == "piece" else _ENOUGH)
    return after <= most and _sum(tried) <= _sum(plain) + _HARM


def _harmless(rule: Rule, number: int, figures: Mapping[int, Figures], attempt: Attempt) -> bool:
    """Whether the ends of its range are no worse for it either."""
    frames = FrameRange.parse(str(rule["frames"])).intersection(FrameRange.of(figures))
    ends = {frames.first, frames.last} - {number}
    return all(_sum(attempt(end, rule)) <= _sum(attempt(end, None)) + _HARM for end in sorted(ends))


def _sum(found: Mapping[str, float]) -> float:
    """All faults that can be seen in a frame, in levels."""
    return sum(found.get(name, 0.0) / level for name, level in LEVELS.items())


def _words(key: str, found: Mapping[str, float]) -> str:
    value = found.get(key, 0.0)
    return _SAID[key](value) if key in _SAID else f"{percent(value)} {_SHARES[key]}"


_SHARES = {
    "holes": "of the subject see-through",
    "clipped": "of the outline cut off",
    "through": "of what lies behind seen inside",
    "nothing": "of the unknown came to nothing",
    "overruled": "of pixels overruled",
    "coverage": "of the picture covered",
}


def _corners(box: Box, corner: tuple[int, int]) -> list[list[int]]:
    x, y = corner
    left, top, right, bottom = box.left + x, box.top + y, box.right + x, box.bottom + y
    return [[left, top], [right, top], [right, bottom], [left, bottom]]
