"""`adamatte run`, `segment`, `trimap`: what works on a shot."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from plugin.cli.help_page import LaidOutCommand, file_option, option, talk_options
from plugin.cli.outcome import exit_code_of
from plugin.cli.saying import say, say_json
from plugin.cli.shot_arguments import shot_of, shot_options
from plugin.errors import FrameError
from plugin.progress.modes import choose
from plugin.request.asked import HEADINGS, MASK, SHOT, TRIMAP, WORK

if TYPE_CHECKING:
    from plugin.progress.modes import Progress
    from plugin.request.shot import Shot
    from plugin.result.manifest import Manifest


def do_job(
    job: Callable[[Shot, Progress], Manifest],
    options: dict[str, object],
    *,
    summed_up: bool = False,
) -> None:
    """Work on the shot that was asked for, and see that its end is told whatever happens.

    Args:
        job: the work; it imports the program, so that wrong options are refused before.
        options: those of `shot_options` and `talk_options`, by name.
        summed_up: for people, end with a short table.

    Raises:
        FrameError: some frames failed; all others are done.
        AdaMatteError: whatever `job` raises.
    """
    mode, quiet = str(options.pop("progress")), bool(options.pop("quiet"))
    progress = choose(mode, quiet, sys.stderr)
    manifest = None
    try:
        shot = shot_of(options)
        manifest = job(shot, progress)
        _refuse_gaps(shot, manifest)
    except BaseException as error:
        progress.end(exit_code_of(error))
        if manifest is not None and summed_up and not quiet:
            _sum_up(shot, manifest, mode)
        raise
    progress.end(0, {"out": str(shot.out)})
    if summed_up and not quiet:
        _sum_up(shot, manifest, mode)


def _sum_up(shot: Shot, manifest: Manifest, mode: str) -> None:
    """The table that a run ends with, where people read: stderr; programs get no talk."""
    if mode in ("jsonl", "openjd"):
        return
    from plugin.report.summary import summary

    for line in summary(manifest, shot.out, asked=shot.frames):
        say(line, err=True)


def _refuse_gaps(shot: Shot, manifest: Manifest) -> None:
    """Name the frames that failed, of those asked for now: the folder may know of others."""
    failed = manifest.not_done
    if shot.frames is not None:
        failed = failed.intersection(shot.frames)
    if failed:
        reason = manifest.frames[failed.first].error.replace(" · ", ", ")
        raise FrameError(
            f"{len(failed)} frame{'s' * (len(failed) > 1)} failed",
            where=f"{shot.name} {failed}",
            fix=f"the rest are done; {failed.first}: {reason or 'see manifest.json'}",
        )


def _driven(goal: str) -> Callable[[Shot, Progress], Manifest]:
    def job(shot: Shot, progress: Progress) -> Manifest:
        from plugin.driver import run as driver

        work: Callable[..., Manifest] = getattr(driver, goal)
        return work(shot, progress=progress)

    return job


def _run(**options: object) -> None:
    do_job(_driven("run"), options, summed_up=True)


def _segment(**options: object) -> None:
    do_job(_driven("segment"), options)


def _trimap(check: Path | None = None, schema: bool = False, **options: object) -> None:
    if schema:
        from plugin.trimap.override import json_schema

        say_json(json_schema(), indent=2)
    elif check is not None:
        _check(check, options)
    else:
        do_job(_driven("trimap"), options)


def _check(file: Path, options: dict[str, object]) -> None:
    """Say what an override file does, every rule checked against the plate; compute nothing."""
    from plugin.plates import plate_of
    from plugin.trimap.override import explain, load

    shot = shot_of(options, out=".")
    with closing(plate_of(shot)) as plate:
        corrections = load(file, plate.info, shot=shot.name, asked=shot.frames)
    say(*explain(corrections).split("\n"))


run = LaidOutCommand(
    name="run",
    callback=_run,
    help="Matte a shot: PLATE in, an alpha EXR sequence out.\n\n"
    "PLATE is a video file, a sequence plate.%04d.exr or plate.####.exr (EXR, DPX, TIFF, PNG, "
    "JPEG), or one image. Frames keep the plate's numbers. What is done and whole is not done "
    "again: after an interruption the same command goes on.",
    params=[*shot_options(*HEADINGS), *talk_options()],
    examples=[
        (
            "a green screen: the mask is keyed, the screen's colour found",
            "adamatte run sh010.mov --out mattes/sh010",
        ),
        (
            "masks from roto, a wide band for hair, half the shot",
            "adamatte run 'plates/sh020.%04d.exr' --mask 'roto/sh020.%04d.png' --dilate 25 "
            "\\\n      --frames 1001-1050 --out mattes/sh020",
        ),
        (
            "all of it from a file, another output folder",
            "adamatte run --job sh030.toml --out try2",
        ),
    ],
)

segment = LaidOutCommand(
    name="segment",
    callback=_segment,
    help="Write only the masks: DIR/mask/<shot>_mask.%04d.png, 0 to 255.",
    params=[*shot_options(SHOT, MASK, WORK), *talk_options()],
    examples=[
        (
            "is the screen keyed well? look at one frame in ten",
            "adamatte segment sh010.mov --frames 1001-1100x10 --out look",
        ),
    ],
)

trimap = LaidOutCommand(
    name="trimap",
    callback=_trimap,
    help="Write only the trimaps: DIR/trimap/<shot>_trimap.%04d.png of 0 background, 128 unknown, "
    "255 subject; and DIR/overlay/<shot>_overlay.%04d.jpg, each over its plate: unknown bright "
    "between a red line (background) and a green one (subject), overrides blue (subject), "
    "orange (background) or violet (unknown).\n\nAll soft "
    "edges, hair and blur should lie in the unknown: what a trimap calls definite is rarely looked "
    "at again. Cheap, so try the band here before a long run.",
    params=[
        *shot_options(SHOT, MASK, TRIMAP, WORK),
        file_option(
            "--check",
            "FILE",
            "Only check an override file against PLATE and say what it does, rule by rule; "
            "no frame is computed, nothing is written.",
            heading=TRIMAP,
        ),
        option(
            "--schema",
            "Only print the JSON Schema of override files, for editors and programs that write "
            "them; PLATE may be left out. docs/overrides.md shows what each rule does.",
            heading=TRIMAP,
        ),
        *talk_options(),
    ],
    examples=[
        (
            "does the band cover the hair? look at three frames",
            "adamatte trimap sh010.mov --dilate 25 --frames 1001,1050,1100 --out look",
        ),
        (
            "is an override file right, and what does it do?",
            "adamatte trimap sh010.mov --check sh010.trimap.json",
        ),
    ],
)
