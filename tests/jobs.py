"""Small real jobs for tests: a plate on disk, a shot, and a network that needs no weights."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np

from plugin.driver.plan import Plan
from plugin.exr.alpha_file import read_alpha
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import load
from plugin.synthetic import ShotKind, SyntheticShot, write_shot
from plugin.types import UNKNOWN, FloatArray, FrameState, LabelArray, Matter
from tests.media import write_image


def creature(folder: Path, frames: int = 6, kind: ShotKind = ShotKind.DEMO) -> Shot:
    """A tiny rendered shot as a video with masks, and the job that mattes it, without a report."""
    synthetic = SyntheticShot(kind=kind, seed=1, width=96, height=64, frames=frames)
    files = write_shot(synthetic, folder / "shot")
    return Shot(
        plate=str(files.video),
        mask=str(files.truth.mask),
        out=folder / "out",
        workers=1,
        report=False,
        stabilise=0,  # so that a frame shows what its own network made of it
    )


def restless(shot: Shot, folder: Path) -> Shot:
    """The same job of a plate whose pictures have nothing in common: no flow carries anything."""
    random = np.random.default_rng(5)
    for number in range(1001, 1007):
        pixels = random.integers(0, 256, (8, 12, 3), np.uint8)
        large = cv2.resize(pixels, (96, 64), interpolation=cv2.INTER_CUBIC)
        write_image(folder / f"restless.{number}.png", large)
    return shot.model_copy(update={"plate": str(folder / "restless.%04d.png"), "mask": None})


class LumaMatter:
    """A matter of its own: the picture's brightness where the trimap is unknown.

    Every pixel counts, so a frame that is mixed up with another shows.
    """

    @property
    def digest(self) -> str:
        """Of its name."""
        return hashlib.sha256(b"luma").hexdigest()

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        """See `plugin.types.Matter`."""
        luma = image.mean(axis=2, dtype=np.float32).clip(0, 1)
        definite = (trimap / 255).astype(np.float32)
        return trimap, np.where(trimap == UNKNOWN, luma, definite)


def luma_matter(_plan: Plan) -> Matter:
    """Makes one, as a worker asks for it."""
    return LumaMatter()


def alphas(shot: Shot) -> dict[int, bytes]:
    """Every alpha that is there, by frame number, as bytes of its pixels."""
    layout = OutputLayout.of(shot)
    numbers = layout.pattern("alpha").scan()
    return {number: read_alpha(layout.alpha(number)).alpha.tobytes() for number in numbers}


def made(shot: Shot) -> list[int]:
    """The frames that are whole by the manifest, done or found there.

    A worker that dies may have written a frame and not said so: the next one finds it there.
    """
    manifest = load(shot.out / "manifest.json")
    states = (FrameState.DONE, FrameState.SKIPPED)
    return sorted(number for state in states for number in manifest.in_state(state))
