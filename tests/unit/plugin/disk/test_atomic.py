"""A name means it is whole; orphans go, live temporaries stay."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.disk.atomic import is_temporary, output_error, sweep_orphans, write_whole
from plugin.disk.inputs import read_whole
from plugin.errors import OutputError

_WAIT_IN_CHECK = """
import sys
from pathlib import Path
from plugin.disk.atomic import write_whole

def check(temporary: Path) -> None:
    print(temporary.name, flush=True)
    sys.stdin.readline()

write_whole(Path(sys.argv[1]), b"new", check=check)
"""


@contextmanager
def _writer_in_mid_write(path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A real process that has written its temporary and waits before the rename."""
    arguments = [sys.executable, "-c", _WAIT_IN_CHECK, str(path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(arguments, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        yield process, path.with_name(process.stdout.readline().strip())
        process.kill()


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    write_whole(path, b"one")
    write_whole(path, b"two")
    assert path.read_bytes() == b"two"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.exr"]


def test_files_have_the_permissions_of_any_other(tmp_path: Path) -> None:
    write_whole(tmp_path / "a", b"")
    (tmp_path / "b").touch()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_the_check_sees_the_contents_before_the_name_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    seen = []

    def check(temporary: Path) -> None:
        assert is_temporary(temporary.name)
        assert not path.exists()
        seen.append(temporary.read_bytes())

    write_whole(path, b"data", check=check)
    assert seen == [b"data"]


@pytest.mark.parametrize("raised", [OutputError("wrong", where="x", fix="y"), KeyboardInterrupt()])
def test_what_the_check_raises_leaves_everything_as_it_was(
    tmp_path: Path, raised: BaseException
) -> None:
    path = tmp_path / "a.exr"
    write_whole(path, b"old")

    def check(_: Path) -> None:
        raise raised

    with pytest.raises(type(raised)):
        write_whole(path, b"new", check=check)
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.exr"]


@given(name=st.text(min_size=1, max_size=60).filter(lambda name: name.isprintable()))
def test_every_name_that_a_file_may_have_has_a_temporary(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    name = name.replace("/", "_") + "." + "x" * 8
    folder = tmp_path_factory.mktemp("names")
    seen = []
    write_whole(folder / name, b"x", check=lambda temporary: seen.append(temporary.name))
    assert is_temporary(seen[0])
    assert not is_temporary(name)


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 125 + ".exr")
    write_whole(path, b"x")
    assert path.read_bytes() == b"x"
    with pytest.raises(OutputError, match="too long"):
        write_whole(tmp_path / ("x" * 256), b"x")


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda path: path.mkdir(), "a folder stands where a file should be"),
        (lambda path: path.symlink_to("/etc/hostname"), "leads out of the output folder"),
        (lambda path: path.symlink_to(path.name), "never end|leads out"),
    ],
    ids=["folder", "link", "loop"],
)
def test_what_cannot_be_replaced_is_refused(tmp_path: Path, make, what: str) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    path = tmp_path / "a.exr"
    make(path)
    before = path.lstat()
    with pytest.raises(OutputError, match=what):
        write_whole(path, b"new")
    assert (path.lstat().st_ino, len(list(tmp_path.iterdir()))) == (before.st_ino, 1)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        write_whole(tmp_path / "gone" / "a.exr", b"new")
    assert caught.value.exit_code == 4
    assert "gone/a.exr" in str(caught.value)


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the folder is read-only"),
        (errno.EACCES, "no permission to write"),
        (errno.EIO, "cannot be written: Input/output error"),
        (errno.ESTALE, "cannot be written: Stale file handle"),
    ],
)
def test_each_refusal_says_what_where_and_what_to_do(number: int, what: str) -> None:
    error = output_error(OSError(number, os.strerror(number)), Path("alpha/a.exr"))
    assert (error.what, error.where) == (what, "alpha/a.exr")
    assert "run the same command again" in error.fix


def test_a_folder_that_leads_out_of_the_root_is_refused(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (out / "alpha").symlink_to(elsewhere)
    with pytest.raises(OutputError, match="leads out"):
        write_whole(out / "alpha" / "a.exr", b"new", root=out)
    assert list(elsewhere.iterdir()) == []


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real" / "alpha").mkdir(parents=True)
    (tmp_path / "out").symlink_to("real")
    write_whole(tmp_path / "out" / "alpha" / "a.exr", b"new", root=tmp_path / "out")
    assert (tmp_path / "real" / "alpha" / "a.exr").read_bytes() == b"new"


def test_a_live_writer_keeps_its_temporary_and_a_killed_one_loses_it(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    write_whole(path, b"old")
    with _writer_in_mid_write(path) as (process, temporary):
        assert sweep_orphans(tmp_path) == 0
        assert temporary.exists()
        process.kill()
        process.wait()
        assert temporary.exists()
        assert sweep_orphans(tmp_path) == 1
        assert not temporary.exists()
    assert path.read_bytes() == b"old"


def test_a_process_that_was_not_waited_for_is_dead(tmp_path: Path) -> None:
    with _writer_in_mid_write(tmp_path / "a.exr") as (process, temporary):
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it stays as a zombie
        assert sweep_orphans(tmp_path) == 1
        assert not temporary.exists()


def test_a_number_given_again_is_another_process(tmp_path: Path) -> None:
    seen = []
    write_whole(tmp_path / "a", b"", check=lambda temporary: seen.append(temporary.name))
    host, pid, start, random = seen[0].removeprefix(".a.").removesuffix(".tmp").split("-")
    earlier = tmp_path / f".a.{host}-{pid}-{int(start) - 1}-{random}.tmp"
    own = tmp_path / f".a.{host}-{pid}-{start}-{random}.tmp"
    earlier.touch()
    own.touch()
    assert sweep_orphans(tmp_path) == 1
    assert own.exists()


def test_what_others_left_stays_unless_we_are_alone(tmp_path: Path) -> None:
    other_host = tmp_path / ".a.exr.00000000-1-1-0123456789ab.tmp"
    not_ours = [tmp_path / name for name in (".a.exr.tmp", "a.tmp", ".a.1-2-3.tmp", "a.exr")]
    for path in (other_host, *not_ours):
        path.touch()
    assert sweep_orphans(tmp_path) == 0
    assert other_host.exists()
    assert sweep_orphans(tmp_path, alone=True) == 1
    assert all(path.exists() for path in not_ours)


def test_no_folder_has_no_orphans(tmp_path: Path) -> None:
    assert sweep_orphans(tmp_path / "gone") == 0


def test_reading_never_waits_and_never_reads_too_much(tmp_path: Path) -> None:
    pipe, large = tmp_path / "pipe", tmp_path / "large"
    os.mkfifo(pipe)
    large.touch()
    os.truncate(large, 1 << 40)
    for path in (pipe, large, tmp_path, tmp_path / "gone"):
        with pytest.raises(OSError, match=r"regular|larger|No such"):
            read_whole(path, 1 << 20)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_reading_makes_room_for_the_file_and_not_for_the_largest_one(tmp_path: Path) -> None:
    path = tmp_path / "small"
    path.write_bytes(b"x" * 1000)
    tracemalloc.start()
    try:
        assert read_whole(path, 1 << 30) == b"x" * 1000
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
