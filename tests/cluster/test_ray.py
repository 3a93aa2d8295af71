"""The job on a real local Ray, with the bundled weights: same pixels however it was computed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from plugin.driver.run import run
from plugin.exr.alpha_file import is_current
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.verify import verify
from plugin.types import FrameResult
from tests.jobs import alphas, creature, made
from workers.in_process import InProcessExecutor

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]

ADAMATTE = (sys.executable, "-m", "plugin.cli")


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    shot = creature(tmp_path_factory.mktemp("ray"), frames=7)
    return shot.model_copy(update={"stabilise": 1})  # neighbours must agree too


@pytest.fixture(scope="module")
def whole(shot: Shot) -> dict[int, bytes]:
    """Every alpha of an undisturbed run without Ray."""
    settle_like_a_worker()
    run(shot, executor=InProcessExecutor())
    return alphas(shot)


def settle_like_a_worker() -> None:
    from model.inference.threads import settle_process

    settle_process()


def elsewhere(shot: Shot, tmp_path: Path, **changes: object) -> Shot:
    return shot.model_copy(update={"out": tmp_path / "out", **changes})


@pytest.mark.parametrize(("workers", "chunk"), [(1, 7), (2, 1), (2, 3)])
def test_same_pixels_for_any_number_of_workers_and_any_chunk(
    shot: Shot, whole: dict[int, bytes], tmp_path: Path, workers: int, chunk: int
) -> None:
    other = elsewhere(shot, tmp_path, workers=workers, chunk=chunk)
    assert ended(other).returncode == 0
    assert alphas(other) == whole
    assert verify(other.out).complete


def command(shot: Shot, *more: str) -> list[str]:
    assert shot.mask is not None
    words = ["run", shot.plate, "--mask", shot.mask, "--out", str(shot.out)]
    words += ["--workers", str(shot.workers), "--chunk", str(shot.chunk)]
    words += ["--stabilise", str(shot.stabilise), "--executor", "ray", *more]
    return [*ADAMATTE, *words]


def ended(shot: Shot, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(shot, *more), capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_was_stopped_is_gone_on_with(
    shot: Shot, whole: dict[int, bytes], tmp_path: Path, how: signal.Signals
) -> None:
    stopped = elsewhere(shot, tmp_path, workers=1, chunk=2)
    words = command(stopped, "--progress", "jsonl")
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if '"frame": 1003' in line:
                process.send_signal(how)
                break
        process.stdout.read()
        code = process.wait(timeout=300)
    expected = {signal.SIGKILL: -9, signal.SIGTERM: 143, signal.SIGINT: 130}[how]
    assert code == expected
    early = alphas(stopped)
    assert all(early[number] == whole[number] for number in early)
    assert len(early) < len(whole)
    again = ended(stopped, "--progress", "plain")
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("skipped") >= 2
    assert alphas(stopped) == whole
    assert verify(stopped.out).complete


def test_a_worker_that_is_killed_comes_back_and_no_frame_is_lost(
    shot: Shot, whole: dict[int, bytes], tmp_path: Path
) -> None:
    from workers.cluster import Cluster
    from workers.ray_executor import RayExecutor

    other = elsewhere(shot, tmp_path, chunk=7)
    killed: list[int] = []

    class Violent(RayExecutor):
        def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
            for result in super().run(job, tasks):
                if not killed:
                    killed.extend(kill_actors())
                yield result

    run(other, executor=Violent(Cluster(None, 1), retries=2))
    assert killed
    assert made(other) == list(range(1001, 1008))
    assert alphas(other) == whole


def kill_actors() -> list[int]:
    """Kill -9 every actor process of this session's Ray; their process ids."""
    killed = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if words.startswith(b"ray::FrameActor"):
            os.kill(int(entry.name), signal.SIGKILL)
            killed.append(int(entry.name))
    return killed


def test_frames_prove_themselves(shot: Shot, whole: dict[int, bytes]) -> None:
    layout = OutputLayout.of(shot)
    for number in whole:
        recipe = read_recipe_of(layout.alpha(number))
        assert is_current(layout.alpha(number), recipe)
        assert is_current(layout.alpha(number), "0" * 64) is None


def read_recipe_of(path: Path) -> str:
    from plugin.exr.alpha_file import read_alpha

    return read_alpha(path).provenance["recipe"]
