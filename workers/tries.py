"""What becomes of a frame over which a worker stumbles: tried again, then set aside.

Our own errors say what is wrong with a frame, and once is enough. Any other exception may be a
library's bug, or the moment's.
"""

from collections.abc import Callable

from plugin.errors import AdaMatteError
from plugin.types import FrameResult, FrameState


def tried(do: Callable[[int], FrameResult], retries: int) -> Callable[[int], FrameResult]:
    """`do`, which gives a failed frame where it raises an exception that is not ours."""

    def patiently(number: int) -> FrameResult:
        for left in reversed(range(retries + 1)):
            try:
                return do(number)
            except AdaMatteError:
                raise
            except Exception as error:
                if not left:
                    return set_aside(number, retries + 1, told(error), FrameState.FAILED)
        raise AssertionError("the last try returns")

    return patiently


def set_aside(number: int, tries: int, why: str, state: FrameState) -> FrameResult:
    """The result of a frame that is given up."""
    text = " ".join(why.split()).replace(" · ", ", ")[:300]
    error = f"set aside after {tries} tries: {text} · frame {number} · see the log"
    return FrameResult(number=number, state=state, error=error)


def told(error: BaseException) -> str:
    """An exception in a line."""
    return f"{type(error).__name__}: {error}"
