"""What a run writes down: the manifest, `progress.json`; at its end, what has changed meanwhile."""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from plugin.disk.inputs import Sum, sum_now
from plugin.errors import AdaMatteError, FrameError, OutputError
from plugin.framerange import FrameRange
from plugin.progress.draining import Drain
from plugin.progress.tally import Tally
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest, ManifestFile, write_progress
from plugin.types import FrameResult, FrameState

_BOOKS_EVERY_S = 2.0
_BOOKS_SHARE = 20
"""A run is at the books for a twentieth of its time at most, waiting for others included: however
many tasks of a farm share a manifest, they leave each other room."""

_PROGRESS_EVERY_S = 0.5

_JOB = os.environ.get("ADAMATTE_JOB", "")
"""A farm's name for this job: in `progress.json` it tells whoever waits that the file is his."""


class Books:
    """The manifest, brought up to date every few seconds and at the end.

    Args:
        layout: of the output folder.
        manifest: of this run, no frame in it yet.
        pictures: the run makes masks or trimaps alone; a manifest of mattes stays theirs.
        admit: refuses a folder that turns out to be another shot's.
    """

    def __init__(
        self,
        layout: OutputLayout,
        manifest: Manifest,
        *,
        pictures: bool = False,
        admit: Callable[[Manifest], None] = lambda _: None,
    ) -> None:
        self._file = ManifestFile(layout.manifest, pictures=pictures, admit=admit)
        self._head = manifest
        self._new: list[FrameResult] = []
        self._due = time.monotonic() + _BOOKS_EVERY_S
        self._file.update(manifest)

    @property
    def asked(self) -> FrameRange:
        """The frames of this run."""
        return self._head.asked

    def add(self, result: FrameResult) -> None:
        """Note a frame; on disk within seconds."""
        self._new.append(result)
        if time.monotonic() > self._due:
            self._write(self._head)

    def close(self, *, ended: str | None) -> Manifest:
        """Write what is not written yet, and when the run ended; None where it did not."""
        return self._write(self._head.model_copy(update={"ended": ended}))

    def _write(self, head: Manifest) -> Manifest:
        began = time.monotonic()
        written = self._file.update(head.with_results(self._new))
        self._new.clear()
        now = time.monotonic()
        self._due = now + max(_BOOKS_EVERY_S, _BOOKS_SHARE * (now - began))
        return written


@contextmanager
def reported(layout: OutputLayout, tally: Tally, drain: Drain) -> Iterator[None]:
    """Keep `progress.json` fresh from a thread of its own: one frame may take minutes."""
    over = threading.Event()

    def tell(exit_code: int | None = None) -> None:
        # A disk that fails shows in the frames and the manifest; progress is a courtesy.
        with suppress(OutputError):
            said = tally.as_progress_json(exit_code)
            write_progress(layout.progress, said | ({"job": _JOB} if _JOB else {}))

    def report() -> None:
        while not over.wait(_PROGRESS_EVERY_S):
            tell()

    thread = threading.Thread(target=report, name="progress", daemon=True)
    tell()
    thread.start()
    code = 4
    try:
        yield
        code = 143 if drain.asked and tally.left else 3 if tally.failed else 0
    except AdaMatteError as error:
        code = error.exit_code
        raise
    except KeyboardInterrupt:
        code = 143 if drain.asked else 130
        raise
    finally:
        over.set()
        thread.join()
        tell(code)


_MADE = frozenset({FrameState.DONE, FrameState.SKIPPED})


def unchanged(results: Iterable[FrameResult], stopped: Callable[[], bool]) -> Iterator[FrameResult]:
    """The results as they come; and again, as failed, those whose files became others meanwhile.

    Each is true of what it was made of, and its recipe says so. But the run is of one plate, and
    what was asked for is a matte of the plate as it is: such frames are to be done again. A file
    that is gone says nothing.

    Args:
        results: of the workers.
        stopped: whether the run was ended early; then the next one compares.
    """
    stamps: dict[tuple[str, str], str] = {}
    made: dict[tuple[str, str], list[int]] = {}
    for result in results:
        if result.state in _MADE:
            for path, found in result.read.items():
                key = path, found.sha256
                stamps[key] = stamps.get(key) or found.stamp
                made.setdefault(key, []).append(result.number)
        yield result
    if stopped():
        return
    failed: set[int] = set()
    for (path, sha256), numbers in made.items():
        known = Sum(sha256, stamps[path, sha256])
        if sum_now(Path(path), known) in (None, sha256):
            continue
        for number in sorted(set(numbers) - failed):
            error = FrameError(
                "it was changed while the run went on", where=path, fix="run the same command again"
            )
            yield FrameResult(number=number, state=FrameState.FAILED, error=str(error))
        failed.update(numbers)
