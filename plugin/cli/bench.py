"""`adamatte bench`: what this program costs on this machine, and whether that changed."""

from functools import partial
from pathlib import Path

import click

from plugin.cli.help_page import (
    MODEL,
    LaidOutCommand,
    device_option,
    file_option,
    option,
    talk_options,
)
from plugin.cli.saying import say
from plugin.errors import ShotError

_WHAT, _WHERE = "What is measured", "Where it goes"
_what = partial(option, heading=_WHAT)
_PARTS = ("network", "job", "memory", "stabilise")
_ALONE = ("workers",)
_FULL = ("720p,1080p,2160p,4320p", "2,10,40", 3, 16)
_QUICK = ("720p,1080p", "10", 2, 8)
"""Sizes, shares, rounds, frames."""

_QUICK_PARTS = ("network", "job", "memory")


def _bench(
    *,
    only: str | None,
    quick: bool,
    sizes: str | None,
    unknown: str | None,
    rounds: int | None,
    frames: int | None,
    memory: str | None,
    seeds: str,
    model: str,
    device: str,
    json_file: Path | None,
    history_file: Path | None,
    no_history: bool,
    quiet: bool,
    **_talk: object,
) -> None:
    from workers.bench.command import bench as measure
    from workers.bench.command import settled, table
    from workers.bench.figures import Settings, Size
    from workers.bench.history import default_path

    usual_sizes, usual_unknown, usual_rounds, usual_frames = _QUICK if quick else _FULL
    settings = Settings(
        sizes=tuple(Size.parse(one) for one in _listed(sizes or usual_sizes, "--sizes")),
        unknown=tuple(
            _number(one, "--unknown", 0.1, 90)
            for one in _listed(unknown or usual_unknown, "--unknown")
        ),
        parts=_chosen(only, quick),
        rounds=rounds or usual_rounds,
        frames=frames or usual_frames,
        memory=None if memory is None else Size.parse(memory),
        model=model,
        device=device,
        seeds=tuple(int(_number(one, "--seeds", 0, 9999)) for one in _listed(seeds, "--seeds")),
    )
    kept = None if no_history else history_file or default_path()

    def tell(part: str) -> None:
        if not quiet:
            say(f"measuring: {part}", err=True)

    figures, changed = measure(settled(settings), history_file=kept, json_file=json_file, tell=tell)
    for line in table(figures):
        say(line)
    for change in changed:
        say(f"changed   {change.text}")
    if kept is not None and not quiet:
        say(f"history   {kept}")


def _listed(text: str, option: str) -> list[str]:
    words = [word.strip() for word in text.split(",")]
    if not all(words):
        raise ShotError(f"an empty place in {text!r}", where=option, fix="separate with commas")
    return list(dict.fromkeys(words))


def _number(text: str, option: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        fix = f"give numbers from {least:g} to {most:g}, with commas"
        raise ShotError(f"not such a number: {text}", where=option, fix=fix)
    return value


def _chosen(only: str | None, quick: bool) -> tuple[str, ...]:
    if only is None:
        return _QUICK_PARTS if quick else _PARTS
    words = tuple(_listed(only, "--only"))
    if wrong := [word for word in words if word not in (*_PARTS, *_ALONE)]:
        what = f"no such part: {', '.join(wrong)}"
        raise ShotError(what, where="--only", fix=f"give {', '.join((*_PARTS, *_ALONE))}")
    return words


bench = LaidOutCommand(
    name="bench",
    callback=_bench,
    help="Measure this machine: the network by size and unknown share, the whole job over the "
    "network alone, one and two workers, memory, stages, and what stabilisation takes from the "
    "error. Frames are rendered; figures are ratios inside one run, so that they hold on a machine "
    "that others use. Each run is kept, and what changed by more than 10 % since the last one of "
    "the same machine is named.",
    params=[
        _what("--quick", "Minutes instead of an hour: 720p and 1080p, 10 % unknown, a short job."),
        _what(
            "--only PARTS",
            "Some of network, job, memory, stabilise, by default all; or workers, a part of job.",
        ),
        _what(
            "--sizes LIST",
            "720p,1080p,2160p,4320p or WxH. The job is measured at 1080p, or the first.",
        ),
        _what(
            "--unknown LIST",
            "Shares of unknown pixels, percent: 2,10,40. The job has 10, or the first.",
        ),
        _what(
            "--rounds N",
            "How often each call is timed; the best counts.",
            type=click.IntRange(1, 100),
        ),
        _what(
            "--frames N",
            "Length of the job's shot; two workers have half of it each.",
            type=click.IntRange(4, 1000),
        ),
        _what("--memory SIZE", "The size whose memory peak is measured; by default the largest."),
        _what(
            "--seeds LIST",
            "Of the rendered shots that stabilisation is measured on.",
            default="2,3",
        ),
        _what("--model NAME|FILE", MODEL, default="lite"),
        device_option(_WHAT),
        file_option("--json", "FILE", "All figures as JSON.", heading=_WHERE, name="json_file"),
        file_option(
            "--history",
            "FILE",
            "JSON lines, one a run; by default adamatte/bench.jsonl in $XDG_STATE_HOME or "
            "~/.local/state.",
            heading=_WHERE,
            name="history_file",
        ),
        option("--no-history", "Keep nothing, compare nothing.", heading=_WHERE),
        *talk_options(),
    ],
    examples=[
        ("a first look, in minutes", "adamatte bench --quick"),
        ("the memory of an 8K job", "adamatte bench --only memory --sizes 4320p --unknown 10"),
        ("what stabilisation is worth", "adamatte bench --only stabilise --seeds 2,3"),
    ],
)
