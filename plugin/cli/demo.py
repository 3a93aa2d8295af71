"""`adamatte demo`: see the program work, with no material of one's own."""

import sys
from pathlib import Path

import click

from plugin.cli.help_page import LaidOutCommand, file_option, number_option, option, talk_options
from plugin.cli.outcome import exit_code_of
from plugin.cli.saying import say
from plugin.progress.modes import choose

_KINDS = ("demo", "static", "pan", "fast", "wind", "blur", "occlusion", "green")


def _demo(out: Path, kind: str, seed: int, frames: int, **talk: object) -> None:
    progress = choose(str(talk["progress"]), bool(talk["quiet"]), sys.stderr)
    try:
        from plugin.driver.demo import demo as show

        result = show(out, progress, kind=kind, seed=seed, frames=frames)
    except BaseException as error:
        progress.end(exit_code_of(error))
        raise
    progress.end(0, {"out": str(result.shot.out)})
    if not talk["quiet"]:
        figures = "  ".join(f"{name} {value:.4g}" for name, value in result.errors.items())
        say(f"mattes   {result.shot.out}/alpha")
        say(f"picture  {result.picture}")
        say(f"error against the true alpha, in the trimap's unknown region: {figures}")


demo = LaidOutCommand(
    name="demo",
    callback=_demo,
    help="Render a small shot with a known alpha (a furry creature before a busy moving "
    "background), encode it to a video file, matte that file, and print the error.",
    params=[
        file_option("--out", "DIR", "Where shot, mattes and picture go.", default=Path("demo")),
        option("--kind", "What happens in the shot.", type=click.Choice(_KINDS), default="demo"),
        number_option("--seed", (0, 9999), 0, "Another creature, another place."),
        number_option("--frames", (2, 240), 48, "Length of the shot."),
        *talk_options(),
    ],
    examples=[("a creature in the wind", "adamatte demo --kind wind --seed 2 --out look")],
)
