"""A stranger changes files while a run goes on: no frame under a false name; the next run mends it.

Whatever was made of what, each record says so; the frames that a change touched fail by number.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from plugin.driver.run import run
from plugin.errors import FrameError, SurroundingsError, WeightsError
from plugin.framerange import FrameRange
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.result.manifest import Manifest
from plugin.result.verify import verify
from plugin.types import FrameResult, FrameState
from tests.jobs import alphas
from tests.small_plate import FRAMES, every_pixel, mask, picture, replace_by, small_shot
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    return small_shot(tmp_path)


class Meddled(InProcessExecutor):
    """Does something before the workers start."""

    def __init__(self, meddle: Callable[[], object]) -> None:
        super().__init__(every_pixel)
        self.meddle = meddle

    def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
        self.meddle()
        return super().run(job, tasks)


class When(QuietProgress):
    """Does something after a frame."""

    def __init__(self, number: int, meddle: Callable[[], object]) -> None:
        self.number, self.meddle, self.states = number, meddle, {}  # type: ignore[var-annotated]

    def frame(self, result: FrameResult) -> None:
        if result.number == self.number and result.number not in self.states:
            self.meddle()
        self.states[result.number] = result.state.value


def here(shot: Shot, **more: object) -> Manifest:
    return run(shot, executor=InProcessExecutor(every_pixel), **more)  # type: ignore[arg-type]


def _true(shot: Shot, tmp_path: Path) -> dict[int, bytes]:
    fresh = shot.model_copy(update={"out": tmp_path / "true"})
    here(fresh)
    return alphas(fresh)


@pytest.mark.parametrize("of", ["plate", "mask"])
@pytest.mark.parametrize("when", [1001, 1002, 1003, 1006])
def test_a_file_replaced_during_a_run_fails_the_frames_it_touched(
    shot: Shot, tmp_path: Path, of: str, when: int
) -> None:
    made = picture(1004, 9) if of == "plate" else mask(1004, 9)
    progress = When(when, lambda: replace_by(tmp_path / of / f"{of[0]}.1004.png", made))
    first = here(shot, progress=progress)
    touched = set(first.not_done)
    assert {n for n, state in progress.states.items() if state == "failed"} == touched
    second = here(shot)
    assert second.not_done == FrameRange(())
    true = _true(shot, tmp_path)
    assert alphas(shot) == true
    good = {n: digest.digest for n, digest in second.frames.items()}
    for number, record in first.frames.items():
        if record.state is FrameState.DONE:
            assert record.digest == good[number]  # what passed as done was of the file as it is


def test_a_file_that_is_back_at_the_end_was_never_another_to_the_frames(
    shot: Shot, tmp_path: Path
) -> None:
    path, kept = tmp_path / "plate/p.1004.png", tmp_path / "kept.png"
    shutil.copy(path, kept)
    progress = When(1002, lambda: replace_by(path, picture(1004, 9)))
    back = When(1006, lambda: shutil.copy(kept, path))

    class Both(QuietProgress):
        def frame(self, result: FrameResult) -> None:
            progress.frame(result)
            back.frame(result)

    manifest = here(shot, progress=Both())
    true = _true(shot, tmp_path)
    there = alphas(shot)
    done = manifest.in_state(FrameState.DONE)
    assert {n: there[n] for n in done} == {n: true[n] for n in done}


@pytest.mark.parametrize("of", ["plate", "mask"])
def test_a_replaced_folder_before_the_workers_start_is_read_as_it_is(
    shot: Shot, tmp_path: Path, of: str
) -> None:
    make = picture if of == "plate" else mask

    def meddle() -> None:
        for number in FRAMES:
            replace_by(tmp_path / of / f"{of[0]}.{number}.png", make(number, 5))

    run(shot, executor=Meddled(meddle))
    assert alphas(shot) == _true(shot, tmp_path)


def test_an_override_replaced_before_the_workers_start_ends_the_run(
    shot: Shot, tmp_path: Path
) -> None:
    file = tmp_path / "o.json"
    text = '{"schema": "trimap-override/1", "shot": "p", "plate": {"width": 64, "height": 48}, '
    file.write_text(text + '"rules": []}')
    with pytest.raises(SurroundingsError, match="changed since the job began"):
        run(
            shot.model_copy(update={"override": str(file)}),
            executor=Meddled(lambda: file.write_text(text + '"rules":  []}')),
        )


def test_tracked_masks_are_not_those_of_the_same_frames_in_another_order(
    shot: Shot, tmp_path: Path
) -> None:
    tracked = shot.model_copy(
        update={
            "mask": None,
            "segment": "track",
            "keyframe": (f"1001={tmp_path}/mask/m.1001.png",),
            "device": "cpu",
        }
    )
    here(tracked)
    for number in FRAMES[1:]:
        (tmp_path / f"plate/p.{number}.png").rename(tmp_path / f"t{number}")
    for number in FRAMES[1:]:
        (tmp_path / f"t{number}").rename(tmp_path / f"plate/p.{2008 - number}.png")
    here(tracked)
    assert alphas(tracked) == _true(tracked, tmp_path)


def test_weights_that_are_no_numbers_are_refused_before_anything_is_written(
    shot: Shot, tmp_path: Path
) -> None:
    from model.inference.weight_files import find_weights

    content = find_weights("lite").path.read_bytes()
    head = 8 + int.from_bytes(content[:8], "little")
    for name, tail in (("nan", b"\xff"), ("absurd", b"\x7e")):
        file = tmp_path / f"{name}.safetensors"
        file.write_bytes(content[:head] + tail * (len(content) - head))
        with pytest.raises(WeightsError, match="no numbers"):
            here(shot.model_copy(update={"model": str(file)}))
    assert not shot.out.exists()


def test_what_a_network_puts_out_must_be_numbers() -> None:
    from model import Matter

    matter = Matter("lite", device="cpu")
    for parameter in matter.network.parameters():
        parameter.data.fill_(float("nan"))
    trimap = np.full((32, 32), 128, np.uint8)
    with pytest.raises(FrameError, match="no number"):
        matter(np.zeros((32, 32, 3), np.float32), trimap)


def test_a_plate_that_goes_away_says_nothing_against_its_frames(shot: Shot, tmp_path: Path) -> None:
    manifest = here(shot, progress=When(1006, lambda: shutil.rmtree(tmp_path / "plate")))
    assert str(manifest.in_state(FrameState.DONE)) == "1001-1006"
    assert verify(shot.out).complete
