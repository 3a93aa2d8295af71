"""A job on this machine: the command as a subprocess, its JSON lines read in a thread."""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
import threading
from typing import IO, Any, Iterator

from .errors import BridgeError
from .request import Request, clean_environment
from .status import Job, Status, passing

_MOST_OF_A_LINE = 1 << 20
_GRACE_S = 20.0
"""How long the program may take to end by itself; what is done is kept either way."""

_TICK_S = 0.1


class LocalJob(Job):
    """Runs `adamatte run` here.

    Args:
        request: what to do.
        adamatte: how the program is called.
    """

    def __init__(self, request: Request, adamatte: list[str]) -> None:
        super().__init__()
        self._words = self._asked(request.check(), adamatte)
        self._error = ""
        self.status = Status("starting", total=len(request.frames))

    def _asked(self, request: Request, adamatte: list[str]) -> list[str]:
        return request.words(adamatte)

    def _work(self) -> None:
        self._say(self.status)
        process = self._start()
        stop = threading.Thread(target=self._stop_when_asked, args=(process,), daemon=True)
        errors = threading.Thread(target=self._read_errors, args=(process.stderr,), daemon=True)

        def at_exit() -> None:  # it goes on from there when asked again
            if process.poll() is None:
                process.terminate()

        atexit.register(at_exit)
        stop.start()
        errors.start()
        with process:
            self._read_events(process.stdout)
            code = process.wait()
            errors.join(5)
        atexit.unregister(at_exit)
        self._say(self._end(code))

    def _start(self) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                self._words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=clean_environment(),
                # A Ctrl-C in the host's terminal is not meant for the job.
                start_new_session=sys.platform != "win32",
            )
        except OSError as error:
            fix = "set `command` on the node, or $ADAMATTE, to the program"
            raise BridgeError(error.strerror or "cannot be started", self._words[0], fix) from error

    def _read_events(self, stream: IO[bytes] | None) -> None:
        for line in lines_of(stream):
            event = _event(line)
            kind = event.get("event")
            if kind == "start":
                total = event.get("frames")
                self._say(self.status.with_counts({"total": total})._replace(state="running"))
            elif kind == "progress":
                self._say(self.status.with_counts(event))
            elif kind == "pass":
                self._say(self.status._replace(message=passing(event)))
            elif kind == "frame":
                self._say(self._counted(event))

    def _counted(self, event: dict[str, Any]) -> Status:
        now = self.status
        if event.get("state") == "failed":
            return now._replace(failed=now.failed + 1, message=str(event.get("error", ""))[:300])
        return now._replace(done=now.done + 1)

    def _read_errors(self, stream: IO[bytes] | None) -> None:
        for line in lines_of(stream):
            text = line.decode("utf-8", "replace").strip()
            if text.startswith("adamatte: error: "):
                self._error = text[len("adamatte: error: ") :]

    def _stop_when_asked(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            if self._cancel.wait(_TICK_S) or self._left.is_set():
                process.terminate()
                try:
                    process.wait(_GRACE_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                return

    def _end(self, code: int) -> Status:
        state = "done" if code == 0 else "failed"
        if self._cancel.is_set() and code != 0:
            return self.status._replace(state="cancelled", message="what is done is kept")
        message = self._error
        if code != 0 and not message:
            message = f"{self._words[0]} ended with {code}"
        return self.status._replace(state=state, message=message if code else "")


def lines_of(stream: IO[bytes] | None) -> Iterator[bytes]:
    """Lines as they come, until the other end is closed."""
    while stream is not None:
        line = stream.readline(_MOST_OF_A_LINE)
        if not line:
            return
        yield line


def _event(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line.decode("utf-8", "replace"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
