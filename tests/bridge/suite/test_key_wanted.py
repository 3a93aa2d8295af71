"""Where another key would help most: read from the manifest, gone to by a button."""

from __future__ import annotations

import json
import unittest
from typing import Any

from nuke_bridge.core.manifest import frame_states
from nuke_bridge.core.request import Request
from tests.bridge.nuke_host import script, stage
from tests.bridge.suite.base import BridgeTest, top


class KeyWanted(BridgeTest):
    def test_where_a_key_helps_is_the_last_run_s_word_while_its_keys_are_the_node_s(self) -> None:
        request = Request(self.plate(), str(self.folder), "plate", [1001, 1002, 1003])
        keyed = request._replace(settings={"keyframe": "1001=/k/a.png"})
        path = self.folder / "manifest.json"

        def wanted(asked: Request, **manifest: Any) -> Any:
            path.write_text(json.dumps({"shot": {"keyframe": ["1001=/k/a.png"]}, **manifest}))
            return frame_states(asked).key_wanted

        self.assertEqual(wanted(keyed, key_wanted=1003), 1003)
        self.assertIn("a key helps most at 1003", frame_states(keyed).summary())
        self.assertIn("at 1003", frame_states(keyed).all_stale("x").summary())
        self.assertEqual(wanted(keyed, key_wanted=None), None)
        self.assertNotIn("a key", frame_states(keyed).summary())
        self.assertEqual(wanted(keyed), None)
        self.assertEqual(wanted(keyed, key_wanted=1009), None)
        self.assertEqual(wanted(keyed, key_wanted="1003"), None)
        self.assertEqual(wanted(keyed, key_wanted=True), None)
        self.assertEqual(wanted(request, key_wanted=1003), None)
        more = request._replace(settings={"keyframe": "1001=/k/a.png 1003=/k/b.png"})
        self.assertEqual(wanted(more, key_wanted=1003), None)

    def test_the_button_to_where_a_key_helps_is_there_while_one_would(self) -> None:
        node = self.done()
        button = node["go_to_key"]
        self.assertFalse(button.visible())
        path = self.folder / "out/v001/manifest.json"
        manifest = json.loads(path.read_text())
        path.write_text(json.dumps({**manifest, "key_wanted": 1003}))
        self.assertEqual(self.looked(node), "all 4 frames done \u00b7 a key helps most at 1003")
        self.assertTrue(button.visible())
        stage.press(node, "go_to_key")
        self.assertEqual((stage.STATE.frame, stage.STATE.messages), (1003, []))
        stage.fresh()
        node = self.node()
        self.looked(node)
        text = script.saved()
        stage.fresh()
        script.loaded(text)
        self.assertTrue(top("AdaMatte1")["go_to_key"].visible())
        node = self.node(keyframe="1003=/k/a.png")
        self.looked(node)
        self.assertFalse(node["go_to_key"].visible())
        stage.press(node, "go_to_key")
        self.assertIn("no frame asks for a key", stage.STATE.messages[-1])

    def test_a_node_of_an_earlier_version_has_no_such_button(self) -> None:
        self.node()
        kept = [line for line in script.saved().splitlines() if "go_to_key" not in line]
        stage.fresh()
        script.loaded("\n".join(line for line in kept if "key_wanted" not in line))
        self.assertIn("missing", self.looked(top("AdaMatte1")))


if __name__ == "__main__":
    unittest.main()
