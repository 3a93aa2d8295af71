"""Ready trimaps: files a row for a plate of 48 × 32, frames 1001 to 1003."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tests.inputs.masks import NUMBERS, WANTED, Array
from tests.media import write_exr, write_image

LABELS = np.where(WANTED <= 0, 0, np.where(WANTED >= 1, 255, 128)).astype(np.uint8)


def stills(folder: Path, pixels: Array, *, numbers: tuple[int, ...] = NUMBERS) -> Path:
    """The same picture a frame."""
    for number in numbers:
        shown = pixels if pixels.ndim == 3 else pixels[..., None]
        write_image(folder / f"t.{number}.png", np.ascontiguousarray(shown))
    return folder / "t.%04d.png"


def exrs(folder: Path, *names: str) -> Path:
    """Floats in these channels."""
    half = np.where(LABELS == 128, 0.5, LABELS / 255).astype(np.float32)
    for number in NUMBERS:
        write_exr(folder / f"t.{number}.exr", dict.fromkeys(names, half))
    return folder / "t.%04d.exr"


def once(folder: Path) -> Path:
    """All background in the second frame."""
    made = stills(folder, LABELS)
    write_image(folder / "t.1002.png", np.zeros_like(LABELS)[..., None])
    return made


DEEP = LABELS.astype(np.uint16)
SURE = np.where(LABELS == 128, 0, LABELS).astype(np.uint8)

MAKERS: dict[str, Callable[[Path], Path]] = {
    "three-greys": lambda f: stills(f, LABELS),
    "three-greys-16": lambda f: stills(f, DEEP * 257),
    "greys-in-16": lambda f: stills(f, DEEP),
    "zero-half-one": lambda f: exrs(f, "Y"),
    "colours-equal": lambda f: exrs(f, "R", "G", "B"),
    "colours-apart": lambda f: stills(f, np.dstack([LABELS, np.roll(LABELS, 9, 1), LABELS])),
    "labels-012": lambda f: stills(f, LABELS // 127),
    "smoothed": lambda f: stills(f, np.rint(WANTED * 255).astype(np.uint8)),
    "two-layers": lambda f: exrs(f, "one.Y", "two.Y"),
    "no-unknown": lambda f: stills(f, SURE),
    "background-once": once,
    "background-all": lambda f: stills(f, np.zeros_like(LABELS)),
    "one-for-all": lambda f: write_image(f / "t#1.png", LABELS[..., None]),
    "one-missing": lambda f: stills(f, LABELS, numbers=NUMBERS[:2]),
}
