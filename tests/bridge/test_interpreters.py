"""The bridge's suite under the interpreters that hosts embed: Nuke 13 to 17, Blender."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITE = sorted((ROOT / "tests/bridge/suite").glob("test_*.py"))
VERSIONS = ("3.7", "3.9", "3.10", "3.11", "3.13")

pytestmark = pytest.mark.slow


def interpreter(version: str) -> str | None:
    """An interpreter of that version: on the path, or of pyenv or uv."""
    homes = [Path.home() / ".pyenv/versions", Path.home() / ".local/share/uv/python"]
    home = os.environ.get("PYENV_ROOT")
    homes += [Path(home) / "versions"] if home else []
    found = [p for h in homes for p in h.glob(f"*{version}.*/bin/python{version}")]
    return str(found[-1]) if found else shutil.which(f"python{version}")


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, subprocess.Popen[str]]]:
    """All of them at once: they mostly wait."""
    modules = [f"tests.bridge.suite.{file.stem}" for file in SUITE]
    ours = f"{sys.version_info[0]}.{sys.version_info[1]}"
    found = {v: interpreter(v) for v in VERSIONS if v != ours}
    started = {
        version: subprocess.Popen(
            [python, "-E", "-s", "-m", "unittest", *modules],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )
        for version, python in found.items()
        if python is not None
    }
    yield started
    for process in started.values():
        process.kill()
        process.communicate()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_suite_passes(version: str, running: dict[str, subprocess.Popen[str]]) -> None:
    if sys.version_info[:2] == tuple(int(part) for part in version.split(".")):
        pytest.skip("it is the one that runs the other tests")
    if version not in running:
        pytest.skip(f"no Python {version} here")
    _, said = running[version].communicate(timeout=600)
    assert running[version].returncode == 0, said[-4000:]
    assert "\nOK" in said
