"""Earlier runs, one JSON line each, and what changed since the last one of the same machine."""

import datetime
import importlib.metadata
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from plugin.disk.atomic import text_of
from plugin.errors import OutputError
from workers.bench.figures import Figure

_LIMIT = 0.10
"""By which a figure must differ to be worth a line."""

_MOST_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class Change:
    """A figure that is not what it was.

    Attributes:
        name: of the figure.
        before: its value in the earlier run.
        now: its value.
        worse: True where it got worse; None where no way is better.
    """

    name: str
    before: float
    now: float
    worse: bool | None

    @property
    def text(self) -> str:
        """`network · …: 1.20 → 1.50, +25 %, worse`."""
        by = f"{self.now / self.before - 1:+.0%}".replace("%", " %")
        verdict = {True: ", worse", False: ", better", None: ""}[self.worse]
        return f"{self.name}: {self.before:.3g} → {self.now:.3g}, {by}{verdict}"


def default_path() -> Path:
    """`bench.jsonl` in the user's state folder, as the XDG base directories say."""
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    return base / "adamatte" / "bench.jsonl"


def machine_name(device: str = "cpu", card: str = "") -> str:
    """Processor, how many cores this process may use, and the card where that is what ran."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    name = f"{_processor()}, {cores} cores"
    return f"{name}, {card or device}" if device != "cpu" else name


def _processor() -> str:
    lines = text_of(Path("/proc/cpuinfo")).splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def record(
    figures: Sequence[Figure], *, machine: str, weights: str, settings: Mapping[str, Any]
) -> dict[str, Any]:
    """A run as its line in the history, and as `--json` writes it."""
    return {
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "version": importlib.metadata.version("adamatte"),
        "weights": weights,
        "settings": dict(settings),
        "figures": [{**asdict(figure), "reached": figure.reached} for figure in figures],
    }


def append(path: Path, line: Mapping[str, Any]) -> None:
    """Add a run to the history, in one write.

    Raises:
        OutputError: the file cannot be written.
    """
    data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(data)
    except OSError as error:
        what = f"the history cannot be written: {error.strerror}"
        raise OutputError(what, where=path, fix="give another --history FILE") from error


def last_of(path: Path, machine: str) -> dict[str, Any] | None:
    """The last run of a machine; a line that cannot be read is passed over."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"the history cannot be read: {error.strerror}"
        raise OutputError(what, where=path, fix="give another --history FILE") from error
    return next((line for line in _parsed(reversed(lines)) if line["machine"] == machine), None)


def _parsed(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for text in lines:
        if len(text) > _MOST_LINE:
            continue
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(line, dict) and isinstance(line.get("figures"), list) and "machine" in line:
            yield line


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[Change]:
    """Steady figures of both runs that differ by more than a tenth, the worse ones first.

    A figure of nothing before is passed over: there is no ratio to it.
    """
    known = {
        one["name"]: float(one["value"])
        for one in before["figures"]
        if isinstance(one, dict) and isinstance(one.get("value"), int | float) and "name" in one
    }
    found = []
    for one in now["figures"]:
        was, value = known.get(one["name"], 0.0), float(one["value"])
        if not one["steady"] or was <= 0 or abs(value / was - 1) <= _LIMIT:
            continue
        higher = value > was
        worse = None if one["better"] is None else higher == (one["better"] == "lower")
        found.append(Change(one["name"], was, value, worse))
    return sorted(found, key=lambda change: (change.worse is not True, change.name))
