"""What `verify`, the report and the bridge call whole: not more than is proved."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from nuke_bridge.core.manifest import frame_states
from nuke_bridge.core.request import Request
from plugin.cli import main
from plugin.driver.run import run, trimap
from plugin.errors import Interrupted, ShotError
from plugin.framerange import FrameRange
from plugin.progress.modes import QuietProgress
from plugin.report.facts import problems_of
from plugin.request.shot import Shot
from plugin.result.grey_png import read_grey, write_grey
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest, load, save
from plugin.result.verify import Fault, verify
from plugin.types import FrameResult
from tests.small_plate import FRAMES, every_pixel, mask, picture, replace_by, small_shot
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    return small_shot(tmp_path)


def here(shot: Shot, **settings: object) -> Manifest:
    return run(shot.model_copy(update=settings), executor=InProcessExecutor(every_pixel))


def stale(shot: Shot) -> str:
    """As `verify` finds it; the report and the bridge have to agree."""
    report = verify(shot.out)
    found = report.frames_with(Fault.STALE)
    problems = problems_of(report)
    told = FrameRange.of(n for p in problems if p.kind == "stale" for n in p.frames)
    asked = Request(shot.plate, str(shot.out), shot.name, list(FRAMES), mask=shot.mask)
    assert (str(told), frame_states(asked).frames("stale")) == (str(found), list(found))
    assert report.complete == (not found)
    return str(found)


def _swap(folder: Path) -> None:
    (folder / "p.1003.png").rename(folder / "x")
    (folder / "p.1004.png").rename(folder / "p.1003.png")
    (folder / "x").rename(folder / "p.1004.png")


def _older(folder: Path) -> None:
    """A version of before is taken back, with its old time."""
    replace_by(folder / "p.1003.png", picture(1003, 5))
    os.utime(folder / "p.1003.png", (1, 1))


def _in_place(folder: Path) -> None:
    path = folder / "p.1003.png"
    status, size = path.stat(), path.stat().st_size
    path.write_bytes(path.read_bytes()[: size - 1] + b"!")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _linked(folder: Path) -> None:
    replace_by(folder / "other.png", picture(1003, 5))
    (folder / "p.1003.png").unlink()
    (folder / "p.1003.png").symlink_to(folder / "other.png")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda f: replace_by(f / "p.1003.png", picture(1003, 5)), "1001-1005"),
        (lambda f: replace_by(f / "p.1006.png", picture(1006, 5)), "1004-1006"),
        (_swap, "1001-1006"),
        (_older, "1001-1005"),
        (_in_place, "1001-1005"),
        (_linked, "1001-1005"),
        (lambda f: replace_by(f / "p.1007.png", picture(1007)), "1005-1006"),
        (lambda f: os.utime(f / "p.1003.png"), ""),
        (lambda f: shutil.copy(f / "p.1003.png", f / "p.1003.png.bak"), ""),
    ],
)
def test_a_plate_frame_that_is_another_makes_its_frame_and_its_neighbours_stale(
    shot: Shot, tmp_path: Path, change: Callable[[Path], object], found: str
) -> None:
    here(shot)
    assert stale(shot) == ""
    change(tmp_path / "plate")
    assert stale(shot) == found


def test_a_mask_that_is_another_makes_stale_what_was_made_with_it(
    shot: Shot, tmp_path: Path
) -> None:
    here(shot)
    replace_by(tmp_path / "mask/m.1006.png", mask(1006, 3))
    os.utime(tmp_path / "mask/m.1006.png", (1, 1))
    assert stale(shot) == "1004-1006"


def test_one_frame_done_again_leaves_its_neighbours_stale(shot: Shot, tmp_path: Path) -> None:
    here(shot)
    replace_by(tmp_path / "plate/p.1001.png", picture(1001, 5))
    here(shot, frames=FrameRange((1001,)))
    assert stale(shot) == "1002-1003"


def test_a_plate_that_is_not_there_is_said_to_be(shot: Shot, tmp_path: Path) -> None:
    here(shot)
    shutil.rmtree(tmp_path / "plate")
    report = verify(shot.out)
    assert (report.complete, str(report.uncompared)) == (True, "1001-1006")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_plate_that_may_not_be_read_is_not_compared(shot: Shot, tmp_path: Path) -> None:
    here(shot)
    (tmp_path / "plate").chmod(0)
    assert str(verify(shot.out).uncompared) == "1001-1006"
    (tmp_path / "plate").chmod(0o700)


class _Stopped(QuietProgress):
    """Ctrl-C after the first frame."""

    def frame(self, result: FrameResult) -> None:  # noqa: ARG002
        raise KeyboardInterrupt


def test_a_run_that_is_stopped_leaves_both_requests_told(shot: Shot) -> None:
    """The frames that it did not come to are of the first one, and that is said."""
    here(shot)
    with pytest.raises(Interrupted):
        run(
            shot.model_copy(update={"erode": 40.0}),
            progress=_Stopped(),
            executor=InProcessExecutor(every_pixel),
        )
    manifest = load(shot.out / "manifest.json")
    assert sorted(r.shot["erode"] for r in manifest.requests.values()) == [8, 40]
    report = verify(shot.out)
    assert not report.complete
    assert {number for number in FRAMES if manifest.due(number) != manifest.request.key} == set()
    quick = problems_of(verify(shot.out, decode=False))
    assert [p.kind for p in quick] == ["stale"]
    assert {p.frames for p in quick} == {report.frames_with(Fault.STALE)}


def test_other_settings_for_some_frames_are_what_was_asked(shot: Shot) -> None:
    here(shot, stabilise=0)
    here(shot, stabilise=0, frames=FrameRange.span(1003, 1004), erode=1.0)
    assert verify(shot.out).complete
    here(shot, stabilise=0)
    assert verify(shot.out).complete
    assert len(load(shot.out / "manifest.json").requests) == 1


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("spoil", "quick"),
    [
        (lambda shot: _cut(OutputLayout.of(shot).alpha(1003)), 0),
        (lambda shot: OutputLayout.of(shot).alpha(1003).unlink(), 3),
        (lambda shot: replace_by(Path(shot.plate.replace("%04d", "1003")), picture(1003, 5)), 0),
        (lambda shot: here(shot, frames=FrameRange.span(1003, 1003), choke=3.0), 0),
    ],
    ids=["damaged", "missing", "another plate", "another choke for one frame"],
)
def test_verify_report_and_bridge_say_the_same_and_so_do_their_exit_codes(
    shot: Shot, spoil: Callable[[Shot], object], quick: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A frame that was asked for otherwise than the rest is as it was asked for."""
    here(shot, stabilise=0)
    assert main(["report", str(shot.out), "--quiet"]) == 0
    spoil(shot.model_copy(update={"stabilise": 0}))
    code = main(["verify", str(shot.out), "--quiet"])
    stated = verify(shot.out)
    assert (code == 0) == stated.complete
    assert main(["report", str(shot.out), "--quiet"]) == code
    assert main(["report", str(shot.out), "--quiet", "--quick"]) == quick
    capsys.readouterr()
    assert main(["report", str(shot.out), "--json"]) == code
    said = json.loads(capsys.readouterr().out)
    assert (said["complete"], said["unsound"]) == (stated.complete, str(stated.unsound))
    page = (shot.out / "report/index.html").read_text()
    assert ("need attention" in page) == (code == 3)


def test_a_frame_without_a_record_is_unproved(shot: Shot) -> None:
    manifest = here(shot)
    frames = {n: record for n, record in manifest.frames.items() if n != 1003}
    save(shot.out / "manifest.json", manifest.model_copy(update={"frames": frames}))
    report = verify(shot.out)
    assert (report.complete, str(report.frames_with(Fault.UNPROVED))) == (False, "1003")
    assert [p.kind for p in problems_of(report)] == ["unproved"]
    asked = Request(shot.plate, str(shot.out), shot.name, list(FRAMES), mask=shot.mask)
    assert frame_states(asked).frames("stale") == [1003]
    here(shot)
    assert verify(shot.out).complete


def test_a_matte_of_another_frame_or_shot_is_seen_by_all(shot: Shot) -> None:
    here(shot)
    layout = OutputLayout.of(shot)
    shutil.copy(layout.alpha(1003), layout.alpha(1004))
    assert stale(shot) == "1004"


@pytest.mark.parametrize("kind", ["mask", "trimap", "adapted"])
def test_pictures_carry_their_recipe_as_mattes_do(shot: Shot, kind: str) -> None:
    kept = shot.model_copy(update={"keep": frozenset({kind})})
    here(kept)
    path = OutputLayout.of(shot).pattern(kind).path(1003)
    before, other = path.read_bytes(), OutputLayout.of(shot).pattern(kind).path(1005)
    assert verify(shot.out).complete
    shutil.copy(other, path)
    assert str(verify(shot.out).frames_with(Fault.STALE)) == "1003"
    here(kept)
    assert path.read_bytes() == before
    write_grey(path, 255 - read_grey(path))  # by hand, without a recipe
    assert str(verify(shot.out).frames_with(Fault.STALE)) == "1003"
    here(kept)
    assert path.read_bytes() == before
    here(kept, erode=2.0)
    if kind != "mask":
        assert path.read_bytes() != before
    assert verify(shot.out).complete


def test_trimaps_of_another_look_are_named_and_no_fault_of_the_mattes(shot: Shot) -> None:
    here(shot)
    trimap(shot.model_copy(update={"erode": 3.0}), executor=InProcessExecutor(every_pixel))
    report = verify(shot.out)
    assert report.complete
    assert {found.why for found in report.findings} == {
        f"a trimap of another recipe than the matte of frame {n}" for n in FRAMES
    }


@pytest.mark.parametrize("change", ["plate", "name"])
def test_two_shots_in_one_folder_are_refused(shot: Shot, tmp_path: Path, change: str) -> None:
    here(shot)
    before = (shot.out / "manifest.json").read_bytes()
    if change == "plate":
        (tmp_path / "b").mkdir()
        other = small_shot(tmp_path / "b").model_copy(update={"out": shot.out, "shot": shot.name})
        replace_by(tmp_path / "b/plate/p.1003.png", picture(1003, 4))
    else:
        other = shot.model_copy(update={"shot": "sh020"})
    for job in (run, trimap):
        with pytest.raises(ShotError, match="the folder holds frames of"):
            job(other, executor=InProcessExecutor(every_pixel))
    assert (shot.out / "manifest.json").read_bytes() == before


def test_a_plate_that_was_moved_is_the_same_plate(shot: Shot, tmp_path: Path) -> None:
    here(shot)
    (tmp_path / "plate").rename(tmp_path / "moved")
    moved = shot.model_copy(update={"plate": str(tmp_path / "moved/p.%04d.png")})
    assert {r.state.value for r in here(moved).frames.values()} == {"done"}
    assert verify(shot.out).complete


def test_a_frame_that_came_after_and_was_not_matted_makes_its_neighbours_stale(
    shot: Shot, tmp_path: Path
) -> None:
    here(shot)
    replace_by(tmp_path / "plate/p.1007.png", picture(1007))
    replace_by(tmp_path / "mask/m.1007.png", mask(1007))
    here(shot, frames=FrameRange((1001,)))  # from here on the manifest knows of it
    assert stale(shot) == "1005-1006"
