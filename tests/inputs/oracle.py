"""One drawn input run to its end, and whether what came out is what was drawn."""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from plugin.driver.plan import Plan
from plugin.driver.run import run
from plugin.errors import AdaMatteError, RequestError
from plugin.exr.alpha_file import read_alpha
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.types import UNKNOWN, FloatArray, LabelArray, Matter
from tests.inputs.drawn import DrawnPlate, draw_plate
from tests.inputs.drawn_masks import DrawnMask, draw_mask
from workers.in_process import InProcessExecutor

_COLOUR = 0.02
_COVER = 0.035
"""How far the seen picture, and the matte on average, may be from what was drawn."""


@dataclass(frozen=True)
class Verdict:
    """What became of one input.

    Attributes:
        seed: makes it again.
        kind: of plate and mask.
        state: `right`, `refused`, `noted` or `wrong`.
        why: the refusal, the note, or what is wrong.
        plain: it should have been right.
    """

    seed: int
    kind: str
    state: str
    why: str
    plain: bool


@dataclass
class _Seen(QuietProgress):
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)


class _Recorder:
    """A matter that keeps what it is shown and gives the trimap as alpha."""

    digest = "0" * 64

    def __init__(self) -> None:
        self.images: list[tuple[FloatArray, LabelArray]] = []

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        """See `plugin.types.Matter`."""
        self.images.append((image.copy(), trimap.copy()))
        alpha = np.where(trimap == UNKNOWN, np.float32(0.5), (trimap / 255).astype(np.float32))
        return trimap, alpha


def judge(seed: int, folder: Path) -> Verdict:
    """Draw one input by its seed, run it, and compare."""
    rng = random.Random(seed)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    plate = draw_plate(rng, folder)
    mask = draw_mask(rng, folder / "masks", plate)
    seen, recorder = _Seen(), _Recorder()
    shot = Shot.model_validate(
        {
            "plate": plate.path,
            "out": folder / "out",
            "stabilise": 0,
            "report": False,
            "band": "fixed",
            "erode": 0,
            "dilate": 0,
            **plate.options,
            **mask.options,
        }
    )
    kind, plain = f"{plate.kind} + {mask.kind}", mask.plain and not plate.excuses

    def made(_plan: Plan) -> Matter:
        return recorder

    try:
        run(shot, progress=seen, executor=InProcessExecutor(made))
    except RequestError as problem:
        return Verdict(seed, kind, "refused", problem.what, plain)
    except AdaMatteError as problem:
        return Verdict(seed, kind, "wrong", f"not refused before the work: {problem}", plain)
    faults = [*_of_results(shot, plate, mask), *_of_pictures(recorder, plate)]
    if not faults:
        return Verdict(seed, kind, "right", "", plain)
    said = " · ".join(seen.notes)
    excuse = next((e for e in (*plate.excuses, *mask.excuses) if re.search(e, said)), "")
    return Verdict(seed, kind, "noted" if excuse else "wrong", f"{faults[0]}; {excuse}", plain)


def _of_results(shot: Shot, plate: DrawnPlate, mask: DrawnMask) -> Iterator[str]:
    layout = OutputLayout.of(shot)
    there = tuple(layout.pattern("alpha").scan())
    if there != plate.numbers:
        yield f"frames {there} of {plate.numbers}"
    for number in there:
        found = read_alpha(layout.alpha(number))
        if found.data_window != plate.scene.data or found.display_window != plate.scene.display:
            yield f"{number}: windows {found.data_window} {found.display_window}"
            continue
        wanted = plate.scene.alpha(number)
        wanted = np.where(wanted > 0.5, 1, 0) if mask.hard else wanted
        apart = float(np.abs(found.alpha.astype(np.float32) - wanted).mean())
        if apart > _COVER:
            yield f"{number}: alpha off by {apart:.3f}"


def _of_pictures(recorder: _Recorder, plate: DrawnPlate) -> Iterator[str]:
    """Whether the network saw the plate's frames as they are displayed."""
    for image, _ in recorder.images:
        apart = [float(np.abs(image - plate.scene.picture(n)).mean()) for n in plate.numbers]
        if min(apart) > _COLOUR:
            yield f"the picture seen is off by {min(apart):.3f}"


def campaign(first: int, count: int, folder: Path) -> tuple[Counter[str], list[Verdict]]:
    """So many inputs; how many came to each end, and those that were wrong or refused unduly."""
    ends: Counter[str] = Counter()
    bad: list[Verdict] = []
    for seed in range(first, first + count):
        verdict = judge(seed, folder)
        ends[verdict.state] += 1
        if verdict.state == "wrong" or (verdict.plain and verdict.state == "refused"):
            bad.append(verdict)
    shutil.rmtree(folder, ignore_errors=True)
    return ends, bad
