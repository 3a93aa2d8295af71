"""The interface's thread opens no file, starts no process and talks to no one, whatever is pressed.

A measure that does not depend on the machine: what can take long is never begun in that thread.
As in Nuke, everything was imported when the session began; a later import lists folders and shows.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.bridge.nuke_host import stage
from tests.bridge.suite.base import BridgeTest, Browser, said

from nuke_bridge.nuke_node import running  # isort: skip
import nuke_bridge.nuke_node.startup  # noqa: F401  isort: skip  as menu.py does, on the stage's Nuke

SLOW = {"open", "subprocess.Popen", "socket.connect", "socket.getaddrinfo", "os.listdir"}
_seen: list[str] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    in_main = threading.current_thread() is threading.main_thread()
    if _seen is not None and in_main and event in SLOW:
        what = str(arguments[0])
        if not what.endswith((".py", ".pyc")):
            _seen.append(f"{event} {what}")


sys.addaudithook(_watch)


@pytest.fixture
def begun() -> Iterator[list[str]]:
    """What the main thread began that may take long."""
    global _seen  # noqa: PLW0603  an audit hook cannot be taken away
    _seen = []
    yield _seen
    _seen = None


class Stage(BridgeTest):
    """The suite's folder and node, for pytest's own tests."""

    def runTest(self) -> None:  # noqa: N802
        """Nothing: only what it sets up is wanted."""


@pytest.fixture
def there() -> Iterator[Stage]:
    made = Stage()
    made.setUp()
    yield made
    made.doCleanups()


def test_nothing_slow_is_begun_in_the_interface(there: Stage, begun: list[str]) -> None:
    node = there.node()
    begun.clear()  # writing the plate was the test's own
    importlib.invalidate_caches()
    for button in ("matte", "refresh", "matte_frame", "refresh"):
        stage.press(node, button)
        there.ended(node) if button.startswith("matte") else stage.until(lambda: said(node))
    Browser.taken()
    stage.press(node, "desk")
    stage.until(lambda: said(node) == "the desk is open in the browser")
    running.leave_all()
    node["where"].setValue("farm")
    node["address"].setValue("http://127.0.0.1:9")
    stage.press(node, "matte")
    stage.until(lambda: "does not answer" in said(node))
    assert begun == []


def test_the_longest_that_the_interface_was_held_is_told(
    there: Stage, record_property: Any
) -> None:
    node = there.node()
    stage.slowest = 0.0
    for button in ("matte", "refresh"):
        stage.press(node, button)
        there.ended(node) if button == "matte" else stage.until(lambda: said(node))
    record_property("interface_held_ms", round(stage.slowest * 1000, 2))
    print(f"the interface was held for {stage.slowest * 1000:.2f} ms at most")  # noqa: T201
    assert stage.slowest < 5  # generous: it is the figure that is of interest
