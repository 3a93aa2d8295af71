"""`adamatte desk`: look at a shot in the browser, paint, see the new matte, matte what changed."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from contextlib import suppress
from functools import partial
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plugin.cli.help_page import FILE, LaidOutCommand, option, talk_options
from plugin.cli.saying import say
from plugin.cli.shot_arguments import shot_options
from plugin.progress.modes import choose
from plugin.request.asked import HEADINGS
from plugin.request.job_file import shot_from

if TYPE_CHECKING:
    from plugin.request.shot import Shot

_of_desk = partial(option, heading="The desk")


def _desk(
    *,
    host: str,
    port: int,
    token: str | None,
    no_browser: bool,
    behind: Path | None,
    progress: str,
    quiet: bool,
    job: Path | None,
    **options: object,
) -> None:
    told = choose(progress, quiet, sys.stderr)
    shot = _shot({key: value for key, value in options.items() if value not in (None, ())}, job)
    from plugin.desk.serve import Door, serve

    door = Door(host, port, token or "")
    doorstep: list[Path] = []

    def opened(address: str) -> None:
        say(address)
        sys.stdout.flush()
        if not no_browser:
            doorstep.extend(_open(address))

    try:
        serve(shot, door, told, opened, behind=behind)
    finally:
        for path in doorstep:
            path.unlink(missing_ok=True)


def _shot(given: dict[str, object], job: Path | None) -> Shot:
    """As for a run; what is not said of a folder is as it was matted, or as its desk left it."""
    out = given.get("out")
    before = None
    if job is None and out is not None and set(given) <= {"plate", "out"}:
        before = _shot_before(Path(str(out)))
    plate = given.get("plate")
    if before is None or (plate is not None and Path(str(plate)).absolute() != Path(before.plate)):
        return shot_from(given, job)
    update = {"out": Path(str(out)), "force": False, "executor": "auto", "address": None}
    return before.model_copy(update=update)


def _shot_before(out: Path) -> Shot | None:
    """The request of a folder: of its manifest, with the keys that its desk drew since."""
    from plugin.errors import AdaMatteError
    from plugin.result.manifest import load

    found, drawn = None, sorted(out.glob("*.job.toml"))
    with suppress(AdaMatteError):
        manifest = load(out / "manifest.json")
        # The last run may have been asked for a few frames only: those that had changed.
        frames = None if manifest.asked == manifest.plate.frames else manifest.asked
        found = manifest.shot.model_copy(update={"frames": frames})
        drawn = [out / f"{found.name}.job.toml"]
    if len(drawn) == 1 and drawn[0].is_file():
        told = shot_from({}, drawn[0])
        masks = {"keyframe": told.keyframe, "prompt": told.prompt}
        return told if found is None else found.model_copy(update=masks)
    return found


def _open(address: str) -> list[Path]:
    """Open the browser on the address, by way of a file: every user sees a program's arguments."""
    if sys.platform == "linux" and not (os.getenv("DISPLAY") or os.getenv("WAYLAND_DISPLAY")):
        return []  # what would open is a browser in this very terminal
    handle, name = tempfile.mkstemp(prefix="adamatte-desk-", suffix=".html")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        target = escape(address, quote=True)
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0;url={target}">')
    with suppress(webbrowser.Error, OSError):
        webbrowser.open(Path(name).as_uri())
    return [Path(name)]


desk = LaidOutCommand(
    name="desk",
    callback=_desk,
    help="Correct a shot where it is looked at: a page in the browser that shows its frames, "
    "takes strokes, polygons and bands, shows the frame's new matte at once, and mattes what has "
    "changed.\n\nPLATE and the options are those of `adamatte run`; for a folder that was matted, "
    "--out DIR alone will do. Every correction is in the shot's override file at once "
    "(--override, by default DIR/<shot>.trimap.json), which runs and farms read; what is seen is "
    "what a run writes, to the bit where --stabilise is 0. The address is printed; ? on the page "
    "shows its keys; Ctrl-C ends the desk.",
    params=[
        *shot_options(*HEADINGS),
        _of_desk("--behind FILE", "A picture that comps can be laid over.", type=FILE),
        _of_desk("--no-browser", "Only print the address."),
        _of_desk(
            "--port N",
            "Where it listens. Default: any port that is free.",
            type=click.IntRange(0, 65535),
            default=0,
            show_default=False,
        ),
        _of_desk(
            "--host ADDRESS",
            "By default this machine alone. Another address of it lets other machines in, "
            "without encryption, and needs --token; an SSH tunnel to --port needs neither.",
            default="127.0.0.1",
            show_default=False,
        ),
        _of_desk(
            "--token TEXT",
            "What the address has to hold, 16 characters or more. Default: one that is made "
            "up, which is best.",
        ),
        *talk_options(),
    ],
    examples=[
        (
            "a green screen, corrected before the first run",
            "adamatte desk sh010.mov --out mattes/sh010",
        ),
        ("a shot that was matted, with the settings it was matted with", "adamatte desk --out v2"),
        (
            "on a machine elsewhere: ssh -L 8800:127.0.0.1:8800 there, then",
            "adamatte desk sh010.mov --out mattes/sh010 --port 8800 --no-browser",
        ),
    ],
)
