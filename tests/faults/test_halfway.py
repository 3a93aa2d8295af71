"""What goes wrong in the middle of a run: the rest is whole, and the same command goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from plugin.disk.claims import claimed
from plugin.driver.run import run
from plugin.errors import OutputError, SurroundingsError
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.verify import verify
from plugin.types import FrameResult, FrameState
from tests.campaign.mutants import trial
from tests.jobs import alphas, creature, luma_matter
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow

HERE = Path(__file__).parents[2]


class Disturbed(InProcessExecutor):
    """Something happens after the third frame."""

    def __init__(self, event: Callable[[], object]) -> None:
        super().__init__(luma_matter)
        self.event = event

    def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
        for count, result in enumerate(super().run(job, tasks), 1):
            yield result
            if count == 3:
                self.event()


@pytest.fixture
def shot() -> Iterator[Shot]:
    """Where others than root may look too."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield creature(Path(name), frames=6)


def test_a_permission_that_is_lost(shot: Shot) -> None:
    layout = OutputLayout.of(shot)
    was = os.geteuid()

    def lose() -> None:
        for folder in layout.folders({"alpha"}):
            folder.chmod(0o555)
        if was == 0:
            os.seteuid(65534)  # root has no permission to lose

    try:
        with pytest.raises(OutputError, match="no permission"):
            run(shot, executor=Disturbed(lose))
    finally:
        os.seteuid(was)
        for folder in layout.folders({"alpha"}):
            folder.chmod(0o755)
    whole = set(alphas(shot))
    assert whole - {1004} == {1001, 1002, 1003}  # the fourth was in flight, so either is right
    for left in shot.out.rglob(".*.tmp"):  # the plan's, and a frame's that was just being written:
        left.unlink()  # this process lives on, so that no run would take them for orphans
    gone_on_with(shot)


@pytest.fixture(name="quota")
def _quota(tmp_path: Path) -> Iterator[Path]:
    """A folder that may hold 4 MB, on a file system that has more."""
    if os.geteuid() != 0 or shutil.which("mkfs.btrfs") is None:
        pytest.skip("needs root and btrfs-progs, for a file system with a quota")
    image, place = tmp_path / "image", tmp_path / "mounted"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(160 << 20)
    made = subprocess.run(["mkfs.btrfs", "-q", image], capture_output=True, check=False)
    mount = ["mount", "-o", "loop", str(image), str(place)]
    if made.returncode or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no btrfs can be mounted here")
    try:
        for words in (
            ["quota", "enable", place],
            ["subvolume", "create", place / "show"],
            ["qgroup", "limit", "4M", place / "show"],
        ):
            subprocess.run(["btrfs", *map(str, words)], check=True, capture_output=True)
        yield place / "show"
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


def test_a_quota_that_is_used_up(shot: Shot, quota: Path) -> None:
    shot = shot.model_copy(update={"out": quota / "out"})
    filler = quota / "filler"

    def fill() -> None:
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(os.urandom(4096))
                os.fsync(file.fileno())

    with pytest.raises(OutputError, match="the disk quota is used up"):
        run(shot, executor=Disturbed(fill))
    whole = alphas(shot)
    assert set(whole) >= {1001, 1002, 1003}
    filler.unlink()
    os.sync()
    gone_on_with(shot)
    assert whole.items() <= alphas(shot).items()


def gone_on_with(shot: Shot) -> None:
    """The same command does the rest, and nothing is left lying about."""
    manifest = run(shot, executor=InProcessExecutor(luma_matter))
    assert str(manifest.in_state(FrameState.DONE, FrameState.SKIPPED)) == "1001-1006"
    assert verify(shot.out).complete
    assert [path.name for path in shot.out.rglob("*.tmp")] == []
    assert list(shot.out.glob(".claim-*")) == []


def test_an_end_that_is_asked_for_keeps_the_books(shot: Shot) -> None:
    """`stop` begins no more frames; what was done is in the manifest."""
    executor = Disturbed(lambda: None)
    executor.event = executor.stop
    with pytest.raises(SurroundingsError, match="frames were lost"):  # no signal asked for it
        run(shot, executor=executor)
    assert sorted(alphas(shot)) == [1001, 1002, 1003, 1004]  # one was in flight
    gone_on_with(shot)


def test_a_shot_that_is_worked_on_is_refused_by_name(shot: Shot) -> None:
    words = ["run", shot.plate, "--mask", str(shot.mask), "--out", str(shot.out)]
    shot.out.mkdir()
    with claimed(shot.out, FrameRange.span(1003, 1004)):
        command = [sys.executable, "-m", "plugin.cli", *words, "--executor", "process"]
        done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
        assert done.returncode == 4
        assert "frames 1003-1004 are being worked on by" in done.stderr
        assert f"process {os.getpid()} on" in done.stderr
        assert alphas(shot) == {}
        part = shot.model_copy(update={"frames": FrameRange.parse("1001-1002")})
        run(part, executor=InProcessExecutor(luma_matter))
    gone_on_with(shot)


def test_mutants_are_read_or_refused(tmp_path: Path) -> None:
    """`python -m tests.campaign mutants` reads hundreds."""
    outcome = trial(tmp_path, each=6, seed=2)
    assert outcome.wrong == []
    assert outcome.inputs == 63
