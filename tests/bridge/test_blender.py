"""The add-on in a real Blender without an interface: a clip matted by the real job, the comp right.

It runs where there is one: `$ADAMATTE_BPY` names a Python that has bpy, `blender` is on the path.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from OpenImageIO import ImageBuf

from tests.media import rgb_channels, write_exr

pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
JOB = Path(__file__).with_name("blender_job.py")
FRAMES = (1001, 1002, 1003)
TAKEN = 1002


def hosts() -> list[Any]:
    """The Blenders that there are, by how they are called."""
    python, blender = os.environ.get("ADAMATTE_BPY"), shutil.which("blender")
    of_module = [python, str(JOB)] if python else None
    of_program = (
        [blender, "-b", "--python-exit-code", "3", "-P", str(JOB), "--"] if blender else None
    )
    return [pytest.param(of_module, id="bpy"), pytest.param(of_program, id="blender")]


def pixels(path: Path) -> npt.NDArray[np.float32]:
    """All channels, H × W × C."""
    return np.asarray(ImageBuf(str(path)).get_pixels(), np.float32)


def write_plate(folder: Path) -> None:
    """Three different frames."""
    random = np.random.default_rng(3)
    for number in FRAMES:
        rows, columns = np.mgrid[0:48, 0:64].astype(np.float32)
        flat = np.full((48, 64), (number - 1000) / 4, np.float32)
        image = np.stack([columns / 64, rows / 48, flat], -1)
        noisy = (image + random.random(image.shape) * 0.1).astype(np.float32)
        write_exr(folder / f"plate.{number}.exr", rgb_channels(noisy))


@pytest.mark.parametrize("host", hosts())
def test_a_clip_is_matted_and_comped(host: list[str] | None, tmp_path: Path) -> None:
    if host is None:
        pytest.skip("no such Blender here: set $ADAMATTE_BPY, or put blender on the path")
    write_plate(tmp_path)
    command = f"{sys.executable} -m plugin.cli"
    answer = subprocess.run(
        [*host, str(tmp_path), command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert answer.returncode == 0, (answer.stdout + answer.stderr)[-4000:]
    seen = json.loads((tmp_path / "seen.json").read_text(encoding="utf-8"))
    assert "no compositor nodes" in seen["no_plate"]
    assert seen["matted"] == "all 3 frames done"
    assert seen["stale"] == "0 of 3 done · 3 stale 1001-1003 (erode was 8.0)"
    assert "no frame asks for a key" in seen["no_key"]
    assert seen["key"] == "all 3 frames done · a key helps most at 1003"
    assert seen["frame"] == "1003"
    assert seen["missing"] == f"2 of 3 done · 1 missing {TAKEN}"
    assert seen["desk"] == "the desk is open in the browser"
    assert "url=http://127.0.0.1:" in seen["desk_page"]
    assert seen["off"] == "False"
    for number in FRAMES:
        check_comp(tmp_path, number)


def check_comp(folder: Path, number: int) -> None:
    """Plate × alpha to 1e-3; without its matte a frame is empty, not its neighbour's."""
    alphas = folder / "out/v001/alpha"
    matte = folder / "taken_away.exr" if number == TAKEN else alphas / f"plate_alpha.{number}.exr"
    alpha = pixels(matte)[..., :1]
    plate = pixels(folder / f"plate.{number}.exr")[..., :3]
    comp = pixels(folder / "comp" / f"comp.{number}.exr")
    assert 0.05 < alpha.mean() < 0.95
    np.testing.assert_allclose(comp[..., :3], plate * alpha, atol=1e-3)
    np.testing.assert_allclose(comp[..., 3:], alpha, atol=1e-3)
    without = pixels(folder / "comp_missing" / f"comp.{number}.exr")
    np.testing.assert_array_equal(without, 0 if number == TAKEN else comp)
