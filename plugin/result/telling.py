"""What `verify` found, in words, for programs, and as a command's end."""

import json
from collections.abc import Iterator

from plugin.errors import FrameError
from plugin.framerange import FrameRange
from plugin.progress.lines import printable
from plugin.result.verify import Fault, Finding, VerifyReport

_NAMED = 20
"""Findings of one kind without a frame number that `describe` lists."""

_MEANING = {
    Fault.MISSING: "asked for, and not there",
    Fault.DAMAGED: "there, and not whole",
    Fault.STALE: "whole, and of another plate or other settings",
    Fault.UNPROVED: "whole, and of what is not known",
    Fault.FAILED: "could not be computed",
    Fault.FOREIGN: "not in the manifest",
}


def describe(report: VerifyReport) -> str:
    """The report for people: a line for each fault, frames as ranges, then each reason once."""
    head = f"{len(report.sound)} of {len(report.promised)} frames are there and whole"
    lines = [f"{report.folder}: {head}"]
    if report.uncompared:
        lines.append(f"not compared with the plate, which is not here: {report.uncompared}")
    for fault in Fault:
        found = [finding for finding in report.findings if finding.fault is fault]
        if found:
            lines.append(f"{fault}: {_count(report, fault, found)}, {_MEANING[fault]}")
            lines += [f"    {line}" for line in _reasons(found)]
    return "\n".join(printable(line) for line in lines)


def refuse_unsound(report: VerifyReport) -> None:
    """End a command as its result stands: exit code 3 where frames are not there and whole.

    Raises:
        FrameError: they are named in it.
    """
    if not report.complete:
        raise FrameError(
            f"{len(report.unsound)} of {len(report.promised)} frames are not there and whole",
            where=f"{report.folder} {report.unsound}",
            fix="the run's command again computes what is missing, damaged or stale",
        )


def as_json(report: VerifyReport) -> str:
    """The report for programs: one JSON object, in ASCII."""
    said = {
        "folder": str(report.folder),
        "complete": report.complete,
        "promised": str(report.promised),
        "sound": str(report.sound),
        "uncompared": str(report.uncompared),
        **{
            fault.value: [
                {"frame": found.frame, "path": found.path, "why": found.why}
                for found in report.findings
                if found.fault is fault
            ]
            for fault in Fault
        },
    }
    return json.dumps(said)


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
