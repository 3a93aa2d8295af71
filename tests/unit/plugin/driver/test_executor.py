"""The executor is chosen by the work there is; what one frame costs is not Ray's start."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from plugin.driver.executor import choose_executor, lacking
from plugin.driver.probe import anchored, probe_job
from plugin.driver.run import run
from plugin.framerange import FrameRange
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest, PlateRecord, load
from tests.jobs import creature, luma_matter
from workers.in_process import InProcessExecutor
from workers.ray_executor import RayExecutor

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    made = creature(tmp_path_factory.mktemp("work"))
    return anchored(made.model_copy(update={"stabilise": 2, "workers": 2, "device": "cpu"}))


def head_of(shot: Shot) -> Manifest:
    plan, info, frames = probe_job(shot, "alpha", QuietProgress())
    return Manifest(
        version="1",
        shot=shot,
        plate=PlateRecord.of(info, plan.plate),
        model=shot.model,
        weights=plan.weights,
        asked=frames,
    )


@pytest.mark.parametrize(
    ("frames", "pixels", "changes", "kind"),
    [
        (1, 2_000_000, {}, InProcessExecutor),
        (1000, 2_000_000, {}, RayExecutor),
        (6, 6_000, {}, InProcessExecutor),
        (1, 50_000_000, {}, RayExecutor),
        (1, 50_000_000, {"stabilise": 0, "workers": 1, "executor": "process"}, InProcessExecutor),
        (1, 6_000, {"executor": "ray"}, RayExecutor),
        (1, 6_000, {"address": "head:6379"}, RayExecutor),
    ],
    ids=str,
)
def test_few_frames_do_not_pay_for_ray(
    shot: Shot, frames: int, pixels: int, changes: dict[str, object], kind: type
) -> None:
    other = shot.model_copy(update=changes)
    plan, _, _ = probe_job(other, "alpha", QuietProgress())
    asked = FrameRange.span(1001, 1000 + frames)
    assert type(choose_executor(plan, asked, pixels, head_of(other))) is kind


def test_frames_that_are_there_are_no_work(shot: Shot, tmp_path: Path) -> None:
    here = shot.model_copy(update={"out": tmp_path / "out"})
    layout, frames = OutputLayout.of(here), FrameRange.span(1001, 1006)
    assert lacking(layout, frames, head_of(here)) == frames
    run(here, executor=InProcessExecutor(luma_matter))
    assert not lacking(layout, frames, head_of(here))
    layout.alpha(1002).unlink()
    assert lacking(layout, frames, head_of(here)) == FrameRange.span(1002, 1002)
    assert lacking(layout, frames, head_of(here.model_copy(update={"erode": 3.0}))) == frames


def test_a_program_that_calls_us_keeps_its_threads(shot: Shot, tmp_path: Path) -> None:
    import torch

    torch.set_num_threads(2)
    here = shot.model_copy(update={"out": tmp_path / "out", "stabilise": 0})
    run(here, executor=InProcessExecutor(luma_matter, settled=True))
    assert torch.get_num_threads() == 2
    assert len(load(here.out / "manifest.json").frames) == 6


def test_one_frame_is_made_without_ray(
    shot: Shot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # an import of it fails
    here = shot.model_copy(update={"out": tmp_path / "out", "frames": FrameRange((1003,))})
    manifest = run(here)
    assert [record.state.value for record in manifest.frames.values()] == ["done"]
    said = json.loads((here.out / "progress.json").read_text())
    assert (said["state"], said["exit"], said["done"]) == ("ended", 0, 1)
