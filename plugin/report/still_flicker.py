"""Flicker of real shots, for which there is no true alpha: change that the picture does not have.

    adamatte run plate.mov --out mattes --keep raw
    python -m plugin.report.still_flicker mattes

From each frame to the next, the picture's own motion is found by another method than stabilisation
uses (Farnebäck 2003). Where it leads there and back, and the colours are the same at both ends, the
subject did not change, and alpha should not: the mean of |α(t+1, moved) − α(t)| over such unknown
pixels is the flicker, of the raw alphas and of the final ones.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from plugin.colour.display import display_transform
from plugin.errors import ShotError
from plugin.exr.alpha_file import read_alpha
from plugin.plates import plate_of
from plugin.result.grey_png import read_grey
from plugin.result.layout import OutputLayout
from plugin.result.manifest import load
from plugin.types import FloatArray

_RETURN = 0.5
"""Pixels by which motion there and back may miss its start."""

_COLOUR = 0.04
"""By which a channel, averaged over three by three pixels, may differ at both ends."""

_UNKNOWN = (3, 4, 5)
"""What a trimap's unknown pixels are in the files of labels; see `plugin.result.raw_files`."""


@dataclass(frozen=True, slots=True)
class Flicker:
    """Of one result.

    Attributes:
        raw: mean change of the network's alpha where nothing changed.
        steady: the same of the alpha that was delivered.
        share: of the unknown pixels that are such.
        pairs: of frames that were compared.
    """

    raw: float
    steady: float
    share: float
    pairs: int


def flicker_between(
    pictures: tuple[FloatArray, FloatArray], unknown: np.ndarray
) -> tuple[np.ndarray, Callable[[FloatArray], FloatArray]]:
    """Where a frame and the next show the same, and how to carry the next one's alpha here.

    Args:
        pictures: both, `H × W × 3` float32, display-referred.
        unknown: `H × W` bool, pixels of the first that are looked at.
    """
    grey = [
        cv2.cvtColor(np.rint(p.clip(0, 1) * 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)
        for p in pictures
    ]
    there, back = _flow(grey[0], grey[1]), _flow(grey[1], grey[0])
    height, width = unknown.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x + there[..., 0], y + there[..., 1]

    def carried(values: FloatArray) -> FloatArray:
        moved = cv2.remap(values, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.float32)

    missed = np.square(there + carried(back)).sum(axis=2)
    off = np.abs(cv2.blur(pictures[0] - carried(pictures[1]), (3, 3))).max(axis=2)
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    return unknown & inside & (missed < _RETURN**2) & (off < _COLOUR), carried


def _flow(one: np.ndarray, other: np.ndarray) -> FloatArray:
    start = np.zeros((*one.shape, 2), np.float32)
    found = cv2.calcOpticalFlowFarneback(one, other, start, 0.5, 5, 15, 5, 7, 1.5, 0)
    return np.asarray(found, np.float32)


def flicker_of(out: Path) -> Flicker:
    """The flicker of a result that was made with `--keep raw`.

    Raises:
        AdaMatteError: the result or its plate cannot be read, or no raw alphas are there.
    """
    manifest = load(out / "manifest.json")
    shot = manifest.shot.model_copy(update={"out": out})
    layout = OutputLayout.of(shot)
    asked = layout.pattern("alpha").scan().intersection(layout.pattern("raw").scan())
    pairs = [(a, b) for a, b in pairwise(asked) if b == a + 1]
    if not pairs:
        fix = "run it again with --keep raw"
        raise ShotError("no two frames with raw alphas follow each other", where=out, fix=fix)
    totals = np.zeros(4)
    plate = plate_of(shot)
    with closing(plate):
        to_display = display_transform(plate.info, shot.in_colour)
        for one, other in pairs:
            pictures = to_display(plate.read(one).rgb), to_display(plate.read(other).rgb)
            totals += _changes(layout, (one, other), pictures)
    raw, steady, still, unknown = (float(total) for total in totals)
    return Flicker(raw / max(still, 1), steady / max(still, 1), still / max(unknown, 1), len(pairs))


def _changes(
    layout: OutputLayout, pair: tuple[int, int], pictures: tuple[FloatArray, FloatArray]
) -> np.ndarray:
    """Sums of both changes, pixels that did not change, unknown pixels."""
    unknown = np.isin(read_grey(layout.labels(pair[0])), _UNKNOWN)
    still, carried = flicker_between(pictures, unknown)
    sums = []
    for name in (layout.raw, layout.alpha):
        now, later = (read_alpha(name(number)).alpha for number in pair)
        sums.append(float(np.abs(carried(later) - now)[still].sum()))
    return np.array([*sums, still.sum(), unknown.sum()], np.float64)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table of results."""
    rows = ["| result | pairs | unknown that is still | raw | stabilised |", "| --- " * 5 + "|"]
    for folder in sys.argv[1:] if arguments is None else arguments:
        found = flicker_of(Path(folder))
        by = found.steady / max(found.raw, 1e-9) - 1
        rows.append(
            f"| {Path(folder).name} | {found.pairs} | {found.share:.0%} | {found.raw:.4f} |"
            f" {found.steady:.4f} ({by:+.0%}) |"
        )
    sys.stdout.write("\n".join(rows) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
