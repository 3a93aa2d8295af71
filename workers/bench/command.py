"""`bench`: all parts one after another, the table, and what changed since the last run."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from model.inference.device import choose_device
from model.inference.weight_files import find_weights
from plugin.disk.atomic import made, write_whole
from workers.bench import gpu, history, parts, steadiness
from workers.bench.figures import ALONE, PARTS, Figure, Settings

_HOW: Mapping[str, Callable[[Settings], Iterator[Figure]]] = {
    "network": parts.network_figures,
    "job": parts.job_figures,
    "workers": parts.worker_figures,
    "memory": parts.memory_figures,
    "stabilise": steadiness.figures,
}


def settled(settings: Settings) -> Settings:
    """With the device chosen.

    Raises:
        DeviceError: it is not there.
    """
    return replace(settings, device=choose_device(settings.device))


def bench(
    settings: Settings,
    *,
    history_file: Path | None,
    json_file: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[list[Figure], list[history.Change]]:
    """Measure, write down, compare.

    Args:
        settings: what to measure; see `settled`.
        history_file: where runs are kept; None keeps none.
        json_file: takes all figures of this run.
        tell: is told which part begins.

    Returns:
        The figures in order, and those that differ from the last run of this machine.

    Raises:
        WeightsError: there are no such weights.
        SurroundingsError: a measurement died, or a file cannot be written.
    """
    weights = find_weights(settings.model).sha256
    figures: list[Figure] = []
    for part in (*PARTS, *ALONE):
        if part in settings.parts:
            tell(part)
            figures += _HOW[part](settings)
    if settings.device != "cpu":
        tell("gpu")
        figures += gpu.figures(settings)
    card = gpu.card_name() if settings.device != "cpu" else ""
    machine = history.machine_name(settings.device, card)
    line = history.record(figures, machine=machine, weights=weights, settings=asdict(settings))
    before = None if history_file is None else history.last_of(history_file, machine)
    if json_file is not None:
        content = json.dumps(line, indent=1, ensure_ascii=False) + "\n"
        made(json_file.parent)
        write_whole(json_file, content.encode())
    if history_file is not None:
        history.append(history_file, line)
    return figures, [] if before is None else history.changes(before, line)


def table(figures: list[Figure]) -> list[str]:
    """Lines: name, value with its unit, and the goal where there is one."""
    rows = [(one.name, f"{one.value:.3g} {one.unit}", _goal(one)) for one in figures]
    widths = [max((len(row[column]) for row in rows), default=0) for column in (0, 1)]
    return [f"{n:<{widths[0]}}  {v:>{widths[1]}}  {g}".rstrip() for n, v, g in rows]


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    sign = "≤" if figure.better == "lower" else "≥"
    return f"{'reached' if figure.reached else 'MISSED'}: {sign} {figure.goal:g}"
