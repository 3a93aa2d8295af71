"""`adamatte inspect`, `verify`, `doctor`: what looks and changes nothing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from plugin.cli.help_page import FILE, LaidOutCommand, json_option, option, talk_options
from plugin.cli.saying import say, say_json
from plugin.errors import SurroundingsError

if TYPE_CHECKING:
    from plugin.segmentation.masks.beside import Companion
    from plugin.types import PlateInfo

_ANSWER = "The answer"


def _inspect(
    plate: str, start_frame: int, layer: str, as_json: bool, companions: bool, **_talk: object
) -> None:
    from plugin.colour.display import input_colour
    from plugin.disk.names import as_stored, refuse_foreign
    from plugin.plates import open_plate, unlike
    from plugin.plates.inspect import as_json as to_json
    from plugin.plates.inspect import describe

    plate = as_stored(plate)
    refuse_foreign(plate, "PLATE")
    source = open_plate(plate, start_frame=start_frame, layer=layer)
    try:
        info = source.info
        colour = input_colour(info)
        in_space = "" if colour.by_tags else colour.space
        apart = unlike(source, info.frames, in_space=in_space) if companions else ()
    finally:
        source.close()
    notes = (*info.notes, *apart, *filter(None, [colour.note]))
    info = info.model_copy(update={"colour": colour.space, "notes": notes})
    beside = _beside(info) if companions else []
    if as_json:
        more = {"companions": [asdict(one) for one in beside]} if companions else {}
        _print(to_json(info) | more)
        return
    lines = [f"beside    {one.option} {one.path}: {one.refused or one.reading}" for one in beside]
    lines += [f"note      {one.path}: {note}" for one in beside for note in one.notes]
    _print("\n".join([describe(info), *lines]))


def _beside(info: PlateInfo) -> list[Companion]:
    from plugin.segmentation.masks.beside import companions_of

    return companions_of(info)


def _verify(folder: Path, as_json: bool, quiet: bool, **_talk: object) -> None:
    from plugin.result.telling import as_json as to_json
    from plugin.result.telling import describe, refuse_unsound
    from plugin.result.verify import verify as prove

    report = prove(folder)
    if as_json or not quiet:
        _print(to_json(report) if as_json else describe(report))
    refuse_unsound(report)


def _doctor(as_json: bool, quiet: bool, **_talk: object) -> None:
    from plugin.doctor import as_json as to_json
    from plugin.doctor import describe, examine

    findings = examine()
    if as_json or not quiet:
        _print(to_json(findings) if as_json else describe(findings))
    lacking = [finding for finding in findings if finding.state == "lacking"]
    if lacking:
        names = ", ".join(finding.name for finding in lacking)
        raise SurroundingsError("this machine lacks something", where=names, fix=lacking[0].fix)


def _print(answer: Any) -> None:  # noqa: ANN401  a text, or whatever JSON can hold
    if isinstance(answer, str):
        say(*answer.rstrip("\n").split("\n"))
    else:
        say_json(answer, indent=2)


inspect = LaidOutCommand(
    name="inspect",
    callback=_inspect,
    help="What a plate is: frames, size, rate, start, timecode, codec, colour.",
    params=[
        click.Argument(["plate"], metavar="PLATE"),
        option(
            "--start-frame N",
            "Number of a video's first frame.",
            heading=_ANSWER,
            type=int,
            default=1001,
        ),
        option(
            "--layer NAME",
            "The EXR layer, view or part that is the plate.",
            heading=_ANSWER,
            default="",
            show_default=False,
        ),
        option(
            "--companions",
            "And the masks and overrides in its folder, in those within it and beside it: "
            "which of their channels and values a run would take, or why it would not.",
            heading=_ANSWER,
        ),
        json_option(_ANSWER),
        *talk_options(),
    ],
    examples=[
        ("which frames are missing?", "adamatte inspect 'plates/sh010.%04d.exr'"),
        ("and which masks are there?", "adamatte inspect 'plates/sh010.%04d.exr' --companions"),
    ],
)

verify = LaidOutCommand(
    name="verify",
    callback=_verify,
    help="Decode every frame that DIR/manifest.json promises; name what is missing, damaged, "
    "failed, stale (of another plate, mask, override or setting than was last asked for that "
    "frame) or unproved (whole, and not in the manifest). Exit code 3 if any is. "
    "Files that are not the program's are named, and do no harm.",
    params=[
        click.Argument(["folder"], metavar="DIR", type=FILE),
        json_option(_ANSWER),
        *talk_options(),
    ],
    examples=[("before the shot is published", "adamatte verify mattes/sh010")],
)

doctor = LaidOutCommand(
    name="doctor",
    callback=_doctor,
    help="What this machine has and lacks: packages, cores, memory, GPU, codecs, weights, Ray. "
    "Exit code 4 if something that every run needs is lacking.",
    params=[json_option(_ANSWER), *talk_options()],
    examples=[("with a bug report", "adamatte doctor --json > doctor.json")],
)
