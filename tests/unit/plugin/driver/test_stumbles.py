"""Exceptions that are not ours: a frame that a library stumbles over fails alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from plugin.driver.plan import Plan
from plugin.driver.probe import anchored, probe_job
from plugin.driver.run import run
from plugin.errors import DeviceError, SurroundingsError
from plugin.framerange import FrameRange
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.verify import verify
from plugin.types import FloatArray, LabelArray
from tests.jobs import LumaMatter, creature
from tests.media import write_image
from workers.frame_worker import FrameWorker
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return creature(tmp_path_factory.mktemp("creature"))


class Stumbling(LumaMatter):
    """Raises for the picture that it meets third, so many times; afterwards it is well."""

    def __init__(self, times: int, error: Exception) -> None:
        self.times, self.error = times, error
        self.met: list[bytes] = []

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        picture = np.ascontiguousarray(image).tobytes()
        if picture not in self.met:
            self.met.append(picture)
        if self.met.index(picture) == 2 and self.times > 0:
            self.times -= 1
            raise self.error
        return super().__call__(image, trimap)


def stumbling(times: int, error: Exception) -> InProcessExecutor:
    matter = Stumbling(times, error)

    def make(_plan: Plan) -> Stumbling:
        return matter

    return InProcessExecutor(make)


@pytest.mark.parametrize("stabilise", [0, 2])
@pytest.mark.parametrize("error", [cv2.error("cv2 is unwell"), RuntimeError("so is torch")])
def test_a_frame_that_is_stumbled_over_fails_alone(
    rendered: Shot, tmp_path: Path, stabilise: int, error: Exception
) -> None:
    shot = rendered.model_copy(update={"out": tmp_path / "o", "stabilise": stabilise})
    manifest = run(shot, executor=stumbling(10_000, error))
    states = Counter(frame.state.value for frame in manifest.frames.values())
    assert states == {"done": 5, "failed": 1}
    (number,) = manifest.not_done
    said = manifest.frames[number].error
    assert "set aside after 3 tries" in said
    assert str(error) in said
    assert f"frame {number}" in said


@pytest.mark.parametrize("stabilise", [0, 2])
def test_a_stumble_that_passes_is_not_seen(rendered: Shot, tmp_path: Path, stabilise: int) -> None:
    shot = rendered.model_copy(update={"out": tmp_path / "o", "stabilise": stabilise})
    run(shot, executor=stumbling(2, ValueError("for a moment")))
    assert verify(shot.out).complete


def test_a_device_that_fails_still_ends_the_run(rendered: Shot, tmp_path: Path) -> None:
    shot = rendered.model_copy(update={"out": tmp_path / "o"})
    broken = DeviceError("gone", where="cuda", fix="look at it")
    with pytest.raises(DeviceError):
        run(shot, executor=stumbling(10_000, broken))


class CardMatter(LumaMatter):
    """On a GPU its third call fails, as all after it; on a CPU it works."""

    def __init__(self, plan: Plan) -> None:
        self.kind, self.calls = plan.device, 0

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        self.calls += 1
        if self.kind == "cuda" and self.calls > 2:
            raise DeviceError("it failed", where="cuda", fix="look at it")
        return super().__call__(image, trimap)


@pytest.mark.parametrize("stabilise", [0, 2])
@pytest.mark.parametrize("wishes", [{}, {"device": "cuda"}, {"precision": "fp16"}])
def test_a_gpu_that_fails_leaves_the_rest_to_the_cpu_where_that_was_left_open(
    rendered: Shot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stabilise: int,
    wishes: dict[str, str],
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    shot = rendered.model_copy(
        update={"out": tmp_path / "o", "stabilise": stabilise, "device": "auto", **wishes}
    )
    notes: list[str] = []
    executor = InProcessExecutor(CardMatter, say=notes.append)
    if wishes:
        with pytest.raises(DeviceError):
            run(shot, executor=executor)
        return
    manifest = run(shot, executor=executor)
    assert verify(shot.out).complete
    devices = [record.device for _, record in sorted(manifest.frames.items())]
    done = devices.count("cuda")
    assert devices == ["cuda"] * done + ["cpu"] * (len(devices) - done)
    assert done <= 2
    (note,) = notes
    assert "the GPU fails" in note
    assert f"{1001 + done}-1006" in note


@pytest.mark.parametrize("stabilise", [0, 2])
def test_a_frame_that_is_with_the_network_when_its_worker_is_given_up_leaves_nothing(
    rendered: Shot, tmp_path: Path, stabilise: int
) -> None:
    shot = rendered.model_copy(update={"out": tmp_path / "o", "stabilise": stabilise})
    workers: list[FrameWorker] = []

    class Late(LumaMatter):
        """By the time that it answers, the worker is closed."""

        def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
            workers[0].close()
            return super().__call__(image, trimap)

    plan, _, _ = probe_job(anchored(shot), "alpha", QuietProgress())
    layout = OutputLayout.of(shot)
    layout.prepare({"alpha", "raw"})
    workers.append(FrameWorker(plan, lambda _plan: Late()))
    with pytest.raises(SurroundingsError, match="given up"):
        workers[0].do(1001)
    assert [path for path in shot.out.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("way", ["chroma", "auto", "clean-plate"])
@pytest.mark.parametrize("damaged", [{1001}, {1005, 1009}])
def test_a_damaged_frame_fails_alone_though_the_shot_is_settled_by_looking_at_it(
    tmp_path: Path, way: Literal["chroma", "auto", "clean-plate"], damaged: set[int]
) -> None:
    y, x = np.mgrid[:48, :96]
    empty = np.full((48, 96, 3), (26, 190, 44), np.uint8) + (x % 3)[..., None].astype(np.uint8)
    write_image(tmp_path / "empty.png", empty)
    for number in range(1001, 1010):
        inside = np.hypot(x - 30 - 3 * (number - 1001), y - 24) < 12
        plate = np.where(inside[..., None], np.array((200, 60, 50), np.uint8), empty)
        path = tmp_path / f"p.{number}.png"
        write_image(path, plate)
        if number in damaged:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    shot = Shot(
        plate=str(tmp_path / "p.%04d.png"),
        out=tmp_path / "out",
        segment=way,
        clean_plate=str(tmp_path / "empty.png") if way == "clean-plate" else None,
        report=False,
        stabilise=0,
    )
    manifest = run(shot, executor=InProcessExecutor(lambda _plan: LumaMatter()))
    assert set(manifest.not_done) == damaged
    assert len(manifest.frames) == 9
    told = [note for note in manifest.assumed if "settled without" in note]
    assert [note.rpartition(": ")[2] for note in told] == [FrameRange.of(damaged).brief]
    assert all("damaged" in manifest.frames[number].error for number in damaged)
