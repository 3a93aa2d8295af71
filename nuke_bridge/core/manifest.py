"""Which frames of a result are there, missing, failed or stale, by its manifest and its files.

Stale is a matte that was made from another plate, override or setting than the node's now. Each
frame's record names the request that made it, and the plate frame's sha256; so a frame is judged
by its own run, not by the folder's last one.

A file whose time is older than its matte's is as it was, and so is one that is older than the time
when the program last found the frame's inputs unchanged: only newer ones are summed again.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, NamedTuple

from .errors import BridgeError
from .files import read_json, sha256
from .frames import format_range, is_pattern, of_pattern
from .options import option
from .override_file import OverrideText, read_override
from .request import Request

__all__ = ["DONE", "FAILED", "MISSING", "STALE", "FrameStates", "frame_states"]

DONE, MISSING, FAILED, STALE = "done", "missing", "failed", "stale"

MAX_MANIFEST = 256 << 20
_NAMED = 3
_FILES = ("plate", "mask", "trimap", "clean_plate", "holdout", "garbage")


class FrameStates(NamedTuple):
    """What there is of the frames that a node stands for.

    Attributes:
        states: by frame number.
        why: of frames that are not done, in plain words.
    """

    states: dict[int, str]
    why: dict[int, str]

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
        return FrameStates(stale, {**self.why, **reasons})

    def summary(self) -> str:
        """`all 48 frames done`, or `40 of 48 done · 5 stale 1001-1005 (erode was 8)`."""
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
    path = Path(request.out) / "manifest.json"
    manifest = read_json(path, MAX_MANIFEST) or {}
    judge = _Judge(request, manifest)
    states, why = {}, {}
    for number in request.frames:
        states[number], why[number] = judge.frame(number)
    return FrameStates(states, {n: text for n, text in why.items() if text})


class _Judge:
    """Knows the node's request and the folder's manifest; reads each file once."""

    def __init__(self, request: Request, manifest: dict[str, Any]) -> None:
        self._request = request
        self._frames = _table(manifest, "frames")
        self._requests = _table(manifest, "requests")
        self._now = request.compared()
        self._differences: dict[str, str] = {}
        self._overrides: dict[str, OverrideText | None] = {}
        self._sums: dict[Path, str] = {}
        self._times: dict[Path, float | None] = {}
        self._override = self._override_now()

    def frame(self, number: int) -> list[str]:
        alpha = of_pattern(self._request.alpha, number)
        record = self._frames.get(str(number))
        record = record if isinstance(record, dict) else {}
        if record.get("state", "done") not in ("done", "skipped"):
            return [FAILED, str(record.get("error", ""))[:200]]
        made = self._time(alpha)
        if made is None:
            return [MISSING, ""]
        if not record:
            return [STALE, "not in the manifest yet: matte it again, it will be quick"]
        checked = record.get("checked")
        made = max(made, checked) if isinstance(checked, float) else made
        why = (
            self._other_settings(record)
            or self._other_override(record, number, made)
            or self._other_plate(record, number, made)
            or self._other_mask(number, made)
        )
        return [STALE, why] if why else [DONE, ""]

    def _other_settings(self, record: dict[str, Any]) -> str:
        key = str(record.get("request", ""))
        if key not in self._differences:
            made_by = self._requests.get(key)
            if not isinstance(made_by, dict):
                self._differences[key] = "made by another version of AdaMatte"
            else:
                self._differences[key] = _difference(_table(made_by, "shot"), self._now)
        return self._differences[key]

    def _other_override(self, record: dict[str, Any], number: int, made: float) -> str:
        made_by = self._requests.get(str(record.get("request", "")))
        sha = str(made_by.get("override", "")) if isinstance(made_by, dict) else ""
        then = self._override_then(sha)
        if sha and then is None:
            return "made with an override that is not kept"
        before = then.rules_of(number) if then else []
        now = self._override.rules_of(number) if self._override else []
        if before != now:
            return "the override has changed"
        pictures = self._override.pictures_of(number) if self._override else []
        newer = [p for p in pictures if (self._time(p) or made) > made]
        return "a painted trimap is newer" if newer else ""

    def _other_plate(self, record: dict[str, Any], number: int, made: float) -> str:
        path = of_pattern(self._request.plate, number)
        changed = self._time(path)
        if changed is None:
            return "the plate is not there any more"
        if changed <= made:
            return ""
        if path not in self._sums:
            self._sums[path] = sha256(path)
        place = number - self._request.start_frame
        known = (self._sums[path], _sum_in_video(self._sums[path], place))
        return "" if record.get("plate") in known else "the plate has changed"

    def _other_mask(self, number: int, made: float) -> str:
        masked = ("trimap",) if self._now.get("trimap") else ("mask", "clean_plate")
        for name in (*masked, "holdout", "garbage"):
            given = self._now.get(name)
            if given:
                changed = self._time(of_pattern(given, number))
                if changed is not None and changed > made:
                    return "the {} is newer".format(name.replace("_", " "))
        return ""

    def _override_now(self) -> OverrideText | None:
        given = self._now.get("override")
        return read_override(Path(given)) if given else None

    def _override_then(self, sha: str) -> OverrideText | None:
        if sha and sha not in self._overrides:
            kept = Path(self._request.out) / "override" / f"{sha[:16]}.json"
            try:
                self._overrides[sha] = read_override(kept)
            except BridgeError:
                self._overrides[sha] = None
        return self._overrides.get(sha)

    def _time(self, path: Path) -> float | None:
        if path not in self._times:
            try:
                self._times[path] = os.stat(str(path)).st_mtime
            except OSError:
                self._times[path] = None
        return self._times[path]


def _sum_in_video(video: str, place: int) -> str:
    """What the program notes of a video's frame: sha256 of the file's sum and the frame's place."""
    return hashlib.sha256(f"{video}:{place}".encode()).hexdigest()


def _difference(then: dict[str, Any], now: dict[str, Any]) -> str:
    """The first setting that differs, `erode was 8`; empty when none does."""
    for name, value in now.items():
        if name == "override" or name not in then:
            continue  # an override is compared by its rules
        before = then[name]
        if name in _FILES:
            if _file(before) != _file(value):
                return "made from another {}".format(name.replace("_", " "))
        elif name == "keyframe":
            if _keys(before) != _keys(value):
                return "made from other key frames"
        elif _plain(name, before) != _plain(name, value):
            return "{} was {}".format(
                name.replace("_", " "), "not set" if before is None else before
            )
    return ""


def _file(value: Any) -> str | None:
    """A path or pattern, however it was spelt."""
    if not value:
        return None
    path = Path(os.path.abspath(str(value)))
    return str(of_pattern(str(path), 0)) if is_pattern(str(path)) else str(path)


def _keys(given: Any) -> dict[str, str | None]:
    """`FRAME=FILE` by frame, however the files were spelt."""
    parts = [str(part).partition("=") for part in given or ()]
    return {number: _file(file) for number, _, file in parts}


def _plain(name: str, value: Any) -> Any:
    return float(value) if option(name).kind == "number" and value is not None else value


def _table(document: dict[str, Any], key: str) -> dict[str, Any]:
    found = document.get(key)
    return found if isinstance(found, dict) else {}
