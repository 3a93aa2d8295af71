"""The node in the pretended Nuke: knobs, buttons, what it hands over and what it shows."""

from __future__ import annotations

import contextlib
import io
import json
import os
import time
import unittest
from pathlib import Path

from tests.bridge.nuke_host import script, stage
from tests.bridge.suite.base import BridgeTest, inner, said

import nuke  # isort: skip

GOLDEN = Path(__file__).parents[2] / "golden" / "adamatte-node.nk"


class Making(BridgeTest):
    def test_the_script_text_is_the_golden_one(self) -> None:
        from nuke_bridge.nuke_node import build

        build.build()
        if os.environ.get("WRITE_GOLDEN"):
            GOLDEN.write_text(script.saved(), encoding="utf-8")
        self.assertEqual(script.saved(), GOLDEN.read_text(encoding="utf-8"))

    def test_a_script_comes_back_as_it_was_saved(self) -> None:
        self.node(erode=3.5, override="a b/\u00e4.json", force=True)
        text = script.saved()
        stage.fresh()
        script.loaded(text)
        self.assertEqual(script.saved(), text)

    def test_every_knob_says_what_it_does(self) -> None:
        node = self.node()
        plain = {"label", "tile_color", "xpos", "ypos", "disable"}
        silent = [
            name
            for name, knob in node.knobs().items()
            if name not in plain
            and not knob.tooltip()
            and knob.visible()
            and knob.Class() not in ("Tab_Knob", "Text_Knob")
        ]
        self.assertEqual(silent, [])

    def test_missing_frames_show_as_missing_never_the_nearest(self) -> None:
        read = inner(self.node(), "alpha")
        self.assertEqual(read["on_error"].value(), "checkerboard")
        self.assertEqual((read["before"].value(), read["after"].value()), ("black", "black"))
        self.assertTrue(read["raw"].value())

    def test_the_menu_puts_it_on_the_selected_node(self) -> None:
        read = stage.read(self.plate(), 1001, 1004)
        read.setSelected(True)
        made = stage.STATE.commands.get("Keyer/AdaMatte")
        self.assertIsNone(made)
        self.run_file("init.py")
        self.run_file("menu.py")
        node = stage.STATE.commands["Keyer/AdaMatte"]()
        self.assertIs(node.input(0), read)

    def test_a_failing_plug_in_never_stops_nuke(self) -> None:
        before = nuke.menu
        try:
            del nuke.menu
            with contextlib.redirect_stderr(io.StringIO()) as said_there:
                self.run_file("menu.py")
        finally:
            nuke.menu = before
        self.assertIn("AdaMatte is not available", said_there.getvalue())

    def run_file(self, name: str) -> None:
        """As Nuke does with what it finds on its path."""
        file = stage.ROOT / "nuke_bridge" / name
        exec(compile(file.read_text(encoding="utf-8"), str(file), "exec"), {"__file__": str(file)})


class Matting(BridgeTest):
    def test_an_untouched_read_is_handed_over_by_its_file(self) -> None:
        node = self.node(dilate=25.0)
        stage.press(node, "matte")
        self.assertEqual(self.ended(node), "all 4 frames done")
        self.assertEqual(stage.STATE.rendered, [])
        read = inner(node, "alpha")
        alpha = str(self.folder / "out" / "v001" / "alpha" / "plate_alpha.%04d.exr")
        self.assertEqual(read["file"].value(), alpha)
        self.assertEqual((read["first"].value(), read["last"].value()), (1001, 1004))
        self.assertEqual(stage.STATE.messages, [])

    def test_the_rest_is_seen_as_missing_after_one_frame(self) -> None:
        node = self.node()
        stage.STATE.frame = 1003
        stage.press(node, "matte_frame")
        self.assertEqual(self.ended(node), "1 of 4 done · 3 missing 1001-1002,1004")
        self.assertEqual(node["label"].value(), "missing 1001-1002,1004")

    def test_a_touched_plate_is_rendered_with_its_numbers_and_frames_kept(self) -> None:
        seen = {}

        def render(write: nuke.Node, number: int, pattern: str) -> None:
            knobs = ("raw", "datatype", "file_type", "channels")
            seen.update({name: write[name].value() for name in knobs})
            Path(pattern % number).write_text("rendered")

        stage.STATE.render = render
        node = self.node()
        grade = nuke.nodes.Grade(inputs=[node.input(0)])
        node.setInput(0, grade)
        node["frames"].setValue("1001,1003-1004")
        stage.press(node, "matte")
        self.assertEqual(self.ended(node), "all 3 frames done")
        self.assertEqual([n for _, n in stage.STATE.rendered], [1001, 1003, 1004])
        wanted = {"raw": True, "datatype": "32 bit float", "file_type": "exr", "channels": "rgb"}
        self.assertEqual(seen, wanted)
        self.assertEqual(nuke.allNodes("Write"), [])
        grade["white"].setValue(2.0)
        stage.press(node, "refresh")
        stage.until(lambda: "stale" in said(node))
        self.assertIn("the plate input has changed", said(node))

    def test_a_mask_input_is_handed_over_too(self) -> None:
        node = self.node()
        mask = stage.read(str(self.folder / "roto.%04d.png"), 1001, 1004)
        node.setInput(1, mask)
        from nuke_bridge.nuke_node.reading import request_of

        request = request_of(node)
        self.assertEqual(request.mask, str(self.folder / "roto.%04d.png"))
        self.assertIn("--mask", request.words(["adamatte"]))

    def test_a_moved_read_is_not_untouched(self) -> None:
        node = self.node()
        node.input(0)["frame"].setValue("frame+10")
        from nuke_bridge.nuke_node.plate import plate_source

        self.assertEqual(plate_source(node).file, "")

    def test_cancel_keeps_what_is_done(self) -> None:
        os.environ["STAND_IN"] = "slow"
        node = self.node()
        stage.press(node, "matte")
        stage.until(lambda: "1 of 4" in said(node))
        stage.press(node, "cancel")
        self.assertIn("cancelled", self.ended(node))

    def test_one_clear_line_for_each_mistake(self) -> None:
        def of(node: nuke.Node, button: str) -> str:
            stage.STATE.messages[:] = []
            stage.press(node, button)
            self.assertEqual(len(stage.STATE.messages), 1)
            return str(stage.STATE.messages[0])

        node = self.node(out="")
        self.assertIn("no output folder", of(node, "matte"))
        node["out"].setValue("[nonsense]")
        self.assertIn("invalid command", of(node, "matte"))
        node = self.node(frames="10-1")
        self.assertIn("not a frame range", of(node, "matte"))
        self.assertIn("no job is under way", of(node, "cancel"))
        node = self.node()
        nuke.root()["proxy"].setValue(True)
        self.assertIn("proxy mode", of(node, "matte"))
        nuke.root()["proxy"].setValue(False)
        node.setInput(0, None)
        self.assertIn("no plate", of(node, "matte"))

    def test_the_program_s_own_error_is_told(self) -> None:
        os.environ["STAND_IN"] = "fail"
        node = self.node()
        stage.press(node, "matte")
        self.assertIn("the plate is missing · a.exr", self.ended(node))

    def test_a_program_that_is_not_there(self) -> None:
        node = self.node(command="/no/such/adamatte")
        stage.press(node, "matte")
        self.assertIn("$ADAMATTE", self.ended(node))

    def test_what_is_no_event_is_passed_over(self) -> None:
        os.environ["STAND_IN"] = "chatter"
        node = self.node()
        stage.press(node, "matte")
        self.assertEqual(self.ended(node), "all 4 frames done")

    def test_without_an_interface_it_is_waited_for(self) -> None:
        stage.fresh(gui=False)
        node = self.node()
        stage.press(node, "matte")
        self.assertEqual(said(node), "all 4 frames done")

    def test_a_node_that_is_deleted_meanwhile_is_let_go(self) -> None:
        os.environ["STAND_IN"] = "slow"
        node = self.node()
        stage.press(node, "matte")
        stage.until(lambda: "1 of 4" in said(node))
        nuke.delete(node)
        time.sleep(0.6)
        stage.until(stage.STATE.calls.empty)


class Staleness(BridgeTest):
    def test_a_setting(self) -> None:
        node = self.done()
        node["erode"].setValue(20.0)
        self.assertEqual(self.looked(node), "0 of 4 done · 4 stale 1001-1004 (erode was 8.0)")
        self.assertNotEqual(node["tile_color"].value(), 0)
        node["erode"].setValue(8.0)
        self.assertEqual(self.looked(node), "all 4 frames done")
        self.assertEqual(node["tile_color"].value(), 0)

    def test_a_setting_that_an_older_manifest_does_not_know_was_its_default(self) -> None:
        node = self.done()
        path = self.folder / "out/v001/manifest.json"
        manifest = json.loads(path.read_text())
        for request in manifest["requests"].values():
            for name in ("edge", "despill", "soften", "holdout"):
                del request["shot"][name]
        path.write_text(json.dumps(manifest))
        self.assertEqual(self.looked(node), "all 4 frames done")
        for name, value, was in (
            ("edge", "hair", "edge was auto"),
            ("despill", "green", "despill was off"),
            ("soften", 2.0, "soften was 0.0"),
            ("holdout", "/m.png", "made from another holdout"),
        ):
            before = node[name].value()
            node[name].setValue(value)
            self.assertIn(was, self.looked(node))
            node[name].setValue(before)
        self.assertEqual(self.looked(node), "all 4 frames done")

    def test_a_frame_of_the_plate_by_its_contents_not_its_time(self) -> None:
        node = self.done()
        changed = self.folder / "plate.1002.exr"
        os.utime(str(changed), (time.time() + 60,) * 2)
        self.assertEqual(self.looked(node), "all 4 frames done")
        changed.write_text("another")
        os.utime(str(changed), (time.time() + 60,) * 2)
        self.assertIn("1 stale 1002 (the plate has changed)", self.looked(node))

    def test_another_plate(self) -> None:
        node = self.done()
        other = self.folder / "other"
        other.mkdir()
        for number in range(1001, 1005):
            (other / f"plate.{number}.exr").write_text("x")
        node.input(0)["file"].setValue(str(other / "plate.%04d.exr"))
        self.assertIn("made from another plate", self.looked(node))

    def test_an_override_makes_stale_only_the_frames_that_it_speaks_of(self) -> None:
        node = self.done()
        path = self.folder / "a.trimap.json"
        square = "[[1, 1], [9, 1], [9, 9]]"
        path.write_text(
            '{"schema": "trimap-override/1", "shot": "plate", "plate": {"width": 96, "height": 64},'
            ' "rules": [{"id": "a", "frames": "1002-1003", "set": "unknown",'
            ' "polygon": {"1002": ' + square + "}}]}"
        )
        node["override"].setValue(str(path))
        self.assertIn("2 stale 1002-1003 (the override has changed)", self.looked(node))
        stage.press(node, "matte")
        stage.until(lambda: said(node) == "all 4 frames done")

    def test_a_frame_that_failed_or_went_away(self) -> None:
        node = self.done()
        (self.folder / "out" / "v001" / "alpha" / "plate_alpha.1004.exr").unlink()
        self.assertIn("1 missing 1004", self.looked(node))

    def test_a_damaged_manifest_is_one_line(self) -> None:
        node = self.done()
        (self.folder / "out" / "v001" / "manifest.json").write_text("{")
        self.assertIn("not JSON", self.looked(node))

    def test_another_version_is_another_result(self) -> None:
        node = self.done()
        node["version"].setValue(2)
        self.assertEqual(self.looked(node), "0 of 4 done · 4 missing 1001-1004")


if __name__ == "__main__":
    unittest.main()
