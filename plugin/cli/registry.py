"""Which commands there are. A new one is one line of `COMMANDS`.

Each is imported when it is called: `adamatte --help` loads no command, no numpy, no torch.
"""

import difflib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

import click

from plugin.cli.help_page import SETTINGS, show_debug, show_version
from plugin.errors import RequestError

_MATTE, _FARM = "Mattes", "Farms and clusters"
_LOOK, _NETWORK = "Looking at things", "The network"


@dataclass(frozen=True, slots=True)
class Entry:
    """A command that is not loaded yet.

    Attributes:
        target: `module:attribute` of a click command.
        heading: under which heading `adamatte --help` lists it.
        summary: its line there.
    """

    target: str
    heading: str
    summary: str

    def load(self) -> click.Command:
        """Import the command."""
        module, attribute = self.target.split(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{self.target} is not a click command")
        return command


COMMANDS: Mapping[str, Entry] = {
    name: Entry(f"plugin.cli.{module}:{name}", heading, summary)
    for name, module, heading, summary in (
        ("run", "shots", _MATTE, "The whole job: a plate in, an alpha EXR sequence out."),
        ("segment", "shots", _MATTE, "Only the masks."),
        ("trimap", "shots", _MATTE, "Only the trimaps: look at them before a long run."),
        ("desk", "desk", _MATTE, "Look at it in the browser, paint, see the matte change."),
        ("demo", "demo", _MATTE, "The job on a shot that it renders itself, with the error."),
        ("farm", "farm", _FARM, "Write the batch job: OpenJD, Deadline or OpenCue."),
        ("submit", "jobs", _FARM, "The whole job on a Ray cluster."),
        ("status", "jobs", _FARM, "How a submitted job is getting on."),
        ("cancel", "jobs", _FARM, "End a submitted job."),
        ("inspect", "looks", _LOOK, "What a plate is: frames, size, rate, codec, colour."),
        ("verify", "looks", _LOOK, "Prove that every frame of a result is there and whole."),
        ("report", "report", _LOOK, "The QC report: pictures, figures, the worst frames."),
        ("doctor", "looks", _LOOK, "What this machine has and lacks."),
        ("bench", "bench", _LOOK, "Speed, memory and steadiness here, and what changed."),
        ("evaluate", "measure", _NETWORK, "SAD, MSE, Grad, Conn on images with known alpha."),
        ("compose", "measure", _NETWORK, "Compose a test set of what training never sees."),
        ("pack", "network", _NETWORK, "Pack training pictures into one file."),
        ("train", "network", _NETWORK, "Train AdaMatting as a TOML file says."),
        ("export", "network", _NETWORK, "Shippable weights from a training run."),
    )
}


class Program(click.Group):
    """`adamatte` itself: a group that knows its commands by name only."""

    def __init__(self, entries: Mapping[str, Entry] = COMMANDS) -> None:
        super().__init__(
            name="adamatte",
            help="Video mattes for compositing: a shot in, an alpha EXR sequence out.",
            context_settings=SETTINGS,
            params=[show_version(), show_debug()],
            no_args_is_help=False,
            subcommand_metavar="COMMAND …",
        )
        self._entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """Names in the order of the table."""
        return list(self._entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one command, None if there is no such one."""
        entry = self._entries.get(cmd_name)
        return None if entry is None else entry.load()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begins with.

        Raises:
            RequestError: there is none of that name.
        """
        if args[0] not in self._entries and not args[0].startswith("-"):
            self._refuse(args[0])
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands, from the table alone."""
        for heading in dict.fromkeys(entry.heading for entry in self._entries.values()):
            with formatter.section(heading):
                formatter.write_dl(
                    [(n, e.summary) for n, e in self._entries.items() if e.heading == heading]
                )

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Where to go on."""
        formatter.write_paragraph()
        formatter.write_text("`adamatte COMMAND --help` explains a command, with examples.")

    def _refuse(self, name: str) -> NoReturn:
        close = difflib.get_close_matches(name, self._entries, n=1)
        fix = f"did you mean adamatte {close[0]}?" if close else "see adamatte --help"
        raise RequestError(f"there is no command {name!r}", where="adamatte", fix=fix)
