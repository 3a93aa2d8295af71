"""How a frame stands: whole, missing, damaged, failed, unproved or stale, and why.

The program's `verify` and `report` ask it of what was last asked for, a host of what its node says
now. Every file that a frame was made from is compared by its sha256, see `Files`.

Only the standard library, Python 3.7: hosts bring their own.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any, NamedTuple

from .errors import BridgeError
from .files import Files, NoFiles
from .frames import is_pattern, of_pattern, parse_range
from .override_file import OverrideText, read_override
from .settings import difference

WHOLE, MISSING, FAILED, UNPROVED, STALE = "whole", "missing", "failed", "unproved", "stale"
DAMAGED = "damaged"

_DONE = ("done", "skipped")
_MOST_STEADY = 64


class Standing(NamedTuple):
    """How one frame stands.

    Attributes:
        state: `whole`, `missing`, `damaged`, `failed`, `unproved` or `stale`.
        why: in plain words; empty when whole.
        compared: the frame of the plate was there to be compared.
    """

    state: str
    why: str = ""
    compared: bool = True


class Judge:
    """Knows a folder's manifest, what is asked of it, and its plate.

    Args:
        out: the folder.
        manifest: what its `manifest.json` says.
        plate: the plate's path or pattern.
        wanted: the settings by which frames are judged, the override file among them; None for
            those that were last asked for, frame by frame.
        reads: look at the files that frames were made from; else none is known to have changed.
        files: what looks at them, of who judges the same folder again and again.

    Raises:
        BridgeError: the override file that is wanted is none.
    """

    def __init__(
        self,
        out: Path,
        manifest: dict[str, Any],
        plate: str,
        wanted: dict[str, Any] | None = None,
        reads: bool = True,
        *,
        files: Files | None = None,
    ) -> None:
        self._out, self._plate, self._wanted = out, plate, wanted
        self._frames, self._requests = table(manifest, "frames"), table(manifest, "requests")
        self._due = {n: key for key, one in self._requests.items() for n in _numbers(one, "asked")}
        self._there = frozenset(_numbers(manifest.get("plate"), "frames"))
        self._files = files or (Files() if reads else NoFiles())
        self._overrides: dict[str, OverrideText | None] = {}
        self._differences: dict[tuple[str, str], str] = {}
        self._digest = str(table(manifest, "plate").get("digest") or "")
        self._learn(table(manifest, "plate"))
        file = wanted.get("override") if wanted else None
        self._override = read_override(Path(file)) if file else None

    def frame(self, number: int, told: dict[str, str] | None) -> Standing:
        """How a frame stands.

        Args:
            number: the frame.
            told: recipe and digest as its file says, as far as it does; None without a file.
        """
        found = self._frames.get(str(number))
        record = found if isinstance(found, dict) else {}
        if record.get("state", "done") not in _DONE:
            return Standing(FAILED, str(record.get("error", ""))[:200])
        if told is None:
            why = "it was done, and the file is gone" if record else "no run has come to it"
            return Standing(MISSING, why)
        if not record:
            return Standing(UNPROVED, "not in the manifest yet: run it again, it will be quick")
        digest, recipe = record.get("digest"), record.get("recipe")
        if digest and told.get("recipe") == recipe and told.get("digest") != digest:
            return Standing(DAMAGED, "its pixels are not those of the manifest")
        other, compared = self.made_of_others(number)
        why = (
            _other_file(record, told)
            or self._other_request(record, number)
            or self._other_override(record, number)
            or other
        )
        return Standing(STALE if why else WHOLE, why, compared)

    def made_of_others(self, number: int) -> tuple[str, bool]:
        """Why a frame was made of other files than are there now, and whether its plate is there.

        The override file is compared by its rules, elsewhere.
        """
        record = table(self._frames, str(number))
        plate = self._other_plate(record, number)
        why = plate or self._other_neighbours(record, number) or self._other_files(record)
        return why, plate is not None

    def pictures(self, number: int) -> dict[str, str]:
        """The recipes that the pictures beside a frame's matte should have, by kind."""
        return table(table(self._frames, str(number)), "pictures")

    def _other_request(self, record: dict[str, Any], number: int) -> str:
        """Why it is of other settings than it should be; an override counts by its rules."""
        made = str(record.get("request", ""))
        made_by = self._requests.get(made)
        if self._wanted is not None:
            if not isinstance(made_by, dict):
                return "made by another version of AdaMatte"
            return self._difference((made, ""), table(made_by, "shot"), self._wanted)
        due = self._due.get(number, made)
        if due == made:
            return ""
        asked = self._requests[due]
        if not isinstance(made_by, dict):
            return "made by another request than the last"
        if made_by.get("weights") != asked.get("weights"):
            return "made by other weights than were last asked for"
        return self._difference((made, due), table(made_by, "shot"), table(asked, "shot"))

    def _difference(self, keys: tuple[str, str], then: dict[str, Any], now: dict[str, Any]) -> str:
        if keys not in self._differences:
            self._differences[keys] = difference(then, now)
        return self._differences[keys]

    def _other_override(self, record: dict[str, Any], number: int) -> str:
        sha = str(table(self._requests, str(record.get("request", ""))).get("override", ""))
        asked = table(self._requests, self._due.get(number, str(record.get("request", ""))))
        now, same = self._override, self._wanted is None and asked.get("override", "") == sha
        if self._wanted is None:
            file = str(table(asked, "shot").get("override") or "")
            if not os.path.exists(file):
                now = self._kept(str(asked.get("override", "")))
            elif self._files.now(file) != sha:
                now, same = self._read(file), False
        if same:
            return ""
        then = self._kept(sha)
        if sha and then is None:
            return "made with an override that is not kept"
        before = then.rules_of(number) if then else []
        return "" if before == (now.rules_of(number) if now else []) else "the override has changed"

    def _kept(self, sha: str) -> OverrideText | None:
        """The copy of an override file that frames were made with."""
        return self._read(str(self._out / "override" / f"{sha[:16]}.json")) if sha else None

    def _read(self, path: str) -> OverrideText | None:
        if path not in self._overrides:
            try:
                self._overrides[path] = read_override(Path(path))
            except BridgeError:
                self._overrides[path] = None
        return self._overrides[path]

    def _other_plate(self, record: dict[str, Any], number: int) -> str | None:
        """Why its own plate is another; None where that cannot be told."""
        changed = self._changed(number, str(record.get("plate") or self._digest))
        return None if changed is None else "the plate has changed" if changed else ""

    def _other_neighbours(self, record: dict[str, Any], number: int) -> str:
        """Of the frames of the plate that stabilisation looked at, and of those it would."""
        if not isinstance(record.get("near"), dict):
            return ""
        near = {int(one): str(summed) for one, summed in record["near"].items()}
        shot = table(table(self._requests, str(record.get("request", ""))), "shot")
        radius = shot.get("stabilise", 0)
        radius = radius if isinstance(radius, int) and 0 <= radius <= _MOST_STEADY else 0
        for one in sorted({*near, *range(number - radius, number + radius + 1)} - {number}):
            if near.get(one) and self._changed(one, near[one]):
                return f"frame {one} of the plate, which steadies it, has changed"
            if not near.get(one) and self._could_steady(one, tried=one in near):
                return f"frame {one} of the plate would steady it now"
        return ""

    def _could_steady(self, number: int, *, tried: bool) -> bool:
        """Whether a frame that could not be had can be by now, or one is there that was not."""
        if tried:
            return table(self._frames, str(number)).get("state") in _DONE
        if is_pattern(self._plate):
            return os.path.isfile(str(of_pattern(self._plate, number)))
        return number in self._there

    def _changed(self, number: int, summed: str) -> bool | None:
        now = self._files.now(str(of_pattern(self._plate, number)))
        if not now or not summed:
            return None
        first = min(self._there) if self._there else 0
        return summed not in (now, _sum_in_video(now, number - first))

    def _other_files(self, record: dict[str, Any]) -> str:
        """Of masks, trimaps and painted pictures, those of its neighbours too."""
        for path, summed in sorted(table(record, "files").items()):
            if self._files.now(path) not in ("", summed):
                return f"{os.path.basename(path)} has changed"
        return ""

    def _learn(self, plate: dict[str, Any]) -> None:
        """The states in which the plate's files were summed."""
        if not is_pattern(self._plate):
            self._files.know(self._plate, str(plate.get("digest")), str(plate.get("stamp", "")))
            return
        for number, record in self._frames.items():
            if isinstance(record, dict) and record.get("stamp"):
                path = str(of_pattern(self._plate, int(number)))
                self._files.know(path, str(record.get("plate")), str(record["stamp"]))


def table(document: Any, key: str) -> dict[str, Any]:
    """A part of a document that is an object; empty where it is none."""
    found = document.get(key) if isinstance(document, dict) else None
    return found if isinstance(found, dict) else {}


def _other_file(record: dict[str, Any], told: dict[str, str]) -> str:
    """Of the alpha itself: it may be another frame's, or another shot's."""
    if record.get("recipe") and told.get("recipe") != record["recipe"]:
        return "made by another recipe than the manifest's"
    return ""


def _numbers(document: Any, key: str) -> list[int]:
    text = document.get(key) if isinstance(document, dict) else None
    try:
        return parse_range(text) if isinstance(text, str) and text else []
    except BridgeError:
        return []


def _sum_in_video(video: str, place: int) -> str:
    """What the program notes of a video's frame: sha256 of the file's sum and the frame's place."""
    return hashlib.sha256(f"{video}:{place}".encode()).hexdigest()
