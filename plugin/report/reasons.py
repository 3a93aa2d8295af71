"""Why a frame is worth a look: each reason in words, with its place, and how strong it is.

A reason has a level from which it is worth a look, severity 1. The levels were set on real clips,
so that frames that a person would send back lead and good shots stay silent; see docs/report.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from plugin.report.figures import Box

_OVERRULED = 0.01
"""Share of the subject and its band whose definite labels AdaMatting overrules."""

_FLICKER, _FLICKER_OF_ALL = 0.10, 0.35
"""Above the frames around, and at all: what moves fast is hard to follow for the flow too."""

_JUMP_AT_MOST = 0.4
"""A change that stays (a cut, an entrance) is no fault of the matte."""

_PIECE = 0.01
"""Share of the subject, of pieces that come for one frame, or are gone for one."""

LEVELS = {
    "holes": 0.01,
    "halo": 0.35,
    "eaten": 0.35,
    "clipped": 0.12,
    "through": 0.4,
    "nothing": 0.05,
}
"""Of the figures of `faults`."""

_PUMPING = 1.6
"""Times softer than at the keys on both sides, from which the matte pumps."""

_LOST = 0.15
"""Part of the subject that is there at the keys on both sides, and not between them."""

_COVERAGE, _BAND = 0.35, 0.5
"""By what part coverage and unknown share may differ from the frames around."""

_UNKNOWN, _UNSURE = 0.5, 0.4
_LEAST, _LEAST_USUAL = 0.02, 0.1
"""Shares of the picture that a subject, and what is usual, count as at least."""


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
        come: share of the subject, of pieces that the frame before has nothing of.
        gone: of pieces that the frame before has, and this one nothing of.
        seconds: wall time.
        faults: the figures of `faults.look_at`.
        boxes: where figures lie thickest, by their names.
    """

    number: int
    unknown: float | None = None
    overruled: float | None = None
    coverage: float | None = None
    confidence: float | None = None
    held: int | None = None
    flicker: float | None = None
    come: float | None = None
    gone: float | None = None
    seconds: float | None = None
    faults: Mapping[str, float] = field(default_factory=dict)
    boxes: Mapping[str, Box] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a frame is worth a look.

    Attributes:
        name: `overruled`, `flicker`, `jump`, `piece`, `missing`, `coverage`, `band`, `unknown`,
            `confidence`, `holes`, `halo`, `eaten`, `clipped`, `through`, `nothing`,
            `pumping`, `lost`.
        severity: 1 is worth a look.
        text: in plain words.
        box: where; None where it is the whole frame.
    """

    name: str
    severity: float
    text: str
    box: Box | None = None


def of_itself(one: Figures) -> Iterator[Reason]:
    """What trimap and segmentation say of the frame."""
    if one.overruled:
        part = min(1.0, max((one.coverage or 0) + (one.unknown or 0), _LEAST))
        text = f"the adapted trimap disagrees with the input on {percent(one.overruled)} of pixels"
        severity = one.overruled / part / _OVERRULED
        yield Reason("overruled", severity, text, one.boxes.get("overruled"))
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


def of_its_look(one: Figures) -> Iterator[Reason]:
    """What can be seen in the frame alone."""
    faults = one.faults
    texts = {
        "holes": f"the subject is see-through inside: {percent(faults.get('holes', 0))} of it",
        "halo": "the comp shows a rim of the old background, "
        f"{faults.get('halo', 0):.1f} pixels wide all around",
        "eaten": f"the edge is eaten into, {faults.get('eaten', 0):.1f} pixels all around",
        "clipped": "hair or a soft edge is cut off by the band's end, along "
        f"{percent(faults.get('clipped', 0))} of the outline: a wider band",
        "through": "what lies outside goes on inside an opaque matte: glass wants a trimap that "
        "leaves it unknown, else the matte's edge lies beside the subject's",
        "nothing": "nothing is left of a subject that the trimap leaves unknown: "
        f"{percent(faults.get('nothing', 0))} of the unknown",
    }
    for name, level in LEVELS.items():
        if faults.get(name):
            yield Reason(name, faults[name] / level, texts[name], one.boxes.get(name))


def of_keys(one: Figures, before: Figures, after: Figures) -> Iterator[Reason]:
    """A frame between two keys that is softer than both, or has less of the subject."""
    soft, at_keys = one.faults.get("soft"), (before.faults.get("soft"), after.faults.get("soft"))
    known = [value for value in at_keys if value]
    if soft and len(known) == len(at_keys) and soft > max(known):
        times = soft / max(known)
        text = f"the edge is {times:.1f} times as soft as at the keys around it: it pumps"
        yield Reason("pumping", times / _PUMPING, text)
    least = min(before.coverage or 0, after.coverage or 0)
    if one.coverage is not None and least > max(one.coverage, 0):
        part = 1 - one.coverage / least
        text = f"{percent(part)} of what is there at the keys around it is not there: another key"
        yield Reason("lost", part / _LOST, text)


def of_motion(one: Figures, after: Figures | None, usual: float | None) -> Iterator[Reason]:
    """A matte that differs from both neighbours is out of line; from one, it has changed."""
    if not one.flicker:
        return
    both = min(one.flicker, (None if after is None else after.flicker) or 0.0)
    severity = max((both - (usual or 0.0)) / _FLICKER, both / _FLICKER_OF_ALL)
    if severity >= 0.5:
        text = f"the matte flickers: {percent(both)} of it is not where the motion puts it"
        yield Reason("flicker", severity, text, one.boxes.get("flicker"))
    else:
        text = f"{percent(one.flicker)} of the matte changed from the frame before"
        severity = min(_JUMP_AT_MOST, (one.flicker - (usual or 0.0)) / _FLICKER)
        if severity > 0:
            yield Reason("jump", severity, text, one.boxes.get("flicker"))


def of_pieces(one: Figures, after: Figures | None) -> Iterator[Reason]:
    """Pieces that are there for one frame, and pieces that are gone for one."""
    if after is None:
        return
    ghost, missing = min(one.come or 0, after.gone or 0), min(one.gone or 0, after.come or 0)
    if ghost:
        text = f"a piece is there in this frame alone: {percent(ghost)} of the subject"
        yield Reason("piece", ghost / _PIECE, text, one.boxes.get("come"))
    if missing:
        text = f"a piece is gone in this frame alone: {percent(missing)} of the subject"
        yield Reason("missing", missing / _PIECE, text, one.boxes.get("gone"))


def out_of_line(one: Figures, coverage: float | None, unknown: float | None) -> Iterator[Reason]:
    """Subject and band larger or smaller than what is usual around the frame."""
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


def percent(share: float) -> str:
    """A share in words: `6 %`, `0.4 %`, `0.03 %`."""
    value = 100 * share
    return f"{value:.0f} %" if value >= 9.5 else f"{value:.2g} %"
