"""No file is opened more often than its bytes are needed: counted by the kernel, not by a fake."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import OpenEXR  # type: ignore[import-not-found]
import pytest

from plugin.driver.probe import probe_job
from plugin.driver.run import run
from plugin.framerange import FrameRange
from plugin.plates import open_plate
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.raw_files import Raw, RawFiles
from plugin.types import UNKNOWN, Window
from tests.jobs import alphas, luma_matter
from tests.opens import opens_in
from workers.farm import plan_farm_job, write_farm_job
from workers.frame_worker import FrameWorker
from workers.in_process import InProcessExecutor

FRAMES = range(1001, 1013)
LONG_AGO = 1_700_000_000


def _write(path: Path, pixels: np.ndarray, x: int = 0) -> None:
    window = (np.array([x, 0], np.int32), np.array([x + 31, 23], np.int32))
    display = (np.array([0, 0], np.int32), np.array([39, 23], np.int32))
    header = {
        "type": OpenEXR.scanlineimage,
        "compression": OpenEXR.ZIPS_COMPRESSION,
        "dataWindow": window,
        "displayWindow": display,
    }
    OpenEXR.File(header, {"RGB" if pixels.ndim == 3 else "Y": pixels}).write(str(path))
    os.utime(path, (LONG_AGO, LONG_AGO))  # a young file may change and keep its times


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    """EXRs with a mask each; the data window moves in frames that nobody asks for."""
    for folder in ("plate", "mask", "out"):
        (tmp_path / folder).mkdir()
    for number in FRAMES:
        colour = np.full((24, 32, 3), 0.2, np.float32)
        colour[6:18, 8:24] = 0.1 + (number % 7) / 10
        _write(tmp_path / f"plate/p.{number}.exr", colour, x=8 if number == 1011 else 0)
        _write(tmp_path / f"mask/m.{number}.exr", (colour[..., 0] > 0.25).astype(np.float32))
    return Shot(
        plate=str(tmp_path / "plate/p.%04d.exr"),
        mask=str(tmp_path / "mask/m.%04d.exr"),
        out=tmp_path / "out",
        report=False,
        stabilise=0,
        workers=1,
        device="cpu",
        executor="process",
    )


@pytest.mark.parametrize("radius", [0, 2])
def test_a_worker_opens_each_picture_once_a_frame(shot: Shot, tmp_path: Path, radius: int) -> None:
    for folder in ("alpha", "raw"):
        (shot.out / folder).mkdir()
    plan, _, _ = probe_job(shot.model_copy(update={"stabilise": radius}), "alpha", QuietProgress())
    worker = FrameWorker(plan, luma_matter)
    with opens_in(tmp_path / "plate") as plates, opens_in(tmp_path / "mask") as masks:
        for number in (1004, 1005):
            assert worker.do(number).error == ""
    near = range(1004 - radius, 1006 + radius)
    assert plates == {f"p.{number}.exr": 1 for number in near}
    assert masks == {f"m.{number}.exr": 1 for number in near}


def test_the_driver_looks_for_the_plates_files_once(shot: Shot, tmp_path: Path) -> None:
    with opens_in(tmp_path / "plate") as opened:
        run(shot, executor=_executor())
    assert opened["."] == 2  # the driver, and the one worker


def test_a_farms_task_looks_at_the_headers_of_its_own_frames(shot: Shot, tmp_path: Path) -> None:
    apart = shot.model_copy(update={"out": tmp_path / "whole"})
    whole = run(apart, executor=_executor())
    write_farm_job("openjd", plan_farm_job(shot, QuietProgress()))
    task = shot.model_copy(update={"frames": FrameRange.span(1004, 1007)})
    with opens_in(tmp_path / "plate") as opened:
        part = run(task, executor=_executor())
    assert set(opened) == {".", *(f"p.{n}.exr" for n in (1001, 1004, 1005, 1006, 1007))}
    assert alphas(shot) == {n: alpha for n, alpha in alphas(apart).items() if 1004 <= n <= 1007}
    assert all(whole.frames[n].recipe == record.recipe for n, record in part.frames.items())


@pytest.mark.parametrize("change", ["moved further", "added", "gone"])
def test_a_plate_that_is_another_since_the_job_was_written_is_looked_at_anew(
    shot: Shot, tmp_path: Path, change: str
) -> None:
    write_farm_job("openjd", plan_farm_job(shot, QuietProgress()))
    number = {"moved further": 1011, "added": 1013, "gone": 1011}[change]
    path = tmp_path / f"plate/p.{number}.exr"
    if change == "gone":
        path.unlink()
    else:
        _write(path, np.full((24, 32, 3), 0.2, np.float32), x=4)
    task = shot.model_copy(update={"frames": FrameRange.span(1004, 1007)})
    plan, _, _ = probe_job(task, "alpha", QuietProgress())
    afresh, _, _ = probe_job(
        task.model_copy(update={"out": tmp_path / "other"}), "alpha", QuietProgress()
    )
    assert plan.canvas == afresh.canvas
    assert (plan.canvas is None) == (change == "gone")


@pytest.mark.parametrize("content", ["", "{}", "[" * 5000, '{"files": "", "window": null}'])
def test_what_a_job_found_is_no_more_than_a_help(shot: Shot, content: str) -> None:
    (shot.out / "canvas.json").write_text(content)
    plan, _, _ = probe_job(shot, "alpha", QuietProgress())
    assert plan.canvas == Window(0, 0, 39, 23)


@pytest.mark.parametrize(
    "window",
    [
        "null",
        "[0, 0, 9, 9]",
        "[39, 23, 0, 0]",
        "[-70000, 0, 70000, 23]",
        "[-30000, -30000, 30000, 30000]",
    ],
)
def test_a_window_that_cannot_be_is_not_believed(shot: Shot, window: str) -> None:
    """Of the right files, but damaged; a frame in whose own window the others are not is asked."""
    job = plan_farm_job(shot, QuietProgress())
    assert job.canvas is not None
    text = f'{{"files": "{job.canvas.files}", "window": {window}}}'
    (shot.out / "canvas.json").write_text(text)
    task = shot.model_copy(update={"frames": FrameRange.of((1004, 1011))})
    plan, _, _ = probe_job(task, "alpha", QuietProgress())
    assert plan.canvas == job.canvas.window == Window(0, 0, 39, 23)


def test_a_raw_alpha_and_what_goes_with_it_are_of_one_look_at_the_file(shot: Shot) -> None:
    """Another task may put another file there, or none, between two looks."""
    (shot.out / "raw").mkdir()
    plate = open_plate(shot.plate)
    raws = RawFiles(OutputLayout.of(shot), plate.info, "float")
    alpha, sure = np.random.default_rng(1).random((2, 24, 32), np.float32)
    labels = np.full((24, 32), UNKNOWN, np.uint8)
    for recipe, beside in (("a", None), ("b", sure)):
        raws.write(plate.read(1001), Raw(alpha, labels, labels, {}, beside), recipe)
        with opens_in(shot.out / "raw") as opened:
            found = raws.read(1001, recipe)
        assert set(opened.values()) == {1}
        assert found is not None
        np.testing.assert_array_equal(found[0].alpha, alpha)
        np.testing.assert_array_equal(found[0].confidence, beside)


def _executor() -> InProcessExecutor:
    return InProcessExecutor(luma_matter)
