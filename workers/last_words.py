"""What a person is told if this process dies in the middle of its frames.

A library that crashes takes its process along, and nobody is left to speak. So a small process
waits at the end of a pipe, which is told what is in the works; when the pipe ends without a
farewell, it says which frames they were and how to go on. Under Ray the driver sees to it: an
actor that dies costs nothing but its frame.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TypeVar

T = TypeVar("T")

_WATCH = """
import os, signal, sys
for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
os.close(1)  # from here on, no signal to all of the group ends it
told, flying = open(0, encoding="utf-8", errors="replace", closefd=False), []
where = told.readline().strip()
for line in told:
    word, number = line.split()
    if word == "farewell":
        sys.exit()
    flying.append(number) if word == "begin" else flying.remove(number)
frames = ", ".join(sorted(flying, key=int))
at = "at frames " + frames + ", or those around them" if frames else "between its frames"
sys.stderr.write(
    "adamatte: error: the process died " + at + " · " + where + " · what is done is kept: run the"
    " same command again; if it dies there again, with --executor ray, which sets such a frame"
    " aside and goes on\\n"
)
"""


class LastWords:
    """For as long as its block lasts, this process is waited on.

    Without another process, where there can be none, nothing is said.

    Args:
        where: what the message names: the plate.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> LastWords:
        with suppress(OSError):
            self._child = subprocess.Popen(  # noqa: S603  our own words
                [sys.executable, "-I", "-S", "-c", _WATCH],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            assert self._child.stdout is not None  # noqa: S101  it is a pipe
            self._child.stdout.read()
            self._child.stdout.close()
            self._tell(" ".join(self._where.split()))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tell("farewell 0")
        if self._child is not None and self._child.stdin is not None:
            with suppress(OSError):
                self._child.stdin.close()
            self._child.wait()

    def of(self, do: Callable[[int], T]) -> Callable[[int], T]:
        """`do`, whose frames are told of while it is at them; from any thread."""

        def telling(number: int) -> T:
            self._tell(f"begin {number}")
            try:
                return do(number)
            finally:
                self._tell(f"end {number}")

        return telling

    def _tell(self, line: str) -> None:
        if self._child is not None and self._child.stdin is not None:
            with suppress(OSError, ValueError):  # it was killed, or all is said
                os.write(self._child.stdin.fileno(), f"{line}\n".encode(errors="replace"))
