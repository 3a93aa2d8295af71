"""Golden frames: three small shots whose alphas must not change unless the recipe's version does.

python -m tests.golden_frames        writes tests/golden/frames.json anew

Plates, masks and weights are made here in whole numbers, and so are the same everywhere. What is
made of them goes through float arithmetic, whose last bits differ between CPUs: the digest is of
alphas sorted into steps, and each frame's steps are laid so that no pixel lies near a border.
`MARGIN` is how far a pixel may stray before it could cross one. SSE, AVX2 and AVX-512, one thread
and two, differ by less than a tenth of it; of a real change some of a thousand soft pixels cross.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save_file

from model.adamatting import AdaMatting
from plugin.driver.plan import RECIPE_VERSION
from plugin.driver.run import run
from plugin.exr.alpha_file import read_alpha
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from tests.media import write_image
from tests.networks import TINY
from workers.in_process import InProcessExecutor

FILE = Path(__file__).parent / "golden" / "frames.json"
Golden = dict[str, dict[str, Any]]
Picture = npt.NDArray[np.uint8]

FRAMES = range(1001, 1005)
WIDTH, HEIGHT, SUB = 96, 64, 4
STEP = 1 / 32
MARGIN = 8e-5
"""No pixel of a golden frame is nearer to a step's border than this."""


def digest(alpha: npt.NDArray[np.float32], phase: float) -> str:
    """sha256 of the steps that the pixels lie in; borders are at `phase` and every `STEP`."""
    steps = np.floor((alpha.astype(np.float64) - phase) / STEP).astype(np.int16)
    return hashlib.sha256(steps.astype("<i2").tobytes()).hexdigest()


def phase_of(alpha: npt.NDArray[np.float32]) -> tuple[float, float]:
    """Where borders are farthest from every pixel, in [0, STEP), and how far that is."""
    places = np.unique(np.mod(alpha.astype(np.float64), STEP))
    gaps = np.diff(places, append=places[0] + STEP)
    widest = int(gaps.argmax())
    return float(np.mod(places[widest] + gaps[widest] / 2, STEP)), float(gaps[widest] / 2)


def weights(path: Path) -> Path:
    """The tiny network's weights, from whole numbers."""
    state = AdaMatting(TINY).state_dict()
    for name, tensor in state.items():
        if name.endswith("bias"):
            state[name] = torch.zeros_like(tensor)
        elif tensor.dim() > 1:  # norms stay as they begin
            numbers = np.random.RandomState(zlib.crc32(name.encode())).randint(
                -64, 65, tensor.shape
            )
            scale = 2.0 ** -round(6 + np.log2(numbers[0].size) / 2)
            state[name] = torch.from_numpy(numbers.astype(np.float32) * np.float32(scale))
    state["t_decoder.head.bias"][1] = 1  # most stays unknown: it is alpha that is looked at
    save_file(state, path, {"config": json.dumps(TINY.as_dict())})
    return path


def _coverage(number: int) -> npt.NDArray[np.int64]:
    """A disc with a handle that moves over the picture: 0 to SUB²."""
    y, x = np.mgrid[: HEIGHT * SUB, : WIDTH * SUB]
    at = number - FRAMES[0]
    x, y = x - (40 + 3 * at) * SUB, y - (30 + at) * SUB
    inside = (x * x + y * y < (17 * SUB) ** 2) | ((abs(y - x // 3) < 2 * SUB) & (x > 0) & (x < 110))
    return np.asarray(inside.reshape(HEIGHT, SUB, WIDTH, SUB).sum(axis=(1, 3)), np.int64)


def _plate(number: int, ground: Picture) -> Picture:
    """The disc over its ground, both with grain."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    body = np.dstack([170 + (3 * x + y) % 23, 90 + (x + 5 * y) % 31, 70 + (7 * x + 3 * y) % 19])
    grain = np.random.RandomState(number).randint(-3, 4, (HEIGHT, WIDTH, 3))
    covered = _coverage(number)[..., None]
    mixed = (covered * body + (SUB**2 - covered) * ground) // SUB**2
    return np.asarray(mixed + grain).clip(0, 255).astype(np.uint8)


def _screen() -> Picture:
    green = np.array([28, 190, 44]) + np.zeros((HEIGHT, WIDTH, 3), np.int64)
    return np.asarray(green - (np.mgrid[:HEIGHT, :WIDTH][0] // 8)[..., None], np.uint8)


def _room() -> Picture:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    tiles = ((x // 12 + y // 10) % 5 * 24)[..., None] + np.array([30, 60, 80])
    return np.asarray(tiles + np.random.RandomState(7).randint(-9, 10, tiles.shape), np.uint8)


def _pictures(folder: Path, ground: Picture) -> dict[str, str]:
    for number in FRAMES:
        write_image(folder / f"plate.{number}.png", _plate(number, ground))
        mask = (_coverage(number) * 255 // SUB**2).astype(np.uint8)[..., None]
        write_image(folder / f"mask.{number}.png", mask)
    return {"plate": str(folder / "plate.%04d.png"), "mask": str(folder / "mask.%04d.png")}


def _keyed(folder: Path) -> dict[str, Any]:
    return {"plate": _pictures(folder, _screen())["plate"], "segment": "chroma", "stabilise": 2}


def _masked(folder: Path) -> dict[str, Any]:
    rules = [
        {"id": "wider", "frames": "1002-1003", "params": {"erode": 90, "dilate": 120}},
        {
            "id": "handle",
            "frames": "1001-1004",
            "set": "unknown",
            "polygon": {
                "1001": [[60, 36], [78, 42], [70, 60]],
                "1004": [[66, 38], [84, 46], [70, 62]],
            },
        },
        {
            "id": "dust",
            "frames": "1004",
            "set": "background",
            "stroke": {"points": [[9, 9]], "radius": 5},
        },
    ]
    document = {
        "schema": "trimap-override/1",
        "shot": "plate",
        "plate": {"width": WIDTH, "height": HEIGHT},
        "rules": rules,
    }
    override = folder / "plate.trimap.json"
    override.write_text(json.dumps(document))
    return {**_pictures(folder, _room()), "override": str(override), "stabilise": 0}


def _tracked(folder: Path) -> dict[str, Any]:
    pictures = _pictures(folder, _room())
    key = folder / f"mask.{FRAMES[0]}.png"
    band = {"erode": 24, "dilate": 36}  # wider than the least of a frame of so few lines
    keys = (f"{FRAMES[0]}={key}",)
    given = {"plate": pictures["plate"], "segment": "track", "keyframe": keys}
    return {**given, "stabilise": 0, **band}


SHOTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "screen": _keyed,
    "masks": _masked,
    "track": _tracked,
}


def alphas_of(name: str, folder: Path) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
    """The alphas of a golden shot as the reference executor makes them: in fp32, on a CPU."""
    shot = Shot(
        out=folder / "out",
        shot=name,
        model=str(weights(folder / "tiny.safetensors")),
        device="cpu",
        precision="fp32",
        bits="float",  # a half's steps are as wide as the margin
        executor="process",
        report=False,
        **SHOTS[name](folder),
    )
    run(shot, executor=InProcessExecutor())
    layout = OutputLayout.of(shot)
    for number in FRAMES:
        yield number, np.asarray(read_alpha(layout.alpha(number)).alpha, np.float32)


def _written() -> Golden:
    golden: Golden = {}
    for name in SHOTS:
        with tempfile.TemporaryDirectory() as folder:
            for number, alpha in alphas_of(name, Path(folder)):
                phase, margin = phase_of(alpha)
                assert margin > MARGIN, f"{name} {number}: {margin}"
                known = {"phase": round(phase, 9), "digest": digest(alpha, phase)}
                golden.setdefault(name, {})[str(number)] = known
    return {"recipe": {"version": RECIPE_VERSION}, **golden}


if __name__ == "__main__":
    FILE.write_text(json.dumps(_written(), indent=1) + "\n")
