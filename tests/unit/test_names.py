"""Other people's folders `model` and modules `plugin` do not take the program's place."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import adamatte
import model
import plugin
from tests.media import write_image

ROOT = Path(__file__).parents[2]
COMMAND = "import sys; from adamatte import main; sys.exit(main())"
"""What the installed command does; the folder where the user stands comes first on its path."""


@pytest.fixture
def studio(tmp_path: Path) -> Path:
    """A checkout of another program, with all of our names in it."""
    folder = tmp_path / "studio"
    for name in ("model", "workers"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("from .net import Network\n")
        (folder / name / "net.py").write_text("class Network: pass\n")
    for name in ("plugin", "nuke_bridge"):
        (folder / f"{name}.py").write_text("NAME = 'pipeline'\n")
    return folder


def python(
    studio: Path, code: str, *words: object, cwd: Path, first: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run Python code with the studio's folder on the path, before everything or not at all."""
    places = [studio] * first + [ROOT]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("first", [True, False])
def test_the_command_is_not_taken_over(studio: Path, first: bool) -> None:
    told = python(studio, COMMAND, "--version", cwd=studio, first=first)
    assert (told.returncode, told.stderr) == (0, "")
    assert "adamatte" in told.stdout


@pytest.mark.parametrize(
    "executor", ["process", pytest.param("ray", marks=[pytest.mark.ray, pytest.mark.slow])]
)
def test_a_job_runs_where_other_programs_have_our_names(studio: Path, executor: str) -> None:
    pixels = np.full((32, 48, 3), (30, 180, 40), np.uint8)
    pixels[8:24, 12:36] = (190, 90, 80)
    write_image(studio / "p.1001.png", pixels)
    words = ["run", studio / "p.1001.png", "--out", studio / "o", "--executor", executor]
    more = ["--workers", 1, "--no-report", "--segment", "none", "--device", "cpu"]
    done = python(studio, COMMAND, *words, *more, cwd=studio)
    assert done.returncode == 0, done.stderr
    assert [f.name for f in (studio / "o" / "alpha").iterdir()] == ["p_alpha.1001.exr"]


def test_from_python(studio: Path) -> None:
    """`import adamatte` first: then the plain names are ours too."""
    code = "import adamatte, model, plugin, workers; print(adamatte.Shot, plugin.Shot, workers)"
    told = python(studio, code, cwd=studio)
    assert told.returncode == 0, told.stderr
    assert str(studio) not in told.stdout


def test_another_module_that_is_there_already_is_told_of(studio: Path) -> None:
    told = python(studio, "import plugin, adamatte", cwd=studio)
    assert told.returncode == 1
    assert "`plugin` is imported already, from " in told.stderr
    assert "import adamatte before it" in told.stderr


def test_one_small_module_is_the_public_api() -> None:
    assert adamatte.Shot is plugin.Shot
    assert adamatte.run is plugin.run
    assert adamatte.Matter is model.Matter
    with pytest.raises(AttributeError):
        _ = adamatte.walk


def test_the_installed_command_is_that_modules() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"adamatte": "adamatte:main"}
    assert project["tool"]["setuptools"]["py-modules"] == ["adamatte", "adamatte_names"]
