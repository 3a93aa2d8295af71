"""Does the output folder hold what its manifest promises? Every frame is decoded in full."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain
from pathlib import Path

from plugin.disk.atomic import is_temporary
from plugin.errors import FrameError
from plugin.exr.alpha_file import prove_alpha
from plugin.framerange import FrameRange
from plugin.result.grey_png import read_grey
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest, PlateRecord, load

__all__ = ["Fault", "Finding", "VerifyReport", "as_json", "describe", "verify"]

_MOST_THREADS = 4
"""Each holds a frame; the disk is the limit soon after."""

_CHEAP_SUM = 512 << 20
"""Bytes up to which a plate file's sha256 is taken again: a second or so."""

_NAMED = 20
"""Findings of one kind without a frame number that `describe` lists."""


class Fault(StrEnum):
    """What is wrong with a frame or a file."""

    MISSING = "missing"
    DAMAGED = "damaged"
    STALE = "stale"
    FAILED = "failed"
    FOREIGN = "foreign"


_MEANING = {
    Fault.MISSING: "asked for, and not there",
    Fault.DAMAGED: "there, and not whole",
    Fault.STALE: "whole, and of another plate or other settings",
    Fault.FAILED: "could not be computed",
    Fault.FOREIGN: "not in the manifest",
}


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
    """

    folder: Path
    promised: FrameRange
    sound: FrameRange
    findings: tuple[Finding, ...]

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


def verify(folder: Path) -> VerifyReport:
    """Decode every frame that the manifest of a folder promises.

    Masks, trimaps and adapted trimaps that are there are decoded too.

    Raises:
        RequestError: there is no manifest.
        OutputError: the manifest is damaged.
    """
    manifest = load(folder / "manifest.json")
    layout = OutputLayout(folder, manifest.shot.name)
    moved_on = plate_change(manifest.plate)
    expected = manifest.promised.without(manifest.not_done)
    with ThreadPoolExecutor(min(_MOST_THREADS, len(os.sched_getaffinity(0)))) as threads:
        per_frame = threads.map(
            lambda number: _look_at(number, layout, manifest, moved_on), expected
        )
        found = list(chain.from_iterable(per_frame))
    found += _failed(layout, manifest)
    found += _foreign(layout, manifest)
    unsound = FrameRange.of(finding.frame for finding in found if finding.frame is not None)
    order = list(Fault)
    found.sort(key=lambda one: (order.index(one.fault), one.frame or 0, one.path))
    sound = manifest.promised.without(unsound)
    return VerifyReport(folder, manifest.promised, sound, tuple(found))


def plate_change(plate: PlateRecord) -> str:
    """Why a video or an image is not the one that was matted; empty when it is, or is not here.

    Its size is compared, and its sha256 where that is quick. A sequence's frames are not looked at:
    `run` compares them, each by its own digest.
    """
    path = Path(plate.path)
    if plate.bytes is None or not path.is_file():
        return ""
    if path.stat().st_size != plate.bytes:
        return f"the plate {path} has another size now"
    if plate.digest and plate.bytes <= _CHEAP_SUM:
        with path.open("rb") as file:
            changed = hashlib.file_digest(file, "sha256").hexdigest() != plate.digest
        return f"the plate {path} has other contents now" if changed else ""
    return ""


def describe(report: VerifyReport) -> str:
    """The report for people: a line for each fault, frames as ranges, then each reason once."""
    head = f"{len(report.sound)} of {len(report.promised)} frames are there and whole"
    lines = [f"{report.folder}: {head}"]
    for fault in Fault:
        found = [finding for finding in report.findings if finding.fault is fault]
        if found:
            lines.append(f"{fault}: {_count(report, fault, found)}, {_MEANING[fault]}")
            lines += [f"    {line}" for line in _reasons(found)]
    return "\n".join(lines)


def as_json(report: VerifyReport) -> str:
    """The report for programs: one JSON object."""
    said = {
        "folder": str(report.folder),
        "complete": report.complete,
        "promised": str(report.promised),
        "sound": str(report.sound),
        **{
            fault.value: [
                {"frame": found.frame, "path": found.path, "why": found.why}
                for found in report.findings
                if found.fault is fault
            ]
            for fault in Fault
        },
    }
    return json.dumps(said, ensure_ascii=False)


def _look_at(number: int, layout: OutputLayout, manifest: Manifest, moved_on: str) -> list[Finding]:
    """What is wrong with one promised frame."""
    path = layout.alpha(number)
    found = _pictures(number, layout) + _raw(number, layout)
    fault, why = _judge(number, path, manifest)
    if fault is None and moved_on:
        fault, why = Fault.STALE, moved_on
    if fault is not None:
        found.append(Finding(fault, number, _relative(path, layout), why))
    return found


def _judge(number: int, path: Path, manifest: Manifest) -> tuple[Fault | None, str]:
    record = manifest.frames.get(number)
    if not path.exists():
        why = "it was done, and the file is gone" if record else "no run has come to it"
        return Fault.MISSING, why
    try:
        told = prove_alpha(path).provenance
    except FrameError as error:
        return Fault.DAMAGED, error.what
    if record is None:
        return None, ""  # whole, from a run that was killed before it could say so
    if told.get("recipe", "") != record.recipe:
        return Fault.STALE, "made by another recipe than the manifest's"
    if told["digest"] != record.digest:
        return Fault.DAMAGED, "its pixels are not those of the manifest"
    return None, ""


def _pictures(number: int, layout: OutputLayout) -> list[Finding]:
    found = []
    for path in (layout.mask(number), layout.trimap(number), layout.adapted(number)):
        if path.exists():
            try:
                read_grey(path)
            except FrameError as error:
                place = _relative(path, layout)
                found.append(Finding(Fault.DAMAGED, number, place, error.what))
    return found


def _raw(number: int, layout: OutputLayout) -> list[Finding]:
    """A raw alpha that is there, kept or of a run that was not ended, is whole."""
    path = layout.raw(number)
    if not path.exists():
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
    expected = {layout.alpha(number).name for number in manifest.promised}
    for entry in sorted(folder.iterdir()):
        if entry.name not in expected:
            left = is_temporary(entry.name)
            why = "a temporary, of a live run or left by a killed one" if left else "unknown file"
            yield Finding(Fault.FOREIGN, None, _relative(entry, layout), why)


def _relative(path: Path, layout: OutputLayout) -> str:
    return str(path.relative_to(layout.out))


def _count(report: VerifyReport, fault: Fault, found: list[Finding]) -> str:
    if fault is Fault.FOREIGN:
        return f"{len(found)} files"
    frames = report.frames_with(fault)
    return f"{len(frames)} frames, {frames}"


def _reasons(found: list[Finding]) -> Iterator[str]:
    """Each reason with its frames; files without a frame one by one, as far as they are few."""
    by_reason: dict[str, list[Finding]] = {}
    for finding in found:
        by_reason.setdefault(finding.why, []).append(finding)
    for why, same in by_reason.items():
        frames = FrameRange.of(one.frame for one in same if one.frame is not None)
        if frames:
            yield f"{frames} · {why}"
            continue
        yield from (f"{one.path} · {why}" for one in same[:_NAMED])
        if len(same) > _NAMED:
            yield f"and {len(same) - _NAMED} more"
