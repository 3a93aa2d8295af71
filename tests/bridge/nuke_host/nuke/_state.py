"""The pretended Nuke's script, its queue of calls, and the rule of the main thread."""

from __future__ import annotations

import queue
import threading
from typing import Any, Callable

__all__ = ["STATE", "State", "in_main"]


class State:
    """One session."""

    def __init__(self) -> None:
        self.clear()
        self.gui = True
        self.messages: list[str] = []
        self.calls: queue.Queue[Any] = queue.Queue()
        self.callbacks: dict[str, list[Any]] = {}
        self.commands: dict[str, Any] = {}
        self.render: Callable[[Any, int, str], None] | None = None
        self.rendered: list[Any] = []
        self.frame = 1001

    def clear(self) -> None:
        """An empty script."""
        self.root: Any = None
        self.group: Any = None
        self.this: Any = None
        self.knob: Any = None


STATE = State()


def in_main() -> None:
    """Nuke's objects belong to its main thread; elsewhere it may crash, so here it is an error."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("Nuke was touched from another thread than its main one")
