"""Full, read-only and forbidden disks, and kills: nothing half-written gets a final name."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from plugin.disk.atomic import is_temporary, sweep_orphans, write_whole
from plugin.errors import OutputError
from plugin.exr.alpha_file import AlphaFormat, is_current, write_alpha
from plugin.exr.channels import pixel_digest
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest, PlateRecord, load, save, update
from plugin.types import FloatArray, Frame, FrameResult, FrameState, Window
from tests.plates import exr_plate

pytestmark = pytest.mark.slow

SIZE = 64
INFO = exr_plate(Window.of_size(SIZE, SIZE), frames="1-1000", rate=Fraction(24))
PLAIN = AlphaFormat(compression="none")


def _alpha(number: int) -> FloatArray:
    noise = np.random.default_rng(number).random((SIZE, SIZE), np.float32)
    return np.asarray(noise, np.float32)


def _write(layout: OutputLayout, number: int, recipe: str = "r") -> str:
    frame = Frame(number, np.zeros((1, 1, 3), np.float32))
    return write_alpha(
        layout.alpha(number),
        _alpha(number),
        info=INFO,
        frame=frame,
        provenance={"recipe": recipe},
        form=PLAIN,
        root=layout.out,
    )


def _temporaries(folder: Path) -> list[str]:
    return [entry.name for entry in folder.rglob("*") if is_temporary(entry.name)]


def _manifest(layout: OutputLayout, *results: FrameResult) -> Manifest:
    return Manifest(
        version="0.1.0",
        shot=Shot(plate=INFO.path, out=layout.out, shot=layout.name),
        plate=PlateRecord.of(INFO),
        model="lite",
        weights="1" * 64,
    ).with_results(results)


@pytest.fixture(name="small_disk")
def _small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    command = [mount, "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {answer.stderr.strip()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def _fill(layout: OutputLayout) -> list[int]:
    """Write frames until the disk is full; the frames that were done."""
    done = []
    try:
        for number in INFO.frames:
            _write(layout, number)
            done.append(number)
    except OutputError as error:
        if "the disk is full" not in error.what:
            raise
    return done


def test_a_full_disk_keeps_what_was_done(small_disk: Path) -> None:
    layout = OutputLayout(small_disk / "out", "sh010")
    layout.prepare()
    done = _fill(layout)
    assert 3 < len(done) < 20
    assert str(layout.pattern("alpha").scan()) == f"1-{done[-1]}"
    assert [is_current(layout.alpha(n), "r") for n in done] == [
        pixel_digest(_alpha(n)) for n in done
    ]
    assert _temporaries(small_disk) == []
    with pytest.raises(OutputError, match="the disk is full"):
        _write(layout, 1, recipe="new")
    assert is_current(layout.alpha(1), "r") is not None
    layout.alpha(done[-1]).unlink()
    _write(layout, done[-1])  # there is room again, and the work goes on


def test_a_full_disk_keeps_the_manifest(small_disk: Path) -> None:
    layout = OutputLayout(small_disk / "out", "sh010")
    layout.prepare()
    few = _manifest(layout, FrameResult(number=1, state=FrameState.DONE))
    save(layout.manifest, few)
    (small_disk / "filler").write_bytes(bytes(400 << 10))
    many = [FrameResult(number=n, state=FrameState.FAILED, error="x" * 200) for n in range(2000)]
    with pytest.raises(OutputError, match="the disk is full"):
        update(layout.manifest, _manifest(layout, *many))
    assert load(layout.manifest) == few
    assert _temporaries(small_disk) == []


def test_a_full_disk_is_seen_before_the_work(small_disk: Path) -> None:
    layout = OutputLayout(small_disk / "out", "sh010")
    layout.prepare()
    with pytest.raises(OutputError, match="the shot needs about"):
        layout.probe_writable(1 << 20)


def test_a_read_only_disk(small_disk: Path) -> None:
    layout = OutputLayout(small_disk / "out", "sh010")
    layout.prepare()
    _write(layout, 1)
    remount = ["mount", "-o", "remount,ro", str(small_disk)]
    if subprocess.run(remount, capture_output=True, check=False).returncode != 0:
        pytest.skip("the file system cannot be made read-only here")
    refused: list[Callable[[], object]] = [
        lambda: _write(layout, 1, recipe="new"),
        lambda: update(layout.manifest, _manifest(layout)),
        layout.probe_writable,
        OutputLayout(small_disk / "other", "sh010").prepare,
    ]
    for action in refused:
        with pytest.raises(OutputError, match="read-only"):
            action()
    assert is_current(layout.alpha(1), "r") is not None


def test_no_permission() -> None:
    """The check binds root too: without its identity it has no more rights than others."""
    with tempfile.TemporaryDirectory() as name:
        layout = OutputLayout(Path(name), "sh010")
        layout.prepare()
        _write(layout, 1)
        for folder in layout.folders({"alpha"}):
            folder.chmod(0o555)
        was = os.geteuid()
        if was == 0:
            os.seteuid(65534)
        try:
            for action in (lambda: _write(layout, 1, recipe="new"), layout.probe_writable):
                with pytest.raises(OutputError, match="no permission"):
                    action()
            assert is_current(layout.alpha(1), "r") is not None
        finally:
            os.seteuid(was)
            for folder in layout.folders({"alpha"}):
                folder.chmod(0o755)


@pytest.fixture(name="small_files")
def _small_files() -> Iterator[int]:
    """This process may write files of 20 000 bytes at most; a frame here has 33 000."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    yield 20_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_limit_on_files(tmp_path: Path, small_files: int) -> None:
    layout = OutputLayout(tmp_path, "sh010")
    layout.prepare()
    with pytest.raises(OutputError, match="larger than a file may be"):
        _write(layout, 1)
    assert list((tmp_path / "alpha").iterdir()) == []
    write_whole(tmp_path / "small", bytes(small_files))


def test_a_folder_that_vanishes(tmp_path: Path) -> None:
    layout = OutputLayout(tmp_path / "out", "sh010")
    layout.prepare()
    _write(layout, 1)
    shutil.rmtree(layout.out)
    with pytest.raises(OutputError, match="gone"):
        _write(layout, 2)


_KILLED = """
import sys
from fractions import Fraction
from itertools import cycle
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_disk import INFO, _write
from plugin.result.layout import OutputLayout

layout = OutputLayout(Path(sys.argv[1]), "sh010")
for number in cycle((1, 2, 3)):
    _write(layout, number)
    print(number, flush=True)
"""


def test_kills_leave_nothing_half_done(tmp_path: Path) -> None:
    layout = OutputLayout(tmp_path, "sh010")
    layout.prepare()
    dice = np.random.default_rng()
    arguments = [sys.executable, "-c", _KILLED, str(tmp_path), str(Path(__file__).parent)]
    for _ in range(6):
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            with suppress(subprocess.TimeoutExpired):  # at any moment of some write
                writer.wait(dice.uniform(0, 0.05))
            writer.kill()
        for number in layout.pattern("alpha").scan():
            assert is_current(layout.alpha(number), "r") == pixel_digest(_alpha(number))
        sweep_orphans(tmp_path / "alpha")
        assert _temporaries(tmp_path) == []
