"""For tests that run under every interpreter that a host embeds: `unittest` alone."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
import unittest
import webbrowser
from pathlib import Path
from typing import Any

from tests.bridge.nuke_host import stage

import nuke  # isort: skip

PROGRAM = Path(__file__).with_name("program.py")


class BridgeTest(unittest.TestCase):
    """A folder, an empty script, and the stand-in as the program."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bridge"))
        self.addCleanup(shutil.rmtree, str(self.folder), True)
        before = dict(os.environ)
        self.addCleanup(os.environ.update, before)
        self.addCleanup(os.environ.clear)
        os.environ["ADAMATTE"] = f"{sys.executable} {PROGRAM}"
        for name in ("STAND_IN", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_API_SERVER_ADDRESS"):
            os.environ.pop(name, None)
        os.environ["HOME"] = str(self.folder)
        stage.fresh()

    def plate(self, first: int = 1001, last: int = 1004) -> str:
        """Plate files, older than anything that is made of them."""
        for number in range(first, last + 1):
            path = self.folder / f"plate.{number:04d}.exr"
            path.write_text(f"plate {number}")
            os.utime(str(path), (time.time() - 60,) * 2)
        return str(self.folder / "plate.%04d.exr")

    def node(self, **knobs: Any) -> Any:
        """An AdaMatte node on a Read of the plate."""
        from nuke_bridge.nuke_node import build

        made: Any = build.build()
        made.setInput(0, stage.read(self.plate(), 1001, 1004))
        made["out"].setValue(str(self.folder / "out"))
        for name, value in knobs.items():
            made[name].setValue(value)
        return made

    def ended(self, node: Any, seconds: float = 30.0) -> str:
        """Run the main loop until the node's job is over and shown; what the node then says."""
        from nuke_bridge.nuke_node import running

        looked = inner(node, "alpha")["reload"]
        before = looked._runs
        stage.until(lambda: running.job_of(node) is None and looked._runs > before, seconds)
        return said(node)

    def done(self) -> Any:
        """A node whose frames are matted."""
        node = self.node()
        stage.press(node, "matte")
        self.assertEqual(self.ended(node), "all 4 frames done")
        return node

    def looked(self, node: nuke.Node) -> str:
        """What the node says after a look at what is there."""
        node["status"].setValue("")
        stage.press(node, "refresh")
        stage.until(lambda: said(node))
        return said(node)


class Browser(webbrowser.BaseBrowser):
    """Notes what it was asked to open."""

    def __init__(self) -> None:
        super().__init__("recorder")
        self.pages: list[str] = []

    @classmethod
    def taken(cls) -> Browser:
        """The one that is taken from now on."""
        made = cls()
        webbrowser.register("recorder", None, made, preferred=True)
        return made

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:  # noqa: ARG002
        self.pages.append(url)
        return True


def said(node: Any) -> str:
    """What the node says."""
    return str(node["status"].value())


def inner(node: Any, name: str) -> Any:
    """A node inside the group."""
    return top(node.fullName() + "." + name)


def top(name: str) -> Any:
    """A node of the script."""
    found = nuke.toNode(name)
    assert found is not None
    return found
