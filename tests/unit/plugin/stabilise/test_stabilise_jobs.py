"""Stabilised jobs: the same pixels however they are split, and nothing left behind."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from plugin.driver.run import run
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import load
from plugin.result.raw_files import drop_raws
from plugin.result.verify import Fault, verify
from plugin.stabilise.plan import StabilisePlan
from plugin.types import FloatArray, LabelArray, Matter
from tests.jobs import LumaMatter, alphas, creature
from workers.in_process import InProcessExecutor
from workers.neighbours import Source
from workers.raw_alphas import RawAlphas
from workers.stage_clock import Stages

pytestmark = pytest.mark.slow

FRAMES = 6


class Counting(LumaMatter):
    """Notes how often it is called; its alpha flickers from picture to picture."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        self.calls += 1
        adapted, alpha = super().__call__(image, trimap)
        swing = np.float32(0.5 + 0.5 * np.modf(float(image.sum()) * 7.3)[0])
        return adapted, np.where((alpha > 0) & (alpha < 1), alpha * swing, alpha)


def matted(shot: Shot, matter: Counting | None = None) -> Counting:
    matter = matter or Counting()

    def make(_: object) -> Matter:
        return matter

    run(shot, executor=InProcessExecutor(make))
    return matter


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    made = creature(tmp_path_factory.mktemp("steady"), frames=FRAMES)
    return made.model_copy(update={"stabilise": 2})


@pytest.fixture(scope="module")
def whole(shot: Shot) -> dict[int, bytes]:
    assert matted(shot).calls == FRAMES
    return alphas(shot)


def elsewhere(shot: Shot, tmp_path: Path, **changes: object) -> Shot:
    return shot.model_copy(update={"out": tmp_path / "out", **changes})


def test_it_does_something(shot: Shot, whole: dict[int, bytes], tmp_path: Path) -> None:
    raw = elsewhere(shot, tmp_path, stabilise=0)
    matted(raw)
    assert all(alphas(raw)[number] != whole[number] for number in whole)


def test_raw_alphas_stay_while_they_are_small(
    shot: Shot, whole: dict[int, bytes], tmp_path: Path
) -> None:
    """And go where they are not, but for those that a frame which was asked for waits for."""
    here = elsewhere(shot, tmp_path, frames="1002-1003")
    matted(here)
    layout, frames = OutputLayout.of(here), FrameRange.span(1002, 1003)
    assert layout.pattern("raw").scan().numbers == (1001, 1002, 1003, 1004, 1005)
    plan = StabilisePlan(radius=2, frames=FrameRange.of(whole))
    assert drop_raws(layout, plan, frames) == 0
    layout.alpha(1003).unlink()
    assert drop_raws(layout, plan, frames, most=0) == 0  # all are in reach of 1003
    assert (
        drop_raws(layout, StabilisePlan(radius=1, frames=FrameRange.of(whole)), frames, most=0) == 2
    )
    matted(here)
    assert {n: alphas(here)[n] for n in frames} == {n: whole[n] for n in frames}
    assert drop_raws(layout, plan, frames, most=0) == 5
    assert not (here.out / "raw").exists()
    assert verify(here.out).complete


@pytest.mark.parametrize("radius", [0, 2])
@pytest.mark.parametrize(
    "changes",
    [{"choke": 1.5}, {"channels": "a"}, {"channels": "fg"}, {"soften": 2.0, "despeckle": 4.0}],
    ids=str,
)
def test_another_finish_does_not_ask_the_network(
    shot: Shot, tmp_path: Path, radius: int, changes: dict[str, object]
) -> None:
    here = elsewhere(shot, tmp_path, stabilise=radius, report=True)
    matted(here)
    told = load(here.out / "manifest.json").frames
    other = here.model_copy(update=changes)
    assert matted(other).calls == 0
    afresh = other.model_copy(update={"out": tmp_path / "afresh"})
    assert matted(afresh).calls == FRAMES
    assert alphas(other) == alphas(afresh)
    now = load(here.out / "manifest.json").frames
    assert [r.statistics["confidence"] for r in now.values()] == [
        r.statistics["confidence"] for r in told.values()
    ]
    assert verify(here.out).complete


def test_a_plate_too_large_to_keep_gives_the_same(
    shot: Shot, whole: dict[int, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.raw_alphas.LARGE", 100)
    again = elsewhere(shot, tmp_path)
    assert matted(again).calls == FRAMES
    assert alphas(again) == whole


def test_the_next_frame_is_read_while_this_one_has_the_network(
    shot: Shot, whole: dict[int, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    changed = threading.Condition()
    plain = RawAlphas.read

    def noted(self: RawAlphas, number: int, stages: Stages) -> Source:
        source = plain(self, number, stages)
        with changed:
            # No sooner than the frame before has the network, whichever thread runs first.
            assert changed.wait_for(lambda: patient.calls >= number - min(whole), timeout=300)
            read.append(number)
            changed.notify_all()
        return source

    class Patient(Counting):
        """Keeps the network until one more frame was read than it has seen; none after the last."""

        def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
            found = super().__call__(image, trimap)
            with changed:
                changed.notify_all()
                assert changed.wait_for(
                    lambda: len(read) > min(self.calls, FRAMES - 1), timeout=300
                )
            return found

    patient = Patient()
    monkeypatch.setattr(RawAlphas, "read", noted)
    again = elsewhere(shot, tmp_path)
    matted(again, patient)
    assert alphas(again) == whole
    assert sorted(read) == sorted(whole)  # each once: none was let go too early


@pytest.mark.parametrize("chunks", [("1004-1006", "1001-1003"), ("1003", "1001-1002,1004-1006")])
def test_the_same_pixels_from_tasks_of_a_farm(
    shot: Shot, whole: dict[int, bytes], tmp_path: Path, chunks: tuple[str, ...]
) -> None:
    for frames in chunks:
        matted(elsewhere(shot, tmp_path, frames=frames))
    assert alphas(elsewhere(shot, tmp_path)) == whole


def test_a_resumed_run_has_the_same_pixels(
    shot: Shot, whole: dict[int, bytes], tmp_path: Path
) -> None:
    here = elsewhere(shot, tmp_path)
    matted(here)
    for number in (1002, 1005):
        OutputLayout.of(here).alpha(number).unlink()
    matted(here)
    assert alphas(here) == whole
    assert matted(here).calls == 0


def test_kept_raw_alphas_spare_the_network(
    shot: Shot, whole: dict[int, bytes], tmp_path: Path
) -> None:
    here = elsewhere(shot, tmp_path, keep=frozenset({"raw", "trimap"}))
    assert matted(here).calls == FRAMES
    assert alphas(here) == whole
    other = here.model_copy(update={"stabilise": 1, "choke": 1.0})
    assert matted(other).calls == 0
    assert alphas(here) != whole
    raw = OutputLayout.of(here).raw(1003)
    raw.write_bytes(raw.read_bytes()[:-40])
    assert [(f.fault, f.frame) for f in verify(here.out).findings] == [(Fault.DAMAGED, 1003)]
    assert matted(here).calls == 1
    assert alphas(here) == whole


def sequence(shot: Shot, tmp_path: Path) -> Shot:
    """The same plate as pictures, which can change one by one."""
    video = cv2.VideoCapture(shot.plate)
    for number in range(1001, 1001 + FRAMES):
        cv2.imwrite(str(tmp_path / f"p.{number}.png"), video.read()[1])
    return elsewhere(shot, tmp_path, plate=str(tmp_path / "p.%04d.png"))


def test_a_changed_neighbour_is_seen(shot: Shot, tmp_path: Path) -> None:
    here = sequence(shot, tmp_path)
    matted(here)
    before = alphas(here)
    picture = cv2.imread(str(tmp_path / "p.1001.png"))
    assert picture is not None
    cv2.imwrite(str(tmp_path / "p.1001.png"), picture // 2)
    result = matted(here)
    after = alphas(here)
    assert [n for n in before if before[n] != after[n]][:1] == [1001]
    assert [before[n] == after[n] for n in (1004, 1005, 1006)] == [True] * 3
    assert result.calls == 1  # that frame alone: what 1002 and 1003 look at beside it is there


def test_a_neighbour_that_fails_is_left_out_until_it_can_be_had(shot: Shot, tmp_path: Path) -> None:
    here = sequence(shot, tmp_path)
    matted(here)
    before = alphas(here)
    good = (tmp_path / "p.1002.png").read_bytes()
    broken = elsewhere(here, tmp_path / "other")
    (tmp_path / "p.1002.png").write_bytes(good[: len(good) // 2])
    matted(broken)
    assert sorted(alphas(broken)) == [1001, 1003, 1004, 1005, 1006]
    (tmp_path / "p.1002.png").write_bytes(good)
    matted(broken)
    assert alphas(broken) == before
