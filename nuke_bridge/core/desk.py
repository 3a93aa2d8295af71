"""The desk of a host's shot: `adamatte desk` as a subprocess, which ends with the host."""

from __future__ import annotations

import os
import tempfile
import webbrowser
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import IO

from .local import LocalJob, lines_of
from .request import Request
from .status import Status


class DeskJob(LocalJob):
    """Opens the desk here, and the browser on it; goes on until the desk is closed.

    Args:
        request: the shot, and how it is matted.
        adamatte: how the program is called.
    """

    def __init__(self, request: Request, adamatte: list[str]) -> None:
        super().__init__(request, adamatte)
        self._door: Path | None = None
        self.status = Status("starting", message="the desk is opening")

    def _asked(self, request: Request, adamatte: list[str]) -> list[str]:
        return request.desk(adamatte)

    def look(self) -> None:
        """Open the browser on it, once more if it was closed; never in the interface thread."""
        if self._door is not None:
            webbrowser.open(self._door.as_uri())

    def _read_events(self, stream: IO[bytes] | None) -> None:
        for line in lines_of(stream):
            address = line.decode("utf-8", "replace").strip()
            if self._door is None and address.startswith("http://"):
                self._door = _door_to(address)
                self._say(Status("running", message="the desk is open in the browser"))
                self.look()

    def _end(self, code: int) -> Status:
        if self._door is not None:
            with suppress(OSError):
                self._door.unlink()
        ended = super()._end(code)
        return ended if ended.message else ended._replace(message="the desk is closed")


def _door_to(address: str) -> Path:
    """A page that leads there: the arguments of a browser, and the token in them, all can see."""
    handle, name = tempfile.mkstemp(prefix="adamatte-desk-", suffix=".html")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        target = escape(address, quote=True)
        file.write(f'<!doctype html><meta http-equiv="refresh" content="0;url={target}">')
    return Path(name)
