"""What the bands around a person's roto come to: SAD and dtSSD against the truth.

    python -m tests.roto_bench people DATA --shots 40 --seed 3
    python -m tests.roto_bench clip PLATE 'alpha/sh.%04d.png' --corners 60 --every 9
    python -m tests.roto_bench run mattes/sh010 'alpha/sh.%04d.png'

`people` are made-up shots (`people_shots`) of DATA/fg and DATA/photos; `clip` a plate with a true
matte, whose roto is the matte's outline in so many corners, pairs of frames for dtSSD; both measure
the network's own alpha. `run` is what `adamatte run` left. Bands: `roto` has none, `auto`, `hard`
and `hair` go by stretches of the outline, `wide` by softness, `8/12` is so wide inside, outside.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from model.evaluation.metrics import dtssd
from model.matter import Matter
from plugin.errors import RequestError
from plugin.exr.alpha_file import read_alpha
from plugin.plates.opening import open_plate
from plugin.trimap.band import DILATE, ERODE, trimap_from_mask
from plugin.trimap.softness import Softness, softness_of
from plugin.trimap.stretches import Edge, Stretches, stretches_of
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray, Mask
from tests.people_shots import FRAMES, KINDS, PeopleShots

_HALF = np.float32(0.5)

_SPECK = 60
"""Pixels that an outline has around it at least."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """A frame, its roto and its truth, `H × W`; `rgb` is `H × W × 3`, display-referred."""

    rgb: FloatArray
    roto: FloatArray
    truth: FloatArray


@dataclass(frozen=True, slots=True)
class Row:
    """Means over the frames of a shot.

    Attributes:
        sad: of the whole frame, in thousands.
        decided: the part of it that the trimap had decided.
        dtssd: what changes that does not change in truth.
        unknown: share of the frame.
    """

    sad: float
    decided: float
    dtssd: float
    unknown: float

    def __str__(self) -> str:
        return f"{self.sad:.3f} | {self.decided:.3f} | {self.dtssd:.3f} | {self.unknown:.1%}"


def band(name: str, moment: Moment) -> LabelArray:
    """The trimap of a band by its name."""
    mask = Mask(0, moment.roto)
    height = len(moment.roto)
    if name == "roto":
        return np.where(moment.roto > _HALF, FOREGROUND, BACKGROUND).astype(np.uint8)
    if "/" in name:
        erode, dilate = map(float, name.split("/"))
        return trimap_from_mask(mask, erode=erode, dilate=dilate, height=height).labels
    found: Stretches | Softness | None
    if name == "wide":
        found = softness_of(moment.rgb, mask)
    else:
        found = stretches_of(moment.rgb, mask, TypeAdapter(Edge).validate_python(name))
    return trimap_from_mask(mask, erode=ERODE, dilate=DILATE, height=height, found=found).labels


def measure(name: str, moments: Sequence[Moment], matter: Matter) -> Row:
    """One band's row over successive frames."""
    trimaps = [band(name, moment) for moment in moments]
    made = [
        moment.roto if name == "roto" else matter(moment.rgb, labels)[1]
        for moment, labels in zip(moments, trimaps, strict=True)
    ]
    return row_of(made, [moment.truth for moment in moments], trimaps)


def row_of(
    made: Sequence[FloatArray], truths: Sequence[FloatArray], trimaps: Sequence[LabelArray]
) -> Row:
    """What successive mattes come to against the truth."""
    errors = [np.abs(matte - truth) for matte, truth in zip(made, truths, strict=True)]
    known = [error[t != UNKNOWN].sum() for error, t in zip(errors, trimaps, strict=True)]
    return Row(
        sad=float(np.mean([error.sum() for error in errors])) / 1000,
        decided=float(np.mean(known)) / 1000,
        dtssd=dtssd(made, truths),
        unknown=float(np.mean([np.mean(t == UNKNOWN) for t in trimaps])),
    )


def mean(rows: Sequence[Row]) -> Row:
    """Of each figure."""
    return Row(*(float(v) for v in np.mean([astuple(row) for row in rows], axis=0)))


def people(shots: PeopleShots, number: int) -> list[Moment]:
    """The frames of one made-up shot."""
    shot = shots.shot(number)
    planes = (shot.rgb, shot.roto, shot.alpha)
    return [Moment(*(_unit(plane[time]) for plane in planes)) for time in range(FRAMES)]


def clip(plate: str, truth: str, corners: int, every: int) -> Iterator[list[Moment]]:
    """Pairs of successive frames of a plate, the roto its true matte's outline."""
    with closing(open_plate(plate)) as source:
        numbers = source.info.frames.numbers
        for at in range(0, len(numbers) - 1, every):
            pair = []
            for number in numbers[at : at + 2]:
                alpha = _unit(read_truth(truth, number))
                pair.append(Moment(source.read(number).rgb, drawn(alpha, corners), alpha))
            yield pair


def read_truth(pattern: str, number: int) -> npt.NDArray[np.uint8]:
    """A true matte, 8-bit grey.

    Raises:
        RequestError: it is missing or damaged.
    """
    file = pattern % number
    matte = cv2.imread(file, cv2.IMREAD_GRAYSCALE)
    if matte is None:
        raise RequestError("no true matte", where=file, fix="give a pattern such as a.%04d.png")
    return np.asarray(matte, np.uint8)


def drawn(alpha: FloatArray, corners: int) -> FloatArray:
    """A matte's outline as straight lines between at most so many corners, filled."""
    outlines, _ = cv2.findContours(
        (alpha > _HALF).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    large = [outline for outline in outlines if cv2.contourArea(outline) > _SPECK]
    off = 0.5
    while True:
        shapes = [cv2.approxPolyDP(outline, off, True) for outline in large]
        if sum(map(len, shapes)) <= max(corners, 3 * len(shapes)):
            break
        off *= 1.1
    height, width = alpha.shape
    filled = np.zeros((4 * height, 4 * width), np.uint8)
    cv2.fillPoly(filled, [shape * 4 + 2 for shape in shapes], 255)
    return _unit(cv2.resize(filled, (width, height), interpolation=cv2.INTER_AREA))


def finished(out: Path, truth: str) -> Row:
    """What `adamatte run` left, its frames taken as successive."""
    files = sorted((out / "alpha").glob("*.exr"))
    truths = [_unit(read_truth(truth, int(file.name.split(".")[-2]))) for file in files]
    mattes = [np.asarray(read_alpha(file).alpha, np.float32) for file in files]
    return row_of(mattes, truths, [np.zeros(matte.shape, np.uint8) for matte in mattes])


def _unit(stored: npt.NDArray[np.generic]) -> FloatArray:
    return np.asarray(stored, np.float32) / np.float32(255)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row a band as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.roto_bench")
    parser.add_argument("what", choices=("people", "clip", "run"))
    parser.add_argument("path", help="DATA, PLATE, or the folder of a run")
    parser.add_argument("truth", nargs="?", help="pattern of the true mattes")
    parser.add_argument("--bands", nargs="*", default=["roto", "8/12", "auto"])
    parser.add_argument("--shots", type=int, default=40)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--corners", type=int, default=60)
    parser.add_argument("--every", type=int, default=9)
    asked = parser.parse_args(arguments)
    say = partial(print, flush=True)
    say("| | SAD | of it decided | dtSSD | unknown |\n| --- | ---: | ---: | ---: | ---: |")
    if asked.what == "run":
        say(f"| {asked.path} | {finished(Path(asked.path), asked.truth)} |")
        return 0
    matter = Matter("lite", device="cpu")
    rows: dict[str, list[Row]] = defaultdict(list)
    if asked.what == "people":
        shots = PeopleShots(Path(asked.path), asked.seed)
        runs = ((KINDS[n % len(KINDS)], people(shots, n)) for n in range(asked.shots))
    else:
        runs = (("", pair) for pair in clip(asked.path, asked.truth, asked.corners, asked.every))
    for kind, moments in runs:
        for name in asked.bands:
            row = measure(name, moments, matter)
            rows[name].append(row)
            if kind:
                rows[f"{name}, {kind}"].append(row)
    for name, found in sorted(rows.items(), key=lambda item: item[0]):
        say(f"| {name} | {mean(found)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
