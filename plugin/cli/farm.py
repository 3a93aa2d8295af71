"""`adamatte farm`: write the batch job of a farm."""

import shlex
import sys
from typing import cast

import click

from plugin.cli.help_page import LaidOutCommand, option, talk_options
from plugin.cli.saying import say
from plugin.cli.shot_arguments import shot_of, shot_options
from plugin.progress.modes import choose
from plugin.request.asked import HEADINGS

_FARMS = ("openjd", "deadline", "opencue")
_FARM = "The farm"

_NEXT = {
    "openjd": "openjd run --step Matte {0}    (or hand the folder to your scheduler)",
    "deadline": "deadlinecommand {0} {1}",
    "opencue": "python {0}",
}


def _farm(kind: str, program: str | None, **options: object) -> None:
    quiet = bool(options.pop("quiet"))
    progress = choose(str(options.pop("progress")), quiet, sys.stderr)
    shot = shot_of(options)

    from workers.farm import FarmName, plan_farm_job, write_farm_job

    job = plan_farm_job(shot, progress, program)
    written = write_farm_job(cast("FarmName", kind), job)
    if quiet:
        return
    tasks = -(-len(job.frames) // job.chunk)
    say(f"{job.title}: frames {job.frames}, {tasks} tasks of {job.chunk}")
    for path in written:
        say(f"wrote   {path}")
    say("submit  " + _NEXT[kind].format(*(shlex.quote(str(path)) for path in written)))


farm = LaidOutCommand(
    name="farm",
    callback=_farm,
    help="Write a batch job into DIR, for a farm to run: openjd is a bundle for Open Job "
    "Description (template.yaml), deadline the job and plugin info for Deadline's CommandLine "
    "plugin, opencue an outline script.\n\nThe whole request is probed first. Each task is "
    "`adamatte run` on --chunk frames, without Ray unless --workers asks for several; tasks may "
    "run twice, in any order, and side by side. The farm's machines must see the same paths.",
    params=[
        click.Argument(["kind"], type=click.Choice(_FARMS), metavar="{openjd,deadline,opencue}"),
        *shot_options(*HEADINGS),
        option(
            "--program FILE",
            "The adamatte command as the farm's machines find it. Default: where it lies here.",
            heading=_FARM,
        ),
        *talk_options(),
    ],
    examples=[
        (
            "a bundle of tasks of 8 frames; it prints how to try it out here",
            "adamatte farm openjd sh010.mov --out mattes/sh010 --chunk 8",
        ),
    ],
)
