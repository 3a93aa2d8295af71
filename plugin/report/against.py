"""Two runs of one shot held against each other: settings, figures, frames, difference pictures."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from plugin.errors import FrameError
from plugin.framerange import FrameRange
from plugin.report.gallery import Gallery, write_picture
from plugin.report.measure import is_done
from plugin.report.sprites import tiles_of
from plugin.result.manifest import Manifest
from plugin.types import FloatArray, LabelArray

GAIN = 4
"""Of the difference pictures."""

_MORE, _LESS = (1.0, 0.55, 0.1), (0.25, 0.6, 1.0)
_SEEN = np.float32(1 / 255)
_FULL = 8
"""Difference pictures at full size."""

_THREADS = 4


@dataclass(frozen=True, slots=True)
class Difference:
    """One frame that both runs have, with other pixels.

    Attributes:
        number: the frame.
        mean: of |Δα| over the picture.
        greatest: of |Δα|.
        changed: share of the pixels that differ by more than a level of 8 bits.
        note: why there are no figures; empty where there are.
    """

    number: int
    mean: float = 0.0
    greatest: float = 0.0
    changed: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """This run against another.

    Attributes:
        folder: the other's.
        same: frames whose pixels are the same.
        differences: the others that both have, the greatest mean first.
        only_here: frames that only this run has.
        only_there: frames that only the other has.
        settings: name, here, there, for all that differs.
        means: name, here, there: means over the frames that both have.
    """

    folder: str
    same: FrameRange
    differences: tuple[Difference, ...]
    only_here: FrameRange
    only_there: FrameRange
    settings: tuple[tuple[str, str, str], ...]
    means: tuple[tuple[str, float | None, float | None], ...]


def compare(
    here: Gallery, mine: Manifest, there: Path, other: Manifest, folder: Path
) -> tuple[Comparison, dict[int, dict[str, Path]]]:
    """Compare every frame, and write pictures of those that differ.

    Args:
        here: this run's pictures.
        mine: this run's manifest.
        there: the other run's folder.
        other: its manifest.
        folder: where pictures go: `<number>.other.png`, `<number>.difference.png`.

    Returns:
        The comparison; and the pictures by frame and kind.

    Raises:
        OutputError: the disk refuses.
    """
    a, b = (FrameRange.of(n for n, r in m.frames.items() if is_done(r)) for m in (mine, other))
    both = a.intersection(b)
    same = FrameRange.of(n for n in both if mine.frames[n].digest == other.frames[n].digest != "")
    pictures: dict[int, dict[str, Path]] = {}
    with closing(Gallery(there, other)) as theirs:

        def one(number: int) -> Difference:
            return _difference(number, here.alpha, theirs.alpha)

        with ThreadPoolExecutor(min(_THREADS, len(os.sched_getaffinity(0)))) as threads:
            found = sorted(threads.map(one, both.without(same)), key=lambda d: (-d.mean, d.number))
        for place, difference in enumerate(found):
            if not difference.note:
                side = None if place < _FULL else here.form.side
                pictures[difference.number] = _written(
                    difference.number, here.alpha, theirs.alpha, folder, side
                )
    told = Comparison(
        str(there),
        same,
        tuple(found),
        a.without(b),
        b.without(a),
        tuple(_settings(mine, other)),
        tuple(_means(mine, other, both)),
    )
    return told, pictures


Alpha = Callable[[int], FloatArray]


def _difference(number: int, here: Alpha, there: Alpha) -> Difference:
    try:
        mine, theirs = here(number), there(number)
    except FrameError as error:
        return Difference(number, note=error.what)
    if mine.shape != theirs.shape:
        return Difference(number, note="another size")
    gap = np.abs(mine - theirs)
    return Difference(number, float(gap.mean()), float(gap.max()), float((gap > _SEEN).mean()))


def _written(
    number: int, here: Alpha, there: Alpha, folder: Path, side: int | None
) -> dict[str, Path]:
    mine, theirs = here(number), there(number)
    picture = difference_picture(mine, theirs)
    shown: dict[str, LabelArray | FloatArray] = {"other": theirs, "difference": picture}
    if side is not None:
        shown = {
            "other": tiles_of(None, theirs, side)["alpha"],
            "difference": tiles_of(picture, mine, side)["plate"],
        }
    paths = {kind: folder / f"{number}.{kind}.png" for kind in shown}
    for kind, path in paths.items():
        write_picture(path, shown[kind], folder)
    return paths


def difference_picture(mine: FloatArray, theirs: FloatArray) -> FloatArray:
    """Black where both are the same, orange where the first is denser, blue where the second is."""
    gap = np.clip((mine - theirs) * GAIN, -1, 1)[..., None]
    more, less = (np.array(colour, np.float32) for colour in (_MORE, _LESS))
    return np.ascontiguousarray(np.maximum(gap, 0) * more + np.maximum(-gap, 0) * less)


def _settings(mine: Manifest, other: Manifest) -> Iterator[tuple[str, str, str]]:
    here = {**mine.request.shot, "weights": mine.weights, "override": mine.override}
    there = {**other.request.shot, "weights": other.weights, "override": other.override}
    here["version"], there["version"] = mine.version, other.version
    for name in sorted({*here, *there}):
        if here.get(name) != there.get(name):
            yield name, str(here.get(name, "")), str(there.get(name, ""))


def _means(
    mine: Manifest, other: Manifest, both: FrameRange
) -> Iterator[tuple[str, float | None, float | None]]:
    for name in ("unknown", "overruled", "coverage", "confidence"):
        values = [
            [m.frames[n].statistics[name] for n in both if name in m.frames[n].statistics]
            for m in (mine, other)
        ]
        first, second = (float(np.mean(v)) if v else None for v in values)
        if first is not None or second is not None:
            yield name, first, second
    times = [[m.frames[n].seconds for n in both if m.frames[n].seconds] for m in (mine, other)]
    first, second = (float(np.mean(v)) if v else None for v in times)
    yield "seconds", first, second
