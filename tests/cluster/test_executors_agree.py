"""`--executor auto`, which does a small shot in the command's own process, against a real Ray.

The same shot gives the same pixels, the same records and the same exit code, whoever did it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import load
from plugin.types import FrameRecord
from tests.jobs import alphas
from tests.small_plate import small_shot

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

POISONED = 1003


def poison(shot: Shot) -> None:
    """Cut one frame of the plate off."""
    path = Path(shot.plate % POISONED)
    path.write_bytes(path.read_bytes()[:-200])


def ended(shot: Shot, executor: str, *more: str) -> subprocess.CompletedProcess[str]:
    """The command, in a process of its own, into a folder named after the executor."""
    assert shot.mask is not None
    words = ["run", shot.plate, "--mask", shot.mask, "--out", str(folder(shot, executor))]
    words += ["--executor", executor, "--device", "cpu", "--workers", "1", "--no-report", *more]
    return subprocess.run(
        [sys.executable, "-m", "plugin.cli", *words],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def folder(shot: Shot, executor: str) -> Path:
    return shot.out.with_name(executor)


def own_files(record: FrameRecord) -> dict[str, str]:
    """What was read for a frame, but for the network: it stands with the frame that came first."""
    return {file: sha for file, sha in record.files.items() if not file.endswith(".safetensors")}


@pytest.mark.parametrize(("poisoned", "code"), [(False, 0), (True, 3)])
def test_the_same_pixels_records_and_exit_codes(tmp_path: Path, poisoned: bool, code: int) -> None:
    shot = small_shot(tmp_path)
    if poisoned:
        poison(shot)
    auto, ray = (ended(shot, executor) for executor in ("auto", "ray"))
    assert [auto.returncode, ray.returncode] == [code, code], auto.stderr + ray.stderr
    told = []
    for executor in ("auto", "ray"):
        made = shot.model_copy(update={"out": folder(shot, executor)})
        records = load(OutputLayout.of(made).manifest).frames
        kept = ("state", "recipe", "digest", "error", "plate", "near", "device")
        told.append(
            (
                alphas(made),
                {n: {key: getattr(one, key) for key in kept} for n, one in records.items()},
                {n: one.statistics for n, one in records.items()},
                {n: own_files(one) for n, one in records.items()},
                {file for one in records.values() for file in one.files},
            )
        )
    assert told[0] == told[1]
    assert len(told[0][0]) == (5 if poisoned else 6)


def test_a_bad_request_is_refused_before_either_begins(tmp_path: Path) -> None:
    shot = small_shot(tmp_path)
    wrong = [ended(shot, executor, "--frames", "2001-2004") for executor in ("auto", "ray")]
    assert [one.returncode for one in wrong] == [2, 2]
    lines = [one.stderr.replace("/auto", "/ray") for one in wrong]
    assert lines[0] == lines[1]
    assert not any(folder(shot, executor).exists() for executor in ("auto", "ray"))
