"""Which frames of a result are there, missing, failed or stale, by its manifest and its files.

Stale is a matte that was made from another plate, override or setting than the node's now. Each
frame's record names the request that made it, and the files that it was made from; so a frame is
judged by its own run, not by the folder's last one: see `Judge`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from . import standing
from .files import read_json, told_by
from .frames import format_range, of_pattern
from .request import Request
from .settings import difference

DONE, MISSING, FAILED, STALE = "done", "missing", "failed", "stale"

MAX_MANIFEST = 256 << 20
_NAMED = 3
_STATES = {
    standing.WHOLE: DONE,
    standing.MISSING: MISSING,
    standing.FAILED: FAILED,
    standing.UNPROVED: STALE,
    standing.STALE: STALE,
    standing.DAMAGED: STALE,
}


class FrameStates(NamedTuple):
    """What there is of the frames that a node stands for.

    Attributes:
        states: by frame number.
        why: of frames that are not done, in plain words.
        key_wanted: the frame on which another key frame would help most, as the last run found.
    """

    states: dict[int, str]
    why: dict[int, str]
    key_wanted: int | None = None

    def frames(self, state: str) -> list[int]:
        """The frames in a state, ascending."""
        return sorted(n for n, s in self.states.items() if s == state)

    @property
    def complete(self) -> bool:
        """All are there and up to date."""
        return all(state == DONE for state in self.states.values())

    def all_stale(self, why: str) -> FrameStates:
        """The same, where what is there was made from something else altogether."""
        stale = {n: STALE if s == DONE else s for n, s in self.states.items()}
        reasons = {n: why for n, s in self.states.items() if s == DONE}
        return FrameStates(stale, {**self.why, **reasons}, self.key_wanted)

    def summary(self) -> str:
        """`all 48 frames done`, or `40 of 48 done · 5 stale 1001-1005 (erode was 8)`."""
        wanted = [] if self.key_wanted is None else [f"a key helps most at {self.key_wanted}"]
        return " · ".join([self._counted(), *wanted])

    def _counted(self) -> str:
        done = self.frames(DONE)
        if self.complete and done:
            return f"all {len(done)} frames done"
        parts = [f"{len(done)} of {len(self.states)} done"]
        for state in (MISSING, STALE, FAILED):
            found = self.frames(state)
            if found:
                why = list(dict.fromkeys(self.why[n] for n in found if self.why.get(n)))
                reasons = " ({})".format("; ".join(why[:_NAMED])) if why else ""
                text = f"{len(found)} {state} {format_range(found)}{reasons}"
                parts.append(text)
        return " · ".join(parts)


def frame_states(request: Request) -> FrameStates:
    """Judge every frame that the node stands for. Reads files: never in the interface thread.

    Raises:
        BridgeError: the manifest is damaged.
    """
    manifest = read_json(Path(request.out) / "manifest.json", MAX_MANIFEST) or {}
    judge = standing.Judge(Path(request.out), manifest, request.plate, request.compared())
    states, why = {}, {}
    for number in request.frames:
        found = judge.frame(number, told_by(of_pattern(request.alpha, number)))
        states[number], why[number] = _STATES[found.state], found.why
        if found.state == standing.MISSING:
            why[number] = ""
        elif found.state == standing.WHOLE and not found.compared:
            states[number], why[number] = STALE, "the plate is not there any more"
    told = {n: text for n, text in why.items() if text}
    return FrameStates(states, told, _key_wanted(request, manifest))


def _key_wanted(request: Request, manifest: dict[str, Any]) -> int | None:
    """Where the last run asks for a key; None where the keys are others by now, or none is."""
    keys = {"keyframe": request.compared()["keyframe"]}
    found = manifest.get("key_wanted")
    if difference(standing.table(manifest, "shot"), keys) or type(found) is not int:
        return None
    return found if found in request.frames else None
