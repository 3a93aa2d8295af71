"""`Listeners`: the open windows, told of what has changed; whoever hears of it asks for it."""

import asyncio
import json

from plugin.errors import FrameError

_MOST = 32


class Listeners:
    """Queues of what happens, one a window."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[str]] = set()

    def listen(self) -> asyncio.Queue[str]:
        """A queue of what happens, until `leave`; an empty text is the end.

        Raises:
            FrameError: too many listen already.
        """
        if len(self._queues) >= _MOST:
            raise FrameError("too many windows", where="the desk", fix="close some")
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._queues.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[str]) -> None:
        """No longer listen."""
        self._queues.discard(queue)

    def tell(self, what: str) -> None:
        """Of what has changed, by name."""
        for queue in self._queues:
            queue.put_nowait(json.dumps({"changed": what}))

    def end(self) -> None:
        """There is no more to hear."""
        for queue in self._queues:
            queue.put_nowait("")
