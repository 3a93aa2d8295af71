"""The driver with an executor in this process: planning, resuming, books, failures."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from plugin.driver.run import run, segment, trimap
from plugin.errors import Interrupted, MaskError, PlateError, SurroundingsError
from plugin.framerange import FrameRange
from plugin.progress.modes import Progress, QuietProgress
from plugin.request.shot import Shot
from plugin.result.grey_png import read_grey
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest
from plugin.result.verify import verify
from plugin.types import FloatArray, FrameResult, FrameState
from tests.jobs import alphas, creature, luma_matter
from tests.media import write_exr, write_image
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow


class Recorded(QuietProgress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.results: list[FrameResult] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def frame(self, result: FrameResult) -> None:
        self.results.append(result)


def here(shot: Shot, progress: Progress | None = None) -> Manifest:
    return run(shot, progress=progress, executor=InProcessExecutor(luma_matter))


def flat(value: float) -> dict[str, FloatArray]:
    return {channel: np.full((16, 24), value, np.float32) for channel in "RGB"}


def states(recorded: Recorded) -> dict[int, str]:
    return {result.number: result.state.value for result in recorded.results}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return creature(tmp_path_factory.mktemp("creature"))


@pytest.fixture
def shot(rendered: Shot, tmp_path: Path) -> Shot:
    return rendered.model_copy(update={"out": tmp_path / "out"})


def test_a_run_does_every_frame_and_its_result_is_verified(shot: Shot) -> None:
    manifest = here(shot)
    assert str(manifest.in_state(FrameState.DONE)) == "1001-1006"
    assert manifest.ended is not None
    assert verify(shot.out).complete
    assert sorted(alphas(shot)) == list(range(1001, 1007))
    progress = json.loads((shot.out / "progress.json").read_text())
    assert (progress["state"], progress["done"], progress["exit"]) == ("ended", 6, 0)
    assert [f.name for f in shot.out.rglob("*.tmp")] == []


def test_a_second_run_computes_nothing_and_changes_no_file(shot: Shot) -> None:
    here(shot)
    before = {f: f.stat().st_ino for f in (shot.out / "alpha").iterdir()}
    recorded = Recorded()
    here(shot, recorded)
    assert set(states(recorded).values()) == {"skipped"}
    assert {f: f.stat().st_ino for f in (shot.out / "alpha").iterdir()} == before


def test_what_is_damaged_missing_or_of_other_settings_is_computed_again(shot: Shot) -> None:
    here(shot)
    whole = alphas(shot)
    layout = OutputLayout.of(shot)
    layout.alpha(1002).unlink()
    data = bytearray(layout.alpha(1004).read_bytes())
    data[len(data) // 2] ^= 0x10
    layout.alpha(1004).write_bytes(data)
    shutil.copy(layout.alpha(1001), layout.alpha(1005))
    recorded = Recorded()
    here(shot, recorded)
    computed = {n for n, state in states(recorded).items() if state == "done"}
    assert computed == {1002, 1004, 1005}
    assert alphas(shot) == whole
    wider = Recorded()
    here(shot.model_copy(update={"dilate": 40.0}), wider)
    assert set(states(wider).values()) == {"done"}


def test_force_computes_all_again(shot: Shot) -> None:
    here(shot)
    recorded = Recorded()
    here(shot.model_copy(update={"force": True}), recorded)
    assert set(states(recorded).values()) == {"done"}


@pytest.mark.parametrize("change", [{"bits": "float"}, {"channels": "a"}, {"compression": "piz"}])
def test_another_kind_of_file_is_another_result(shot: Shot, change: dict[str, str]) -> None:
    here(shot)
    recorded = Recorded()
    here(shot.model_copy(update=change), recorded)
    assert set(states(recorded).values()) == {"done"}


@pytest.mark.parametrize("chunk", [1, 2, 4, 6])
def test_the_pixels_do_not_depend_on_chunks_or_order(shot: Shot, chunk: int) -> None:
    here(shot)
    whole = alphas(shot)

    class Backwards(InProcessExecutor):
        def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
            return super().run(job, reversed(list(tasks)))

    again = shot.model_copy(update={"chunk": chunk, "out": shot.out.with_name("again")})
    run(again, executor=Backwards(luma_matter))
    assert alphas(again) == whole


def test_a_part_of_a_shot_gives_the_same_frames_and_keeps_the_rest_of_the_books(shot: Shot) -> None:
    here(shot)
    whole = alphas(shot)
    part = shot.model_copy(update={"out": shot.out.with_name("part")})
    here(part.model_copy(update={"frames": FrameRange.parse("1002-1005x2")}))
    assert alphas(part) == {number: whole[number] for number in (1002, 1004)}
    manifest = here(part.model_copy(update={"frames": FrameRange.parse("1005")}))
    assert sorted(manifest.frames) == [1002, 1004, 1005]
    assert str(manifest.asked) == "1002,1004-1005"


def test_kept_pictures_are_there_and_are_made_again_when_they_are_gone(shot: Shot) -> None:
    kept = shot.model_copy(update={"keep": frozenset({"mask", "trimap", "adapted"})})
    here(kept)
    layout = OutputLayout.of(kept)
    assert set(np.unique(read_grey(layout.pattern("trimap").path(1003)))) <= {0, 128, 255}
    layout.pattern("adapted").path(1003).unlink()
    recorded = Recorded()
    here(kept, recorded)
    assert states(recorded)[1003] == "done"
    assert layout.pattern("adapted").path(1003).is_file()


def test_masks_and_trimaps_alone(shot: Shot) -> None:
    executor = InProcessExecutor(luma_matter)
    segment(shot, executor=executor)
    trimap(shot, executor=executor)
    layout = OutputLayout.of(shot)
    assert str(layout.pattern("mask").scan()) == "1001-1006"
    assert str(layout.pattern("trimap").scan()) == "1001-1006"
    assert not (shot.out / "alpha").exists()


def test_trimaps_in_a_folder_of_mattes_leave_its_manifest_to_the_mattes(shot: Shot) -> None:
    here(shot.model_copy(update={"frames": FrameRange.parse("1001-1004")}))
    before = (shot.out / "manifest.json").read_bytes()
    executor = InProcessExecutor(luma_matter)
    segment(shot, executor=executor)
    trimap(shot.model_copy(update={"erode": 9}), executor=executor)
    assert (shot.out / "manifest.json").read_bytes() == before
    assert verify(shot.out).complete


def test_ready_trimaps_replace_segmentation(shot: Shot) -> None:
    executor = InProcessExecutor(luma_matter)
    trimap(shot, executor=executor)
    layout = OutputLayout.of(shot)
    ready = shot.model_copy(
        update={
            "mask": None,
            "trimap": str(layout.pattern("trimap")),
            "out": shot.out.with_name("ready"),
        }
    )
    here(ready)
    here(shot)
    assert alphas(ready) == alphas(shot)


def test_a_frame_that_fails_is_named_and_the_others_are_done(tmp_path: Path) -> None:
    plate = tmp_path / "plate"
    plate.mkdir()
    for number in range(1, 5):
        write_exr(plate / f"p.{number:04d}.exr", flat(number / 8))
    good = (plate / "p.0003.exr").read_bytes()
    (plate / "p.0003.exr").write_bytes(good[: len(good) // 2 + 40])
    shot = Shot(plate=str(plate / "p.%04d.exr"), out=tmp_path / "out", segment="none")
    manifest = here(shot)
    assert str(manifest.in_state(FrameState.FAILED)) == "3"
    assert "0003" in manifest.frames[3].error
    assert sorted(alphas(shot)) == [1, 2, 4]


def test_a_gap_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    plate = tmp_path / "plate"
    plate.mkdir()
    for number in (1, 2, 4):
        write_exr(plate / f"p.{number:04d}.exr", flat(0))
    shot = Shot(
        plate=str(plate / "p.####.exr"),
        out=tmp_path / "out",
        segment="none",
        frames=FrameRange.span(1, 4),
    )
    with pytest.raises(PlateError, match="3"):
        here(shot)
    assert not shot.out.exists()
    assert sorted(alphas(here_without_gap(shot))) == [1, 2, 4]


def here_without_gap(shot: Shot) -> Shot:
    whole = shot.model_copy(update={"frames": None})
    here(whole)
    return whole


def test_a_mask_of_another_size_is_refused_before_anything_is_written(
    shot: Shot, tmp_path: Path
) -> None:
    for number in range(1001, 1007):
        write_image(tmp_path / f"m.{number}.png", np.zeros((30, 48, 1), np.uint8))
    wrong = shot.model_copy(update={"mask": str(tmp_path / "m.%04d.png")})
    with pytest.raises(MaskError, match="48"):
        here(wrong)
    assert not shot.out.exists()


def test_ctrl_c_keeps_what_is_done_and_the_next_run_goes_on(shot: Shot) -> None:
    class Pressed(InProcessExecutor):
        def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
            for count, result in enumerate(super().run(job, tasks)):
                if count == 3:
                    raise KeyboardInterrupt
                yield result

    with pytest.raises(Interrupted, match="3 frames to do"):
        run(shot, executor=Pressed(luma_matter))
    recorded = Recorded()
    here(shot, recorded)
    assert list(states(recorded).values()).count("skipped") >= 3
    assert verify(shot.out).complete


def test_the_plan_of_a_killed_run_is_swept_by_the_next(shot: Shot) -> None:
    words = "from plugin.disk.atomic import temporary_name; print(temporary_name('p'))"
    dead = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    shot.out.mkdir()
    (shot.out / dead.stdout.strip()).write_text("{}")
    here(shot)
    assert [f.name for f in shot.out.rglob("*.tmp")] == []


def test_lost_frames_are_never_passed_over(shot: Shot) -> None:
    class Forgetful(InProcessExecutor):
        def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
            yield from list(super().run(job, tasks))[1:]

    with pytest.raises(SurroundingsError, match="lost"):
        run(shot, executor=Forgetful(luma_matter))


CHOSEN = (
    "auto chose mask: mask.%04d.png, 6 masks 1001-1006, paired by frame number, channel Y,"
    " 0 is none and 255 all, as stored"
)


def test_what_was_chosen_is_said(shot: Shot) -> None:
    recorded = Recorded()
    here(shot, recorded)
    chosen = CHOSEN
    assert recorded.notes.count(chosen) == 1, recorded.notes
