"""How much of a subject key frames carry through a shot: `track` and `learn`, against its truth.

    python -m tests.keys_bench --shots limbs thin --methods flow track learn --every 0 48 24
    python -m tests.keys_bench --plate plate.mp4 --truth 'alpha/alpha.%04d.png' --every 24

J is the share that mask and truth have in common, |A ∩ B| / |A ∪ B|, mean and worst over the frames
that are no keys. The shots are the project's own creature, in what is hard for key frames.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from model import Matter
from plugin.colour.display import display_transform, input_colour
from plugin.pattern import FramePattern
from plugin.plates import open_plate
from plugin.request.shot import Shot
from plugin.segmentation import build, prepare, run_first
from plugin.synthetic.render import render
from plugin.synthetic.shot import Direction, ShotKind, SyntheticFrame, SyntheticShot
from plugin.types import FloatArray, Frame, PlateSource
from tests.plates import Painted, png_plate

FIRST, FRAMES = 1001, 49
WIDTH, HEIGHT = 640, 360
METHODS = ("flow", "track", "learn")
Truth = npt.NDArray[np.bool_]
Picture = tuple[FloatArray, FloatArray]
"""Plate, `H × W × 3`, and alpha, `H × W`."""


class _Staged(SyntheticShot):
    """Limbs that swing three times as far as on any of the kinds."""

    @property
    def direction(self) -> Direction:
        """How it is staged."""
        return Direction(travel=90, period=60, hop=30, waving=3.0, camera=30, samples=10)


class _Panned(SyntheticShot):
    """A camera that crosses half of the place within the shot, with shake."""

    @property
    def direction(self) -> Direction:
        """How it is staged."""
        return Direction(travel=60, period=70, waving=0.8, camera=240, camera_period=90)


def _put_together(frame: SyntheticFrame) -> Picture:
    return frame.plate_rgb, frame.alpha


def _alike(frame: SyntheticFrame) -> Picture:
    """The place in the subject's own colours."""
    own = frame.foreground.sum((0, 1)) / max(float(frame.alpha.sum()), 1.0)
    light = frame.background.mean(axis=2, keepdims=True) / max(float(frame.background.mean()), 0.1)
    place = 0.3 * frame.background + 0.7 * np.clip(own * (0.4 + 0.6 * light), 0, 1)
    rgb = frame.foreground + (1 - frame.alpha[..., None]) * place + frame.grain
    return np.clip(rgb, 0, 1).astype(np.float32), frame.alpha


def _rods(frame: SyntheticFrame) -> Picture:
    """Five rods, three pixels wide, that turn about the subject's middle."""
    height, width = frame.alpha.shape
    rows, columns = np.nonzero(frame.alpha > 0.5)
    middle = np.array([columns.mean(), rows.mean()])
    drawn = np.zeros((height, width), np.uint8)
    for rod in range(5):
        angle = 2 * np.pi * (rod / 5 + frame.index / 40 * (1 if rod % 2 else -1))
        ends = middle + np.outer([45, 150], [np.cos(angle), np.sin(angle)]) * height / 360
        one, other = (tuple(int(v) for v in np.rint(end * 16)) for end in ends)
        cv2.line(drawn, one, other, (255,), max(1, round(3 * height / 360)), cv2.LINE_AA, 4)
    rod_alpha = drawn.astype(np.float32) / 255
    ink = np.array([0.12, 0.10, 0.14], np.float32)
    rgb = frame.plate_rgb * (1 - rod_alpha[..., None]) + ink * rod_alpha[..., None]
    return rgb.astype(np.float32), np.maximum(frame.alpha, rod_alpha)


def _lit(frame: SyntheticFrame) -> Picture:
    """Light that goes down to a half, up again warmer, and flickers."""
    along = frame.index / (FRAMES - 1)
    level = 1 - 0.55 * np.sin(np.pi * along) + 0.06 * np.sin(2.1 * frame.index)
    tint = np.array([1 + 0.25 * along, 1.0, 1 - 0.25 * along])
    return np.clip(frame.plate_rgb * level * tint, 0, 1).astype(np.float32), frame.alpha


_Made = Callable[[SyntheticFrame], Picture]
SHOTS: dict[str, tuple[type[SyntheticShot], ShotKind, int, _Made]] = {
    "occlusion": (SyntheticShot, ShotKind.OCCLUSION, 3, _put_together),
    "limbs": (_Staged, ShotKind.DEMO, 4, _put_together),
    "alike": (SyntheticShot, ShotKind.DEMO, 5, _alike),
    "thin": (SyntheticShot, ShotKind.DEMO, 6, _rods),
    "camera": (_Panned, ShotKind.DEMO, 7, _put_together),
    "light": (SyntheticShot, ShotKind.DEMO, 8, _lit),
}
"""What is hard, and how it is rendered: class, kind, seed, and what is done to the frame."""


class HardPlate(Painted):
    """One of `SHOTS` as a plate of 8 bits, rendered when it is read."""

    def __init__(self, name: str) -> None:
        kind, staged, seed, self._made = SHOTS[name]
        self._shot = kind(staged, seed, width=WIDTH, height=HEIGHT, frames=FRAMES)
        self._name = name
        self.info = png_plate(WIDTH, HEIGHT, f"{FIRST}-{FIRST + FRAMES - 1}")
        self._picture = lru_cache(maxsize=FRAMES)(self._render)

    def _render(self, number: int) -> tuple[npt.NDArray[np.uint8], Truth]:
        rgb, alpha = self._made(render(self._shot, number - FIRST))
        return np.rint(rgb * 255).astype(np.uint8), alpha > 0.5

    def read(self, number: int) -> Frame:
        """See `plugin.types.PlateSource`."""
        return Frame(number, self._picture(number)[0].astype(np.float32) / np.float32(255))

    def truth(self, number: int) -> Truth:
        """Where the subject is."""
        return self._picture(number)[1]


def carried(
    plate: PlateSource,
    truth: Callable[[int], Truth],
    method: str,
    keys: Sequence[int],
    **more: object,
) -> dict[int, float]:
    """J of each frame that is no key, and the processor's seconds a frame under -1.

    Args:
        plate: the shot.
        truth: of each frame.
        method: of `METHODS`: flow is `track` without the network's corrections.
        keys: frames whose truth is given.
        more: options of the shot.
    """
    to_display = display_transform(plate.info, input_colour(plate.info).space)
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for key in keys:
            file = f"{folder}/key.{key}.png"
            cv2.imwrite(file, truth(key).astype(np.uint8) * 255)
            files.append(f"{key}={file}")
        segment = "track" if method == "flow" else method
        given = {"plate": "p", "out": folder, "segment": segment, "keyframe": tuple(files), **more}
        shot = Shot.model_validate(given)
        began = time.process_time()
        matter = None if method == "flow" else Matter
        plan = run_first(
            prepare(shot, plate, to_display), shot, plate, to_display, Path(folder) / "track",
            make_matter=matter,
        )  # fmt: skip
        spent = time.process_time() - began
        segmenter = build(plan, plate.info)
        found = {
            number: overlap(segmenter.segment(plate.read(number)).coverage > 0.5, truth(number))
            for number in plate.info.frames
            if number not in keys
        }
    return {**found, -1: spent / len(plate.info.frames)}


def overlap(mask: Truth, truth: Truth) -> float:
    """J: 1 where both are empty."""
    either = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / either if either else 1.0


def _opened(asked: argparse.Namespace) -> dict[str, tuple[PlateSource, Callable[[int], Truth]]]:
    if asked.plate is None:
        plates = {name: HardPlate(name) for name in asked.shots}
        return {name: (plate, plate.truth) for name, plate in plates.items()}
    pattern = FramePattern.parse(asked.truth)

    def truth(number: int) -> Truth:
        picture = cv2.imread(str(pattern.path(number)), cv2.IMREAD_GRAYSCALE)
        return np.asarray(picture) > 127

    return {Path(asked.plate).stem: (open_plate(asked.plate), truth)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table as Markdown, a row a shot, a distance of keys and a method."""
    parser = argparse.ArgumentParser(prog="python -m tests.keys_bench")
    parser.add_argument("--shots", nargs="*", default=list(SHOTS), choices=list(SHOTS))
    parser.add_argument("--plate", help="a clip instead")
    parser.add_argument("--truth", help="its masks, a pattern")
    parser.add_argument("--methods", nargs="*", default=METHODS, choices=METHODS)
    parser.add_argument("--every", nargs="*", type=int, default=[0, 48, 24], help="0: one key")
    parser.add_argument("--minutes", type=float, default=2)
    asked = parser.parse_args(arguments)
    say = sys.stdout.write
    say("| shot | keys | way | J | worst | CPU s a frame |\n")
    say("| --- | ---: | --- | ---: | ---: | ---: |\n")
    for name, (plate, truth) in _opened(asked).items():
        numbers = plate.info.frames.numbers
        for every in asked.every:
            keys = numbers[::every] if every else numbers[:1]
            for method in asked.methods:
                found = carried(plate, truth, method, keys, learn_minutes=asked.minutes)
                seconds = found.pop(-1)
                values = list(found.values())
                row = f"| {name} | {every or 'one'} | {method} | {np.mean(values):.3f} |"
                say(f"{row} {min(values):.3f} | {seconds:.2f} |\n")
                sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
