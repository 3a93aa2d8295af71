"""Scripted strangers: by seed, files are changed before, between and during runs, and runs killed.

The oracle is a fresh run of the files as they are, into an empty folder: what a frame should be. It
is asked after every run of a script, whenever `verify` or the bridge calls a frame whole, and of
all frames after the script's last run, which nobody disturbs.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from nuke_bridge.core.manifest import frame_states
from nuke_bridge.core.request import Request
from plugin.driver.run import run
from plugin.errors import AdaMatteError
from plugin.framerange import FrameRange
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import load
from plugin.result.verify import verify
from plugin.types import FrameResult
from tests.campaign.stranger import FRAMES, Stranger
from tests.small_plate import every_pixel, small_shot
from workers.in_process import InProcessExecutor

LIMIT_S = 60.0
_KILLED = 9

# From a process that has no threads yet: a fork of one that has may wait for them for ever.
_FRESH = multiprocessing.get_context("forkserver")
_FRESH.set_forkserver_preload(["tests.campaign.strangers"])


@dataclass(slots=True)
class Outcome:
    """What many scripts came to.

    Attributes:
        scripts: played.
        runs: of the program, those of the oracle left out.
        kills: runs that ended by `_exit` in the middle.
        changes: by kind.
        failed: frames that a run failed by number because a file became another.
        checked: frames that were called whole, and compared with the oracle.
        false_names: frames that were called whole and are not.
        refused: runs that refused to begin.
        hangs: scripts that took longer than the limit.
        wrong: all that should not be, in words.
    """

    scripts: int = 0
    runs: int = 0
    kills: int = 0
    changes: dict[str, int] = field(default_factory=dict)
    failed: int = 0
    checked: int = 0
    false_names: int = 0
    refused: int = 0
    hangs: int = 0
    wrong: list[str] = field(default_factory=list)


class _HangError(Exception):
    """A script is over its limit."""


def play(folder: Path, seeds: range) -> Outcome:
    """Play a script for each seed."""
    outcome = Outcome()
    truth: dict[tuple[object, ...], dict[int, str]] = {}
    for seed in seeds:
        place = folder / str(seed)
        place.mkdir()
        try:
            with _limit():
                _Script(place, seed, outcome, truth).play()
        except _HangError:
            outcome.hangs += 1
            outcome.wrong.append(f"{seed}: over {LIMIT_S:.0f} s")
        except AdaMatteError as error:
            outcome.wrong.append(f"{seed}: {error}")
        outcome.scripts += 1
        shutil.rmtree(place, ignore_errors=True)
    return outcome


@contextmanager
def _limit() -> Iterator[None]:
    def over(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  signal's signature
        raise _HangError

    before = signal.signal(signal.SIGALRM, over)
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class _During(QuietProgress):
    """Does things after frames; a thing for each number of results heard."""

    def __init__(self, todo: dict[int, list[Callable[[], None]]]) -> None:
        self.todo, self.heard = todo, 0

    def frame(self, result: FrameResult) -> None:  # noqa: ARG002
        self.heard += 1
        for do in self.todo.pop(self.heard, []):
            do()


def _doomed(folder: Path, shot: Shot, seed: int, moments: list[int], end: int) -> None:
    """A run in a process of its own, with changes at some moments, killed at another."""
    stranger = Stranger(folder, OutputLayout.of(shot), random.Random(seed), {})
    during: dict[int, list[Callable[[], None]]] = {}
    for moment in moments:
        during.setdefault(moment, []).append(stranger.drawn())
    during.setdefault(end, []).append(lambda: os._exit(_KILLED))
    with suppress(AdaMatteError):
        run(shot, progress=_During(during), executor=InProcessExecutor(every_pixel))


class _Script:
    """One script: three or four acts, each a few changes and a run, and the last run."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        outcome: Outcome,
        truth: dict[tuple[object, ...], dict[int, str]],
    ) -> None:
        self.folder, self.seed, self.outcome, self.truth = folder, seed, outcome, truth
        self.dice = random.Random(seed)
        self.shot = small_shot(folder, FRAMES).model_copy(
            update={
                "stabilise": self.dice.choice((0, 1, 2)),
                "keep": frozenset(self.dice.choice(((), ("trimap",), ("adapted", "mask")))),
            }
        )
        layout = OutputLayout.of(self.shot)
        self.stranger = Stranger(folder, layout, self.dice, outcome.changes)

    def play(self) -> None:
        """The acts, then the run that nobody disturbs."""
        for _ in range(self.dice.randint(2, 4)):
            for _ in range(self.dice.randint(0, 2)):
                self._change()
            self._act()
            self._check()
            if self.dice.random() < 0.6:
                self._change()
                self._check()
        self._run(self.shot, {})
        self._check(all_of_them=True)

    def _act(self) -> None:
        """A run, perhaps of other settings, with changes while it goes on; perhaps killed."""
        asked: dict[str, object] = {}
        if self.dice.random() < 0.3:
            asked["erode"] = self.dice.choice((60.0, 120.0, 240.0))
        if self.dice.random() < 0.3:
            first = self.dice.choice(FRAMES)
            asked["frames"] = FrameRange.span(first, min(self.stranger.last, first + 2))
        if self.dice.random() < 0.1:
            asked["force"] = True
        shot = self.shot.model_copy(update=asked)
        self.shot = shot.model_copy(update={"frames": None, "force": False})
        moments = [self.dice.randint(1, 4) for _ in range(self.dice.choice((0, 1, 1, 2)))]
        if self.dice.random() < 0.25:
            self._killed(shot, moments)
            return
        during: dict[int, list[Callable[[], None]]] = {}
        for moment in moments:
            during.setdefault(moment, []).append(self._change)
        self._run(shot, during)

    def _killed(self, shot: Shot, moments: list[int]) -> None:
        """The run in a process of its own, which ends without a word."""
        self.outcome.runs += 1
        end, seed = self.dice.randint(1, 5), self.dice.getrandbits(32)
        words = (self.folder, shot, seed, moments, end)
        process = _FRESH.Process(target=_doomed, args=words)
        process.start()
        try:
            process.join()
        finally:
            process.kill()
        self.outcome.kills += process.exitcode == _KILLED
        self.stranger.look()

    def _run(self, shot: Shot, during: dict[int, list[Callable[[], None]]]) -> None:
        self.outcome.runs += 1
        try:
            done = run(shot, progress=_During(during), executor=InProcessExecutor(every_pixel))
        except AdaMatteError:
            self.outcome.refused += 1
        else:
            self.outcome.failed += sum("changed" in r.error for r in done.frames.values())

    def _change(self) -> None:
        self.stranger.drawn()()
        self.stranger.look()

    def _state(self) -> tuple[object, ...]:
        """The contents of all files, by name."""
        files = [f for of in ("plate", "mask") for f in (self.folder / of).glob("?.*.png")]
        return tuple((f.name, f.read_bytes()) for f in sorted(files))

    def _true(self, erode: float) -> dict[int, str]:
        """What the frames should be by now: digests of a fresh run."""
        key = (*self._state(), erode, self.shot.stabilise)
        if key not in self.truth:
            fresh = self.shot.model_copy(
                update={"out": self.folder / "fresh", "erode": erode, "keep": frozenset()}
            )
            shutil.rmtree(fresh.out, ignore_errors=True)
            done = run(fresh, executor=InProcessExecutor(every_pixel))
            self.truth[key] = {n: record.digest for n, record in done.frames.items()}
        return self.truth[key]

    def _check(self, *, all_of_them: bool = False) -> None:
        """Whatever is called whole is what the oracle says."""
        try:
            report, manifest = verify(self.shot.out), load(self.shot.out / "manifest.json")
        except AdaMatteError as error:
            if all_of_them:
                self.outcome.wrong.append(f"{self.seed}: {error}")
            return
        due = {n: manifest.requests.get(manifest.due(n)) for n in report.sound}
        for number, request in due.items():
            erode = self.shot.erode if request is None else float(request.shot["erode"])
            self._compare("verify", number, erode, manifest.frames[number].digest)
        asked = self._asked(manifest.promised)
        for number in frame_states(asked).frames("done"):
            told = manifest.frames[number].digest
            self._compare("bridge", number, self.shot.erode, told)
        if all_of_them and not report.complete:
            found = "; ".join(f"{f.fault} {f.frame} {f.why}" for f in report.findings)
            self.outcome.wrong.append(f"{self.seed}: not whole at the end: {found}")

    def _asked(self, frames: FrameRange) -> Request:
        shot = self.shot
        settings = {"erode": shot.erode, "stabilise": shot.stabilise}
        return Request(
            shot.plate, str(shot.out), shot.name, list(frames), mask=shot.mask, settings=settings
        )

    def _compare(self, who: str, number: int, erode: float, digest: str) -> None:
        self.outcome.checked += 1
        if self._true(erode).get(number) != digest:
            self.outcome.false_names += 1
            self.outcome.wrong.append(f"{self.seed}: {who} calls {number} whole, and it is another")
