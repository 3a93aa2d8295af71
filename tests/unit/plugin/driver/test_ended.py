"""How a run that a signal ends says so, in its error and in `progress.json`."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from plugin.driver.run import run
from plugin.errors import Interrupted
from plugin.framerange import FrameRange
from plugin.result.manifest import read_progress
from plugin.result.verify import Fault, verify
from plugin.types import FrameResult
from tests.jobs import creature, luma_matter
from workers.in_process import InProcessExecutor


class Signalled:
    """Gets these signals instead of doing a frame."""

    def __init__(self, *signals: signal.Signals) -> None:
        self._signals = signals

    def stop(self) -> None:
        """Nothing is under way."""

    def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
        """See `plugin.types.Executor`."""
        for each in self._signals:
            os.kill(os.getpid(), each)
        assert job.exists()
        assert list(tasks)
        yield from ()


@pytest.mark.parametrize(
    ("signals", "code"),
    [
        ((signal.SIGINT,), 130),
        ((signal.SIGTERM,), 143),
        ((signal.SIGTERM, signal.SIGALRM), 143),
        ((signal.SIGTERM, signal.SIGTERM), 143),
    ],
    ids=["ctrl-c", "drained", "drained for too long", "twice"],
)
def test_the_code_is_of_the_signal_that_came(
    tmp_path: Path, signals: tuple[signal.Signals, ...], code: int
) -> None:
    shot = creature(tmp_path, frames=2)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C, like ours
    try:
        with pytest.raises(Interrupted) as found:
            run(shot, executor=Signalled(*signals))
    finally:
        signal.signal(signal.SIGTERM, before)
    assert found.value.exit_code == code
    assert read_progress(shot.out / "progress.json")["exit"] == code


@pytest.mark.parametrize("known", [True, False], ids=["known then", "of an earlier version"])
@pytest.mark.parametrize("asked", [{"edge": "hair"}, {"layers": frozenset({"trimap"})}], ids=str)
def test_frames_that_it_did_not_come_to_are_stale(
    tmp_path: Path, asked: dict[str, object], known: bool
) -> None:
    """Of settings too that the request which made them could not know."""
    shot = creature(tmp_path, frames=2)
    manifest = run(shot, executor=InProcessExecutor(luma_matter))
    if not known:
        path = shot.out / "manifest.json"
        told = json.loads(path.read_text())
        for name in asked:
            del told["requests"][manifest.request.key]["shot"][name]
        path.write_text(json.dumps(told))
    with pytest.raises(Interrupted):
        run(shot.model_copy(update=asked), executor=Signalled(signal.SIGINT))
    assert verify(shot.out).frames_with(Fault.STALE).numbers == (1001, 1002)
