"""The button that opens the desk, in the pretended Nuke, on the stand-in for the program."""

from __future__ import annotations

import json
import os
import unittest
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from tests.bridge.nuke_host import script, stage
from tests.bridge.suite.base import BridgeTest, Browser, said


class Desk(BridgeTest):
    def setUp(self) -> None:
        super().setUp()
        self.browser = Browser.taken()

    def opened(self, **knobs: Any) -> Any:
        node = self.node(**knobs)
        stage.press(node, "desk")
        stage.until(lambda: said(node) == "the desk is open in the browser")
        stage.until(lambda: self.browser.pages)
        return node

    def words(self) -> list[str]:
        found: list[str] = json.loads((self.folder / "out/v001/desk.json").read_text())
        return found

    def test_it_opens_on_the_node_s_shot_with_its_settings(self) -> None:
        self.opened(erode=3.0, frames="1002-1003")
        words = self.words()
        self.assertEqual(words[:2], ["desk", str(self.folder / "plate.%04d.exr")])
        for pair in (["--erode", "3"], ["--frames", "1002-1003"], ["--shot", "plate"]):
            self.assertEqual(words[words.index(pair[0]) :][:2], pair)
        self.assertIn("--no-browser", words)

    def test_the_browser_s_words_hold_no_token(self) -> None:
        node = self.opened()
        (page,) = self.browser.pages
        self.assertNotIn("hush", page)
        path = Path(url2pathname(urlsplit(page).path))
        self.assertIn("http://127.0.0.1:1/?token=hush", path.read_text())
        self.assertEqual(path.stat().st_mode & 0o077, 0)
        self.assertNotIn("hush", script.saved())
        (self.folder / "out/v001/desk.json").unlink()
        stage.until(lambda: "missing 1001-1004" in said(node))
        self.assertFalse(path.exists())

    def test_pressed_again_it_is_looked_at_again(self) -> None:
        node = self.opened()
        stage.press(node, "desk")
        stage.until(lambda: len(self.browser.pages) == 2)
        self.assertEqual(len(set(self.browser.pages)), 1)

    def test_frames_can_be_matted_beside_it(self) -> None:
        node = self.opened()
        stage.press(node, "matte")
        self.assertEqual(self.ended(node), "all 4 frames done")

    def test_it_ends_with_the_script(self) -> None:
        from nuke_bridge.nuke_node import running

        node = self.opened()
        desk = running.desk_of(node)
        assert desk is not None
        running.leave_all()
        desk.wait(30)
        self.assertEqual((desk.status.state, desk.status.message), ("done", "the desk is closed"))

    def test_what_is_wrong_is_told(self) -> None:
        os.environ["STAND_IN"] = "fail"
        node = self.node()
        stage.press(node, "desk")
        stage.until(lambda: said(node) == "the plate is missing · a.exr · check the name")
        self.assertEqual(self.browser.pages, [])


if __name__ == "__main__":
    unittest.main()
