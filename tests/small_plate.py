"""A plate of small pictures with a mask a frame, for those who change files while a run goes on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from plugin.driver.plan import Plan
from plugin.request.shot import Shot
from plugin.types import FloatArray, LabelArray, Matter

FRAMES = range(1001, 1007)


def picture(number: int, offset: int = 0) -> LabelArray:
    """A disc before a green screen; every frame and every offset is another picture."""
    image = np.full((48, 64, 3), (38, 153, 25), np.uint8)
    cv2.circle(image, _centre(number, offset), 10, (60, 90, 180), -1)
    image[:2, :2] = (number % 251, offset % 251, 90)
    return np.asarray(cv2.GaussianBlur(image, (3, 3), 0), np.uint8)


def mask(number: int, offset: int = 0) -> LabelArray:
    """The disc's mask."""
    drawn = np.zeros((48, 64), np.uint8)
    cv2.circle(drawn, _centre(number, offset), 10, 255, -1)
    return drawn


def _centre(number: int, offset: int) -> tuple[int, int]:
    return 14 + 4 * (number % 8) + offset % 7, 24 + offset % 5


def small_shot(folder: Path, frames: range = FRAMES) -> Shot:
    """Write both and describe the job, stabilised and without a report."""
    for name, make in (("plate", picture), ("mask", mask)):
        (folder / name).mkdir()
        for number in frames:
            cv2.imwrite(str(folder / name / f"{name[0]}.{number}.png"), make(number))
    return Shot(
        plate=str(folder / "plate/p.%04d.png"),
        mask=str(folder / "mask/m.%04d.png"),
        out=folder / "out",
        report=False,
        stabilise=2,
        workers=1,
        device="cpu",  # the driver needs no torch then
    )


def replace_by(path: Path, made: LabelArray) -> None:
    """As a renderer publishes a new version: beside, and renamed."""
    beside = path.with_name("new.png")
    cv2.imwrite(str(beside), made)
    beside.replace(path)


class EveryPixelMatter:
    """A matter of its own in which every pixel of plate and trimap counts, and nothing is definite.

    So a frame that is mixed up with another shows, in its own alpha and in those it steadies.
    """

    digest = "every pixel"

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        """See `plugin.types.Matter`."""
        luma = image.mean(axis=2, dtype=np.float32).clip(0, 1)
        alpha = np.float32(0.1) + np.float32(0.4) * luma + trimap * np.float32(0.4 / 255)
        return trimap, np.asarray(alpha, np.float32)


def every_pixel(_plan: Plan) -> Matter:
    """Makes one, as a worker asks for it."""
    return EveryPixelMatter()
