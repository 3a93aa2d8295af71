"""`adamatte demo`: the ordinary job on a shot that the project renders itself, with its error."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from plugin.driver.run import run
from plugin.exr.alpha_file import read_alpha
from plugin.pattern import FramePattern
from plugin.progress.modes import Progress
from plugin.request.shot import Shot
from plugin.result.grey_png import read_grey
from plugin.result.layout import OutputLayout
from plugin.synthetic import ShotKind, SyntheticShot, write_shot
from plugin.types import FloatArray


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What a demo shows.

    Attributes:
        shot: the job that was run; its output folder holds the EXR sequence.
        picture: the QC picture.
        errors: SAD and Grad in thousands, MSE, all means over the frames and over the unknown
            region of the trimap; dtSSD over the shot.
    """

    shot: Shot
    picture: Path
    errors: dict[str, float]


def demo(
    out: Path, progress: Progress, *, kind: str = "demo", seed: int = 0, frames: int = 48
) -> DemoResult:
    """Render a small shot to a video file, matte that file, measure against the true alpha.

    Args:
        out: takes the shot (`shot/`) and the result with its QC picture (`matte/`).
        progress: is told of every event.
        kind: a name of `plugin.synthetic.ShotKind`.
        seed: another creature, another place.
        frames: length of the shot.

    Raises:
        AdaMatteError: as `plugin.run` does.
    """
    synthetic = SyntheticShot(kind=ShotKind(kind), seed=seed, frames=frames)
    progress.note(f"rendering {frames} frames of {synthetic.name} with their true alpha")
    files = write_shot(synthetic, out / "shot")
    shot = Shot(
        plate=str(files.video),
        out=out / "matte",
        mask=str(files.truth.mask),
        erode=24,
        dilate=45,  # as an artist would ask for such a coat
        band="fixed",
        keep=frozenset({"trimap", "adapted"}),
    )
    run(shot, progress=progress)
    return DemoResult(
        shot, OutputLayout.of(shot).report / "contact.png", _errors(shot, files.truth.alpha)
    )


def _errors(shot: Shot, truth: FramePattern) -> dict[str, float]:
    from model.evaluation.metrics import dtssd, matte_errors

    layout = OutputLayout.of(shot)
    mattes, truths, rows = [], [], []
    for number in truth.scan():
        mattes.append(read_alpha(layout.alpha(number)).alpha)
        truths.append(_read_truth(truth.path(number)))
        trimap = read_grey(layout.pattern("trimap").path(number))
        rows.append(matte_errors(mattes[-1], truths[-1], trimap))
    return {
        "SAD": float(np.mean([row.sad for row in rows])),
        "MSE": float(np.mean([row.mse for row in rows])),
        "Grad": float(np.mean([row.grad for row in rows])),
        "dtSSD": float(dtssd(mattes, truths)),
    }


def _read_truth(path: Path) -> FloatArray:
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    return np.asarray(stored, np.float32) / np.float32(65535)
