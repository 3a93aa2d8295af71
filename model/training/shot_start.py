"""The start of `learn`'s network: what holds for every shot, learned once on compositions.

    python -m model.training.shot_start DATA --steps 4000 --out model/weights/shot.safetensors

DATA has `fg/*.webp`, cut-outs with straight alpha, and `photos/*.jpg`. Each lesson is of a cut-out
put somewhere over a photograph: how a wrong prior is mended along edges, whatever the subject.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from model.inference.threads import settle_process
from model.segmenters.shot.learner import ShotLearner
from model.segmenters.shot.lessons import Known

_LEFT_OUT = ("dancer1", "glow", "kenney")
"""Cut-outs of a clip that is measured on, and such as have no body."""

_LONGEST = 320
"""Of the pictures that lessons are cut from, pixels."""

Pictures = list[npt.NDArray[np.uint8]]


def _read(files: Sequence[Path], channels: int) -> Pictures:
    found = []
    for file in files:
        picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED if channels == 4 else cv2.IMREAD_COLOR)
        if picture is None or picture.ndim != 3 or picture.shape[2] != channels:
            continue
        scale = _LONGEST / max(picture.shape[:2])
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        code = cv2.COLOR_BGRA2RGBA if channels == 4 else cv2.COLOR_BGR2RGB
        found.append(np.asarray(cv2.cvtColor(small, code), np.uint8))
    return found


class Compositions(Sequence[Known]):
    """Cut-outs over photographs, another one at every look."""

    def __init__(self, cutouts: Pictures, photos: Pictures, seed: int = 1) -> None:
        self._cutouts, self._photos = cutouts, photos
        self._rng = np.random.default_rng(seed)

    def __len__(self) -> int:
        return len(self._cutouts)

    def __getitem__(self, index: int) -> Known:  # type: ignore[override]
        rng = self._rng
        cutout = self._cutouts[index]
        photo = self._photos[int(rng.integers(len(self._photos)))]
        height, width = photo.shape[:2]
        scale = rng.uniform(0.45, 0.95) * min(height, width) / max(cutout.shape[:2])
        small = cv2.resize(cutout, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        h, w = small.shape[:2]
        x = int(rng.integers(-w // 4, width - 3 * w // 4))
        y = int(rng.integers(-h // 4, height - 3 * h // 4))
        layer = np.zeros((height, width, 4), np.uint8)
        top, left, low, right = max(y, 0), max(x, 0), min(y + h, height), min(x + w, width)
        layer[top:low, left:right] = small[top - y : low - y, left - x : right - x]
        alpha = layer[..., 3:].astype(np.float32) / 255
        picture = np.asarray(layer[..., :3] * alpha + photo * (1 - alpha), np.uint8)
        return Known(picture, np.ascontiguousarray(alpha[..., 0]), photo)


def _some(folder: Path, pattern: str, channels: int, most: int, leave: Sequence[str]) -> Pictures:
    files = [f for f in sorted(folder.glob(pattern)) if not f.name.startswith(tuple(leave))]
    rng = np.random.default_rng(0)
    chosen = sorted(rng.permutation(len(files))[:most])
    return _read([files[i] for i in chosen], channels)


def main(arguments: Sequence[str] | None = None) -> int:
    """Learn and write it."""
    parser = argparse.ArgumentParser(prog="python -m model.training.shot_start")
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--leave-out", nargs="*", default=_LEFT_OUT, help="beginnings of names")
    asked = parser.parse_args(arguments)
    settle_process()
    cutouts = _some(asked.data / "fg", "*.webp", 4, 400, asked.leave_out)
    photos = _some(asked.data / "photos", "*.jpg", 3, 600, ())
    say = sys.stdout.write
    say(f"{len(cutouts)} cut-outs, {len(photos)} photographs\n")

    def told(done: int, total: int) -> None:
        if done % 200 == 0:
            say(f"{done} of {total}\n")
            sys.stdout.flush()

    learner = ShotLearner.taught(Compositions(cutouts, photos), asked.steps, told=told)
    asked.out.write_bytes(learner.halved)
    return 0


if __name__ == "__main__":
    sys.exit(main())
