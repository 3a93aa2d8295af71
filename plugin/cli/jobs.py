"""`adamatte submit`, `status`, `cancel`: shots on a Ray cluster."""

import dataclasses
import sys

import click

from plugin.cli.help_page import LaidOutCommand, json_option, option, talk_options
from plugin.cli.saying import say, say_json
from plugin.cli.shot_arguments import shot_of, shot_options
from plugin.progress.modes import choose
from plugin.request.asked import HEADINGS

_CLUSTER = "The cluster"


def _submit(program: str, **options: object) -> None:
    quiet = bool(options.pop("quiet"))
    progress = choose(str(options.pop("progress")), quiet, sys.stderr)
    shot = shot_of(options)

    from workers.submit import submit as hand_over

    say(hand_over(shot, progress, program=program))


def _status(job: str, address: str | None, as_json: bool, log: bool, **_talk: object) -> None:
    from workers.submit import connect, log_of
    from workers.submit import status as look

    client = connect(address)
    found = look(client, job)
    if as_json:
        say_json(dataclasses.asdict(found))
        return
    told = found.progress
    pace = f" · {told.get('done')} of {told.get('total')} done" if told else ""
    failed = f", {told['failed']} failed" if told.get("failed") else ""
    code = "" if found.exit_code is None else f" (exit code {found.exit_code})"
    say(f"{found.id}: {found.state}{code}{pace}{failed}")
    say(f"shot {found.shot}, frames {found.frames}, in {found.out}")
    if found.state == "FAILED" and found.message:
        say(found.message)
    if log:
        say(*log_of(client, job).expandtabs().splitlines())


def _cancel(job: str, address: str | None, quiet: bool, **_talk: object) -> None:
    from workers.submit import cancel as end
    from workers.submit import connect

    stopped = end(connect(address), job)
    if not quiet:
        say(
            f"{job}: asked to end; frames in flight have half a minute"
            if stopped
            else f"{job}: had ended before"
        )


def _id() -> click.Argument:
    return click.Argument(["job"], metavar="ID")


def _address() -> click.Option:
    return option(
        "--address URL",
        "The cluster's dashboard, http://HEAD:8265. Default: $RAY_API_SERVER_ADDRESS.",
        heading=_CLUSTER,
    )


_AUTH = (
    "The cluster's token is read from $RAY_AUTH_TOKEN, the file $RAY_AUTH_TOKEN_PATH, or "
    "~/.ray/auth_token, whose mode must be 0600; a cluster without one is refused."
)

submit = LaidOutCommand(
    name="submit",
    callback=_submit,
    help="Hand a shot to a Ray cluster and print the job's id. As `adamatte run` in all else: the "
    "request is probed here first, and DIR and the plate must be seen by the cluster under the "
    "same paths. --address is that of the dashboard, http://HEAD:8265.\n\n" + _AUTH,
    params=[
        *shot_options(*HEADINGS),
        option(
            "--program FILE",
            "The adamatte command as the cluster's machines find it.",
            heading=_CLUSTER,
            default="adamatte",
        ),
        *talk_options(),
    ],
    examples=[
        (
            "masks from roto, on the cluster's GPUs",
            "adamatte submit sh020.mov --mask 'roto/sh020.%04d.png' --device cuda "
            "--out mattes/sh020 \\\n      --address http://head:8265",
        ),
    ],
)

status = LaidOutCommand(
    name="status",
    callback=_status,
    help="How a job is getting on.\n\n" + _AUTH,
    params=[
        _id(),
        _address(),
        json_option(_CLUSTER),
        option("--log", "And what it has printed.", heading=_CLUSTER),
        *talk_options(),
    ],
    examples=[("and its log", "adamatte status adamatte-sh020-1f2e3d4c --log")],
)

cancel = LaidOutCommand(
    name="cancel",
    callback=_cancel,
    help="End a job. What is done stays done; submitting the shot again goes on from there.\n\n"
    + _AUTH,
    params=[_id(), _address(), *talk_options()],
    examples=[("that one", "adamatte cancel adamatte-sh020-1f2e3d4c")],
)
