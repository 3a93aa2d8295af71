"""Roto shapes to the override file and back, without the rest of the program."""

from __future__ import annotations

import json
import unittest
from typing import Any

from nuke import rotopaint

from tests.bridge.nuke_host import stage
from tests.bridge.suite.base import BridgeTest, said

import nuke  # isort: skip

SQUARE = [(10.0, 10.0), (30.0, 10.0), (30.0, 20.0), (10.0, 20.0)]


def roto() -> Any:
    made: Any = nuke.nodes.Roto(name="Roto1")
    made.setSelected(True)
    return made


def layer(knob: Any, name: str, inside: Any = None) -> Any:
    made: Any = rotopaint.Layer(knob)
    made.name = name
    (inside or knob.rootLayer).append(made)
    return made


def shape(knob: Any, inside: Any, name: str = "Bezier1", points: Any = SQUARE) -> Any:
    made: Any = rotopaint.Shape(knob)
    made.name = name
    for x, y in points:
        made.append(rotopaint.ShapeControlPoint(x, y))
    inside.append(made)
    return made


class Export(BridgeTest):
    def setUp(self) -> None:
        super().setUp()
        self.knob = roto()["curves"]
        self.made = self.node()
        self.path = self.folder / "out" / "plate.trimap.json"

    def exported(self) -> Any:
        stage.STATE.messages[:] = []
        stage.press(self.made, "export_overrides")
        self.assertEqual(stage.STATE.messages, [])
        return json.loads(self.path.read_text())

    def refused(self, what: str) -> None:
        stage.STATE.messages[:] = []
        stage.press(self.made, "export_overrides")
        self.assertEqual(len(stage.STATE.messages), 1)
        self.assertIn(what, stage.STATE.messages[0])
        self.assertFalse(self.path.exists())

    def test_y_is_turned_and_a_still_shape_has_one_key(self) -> None:
        shape(self.knob, layer(self.knob, "foreground"))
        document = self.exported()
        self.assertEqual(document["plate"], {"width": 96, "height": 64})
        self.assertEqual(document["shot"], "plate")
        rule = document["rules"][0]
        self.assertEqual((rule["set"], rule["frames"]), ("foreground", "1001-1004"))
        corners = [[10, 54], [30, 54], [30, 44], [10, 44]]
        self.assertEqual(rule["polygon"], {"1001": corners})
        self.assertEqual(self.made["override"].value(), str(self.path))

    def test_the_nearest_layer_says_the_class_and_the_topmost_shape_wins(self) -> None:
        outer = layer(self.knob, "Background stuff")
        shape(self.knob, outer, "low")
        inner = layer(self.knob, "Unknown1", outer)
        shape(self.knob, inner, "inner")
        plain = layer(self.knob, "hair", outer)
        shape(self.knob, plain, "in_plain")
        found = [(r["id"], r["set"]) for r in self.exported()["rules"]]
        wanted = [("in_plain", "background"), ("inner", "unknown"), ("low", "background")]
        self.assertEqual(found, [("roto." + name, label) for name, label in wanted])

    def test_a_moving_shape_is_keyed_where_it_moves(self) -> None:
        made = shape(self.knob, layer(self.knob, "unknown"))
        for point, (x, y) in zip(made, SQUARE):
            point.center.addPositionKey(1002, (x, y))
            point.center.addPositionKey(1003, (x + 5, y))
        keys = self.exported()["rules"][0]["polygon"]
        self.assertEqual(sorted(keys), ["1001", "1002", "1003"])
        self.assertEqual(keys["1003"][0], [15, 54])

    def test_a_curve_keeps_its_corners_from_frame_to_frame(self) -> None:
        made = shape(self.knob, layer(self.knob, "unknown"))
        made[0].rightTangent.addPositionKey(1001, (0, 0))
        made[0].rightTangent.addPositionKey(1004, (3, -9))
        counts = {len(v) for v in self.exported()["rules"][0]["polygon"].values()}
        self.assertEqual(len(counts), 1)
        self.assertGreater(counts.pop(), 4)

    def test_hidden_and_ended_shapes_do_not_count(self) -> None:
        inside = layer(self.knob, "unknown")
        shape(self.knob, inside, "hidden").setVisible(1001, False)
        lasting = shape(self.knob, inside, "lasting")
        told = lasting.getAttributes()
        told.set(1001, told.kLifeTimeTypeAttribute, 4)
        told.set(1001, told.kLifeTimeMAttribute, 1002)
        told.set(1001, told.kLifeTimeNAttribute, 1003)
        rules = self.exported()["rules"]
        self.assertEqual([(r["id"], r["frames"]) for r in rules], [("roto.lasting", "1002-1003")])

    def test_strokes_and_open_shapes_are_named_as_left_out(self) -> None:
        inside = layer(self.knob, "unknown")
        shape(self.knob, inside)
        shape(self.knob, inside).setFlag(rotopaint.FlagType.eOpenFlag, True)
        inside.append(rotopaint.Stroke(self.knob))
        self.exported()
        self.assertIn("1 strokes left out · 1 open shapes left out", said(self.made))

    def test_what_cannot_be_meant_is_refused_before_anything_is_written(self) -> None:
        shape(self.knob, self.knob.rootLayer)
        self.refused("a shape without a class · Bezier1")

    def test_inverted_and_b_spline_shapes_are_refused(self) -> None:
        made = shape(self.knob, layer(self.knob, "unknown"))
        told = made.getAttributes()
        told.set(1001, told.kInvertedAttribute, 1)
        self.refused("an inverted shape")
        told.set(1001, told.kInvertedAttribute, 0)
        made._kind = "bspline"
        self.refused("a B-spline")

    def test_without_a_roto_it_is_said(self) -> None:
        nuke.selectedNodes()[0].setSelected(False)
        self.refused("no Roto node")
        self.made["roto"].setValue("Nowhere")
        self.refused("no Roto node · Nowhere")

    def test_there_and_back_and_there_again(self) -> None:
        outer = layer(self.knob, "foreground")
        turning = shape(self.knob, outer, "turning")
        moved = turning.getTransform()
        for frame, angle in ((1001, 0.0), (1004, 75.0)):
            moved.addRotationKey(frame, 0, 0, angle)
            moved.addPivotPointKey(frame, 20, 15, 0)
        shape(self.knob, layer(self.knob, "unknown"), "still")
        before = self.exported()
        stage.press(self.made, "import_overrides")
        self.assertEqual(said(self.made), "2 shapes in AdaMatteOverride1")
        self.made["roto"].setValue("AdaMatteOverride1")
        self.assertEqual(self.exported(), before)

    def test_what_is_no_polygon_stays_in_the_file(self) -> None:
        shape(self.knob, layer(self.knob, "unknown"))
        document = self.exported()
        document["rules"].append({"id": "w", "frames": "1001", "params": {"erode": 1}})
        self.path.write_text(json.dumps(document))
        stage.press(self.made, "import_overrides")
        self.assertIn("1 rules that are no polygons stay in the file", said(self.made))


if __name__ == "__main__":
    unittest.main()
