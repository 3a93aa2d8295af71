"""A small benchmark and a matter that knows its answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from model.evaluation.benchmark import open_benchmark
from model.evaluation.metrics import optimal_trimap
from model.evaluation.perturb import dilated_trimap
from model.training.pictures import write_png
from plugin.types import FloatArray, LabelArray

Array = npt.NDArray[Any]
SIZE = (48, 64)


def disc(radius: float = 14, soft: float = 4) -> FloatArray:
    """A matte: a disc with a ramp of `soft` pixels for an edge."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    distance = np.hypot(y - SIZE[0] / 2, x - SIZE[1] / 2)
    return np.asarray(np.clip((radius - distance) / soft + 0.5, 0, 1), np.float32)


def composed(alpha: FloatArray) -> Array:
    """A red subject over a blue ground, 8-bit RGB."""
    front, back = np.array([0.9, 0.2, 0.1]), np.array([0.1, 0.3, 0.8])
    mixed = alpha[..., None] * front + (1 - alpha[..., None]) * back
    return np.asarray(np.rint(255 * mixed), np.uint8)


def make_bench(folder: Path) -> Path:
    """Two images in the project's layout; the second matte has 16 bits."""
    for name, radius in (("a", 14.0), ("b", 10.0)):
        alpha = disc(radius)
        write_png(folder / name / "image.png", composed(alpha))
        write_png(folder / name / "trimap.png", dilated_trimap(alpha, 3))
        write_png(folder / name / "trimap-large.png", dilated_trimap(alpha, 6))
    write_png(folder / "a" / "alpha.png", np.rint(disc(14) * 255).astype("u1"))
    cv2.imwrite(str(folder / "b" / "alpha.png"), np.rint(disc(10) * 65535).astype("u2"))
    (folder / "notes.txt").write_text("not an image")
    return folder


class Oracle:
    """A matter that knows the answer for the images it was shown, off by a constant."""

    digest = "oracle"

    def __init__(self, bench: Path, error: float) -> None:
        images = open_benchmark(bench)
        self.truths = {image.image().tobytes(): image.alpha() for image in images}
        self.error = error

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        truth = self.truths[image.tobytes()]
        shifted = np.where(trimap == 128, truth - self.error, truth)
        return optimal_trimap(truth), np.clip(np.abs(shifted), 0, 1).astype(np.float32)
