"""At the end of a run: is every file still what the frames were made of?"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from plugin.disk.inputs import Sum, sum_now
from plugin.errors import FrameError
from plugin.types import FrameResult, FrameState

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
