"""Stabilised jobs: the same pixels however they are split, and nothing left behind."""

from __future__ import annotations

import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from plugin.driver.run import run
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.verify import Fault, verify
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


def test_raw_alphas_go_when_they_have_served(shot: Shot, whole: dict[int, bytes]) -> None:
    assert whole
    assert not (shot.out / "raw").exists()
    assert verify(shot.out).complete


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
    assert result.calls == 5  # 1001 to 1003, and the raw alphas that those look at


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
