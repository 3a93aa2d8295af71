"""The tester's side of the pretended Nuke: sessions, scripts on disk, a main loop that is timed."""

from __future__ import annotations

import queue
import sys
import time
from pathlib import Path
from typing import Any, Callable

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

for folder in (str(HERE), str(ROOT)):
    if folder not in sys.path:
        sys.path.insert(0, folder)

import nuke
from nuke._state import STATE as STATE

slowest = 0.0
"""Seconds of the longest call that held the main thread since `fresh`."""


def fresh(gui: bool = True) -> Any:
    """An empty script in a new session; the bridge's menu is installed."""
    global slowest
    slowest = 0.0
    STATE.__init__()
    nuke.GUI = gui
    return nuke.root()


def press(node: Any, button: str) -> None:
    """Press a button, timed."""
    timed(node[button].execute)


def timed(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Do something in the main thread and remember how long it was held."""
    global slowest
    began = time.perf_counter()
    try:
        return call(*args, **kwargs)
    finally:
        slowest = max(slowest, time.perf_counter() - began)


def until(reached: Callable[[], Any], seconds: float = 300.0) -> None:
    """Run the main loop until something is so.

    Raises:
        AssertionError: it is not so in that time.
    """
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            raise AssertionError(f"not reached in {seconds} s")
        try:
            call, args, kwargs = STATE.calls.get(timeout=0.05)
        except queue.Empty:
            continue
        timed(call, *args, **kwargs)


def read(file: str, first: int, last: int, size: Any = (96, 64)) -> Any:
    """A Read of a plate."""
    made: Any = nuke.nodes.Read(name="Read1", file=file, first=first, last=last)
    made["origfirst"].setValue(first)
    made["origlast"].setValue(last)
    from nuke import Format

    made._format = Format(*size)
    return made
