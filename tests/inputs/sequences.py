"""Sequences: files a row, in which not all are alike, and what is to be found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from plugin.framerange import FrameRange
from tests.inputs.files import gama, picture, png
from tests.inputs.plates import AP1, Made
from tests.media import rgb_channels, write_exr, write_image


def _pngs(folder: Path, names: Iterable[str], frames: str) -> Made:
    for name in names:
        write_image(folder / f"plate.{name}.png", picture())
    return folder / "plate.%04d.png", {"frames": FrameRange.parse(frames)}


def _other_extension(folder: Path) -> Made:
    made = _pngs(folder, ("1001", "1002"), "1001-1002")
    write_image(folder / "plate.1003.jpg", picture())
    return made


def _exrs(folder: Path, **second: object) -> Made:
    """Three EXRs, the second with other attributes."""
    same = {"chromaticities": (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)}
    for number in (1001, 1002, 1003):
        header = same | (second if number == 1002 else {})
        channels = rgb_channels(picture(np.float16))
        write_exr(folder / f"plate.{number}.exr", channels, **header)  # type: ignore[arg-type]
    return folder / "plate.%04d.exr", {"colour": "lin_rec709_scene"}


def _curves(folder: Path) -> Made:
    png(folder / "plate.1001.png")
    png(folder / "plate.1002.png", gama(1))
    return folder / "plate.%04d.png", {}


def _alone(folder: Path, second: Callable[[Path], object]) -> Made:
    made = _pngs(folder, ("1001", "1003"), "1001,1003")[0], {"frames": FrameRange.span(1001, 1003)}
    second(folder / "plate.1002.png")
    return made


def _turned(folder: Path) -> Made:
    for number in (1001, 1002, 1003):
        turn = {"Orientation": 6} if number == 1002 else {}
        write_image(folder / f"plate.{number}.jpg", picture(), **turn)
    return folder / "plate.%04d.jpg", {}


def _deeper(folder: Path) -> Made:
    for number in (1001, 1002, 1003):
        write_image(
            folder / f"plate.{number}.png", picture(np.uint8 if number == 1002 else np.uint16)
        )
    return folder / "plate.%04d.png", {"bits": 16}


MAKERS: dict[str, Callable[[Path], Made]] = {
    "other-padding": lambda f: _pngs(f, ("998", "999", "1000", "1001"), "1000-1001"),
    "negative": lambda f: _pngs(f, ("-0002", "-0001", "0000", "0001"), "0-1"),
    "gap": lambda f: _pngs(f, ("1001", "1002", "1004"), "1001-1002,1004"),
    "on-twos": lambda f: _pngs(f, ("1001", "1003", "1005"), "1001,1003,1005"),
    "other-extension": _other_extension,
    "colours-differ": lambda f: _exrs(f, chromaticities=AP1),
    "curves-differ": _curves,
    "aspect-differs": lambda f: _exrs(f, pixelAspectRatio=2.0),
    "channels-differ": lambda f: _alone(f, lambda p: write_image(p, picture(channels=1))),
    "depth-differs": _deeper,
    "orientation-differs": _turned,
    "windows-differ": lambda f: _exrs(f, display=(0, 0, 30, 20)),
}
