"""`Standing`: which frames of the output folder are as they should be, by its manifest.

A frame is done where its record is of the desk's own settings, and the corrections that it and the
neighbours that steadied it were made with come to the same as those in force. The ordinary run has
the last word: it looks at every file, and does again what is not so.
"""

import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nuke_bridge.core.files import Files, sha256
from nuke_bridge.core.standing import Judge
from plugin.desk.corrections import Corrections
from plugin.desk.frames import key_of
from plugin.disk.inputs import read_whole, stamp
from plugin.driver.plan import Plan
from plugin.errors import AdaMatteError
from plugin.framerange import FrameRange
from plugin.report.measure import figures_of, is_done, read_flicker
from plugin.report.worst import Suspect, worst
from plugin.request.shot import Shot, asked_of
from plugin.result.layout import OutputLayout
from plugin.result.manifest import FrameRecord, Manifest, load
from plugin.result.manifest_models import RequestRecord
from plugin.trimap.override import Override, of_bytes
from plugin.trimap.override.document import MAX_BYTES
from plugin.types import PlateInfo

_BY_CONTENT = {"override", "keyframe", "prompt"}
_PIXELS = [f for f in Shot.model_fields if asked_of(f).pixels and f not in _BY_CONTENT]
"""What a frame's pixels depend on; corrections are compared by what they come to, keys by the mask
that was carried to the frame."""


@dataclass(frozen=True, slots=True)
class Standings:
    """What is known at one moment.

    Attributes:
        done: digest of each frame's alpha that is as it should be.
        stale: frames that are there and of other corrections or settings.
        failed: frames that could not be done, and why.
        due: every frame of the shot that is not done.
        worst: the frames to look at first.
    """

    done: Mapping[int, str]
    stale: FrameRange
    failed: Mapping[int, str]
    due: FrameRange
    worst: tuple[Suspect, ...]


class _Sums(Files):
    """As `Files`, of files that may change; each is read again only where it is another by now."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, tuple[str, str]] = {}
        self._asked: set[str] = set()

    def look(self) -> None:
        """Whatever is asked for from now on is looked at once more."""
        self._asked.clear()

    def now(self, path: str) -> str:
        """sha256 of a file; empty where there is none that can be read."""
        before, summed = self._seen.get(path, ("", ""))
        if path not in self._asked:
            self._asked.add(path)
            state = ""
            with suppress(OSError):
                state = stamp(Path(path).stat())
            if not state or state != before:
                known, of = self._known.get(path, ("", ""))
                summed = of if known and known == state else sha256(Path(path))
                self._seen[path] = state, summed
        return summed


class Standing:
    """Compares the folder's manifest with the desk's plan. For any thread.

    Args:
        plan: the job, without an override.
        info: the plate.
        frames: of the shot.
        corrections: the override file.
    """

    def __init__(
        self, plan: Plan, info: PlateInfo, frames: FrameRange, corrections: Corrections
    ) -> None:
        self._plan, self._info, self._frames = plan, info, frames
        self._corrections = corrections
        self._layout = OutputLayout.of(plan.shot)
        self._lock = threading.Lock()
        self._sums = _Sums()
        self._made_with: dict[str, Override | None] = {}
        self._stamp: tuple[int, int] | None = None
        self._manifest: Manifest | None = None
        self._known: tuple[object, Standings] | None = None
        self._judge: Judge | None = None
        self._fits: dict[str, bool] = {}
        self._others: dict[int, bool] = {}

    def plan_is(self, plan: Plan, info: PlateInfo, frames: FrameRange) -> None:
        """The files that frames are made of, or the settings, are others by now."""
        with self._lock:
            self._plan, self._info, self._frames, self._known = plan, info, frames, None
            self._forget()

    def now(self) -> Standings:
        """What is known now; read again only where manifest or corrections are others by now."""
        with self._lock:
            self._read()
            override = self._corrections.override
            of = self._stamp, None if override is None else override.sha256
            if self._known is None or self._known[0] != of:
                self._known = of, self._compare(override)
            return self._known[1]

    @property
    def ended(self) -> bool:
        """Whether a run has ended in this folder, so that there is a report."""
        return (self._layout.report / "index.html").is_file()

    def _read(self) -> None:
        stamp = None
        with suppress(OSError):
            status = self._layout.manifest.stat()
            stamp = status.st_ino, status.st_mtime_ns
        if stamp != self._stamp:
            self._stamp, self._manifest = stamp, None
            if stamp is not None:
                with suppress(AdaMatteError):  # a damaged one: the run will say so
                    self._manifest = load(self._layout.manifest)
            self._forget()

    def _forget(self) -> None:
        """What was found of records, files and settings; it does not depend on corrections."""
        self._fits, self._others, self._judge = {}, {}, None
        if self._manifest is not None:
            self._sums.look()
            dumped = self._manifest.model_dump(mode="json")
            self._judge = Judge(self._layout.out, dumped, self._info.path, files=self._sums)

    def _compare(self, override: Override | None) -> Standings:
        records: Mapping[int, FrameRecord] = {}
        suspects: tuple[Suspect, ...] = ()
        if self._manifest is not None:
            records = self._manifest.frames
            flicker = read_flicker(self._layout.report, self._manifest)
            suspects = tuple(worst(figures_of(self._manifest, flicker)))
        there = set(self._layout.pattern("alpha").scan())
        done: dict[int, str] = {}
        stale: list[int] = []
        failed: dict[int, str] = {}
        for number in self._frames:
            record = records.get(number)
            if record is None:
                continue
            if not is_done(record):
                failed[number] = record.error
            elif number in there:
                if self._is_current(number, record, override):
                    done[number] = record.digest
                else:
                    stale.append(number)
        due = self._frames.without(FrameRange.of(done))
        return Standings(done, FrameRange.of(stale), failed, due, suspects)

    def _is_current(self, number: int, record: FrameRecord, override: Override | None) -> bool:
        manifest = self._manifest
        request = None if manifest is None else manifest.requests.get(record.request)
        if request is None or not record.digest or not self._fits_plan(record.request, request):
            return False
        if number not in self._others and self._judge is not None:
            self._others[number] = bool(self._judge.made_of_others(number)[0])
        if self._others.get(number):
            return False
        before = self._recorded(request.override)
        if request.override and before is None:
            return False
        near = () if self._plan.stabilise is None else self._plan.stabilise.around(number)
        return all(_same(before, override, one) for one in (number, *near))

    def _fits_plan(self, key: str, request: RequestRecord) -> bool:
        """Whether a run asked for the desk's own settings."""
        if key not in self._fits:
            now = _pixels_of(self._plan.shot.model_dump(mode="json"))
            same = request.weights == self._plan.weights and _pixels_of(request.shot) == now
            self._fits[key] = same
        return self._fits[key]

    def _recorded(self, sha256: str) -> Override | None:
        """The override file that frames were made with, from the folder's copy."""
        if sha256 and sha256 not in self._made_with:
            self._made_with[sha256] = None
            with suppress(OSError, AdaMatteError):
                content = read_whole(self._layout.override(sha256), MAX_BYTES)
                # Pictures lie beside the file that is in force, not beside the copy.
                path: Path = self._corrections.path
                found = of_bytes(content, path, self._info, asked=FrameRange(()))
                if found.sha256 == sha256:
                    self._made_with[sha256] = found
        return self._made_with.get(sha256)


def _same(one: Override | None, other: Override | None, number: int) -> bool:
    try:
        return key_of(one, number) == key_of(other, number)
    except AdaMatteError:  # a picture is missing
        return False


def _pixels_of(shot: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that pixels depend on; one that an older run did not know has its default."""
    defaults = {name: Shot.model_fields[name].default for name in _PIXELS}
    return {name: _plain(shot.get(name, defaults[name])) for name in _PIXELS}


def _plain(value: object) -> object:
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else value
