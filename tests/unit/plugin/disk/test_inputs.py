"""Files of others: one open, the sum of the very bytes, no waiting, and what was read in a book."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from plugin.disk.inputs import Sum, held, ledger, note, read_whole, regular, sum_now, sum_of
from plugin.errors import FrameError

OLD = 1_700_000_000


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("swap", ["replaced", "written over", "gone"])
def test_what_is_held_is_what_was_summed_whatever_becomes_of_the_file(
    tmp_path: Path, swap: str
) -> None:
    path = tmp_path / "plate.exr"
    path.write_bytes(b"one" * 1000)
    with held(path) as file:
        if swap == "replaced":
            (tmp_path / "new").write_bytes(b"two")
            (tmp_path / "new").replace(path)
        elif swap == "written over":
            path.write_bytes(b"two")
        else:
            path.unlink()
        assert file.place.read_bytes() == b"one" * 1000
        assert file.sum.sha256 == _sha(b"one" * 1000)


@pytest.mark.parametrize("read", [read_whole, lambda path, most: sum_of(path, most).sha256])
@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "large"])
def test_only_regular_files_of_a_size_that_can_be_are_read(
    tmp_path: Path, kind: str, read: object
) -> None:
    path = tmp_path / "f"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"x" * 11)
    with pytest.raises(OSError, match=r"regular|larger"):
        read(path, 10)  # type: ignore[operator]
    with pytest.raises(OSError, match=r"regular|larger"), held(path, 10):
        pass


def test_a_path_that_stands_for_two_contents_is_an_error_of_the_frame(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(b"one")
    with ledger() as book:
        first = sum_of(path)
        assert book == {str(path): first}
        path.write_bytes(b"two")
        with pytest.raises(FrameError, match="changed while the frame was worked on"), held(path):
            pass
    with ledger():
        sum_of(path)  # another frame's ledger knows nothing of it
    sum_of(path)  # and without one there is nothing to compare


def test_a_ledger_within_another_is_its_own() -> None:
    with ledger() as outer:
        note("a", Sum("1"))
        with ledger() as inner:
            note("a", Sum("2"))
        note("b", Sum("3"))
    assert (outer, inner) == ({"a": Sum("1"), "b": Sum("3")}, {"a": Sum("2")})


def test_an_old_file_in_its_state_is_not_read_again_a_young_one_is(tmp_path: Path) -> None:
    path = tmp_path / "plate.exr"
    path.write_bytes(b"one")
    assert sum_of(path).stamp == ""  # its times may yet be those of other bytes
    with regular(path) as handle:
        status = os.fstat(handle)
    stamp = f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"
    assert sum_now(path, Sum("believed", stamp)) == "believed"
    os.utime(path, (OLD, OLD))
    assert sum_now(path, Sum("believed", stamp)) == _sha(b"one")


def test_times_that_were_put_back_do_not_hide_a_change(tmp_path: Path) -> None:
    path = tmp_path / "plate.exr"
    path.write_bytes(b"one")
    os.utime(path, (OLD, OLD))
    status = path.stat()
    stamp = f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"
    with path.open("r+b") as file:
        file.write(b"two")
    os.utime(path, (OLD, OLD))
    assert sum_now(path, Sum(_sha(b"one"), stamp)) == _sha(b"two")


def test_what_is_gone_says_nothing(tmp_path: Path) -> None:
    assert sum_now(tmp_path / "none", Sum("x", "y")) is None


@pytest.mark.parametrize("clock", [0, 4_000_000_000_000_000_000])
def test_a_clock_that_is_wrong_makes_no_sum_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: int
) -> None:
    monkeypatch.setattr("plugin.disk.inputs.time.time_ns", lambda: clock)
    path = tmp_path / "plate.exr"
    path.write_bytes(b"one")
    before = sum_of(path)
    (tmp_path / "new").write_bytes(b"two")
    (tmp_path / "new").replace(path)
    assert (before.sha256, sum_now(path, before)) == (_sha(b"one"), _sha(b"two"))


def test_holes_of_a_file_take_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    with path.open("wb") as file:
        file.write(b"head")
        file.truncate(64 << 20)
        file.seek(0, os.SEEK_END)
        file.write(b"tail")
    with held(path) as file:
        status = file.place.stat()
        assert (status.st_size, status.st_blocks * 512 < 8 << 20) == ((64 << 20) + 4, True)
        assert file.sum.sha256 == _sha(path.read_bytes()) == _sha(file.place.read_bytes())
