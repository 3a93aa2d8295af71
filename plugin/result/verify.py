"""Does the output folder hold what its manifest promises? Every frame is decoded in full."""

import os
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from nuke_bridge.core import standing
from nuke_bridge.core.standing import Judge
from plugin.disk.atomic import is_temporary
from plugin.errors import FrameError
from plugin.exr.alpha_file import prove_alpha
from plugin.framerange import FrameRange
from plugin.result.grey_png import read_grey, recipe_of
from plugin.result.layout import OutputLayout
from plugin.result.manifest import FrameRecord, Manifest, load

_MOST_THREADS = 4
"""Each holds a frame; the disk is the limit soon after."""

_NOBODY_CAME = "no run has come to it"


class Fault(StrEnum):
    """What is wrong with a frame or a file."""

    MISSING = "missing"
    DAMAGED = "damaged"
    STALE = "stale"
    UNPROVED = "unproved"
    FAILED = "failed"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as the manifest says.

    Attributes:
        fault: what kind.
        frame: the frame's number; None for a foreign file.
        path: the file, relative to the folder.
        why: in plain words.
    """

    fault: Fault
    frame: int | None
    path: str
    why: str


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify` found.

    Attributes:
        folder: that was looked at.
        promised: the frames that should be there, those that failed included.
        sound: those that are, decoded and proved.
        findings: everything else, by kind and frame.
        uncompared: frames whose plate is not there, or not to be read: that they are of it still is
            not known.
    """

    folder: Path
    promised: FrameRange
    sound: FrameRange
    findings: tuple[Finding, ...]
    uncompared: FrameRange

    @property
    def unsound(self) -> FrameRange:
        """The promised frames that are not there and whole."""
        return self.promised.without(self.sound)

    @property
    def complete(self) -> bool:
        """All frames asked for are there and sound. Foreign files do not matter."""
        return all(finding.fault is Fault.FOREIGN for finding in self.findings)

    def frames_with(self, fault: Fault) -> FrameRange:
        """The frames with that fault."""
        return FrameRange.of(
            found.frame
            for found in self.findings
            if found.fault is fault and found.frame is not None
        )


def verify(folder: Path, *, decode: bool = True) -> VerifyReport:
    """How every frame stands that the manifest of a folder promises.

    Each is compared with what was last asked for it and with the files that it was made of, as far
    as those are there. Masks, trimaps and adapted trimaps that are there are decoded too.

    Args:
        folder: that `adamatte run` wrote.
        decode: look into the files; else the manifest is believed, and a name is taken for a file.

    Raises:
        RequestError: there is no manifest.
        OutputError: the manifest is damaged.
    """
    manifest = load(folder / "manifest.json")
    layout = OutputLayout(folder, manifest.shot.name)
    judge = Judge(folder, manifest.model_dump(mode="json"), manifest.plate.path, reads=decode)
    mattes = layout.pattern("alpha")
    there = mattes.scan()
    absent = manifest.promised.without(FrameRange.of({*there, *manifest.frames}))
    expected = manifest.promised.without(manifest.not_done).without(absent)

    def look(number: int) -> tuple[list[Finding], bool]:
        if decode:
            return _look_at(number, layout, judge, manifest.shot.keep)
        return _believe(number, layout, judge, manifest.frames.get(number), number in there)

    with ThreadPoolExecutor(min(_MOST_THREADS, len(os.sched_getaffinity(0)))) as threads:
        seen = list(threads.map(look, expected))
    found = [finding for findings, _ in seen for finding in findings]
    alone = FrameRange.of(
        n for n, (_, compared) in zip(expected, seen, strict=True) if not compared
    )
    found += (
        Finding(Fault.MISSING, number, f"alpha/{mattes.name(number)}", _NOBODY_CAME)
        for number in absent
    )
    found += _failed(layout, manifest)
    found += _foreign(layout, manifest)
    unsound = FrameRange.of(finding.frame for finding in found if finding.frame is not None)
    order = list(Fault)
    found.sort(key=lambda one: (order.index(one.fault), one.frame or 0, one.path))
    sound = manifest.promised.without(unsound)
    return VerifyReport(folder, manifest.promised, sound, tuple(found), alone)


def _look_at(
    number: int, layout: OutputLayout, judge: Judge, kept: Collection[str]
) -> tuple[list[Finding], bool]:
    """What is wrong with one promised frame, and whether its plate was there to be compared."""
    path, told = layout.alpha(number), None
    found = _pictures(number, layout, judge.pictures(number), kept)
    found += _raw(number, layout) if "raw" in kept else []
    try:
        told = prove_alpha(path).provenance
    except FrameError as error:
        if os.path.lexists(path):
            return [
                *found,
                Finding(Fault.DAMAGED, number, _relative(path, layout), error.what),
            ], True
    state, why, compared = judge.frame(number, told)
    if state != standing.WHOLE:
        found.append(Finding(Fault(state), number, _relative(path, layout), why))
    return found, compared


def _believe(
    number: int, layout: OutputLayout, judge: Judge, record: FrameRecord | None, there: bool
) -> tuple[list[Finding], bool]:
    """As `_look_at`, of a file that is taken to be what its record says."""
    told = {} if record is None else {"recipe": record.recipe, "digest": record.digest}
    state, why, _ = judge.frame(number, told if there else None)
    path = _relative(layout.alpha(number), layout)
    return [] if state == standing.WHOLE else [Finding(Fault(state), number, path, why)], True


def _pictures(
    number: int, layout: OutputLayout, recipes: Mapping[str, str], kept: Collection[str]
) -> list[Finding]:
    """Masks and trimaps that are there are whole, and of what the matte was made of.

    Those that the run did not keep may be of another look at the shot: they are only named.
    """
    found = []
    for kind in ("mask", "trimap", "adapted"):
        path = layout.pattern(kind).path(number)
        if not os.path.lexists(path):
            continue
        try:
            recipe = recipe_of(path)
        except FrameError as error:
            found.append(Finding(Fault.DAMAGED, number, _relative(path, layout), error.what))
            continue
        if recipes.get(kind) not in (None, recipe):
            why = f"a {kind} of another recipe than the matte of frame {number}"
            place, promised = _relative(path, layout), kind in kept
            fault = Fault.STALE if promised else Fault.FOREIGN
            found.append(Finding(fault, number if promised else None, place, why))
    return found


def _raw(number: int, layout: OutputLayout) -> list[Finding]:
    """A raw alpha that is to be kept is whole; others are looked at when they are taken up."""
    path = layout.raw(number)
    if not os.path.lexists(path):
        return []
    try:
        prove_alpha(path)
        read_grey(layout.labels(number))
    except FrameError as error:
        return [Finding(Fault.DAMAGED, number, _relative(path, layout), error.what)]
    return []


def _failed(layout: OutputLayout, manifest: Manifest) -> Iterator[Finding]:
    for number in manifest.not_done:
        place = _relative(layout.alpha(number), layout)
        yield Finding(Fault.FAILED, number, place, manifest.frames[number].error)


def _foreign(layout: OutputLayout, manifest: Manifest) -> Iterator[Finding]:
    """Files among the alphas that no record speaks of."""
    folder = layout.out / "alpha"
    if not folder.is_dir():
        return
    mattes = layout.pattern("alpha")
    expected = {mattes.name(number) for number in manifest.promised}
    for entry in sorted(folder.iterdir()):
        if entry.name not in expected:
            left = is_temporary(entry.name)
            why = "a temporary, of a live run or left by a killed one" if left else "unknown file"
            yield Finding(Fault.FOREIGN, None, _relative(entry, layout), why)


def _relative(path: Path, layout: OutputLayout) -> str:
    return str(path.relative_to(layout.out))
