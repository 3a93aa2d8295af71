"""Two runs of the same frames, farm tasks side by side, and owners that died."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from plugin.disk.atomic import host_tag
from plugin.disk.claims import Patience, claimed
from plugin.errors import OutputError
from plugin.framerange import FrameRange

QUICK = Patience(beat=0.02, doubt=0.4, look=0.02, ending=0.2)
HERE = Path(__file__).parents[2]

_HOLDER = """
import sys
from pathlib import Path
from plugin.disk.claims import claimed
from plugin.framerange import FrameRange
with claimed(Path(sys.argv[1]), FrameRange.parse(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def holder(folder: Path, frames: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a claim until it is killed or told to go on."""
    words = [sys.executable, "-c", _HOLDER, str(folder), frames]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, cwd=HERE, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def claims(folder: Path) -> list[Path]:
    return sorted(folder.glob(".claim-*"))


def frames(text: str) -> FrameRange:
    return FrameRange.parse(text)


def foreign(folder: Path, text: str, **changes: object) -> Path:
    """A claim that another machine left or holds."""
    record = {
        "beat": "000000000007",
        "frames": text,
        "user": "ada",
        "machine": "render12",
        "host": "00000000",
        "process": 4711,
        "start": "99",
        **changes,
    }
    path = folder / ".claim-0123456789abcdef.json"
    path.write_text(json.dumps(record))
    return path


def test_the_same_frames_are_refused_and_the_owner_is_named(tmp_path: Path) -> None:
    with holder(tmp_path, "1001-1100") as other:
        with (
            pytest.raises(OutputError, match="1050-1100") as refused,
            claimed(tmp_path, frames("1050-1200")),
        ):
            pytest.fail("two owners")
        assert f"process {other.pid} on " in refused.value.what
        assert len(claims(tmp_path)) == 1
        assert other.stdin is not None
        other.stdin.write("\n")
        other.stdin.flush()
        assert other.wait(timeout=300) == 0
    assert claims(tmp_path) == []
    with claimed(tmp_path, frames("1050-1200")) as claim:
        assert claim.alone


def test_other_frames_are_worked_on_side_by_side(tmp_path: Path) -> None:
    with holder(tmp_path, "1-10"), claimed(tmp_path, frames("11-20x3")) as ours:
        assert not ours.alone
        with claimed(tmp_path, frames("12,15")):  # between the steps
            ours.check()
            assert len(claims(tmp_path)) == 3


def test_the_frames_of_a_killed_owner_are_free_at_once(tmp_path: Path) -> None:
    with holder(tmp_path, "1-10") as other:
        other.kill()
        other.wait(timeout=300)
        assert len(claims(tmp_path)) == 1
        with claimed(tmp_path, frames("1-10"), patience=Patience(doubt=1e6)) as ours:
            assert ours.alone
    assert claims(tmp_path) == []


def test_many_at_once_and_only_one_gets_them(tmp_path: Path) -> None:
    won: list[int] = []
    begin, over = threading.Barrier(8), threading.Barrier(8)

    def contend(number: int) -> None:
        begin.wait(timeout=300)
        try:
            with claimed(tmp_path, frames("1-10"), patience=QUICK):
                won.append(number)
                over.wait(timeout=300)
        except OutputError:
            over.wait(timeout=300)

    threads = [threading.Thread(target=contend, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert claims(tmp_path) == []


def test_a_lock_that_another_machine_holds_counts(tmp_path: Path) -> None:
    path = foreign(tmp_path, "1-10")
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with (
            pytest.raises(OutputError, match="ada, process 4711 on render12"),
            claimed(tmp_path, frames("5"), patience=QUICK),
        ):
            pytest.fail("two owners")
    assert path.exists()


def test_a_beat_that_moves_counts_where_locks_do_not_reach(tmp_path: Path) -> None:
    path = foreign(tmp_path, "1-10")
    over = threading.Event()

    def beat() -> None:
        count = 7
        while not over.wait(0.02):
            count += 1
            with path.open("r+b") as file:
                file.write(b'{"beat": "%012d"' % count)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        with (
            pytest.raises(OutputError, match="render12"),
            claimed(tmp_path, frames("5"), patience=Patience(doubt=30, look=0.02)),
        ):
            pytest.fail("two owners")
    finally:
        over.set()
        thread.join()
    with claimed(tmp_path, frames("5"), patience=QUICK) as ours:
        assert ours.alone
    assert not path.exists()


def test_what_no_claim_can_be_read_from_is_free_unless_it_is_held(tmp_path: Path) -> None:
    path = tmp_path / ".claim-0123456789abcdef.json"
    path.write_text('{"beat": "0000')
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with (
            pytest.raises(OutputError, match="another run"),
            claimed(tmp_path, frames("5"), patience=QUICK),
        ):
            pytest.fail("two owners")
    with claimed(tmp_path, frames("5"), patience=QUICK):
        pass
    assert claims(tmp_path) == []


def test_another_process_of_the_same_number_is_not_the_owner(tmp_path: Path) -> None:
    foreign(tmp_path, "1-10", host=host_tag(), process=os.getpid(), start="1")
    with claimed(tmp_path, frames("1-10"), patience=Patience(doubt=1e6)) as ours:
        assert ours.alone


def test_an_owner_whose_claim_was_taken_is_told(tmp_path: Path) -> None:
    with claimed(tmp_path, frames("1-10"), patience=QUICK) as ours:
        ours.check()
        claims(tmp_path)[0].unlink()
        ours._thread.join(timeout=300)
        with pytest.raises(OutputError, match="taken them over"):
            ours.check()


def test_a_claim_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("theirs")
    out = tmp_path / "out"
    out.mkdir()
    (out / ".claim-0123456789abcdef.json").symlink_to(outside)
    with pytest.raises(OutputError, match="another run"), claimed(out, frames("5"), patience=QUICK):
        pytest.fail("two owners")
    assert outside.read_text() == "theirs"


@pytest.mark.parametrize("kind", ["folder", "link to nothing", "pipe"])
def test_what_nobody_of_us_made_by_a_claim_s_name_claims_nothing(tmp_path: Path, kind: str) -> None:
    strange = tmp_path / ".claim-0123456789abcdef.json"
    if kind == "folder":
        strange.mkdir()
    elif kind == "pipe":
        os.mkfifo(strange)
    else:
        strange.symlink_to(tmp_path / "none")
    with claimed(tmp_path, frames("5"), patience=QUICK):
        pass
    assert os.path.lexists(strange)
