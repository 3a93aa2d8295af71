"""Damaged and hostile inputs, each read in a process of its own with little memory and time.

A server loads the program once and forks for every input, so that hundreds cost a minute. Each ends
in success or in an error of `plugin.errors`; nothing else, and no file is written.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tests.campaign.mutations import mutated
from tests.media import (
    Codec,
    flat_planes,
    numbered,
    rgb_channels,
    write_exr,
    write_image,
    write_video,
)

HERE = Path(__file__).parents[2]

MEMORY = 6 << 30
"""Bytes of address space: torch alone takes three."""

SECONDS = 20


@dataclass
class MutantOutcome:
    """Of all inputs.

    Attributes:
        inputs: how many.
        read: those that were read in spite of all, by kind.
        refused: those that were refused in our words, by kind.
        wrong: how the others ended.
    """

    inputs: int = 0
    read: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def trial(folder: Path, each: int, seed: int) -> MutantOutcome:
    """Mutate every kind of input so many times, and read them all.

    Args:
        folder: an empty one.
        each: mutants of each kind.
        seed: of the mutations; the same one makes the same mutants.
    """
    inputs = folder / "inputs"
    inputs.mkdir()
    good = seeds(folder / "good")
    cases: list[tuple[str, Path]] = [(kind, path) for kind, path in good.items()]
    others = [path.read_bytes() for path in good.values()]
    for kind, path in good.items():
        dice = random.Random(f"{seed} {kind}")
        content = path.read_bytes()
        for number in range(each):
            mutant = inputs / f"{kind}{number:03d}{path.suffix}"
            mutant.write_bytes(mutated(content, dice, others))
            cases.append((kind, mutant))
    return _read_all(cases, folder, set(good.values()))


def seeds(folder: Path) -> dict[str, Path]:
    """A good file of every kind, by kind."""
    folder.mkdir()
    picture = np.random.default_rng(1).integers(0, 255, (24, 32, 3)).astype(np.uint8)
    mov = Codec("prores_ks", "yuv422p10le", ".mov", {"profile": "3"})
    h264 = Codec("libx264", "yuv420p", ".mp4", {"g": "4", "bf": "2"}, (64, 48))
    flat = [flat_planes(mov.pixels, mov.size, (100 + n, 512, 512)) for n in range(4)]
    alpha = folder / "alpha.exr"
    return {
        "exr": write_exr(folder / "plate.exr", rgb_channels((picture / 255).astype(np.float16))),
        "alpha": _alpha(alpha),
        "png": write_image(folder / "plate.png", picture),
        "mp4": write_video(folder / "plate.mp4", h264, numbered(h264, 8)),
        "mov": write_video(folder / "plate.mov", mov, flat),
        "override": _text(folder / "shot.trimap.json", _OVERRIDE),
        "job": _text(folder / "job.toml", _JOB),
        "manifest": _manifest(folder / "manifest.json"),
        "weights": _weights(folder / "net.safetensors"),
    }


def _text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


_JOB = """\
plate = "plates/sh010.%04d.exr"
out = "mattes/sh010"
frames = "1001-1100x2"
erode = 6
dilate = 12.5
keep = ["mask", "trimap"]
keyframe = ["1001=a.png", "1025=b.png"]
workers = 4
"""

_OVERRIDE = json.dumps(
    {
        "schema": "trimap-override/1",
        "shot": "sh010",
        "plate": {"width": 20, "height": 12},
        "rules": [
            {"id": "wider", "frames": "1001-1020", "params": {"erode": 6, "dilate": 24}},
            {
                "id": "strap",
                "frames": "1001-1050",
                "set": "foreground",
                "polygon": {"1001": [[2, 2], [8, 2], [8, 6]], "1011": [[2, 2], [8, 2], [8, 6]]},
            },
            {
                "id": "dust",
                "frames": "1005",
                "set": "unknown",
                "stroke": {"points": [[3, 4], [5, 6]], "radius": 12},
            },
        ],
    },
    indent=1,
)


def _alpha(path: Path) -> Path:
    from plugin.exr.alpha_file import AlphaFormat, write_alpha
    from plugin.types import Frame
    from tests.faults.test_disk import INFO

    frame = Frame(1, np.zeros((1, 1, 3), np.float32))
    noise = np.random.default_rng(1).random((64, 64), np.float32)
    write_alpha(
        path,
        np.asarray(noise, np.float32),
        info=INFO,
        frame=frame,
        provenance={"recipe": "r"},
        form=AlphaFormat(),
        root=path.parent,
    )
    return path


def _manifest(path: Path) -> Path:
    from plugin.request.shot import Shot
    from plugin.result.manifest import Manifest, PlateRecord, save
    from plugin.types import FrameResult, FrameState
    from tests.faults.test_disk import INFO

    shot = Shot(plate="p.%04d.exr", out=Path("out"))
    manifest = Manifest(
        version="1", shot=shot, plate=PlateRecord.of(INFO), model="lite", weights="1" * 64
    )
    results = [
        FrameResult(number=n, state=FrameState.DONE, digest="a" * 64, recipe="r", seconds=0.5)
        for n in range(1, 9)
    ]
    save(path, manifest.with_results(results))
    return path


def _weights(path: Path) -> Path:
    from safetensors.numpy import save_file

    tensors = {"stem.weight": np.zeros((4, 3, 3, 3), np.float32), "b": np.ones(7, np.float32)}
    save_file(tensors, path, metadata={"config": json.dumps({"name": "lite"})})
    return path


def _read_all(cases: list[tuple[str, Path]], folder: Path, good: set[Path]) -> MutantOutcome:
    jail = folder / "jail"
    jail.mkdir()
    outcome = MutantOutcome()
    before = _everything(folder)
    command = [sys.executable, "-m", "tests.campaign.reader", str(MEMORY), str(SECONDS), str(jail)]
    given = "".join(json.dumps([kind, str(path)]) + "\n" for kind, path in cases)
    done = subprocess.run(
        command, cwd=HERE, input=given, capture_output=True, text=True, check=False
    )
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if len(answers) != len(cases):
        outcome.wrong.append(f"{len(answers)} answers to {len(cases)}: {done.stderr[-500:]}")
    for (kind, path), answer in zip(cases, answers, strict=False):
        outcome.inputs += 1
        how = answer["how"]
        if how == "read":
            outcome.read[kind] = outcome.read.get(kind, 0) + 1
        elif how == "refused" and (path not in good or kind == "weights"):
            outcome.refused[kind] = outcome.refused.get(kind, 0) + 1
        else:
            outcome.wrong.append(f"{path.name}: {how}: {answer['what']}")
    outcome.wrong += [f"written: {path}" for path in _everything(folder) ^ before]
    return outcome


def _everything(folder: Path) -> set[tuple[str, int]]:
    return {(str(path), path.stat().st_size) for path in folder.rglob("*") if path.is_file()}
