"""`adamatte report`: a result as a folder to be looked at in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from plugin.cli.help_page import (
    FILE,
    LaidOutCommand,
    file_option,
    json_option,
    option,
    talk_options,
)
from plugin.cli.saying import say, say_json
from plugin.framerange import FrameRange

if TYPE_CHECKING:
    from plugin.report.build import Report

_REPORT = "The report"


def _report(
    folder: Path,
    *,
    against: Path | None,
    full: str | None,
    quick: bool,
    no_suggest: bool,
    as_json: bool,
    quiet: bool,
    **_talk: object,
) -> None:
    from plugin.driver.attempts import attempts
    from plugin.report.build import build_report
    from plugin.result.telling import refuse_unsound

    built = build_report(
        folder,
        thorough=not quick,
        against=against,
        full=None if full is None else FrameRange.parse(full),
        attempts=attempts if not (no_suggest or quick) else None,
    )
    if as_json or not quiet:
        _told(built, as_json=as_json)
    refuse_unsound(built.found)


def _told(built: Report, *, as_json: bool) -> None:
    found = built.tries.found
    if as_json:
        worst = [
            {"frame": one.number, "severity": round(one.severity, 3), "why": one.reasons[0].text}
            | ({"override": found[one.number].rule} if one.number in found else {})
            for one in built.suspects
        ]
        told = {"page": str(built.page), "bytes": built.bytes, "worst": worst}
        told |= {"complete": built.found.complete, "unsound": str(built.found.unsound)}
        say_json(told | {"seconds": round(built.seconds, 2)})
        return
    for one in built.suspects:
        if one.severity >= 1:
            say(f"look at   {one.number}: {one.reasons[0].text}")
    for note in built.notes:
        say(f"note      {note}")
    size, taken = built.bytes / 1e6, built.seconds
    say(f"report    {built.page}  ({size:.1f} MB, {taken:.1f} s)")


report = LaidOutCommand(
    name="report",
    callback=_report,
    help="Build DIR/report/index.html: contact sheet, timeline, the frames to look at and why, a "
    "film, provenance. The folder opens in a browser from disk, without a server or a network, "
    "and can be sent to anyone. `adamatte run` ends with it too, in 4 % of its time. Exit code 3 "
    "if a frame is missing, damaged, failed or stale: the page is made all the same.",
    params=[
        click.Argument(["folder"], metavar="DIR", type=FILE),
        file_option(
            "--against",
            "DIR",
            "Another run of the shot to compare with: frames that changed, difference "
            "pictures, figures, settings.",
            heading=_REPORT,
        ),
        option(
            "--full RANGE",
            "Frames whose pictures are wanted at full size, besides the worst and twelve "
            "others: 1001-1010,1043.",
            heading=_REPORT,
        ),
        option(
            "--quick",
            "Believe the manifest: decode no frame, compare no file. What is missing, failed, "
            "or of other settings is found all the same.",
            heading=_REPORT,
        ),
        option(
            "--no-suggest",
            "Do not try overrides on the worst frames, for which they are matted again here, "
            "for a minute at most.",
            heading=_REPORT,
            name="no_suggest",
        ),
        json_option(_REPORT),
        *talk_options(),
    ],
    examples=[
        ("is this version better than the last?", "adamatte report v2 --against v1"),
    ],
)
