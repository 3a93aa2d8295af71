"""The figures of every frame: those of the manifest, and flicker, measured here and kept."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plugin.disk.atomic import write_whole
from plugin.disk.inputs import read_whole
from plugin.report.faults import BOXED
from plugin.report.figures import Box, box_of
from plugin.report.flicker import Change, Shares, change
from plugin.report.reasons import Figures
from plugin.report.sprites import read_sprite
from plugin.result.manifest import FrameRecord, Manifest
from plugin.types import FrameState

FILE = "figures.json"
_SCHEMA = "adamatte-figures/2"
_MOST = 64 << 20
_THREADS = 4
_HALVED_FROM = 200
"""Height of a tile."""

_GOLDEN = 0.6180339887498949


Flicker = dict[int, tuple[str, Change]]
"""By frame: which two mattes it is of, and what it is."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Until when work may go on, by the monotonic clock; None for as long as it takes."""

    at: float | None

    @classmethod
    def within(cls, seconds: float | None) -> Deadline:
        """So many seconds from now."""
        return cls(None if seconds is None else time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Seconds left; infinite without a limit."""
        return float("inf") if self.at is None else self.at - time.monotonic()

    def part(self, share: float) -> Deadline:
        """A share of what is left."""
        return self if self.at is None else Deadline(time.monotonic() + share * max(0.0, self.left))


def spread(numbers: Iterable[int]) -> list[int]:
    """The same in an order of which every beginning is spread evenly over the whole."""
    listed = sorted(numbers)
    order = sorted(range(len(listed)), key=lambda place: place * _GOLDEN % 1)
    return [listed[place] for place in order]


def pair_of(manifest: Manifest, number: int) -> str:
    """What names the mattes of a frame and of the one before it; empty where one is not there."""
    records = [manifest.frames.get(n) for n in (number - 1, number)]
    if not all(record is not None and is_done(record) and record.digest for record in records):
        return ""
    return "-".join(record.digest[:16] for record in records if record is not None)


def is_done(record: FrameRecord) -> bool:
    """Whether the frame is there."""
    return record.state in (FrameState.DONE, FrameState.SKIPPED)


def read_flicker(folder: Path, manifest: Manifest) -> Flicker:
    """What was measured before of the mattes that are there now; nothing where it is damaged."""
    found: Flicker = {}
    with suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
        said = json.loads(read_whole(folder / FILE, _MOST))
        if said["schema"] != _SCHEMA:
            return {}
        for text, entry in said["flicker"].items():
            number, pair = int(text), str(entry["of"])
            if pair == pair_of(manifest, number):
                value, come, gone = (
                    min(1.0, max(0.0, float(entry[k]))) for k in ("value", "come", "gone")
                )
                box, came, went = (_four(entry[k]) for k in ("box", "come_box", "gone_box"))
                found[number] = pair, Change(value, box, come, gone, came, went)
    return found


def _four(given: Any) -> Shares | None:  # noqa: ANN401  whatever stands in the file
    if given is None:
        return None
    left, top, right, bottom = map(float, given)
    return left, top, right, bottom


def measure_flicker(
    folder: Path, manifest: Manifest, sprites: Mapping[int, Path], until: Deadline
) -> Flicker:
    """Measure what is not measured yet, evenly spread over the shot, and keep it.

    Raises:
        OutputError: the disk refuses.
    """
    known = read_flicker(folder, manifest)
    wanted = [
        number
        for number in spread(sprites)
        if number not in known and number - 1 in sprites and pair_of(manifest, number)
    ]

    half = _halved(sprites)

    def one(number: int) -> tuple[int, Change | None]:
        if until.left <= 0:
            return number, None
        return number, _between(sprites[number - 1], sprites[number], half)

    with ThreadPoolExecutor(min(_THREADS, len(os.sched_getaffinity(0)))) as threads:
        for number, found in threads.map(one, wanted):
            if found is not None:
                known[number] = pair_of(manifest, number), found
    entries: dict[str, Any] = {
        str(n): {
            "of": pair,
            **{k: round(getattr(c, k), 5) for k in ("value", "come", "gone")},
            **{k: getattr(c, k) for k in ("box", "come_box", "gone_box")},
        }
        for n, (pair, c) in sorted(known.items())
    }
    text = json.dumps({"schema": _SCHEMA, "flicker": entries})
    write_whole(folder / FILE, text.encode(), durable=False)
    return known


def _halved(sprites: Mapping[int, Path]) -> bool:
    """Whether these sprites are large enough to be measured at half their size."""
    tiles = next((found for path in sprites.values() if (found := read_sprite(path))), {})
    return all(tile.shape[0] >= _HALVED_FROM for tile in tiles.values())


def _between(before: Path, after: Path, half: bool) -> Change | None:
    old, new = read_sprite(before, half=half), read_sprite(after, half=half)
    if old is None or new is None or "alpha" not in old or "alpha" not in new:
        return None
    return change(old, new) if old["alpha"].shape == new["alpha"].shape else None


def figures_of(manifest: Manifest, flicker: Flicker) -> list[Figures]:
    """What is known of every frame that is done, in order."""
    return [
        _figures(number, record, flicker.get(number), manifest)
        for number, record in sorted(manifest.frames.items())
        if is_done(record)
    ]


def _figures(
    number: int, record: FrameRecord, flicker: tuple[str, Change] | None, manifest: Manifest
) -> Figures:
    told = record.statistics
    moved = None if flicker is None else flicker[1]
    boxes = {name: box_of(told, name) for name in ("overruled", *BOXED)}
    if moved is not None:
        shares = {"flicker": moved.box, "come": moved.come_box, "gone": moved.gone_box}
        boxes |= {name: _box(given, manifest) for name, given in shares.items()}
    return Figures(
        number,
        unknown=told.get("unknown"),
        overruled=told.get("overruled"),
        coverage=told.get("coverage"),
        confidence=told.get("confidence"),
        held=round(told["held"]) if "held" in told else None,
        flicker=None if moved is None else moved.value,
        seconds=record.seconds if record.state is FrameState.DONE else None,
        faults={name: told[name] for name in (*BOXED, "soft") if name in told},
        come=None if moved is None else moved.come,
        gone=None if moved is None else moved.gone,
        boxes={name: box for name, box in boxes.items() if box is not None},
    )


def _box(shares: Sequence[float] | None, manifest: Manifest) -> Box | None:
    if shares is None:
        return None
    width, height = manifest.plate.data_window.width, manifest.plate.data_window.height
    left, top, right, bottom = shares
    return Box(
        round(left * width), round(top * height), round(right * width), round(bottom * height)
    )
