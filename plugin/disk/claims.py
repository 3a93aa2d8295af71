"""Who works on which frames of an output folder: one owner a frame, several owners a folder.

A run claims its frames with a small file, `.claim-<id>.json`, and keeps a lock on that file for as
long as it lives. A second run of the same frames is refused and told whose they are; the tasks of a
farm, each on frames of its own, work side by side.

Is the owner of a claim alive? Three witnesses, no clock of another machine among them:

    its lock       the kernel, or the file server, gives it back when the owner dies; held: alive;
                   free, on this machine: dead
    its process    on this machine, where a file system has no locks: gone: dead
    its beat       elsewhere, and on a share whose locks do not reach other machines, a number that
                   the owner counts up every few seconds; we look until we have seen it move, or
                   have waited, by our own clock, for many beats: dead

A claim saves work and keeps the books in order. That frames are whole does not rest on it: two runs
that both write a frame write it whole, and the manifest's lock is another.
"""

import errno
import fcntl
import json
import os
import re
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from plugin.disk.atomic import disk_refuses, output_error
from plugin.disk.claim_owners import ClaimRecord, OtherClaim
from plugin.disk.folder_lock import folder_lock
from plugin.errors import OutputError
from plugin.framerange import FrameRange

_NAME = re.compile(r"\.claim-[0-9a-f]{16}\.json")


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds.

    Attributes:
        beat: between two beats of an owner.
        doubt: for which a beat must stand still before its owner counts as dead.
        look: between two looks at it.
        ending: for which a living owner may still end, as after a cancelled job, before refusing.
    """

    beat: float = 2.0
    doubt: float = 20.0
    look: float = 0.5
    ending: float = 6.0


class _InUseError(OutputError):
    """Some of the frames are another living run's."""


class Claim:
    """A claim that this process holds; see `claimed`."""

    def __init__(self, path: Path, handle: int, patience: Patience, alone: bool) -> None:
        self._path, self._handle, self._patience = path, handle, patience
        self._over = threading.Event()
        self._lost = False
        self._thread = threading.Thread(target=self._beat, name="claim", daemon=True)
        self.alone = alone
        """No other claim was in the folder when this one was made."""
        self._thread.start()

    def check(self) -> None:
        """Say so if somebody took the claim away, as one does with that of a dead owner.

        Raises:
            OutputError: it is gone: another run has these frames now.
        """
        if self._lost:
            raise OutputError(
                "the claim on these frames is gone: another run has taken them over",
                where=self._path.parent,
                fix="see who works there; the same command goes on from what is done",
            )

    def release(self) -> None:
        """Give the frames back."""
        self._over.set()
        self._thread.join()
        if not self._lost:
            with suppress(OSError):
                self._path.unlink()
        os.close(self._handle)

    def _beat(self) -> None:
        count = 0
        while not self._over.wait(self._patience.beat):
            count += 1
            with suppress(OSError):  # a full disk or a share that hangs says so elsewhere
                os.pwrite(self._handle, b'{"beat": "%012d"' % count, 0)
                os.fsync(self._handle)
            if _is_gone(self._path, self._handle):
                self._lost = True
                return


@contextmanager
def claimed(
    folder: Path, frames: FrameRange, *, patience: Patience = Patience()
) -> Iterator[Claim]:
    """Hold these frames of an output folder.

    Args:
        folder: the output folder; it exists.
        frames: that will be worked on.
        patience: how long to doubt.

    Raises:
        OutputError: another run works on some of them (it is named), or the folder cannot be
            written.
    """
    claim = _claim_when_free(folder, frames, patience)
    try:
        yield claim
    finally:
        claim.release()


def _claim_when_free(folder: Path, frames: FrameRange, patience: Patience) -> Claim:
    deadline = time.monotonic() + patience.ending
    while True:
        try:
            return _claim(folder, frames, patience)
        except _InUseError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(patience.look)


def _claim(folder: Path, frames: FrameRange, patience: Patience) -> Claim:
    with folder_lock(folder):
        path, handle = _create(folder, frames)
        try:
            others = [OtherClaim.of(file) for file in _claims(folder) if file != path]
            rivals = [one for one in others if one.wants(frames)]
            _refuse_live(rivals, frames, folder)
        except BaseException:
            _withdraw(path, handle)
            raise
    try:
        # Outside of the folder's lock: ours is there to be seen, and others need not wait for us.
        _wait_for_beats([one for one in rivals if not one.dead], frames, folder, patience)
        for one in rivals:
            one.path.unlink(missing_ok=True)
        gone = {one.path for one in rivals} | {one.path for one in others if _sweep(one)}
    except OSError as error:
        _withdraw(path, handle)
        raise output_error(error, folder) from error
    except BaseException:
        _withdraw(path, handle)
        raise
    return Claim(path, handle, patience, alone=all(one.path in gone for one in others))


def _create(folder: Path, frames: FrameRange) -> tuple[Path, int]:
    path = folder / f".claim-{secrets.token_hex(8)}.json"
    fields = ClaimRecord.ours(frames).model_dump(mode="json")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with disk_refuses(path):
        handle = os.open(path, flags, 0o666)
    try:
        with suppress(OSError):  # a share without locks: process and beat have to do
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        data = json.dumps(fields).encode()
        if os.write(handle, data) != len(data):
            raise OSError(errno.ENOSPC, "only a part was written")
        os.fsync(handle)
    except OSError as error:
        _withdraw(path, handle)
        raise output_error(error, path) from error
    return path, handle


def _withdraw(path: Path, handle: int) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
    os.close(handle)


def _claims(folder: Path) -> list[Path]:
    with disk_refuses(folder):
        named = (entry for entry in folder.iterdir() if _NAME.fullmatch(entry.name))
        # A folder or a link to nothing by that name is nobody's of us: it claims nothing.
        return sorted(entry for entry in named if entry.is_file())


def _sweep(one: OtherClaim) -> bool:
    """Remove a claim of other frames whose owner is dead beyond doubt."""
    if one.dead:
        with suppress(OSError):
            one.path.unlink(missing_ok=True)
    return one.dead


def _refuse_live(rivals: list[OtherClaim], frames: FrameRange, folder: Path) -> None:
    for one in rivals:
        if one.alive:
            raise _in_use(one, frames, folder)


def _wait_for_beats(
    doubtful: list[OtherClaim], frames: FrameRange, folder: Path, patience: Patience
) -> None:
    deadline = time.monotonic() + patience.doubt
    while doubtful and time.monotonic() < deadline:
        time.sleep(patience.look)
        for one in doubtful:
            if one.moved():
                raise _in_use(one, frames, folder)


def _in_use(one: OtherClaim, frames: FrameRange, folder: Path) -> OutputError:
    shared = one.wants(frames)
    which = f"frame{'s' * (len(shared) > 1)} {shared}"
    if len(which) > 60:
        which = f"frames {shared.first} to {shared.last}"
    return _InUseError(
        f"{which} {'are' if len(shared) > 1 else 'is'} being worked on by "
        f"{one.record or 'another run'}",
        where=folder,
        fix="wait for that run or end it, ask for other --frames, or take another --out",
    )


def _is_gone(path: Path, handle: int) -> bool:
    try:
        return path.stat().st_ino != os.fstat(handle).st_ino
    except FileNotFoundError:
        return True
    except OSError:
        return False
