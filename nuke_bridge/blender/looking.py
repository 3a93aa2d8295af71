"""A look at what there is, in a thread: Blender waits for no disk."""

from __future__ import annotations

import threading

from ..core.errors import BridgeError
from ..core.manifest import FrameStates, frame_states
from ..core.request import Request
from ..core.status import Status


class Looking:
    """A look at the frames of a request, in a thread.

    Attributes:
        request: what was looked for.
        ended: how the job ended before it; None when there was none.
        states: what was found; None until then, and where it failed.
        error: one line where it failed.
    """

    def __init__(self, request: Request, ended: Status | None) -> None:
        self.request = request
        self.ended = ended
        self.states: FrameStates | None = None
        self.error = ""
        self._thread = threading.Thread(target=self._work, name="adamatte look", daemon=True)

    def start(self) -> Looking:
        """Begin."""
        self._thread.start()
        return self

    @property
    def alive(self) -> bool:
        """Whether it is not over yet."""
        return self._thread.is_alive()

    def wait(self) -> None:
        """Wait for the end, in a Blender without an interface."""
        self._thread.join()

    def _work(self) -> None:
        try:
            self.states = frame_states(self.request)
        except BridgeError as error:
            self.error = str(error)
