"""A process that dies in the middle, as by a library that crashes: a person learns how to go on."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from plugin.driver.run import run
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.verify import verify
from tests.jobs import creature, luma_matter
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[2]

JOB = """
import os, signal, sys
import plugin.plates.video.plate as video
from plugin.cli import main
from plugin.driver.run import run
from plugin.request.shot import Shot
from tests.jobs import luma_matter
from workers.in_process import InProcessExecutor

how, whole = int(sys.argv[1]), video.VideoPlate.read


def read(plate, number):
    if number == 1004 and how:
        os.kill(os.getpid(), how)
    return whole(plate, number)


video.VideoPlate.read = read
shot = Shot.model_validate_json(sys.argv[2])
run(shot, executor=InProcessExecutor(luma_matter, settled=True))
"""


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    return creature(tmp_path, frames=6)


def ended(shot: Shot, how: int) -> subprocess.CompletedProcess[str]:
    """The job, whose decoder ends the process by a signal at its fourth frame."""
    return subprocess.run(
        [sys.executable, "-c", JOB, str(how), shot.model_dump_json()],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("how", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
def test_a_decoder_that_ends_the_process_is_told_with_its_frame(
    shot: Shot, how: signal.Signals
) -> None:
    died = ended(shot, how)
    assert died.returncode == -how
    (line,) = [line for line in died.stderr.splitlines() if "adamatte: error: " in line]
    what, where, fix = line.removeprefix("adamatte: error: ").split(" · ")
    assert "died" in what
    assert "1004" in what
    assert where == shot.plate
    assert "--executor ray" in fix
    there = OutputLayout.of(shot).pattern("alpha").scan()
    assert there
    assert 1004 not in there
    run(shot, executor=InProcessExecutor(luma_matter))
    assert verify(shot.out).complete


@pytest.mark.parametrize("how", [0, signal.SIGINT])
def test_a_run_that_ends_as_it_should_says_nothing_of_it(shot: Shot, how: int) -> None:
    assert "died" not in ended(shot, how).stderr
