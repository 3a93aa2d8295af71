"""The error tree. Each error says what is wrong, where, and what to do about it.

```
AdaMatteError
├── RequestError          exit 2: the request is wrong; nothing was written
│   ├── ShotError           an option or a job file
│   ├── FrameRangeError     a frame range or a file pattern
│   ├── PlateError          the plate as a whole
│   ├── MaskError           masks, clean plates, key frames: what segmentation is given
│   ├── TrimapError         ready trimaps
│   ├── OverrideError       the shot's trimap override file
│   ├── PictureError        a picture that one of those is read from
│   └── WeightsError        the network's weights
├── FrameError            exit 3: one frame failed, the others go on
├── SurroundingsError     exit 4: disk, cluster, device; worth a retry
│   ├── OutputError
│   ├── ClusterError
│   └── DeviceError
└── Interrupted           exit 130 (SIGINT) or 143 (SIGTERM); resumable
```
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any


class AdaMatteError(Exception):
    """Root of the tree.

    Args:
        what: what is wrong, in a few plain words, no full stop.
        where: the file, option or frame that it is about.
        fix: what the user can do about it.
    """

    exit_code = 4

    def __init__(self, what: str, *, where: object, fix: str) -> None:
        super().__init__(what, where, fix)
        self.what = what
        self.where = str(where)
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.what} · {self.where} · {self.fix}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword-only arguments do not survive the default pickling, and errors cross processes.
        named = {name: value for name, value in vars(self).items() if not name.startswith("__")}
        return partial(type(self), named.pop("what"), **named), ()


class RequestError(AdaMatteError):
    """What was asked for cannot be done as asked; nothing was written."""

    exit_code = 2


class ShotError(RequestError):
    """An option or a line of the job file is wrong."""


class FrameRangeError(RequestError):
    """A frame range or a file pattern cannot be understood."""


class PlateError(RequestError):
    """The plate is missing, incomplete, damaged or of a kind that is not read."""


class MaskError(RequestError):
    """What the segmentation was given does not fit the plate or cannot be trusted."""


class TrimapError(RequestError):
    """A ready trimap is missing, has another size or other values than a trimap."""


class OverrideError(RequestError):
    """The trimap override file is wrong; `where` names the rule."""


class PictureError(RequestError):
    """A picture that comes with the plate cannot be had; whoever asked for it says what it was."""


class WeightsError(RequestError):
    """The weights are missing, damaged or of another network."""


class FrameError(AdaMatteError):
    """One frame could not be done; the others go on."""

    exit_code = 3


class SurroundingsError(AdaMatteError):
    """The machine, the disk or the cluster failed: worth a retry."""

    exit_code = 4


class OutputError(SurroundingsError):
    """The output folder cannot be written: full, read-only, or in use."""


class ClusterError(SurroundingsError):
    """Ray cannot be reached, refuses, or lost its workers."""


class DeviceError(SurroundingsError):
    """The device asked for is missing or out of memory."""


class Interrupted(AdaMatteError):  # noqa: N818  an event, not a mistake
    """A signal ended the run; what was done is kept, and the same command goes on from there."""

    exit_code = 130

    def __init__(self, what: str, *, where: object, fix: str, exit_code: int = 130) -> None:
        super().__init__(what, where=where, fix=fix)
        self.exit_code = exit_code


@contextmanager
def told_as(
    kind: type[AdaMatteError],
    *,
    of: type[Exception] = PictureError,
    where: object = None,
    fix: str | None = None,
) -> Iterator[None]:
    """Around a block, or as a decorator: what is raised within is raised as another kind.

    One picture is a mask to one caller and a trimap to the next, and the same damage is a
    `RequestError` before the work and a `FrameError` in it.

    Args:
        kind: the class to raise.
        of: the class that is told anew, with `what`, `where` and `fix`; all else passes.
        where: what it is about to the caller; None leaves the error's own.
        fix: what to do about it; None leaves the error's own.

    Raises:
        kind: with the words of the error within.
    """
    try:
        yield
    except of as error:
        told: Any = error
        place = told.where if where is None else where
        raise kind(told.what, where=place, fix=fix or told.fix) from error
