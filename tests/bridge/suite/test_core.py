"""The core that no host is needed for: ranges, command lines, manifests, override files."""

from __future__ import annotations

import json
import os
import shlex
import unittest
from pathlib import Path
from typing import Any

from nuke_bridge.core import override_file
from nuke_bridge.core.errors import BridgeError
from nuke_bridge.core.frames import format_range, of_pattern, parse_range, runs
from nuke_bridge.core.geometry import IDENTITY, Knot, flatten, pieces_for, placed, product, turned
from nuke_bridge.core.manifest import frame_states
from nuke_bridge.core.override_file import Polygon, read_override, write_polygons
from nuke_bridge.core.request import Request, clean_environment, program, shot_name, versioned
from nuke_bridge.core.status import Status
from tests.bridge.suite.base import BridgeTest

TRIANGLE = [(1.0, 1.0), (9.0, 1.0), (9.0, 9.0)]


class Frames(unittest.TestCase):
    def test_ranges(self) -> None:
        for text, numbers in (
            ("1-3", [1, 2, 3]),
            ("1-9x4, 2", [1, 2, 5, 9]),
            ("-2--1", [-2, -1]),
            ("7,7,7", [7]),
        ):
            self.assertEqual(parse_range(text), numbers)
            self.assertEqual(parse_range(format_range(numbers)), numbers)
        for wrong in ("", "a", "3-1", "1-5x0", "1-9999999", "\u0661"):
            with self.assertRaises(BridgeError):
                parse_range(wrong)

    def test_patterns(self) -> None:
        for pattern in ("/a/b.%04d.exr", "/a/b.####.exr"):
            self.assertEqual(of_pattern(pattern, 7), Path("/a/b.0007.exr"))
        self.assertEqual(of_pattern("/a/b.%d.exr", 12345), Path("/a/b.12345.exr"))
        self.assertEqual(of_pattern("/a/b.mov", 7), Path("/a/b.mov"))
        self.assertEqual(runs([5, 1, 2, 3]), [(1, 3), (5, 5)])

    def test_names(self) -> None:
        for given, plate, name in (
            ("", "/a/sh010.mov", "sh010"),
            ("", "/a/sh010_v2.%04d.exr", "sh010_v2"),
            ("", "/plates/sh020/%04d.exr", "sh020"),
            ("", "/a/bmx.1001.jpg", "bmx"),
            ("", "/a/take.1001.mov", "take.1001"),
            ("sh 1/\u00e4", "/a/b.mov", "sh_1_\u00e4"),
        ):
            self.assertEqual(shot_name(given, plate), name)
        self.assertEqual(versioned("/o", 0), "/o")
        self.assertEqual(versioned("/o", 12), os.path.join("/o", "v012"))


class Words(unittest.TestCase):
    request = Request("/p/a b.%04d.exr", "/out", "sh010", [1001, 1002, 1005])

    def test_defaults_are_not_spelt_out(self) -> None:
        self.assertEqual(
            self.request.words(["adamatte"]),
            [
                "adamatte",
                "run",
                "/p/a b.%04d.exr",
                "--out",
                "/out",
                "--shot",
                "sh010",
                "--frames",
                "1001-1002,1005",
                "--start-frame",
                "1001",
                "--progress",
                "jsonl",
            ],
        )

    def test_settings_are(self) -> None:
        settings = {"erode": 2.5, "clean_plate": "/c.png", "force": True, "workers": 3}
        words = self.request._replace(settings=settings, mask="/m.%04d.png").words(["a"])
        for pair in (["--mask", "/m.%04d.png"], ["--erode", "2.5"], ["--workers", "3"]):
            self.assertEqual(words[words.index(pair[0]) :][:2], pair)
        self.assertIn("--force", words)
        self.assertEqual(words[words.index("--clean-plate") + 1], "/c.png")

    def test_key_frames_are_given_one_by_one(self) -> None:
        told = {"keyframe": "1001='/k/a b.png' 1025=c.png"}
        words = self.request._replace(settings=told).words(["a"])
        at = words.index("--keyframe")
        keys = ["--keyframe", "1001=/k/a b.png", "--keyframe", "1025=" + os.path.abspath("c.png")]
        self.assertEqual(words[at : at + 4], keys)
        with self.assertRaises(BridgeError):
            self.request._replace(settings={"keyframe": "'"}).words(["a"])

    def test_an_entrypoint_is_a_shell_line(self) -> None:
        nasty = self.request._replace(shot="a; rm -rf $HOME 'x'")
        line = nasty.entrypoint(["adamatte"])
        self.assertEqual(shlex.split(line), nasty.words(["adamatte"], address="auto"))

    def test_the_host_s_python_is_not_inherited(self) -> None:
        os.environ["PYTHONHOME"] = "/host"
        try:
            self.assertNotIn("PYTHONHOME", clean_environment())
        finally:
            del os.environ["PYTHONHOME"]

    def test_the_program(self) -> None:
        self.assertEqual(program("'/a b/adamatte' --debug"), ["/a b/adamatte", "--debug"])
        with self.assertRaises(BridgeError):
            program("'unclosed")

    def test_what_is_missing_is_said(self) -> None:
        for field, what in (("plate", "no plate"), ("out", "no output"), ("frames", "no frames")):
            with self.assertRaises(BridgeError) as caught:
                empty: Any = {field: ""}
                self.request._replace(**empty).check()
            self.assertIn(what, str(caught.exception))


class Lines(unittest.TestCase):
    def test_a_status_in_one_line(self) -> None:
        now = Status("running").with_counts(
            {"done": 3, "total": 8, "failed": 1, "fps": 2.0, "eta_s": 2.5}
        )
        self.assertEqual(now.line(), "running · 3 of 8 · 1 failed · 2.00 frames/s · 2 s left")

    def test_figures_that_are_none_are_passed_over(self) -> None:
        now = Status("running", done=3).with_counts({"done": "x", "total": True, "fps": None})
        self.assertEqual((now.done, now.total, now.fps), (3, 0, 0.0))


class OverrideFiles(BridgeTest):
    def polygon(self, name: str = "strap") -> Polygon:
        return Polygon(name, "unknown", [1001, 1002], {1001: TRIANGLE})

    def test_what_others_wrote_is_kept_and_ours_replaced(self) -> None:
        path = self.folder / "a.json"
        write_polygons(path, "sh", (96, 64), [self.polygon(), self.polygon("gone")])
        document = json.loads(path.read_text())
        theirs = {"id": "wide", "frames": "1-9", "params": {"erode": 3}}
        document["rules"].insert(0, theirs)
        path.write_text(json.dumps(document))
        write_polygons(path, "sh", (96, 64), [self.polygon(), self.polygon()])
        rules = json.loads(path.read_text())["rules"]
        self.assertEqual(rules[0], theirs)
        self.assertEqual([r["id"] for r in rules[1:]], ["roto.strap", "roto.strap.2"])

    def test_a_file_of_another_plate_or_kind_is_left_alone(self) -> None:
        path = self.folder / "a.json"
        write_polygons(path, "sh", (96, 64), [self.polygon()])
        for content, size in ((path.read_text(), (95, 64)), ("{}", (96, 64)), ("[", (96, 64))):
            path.write_text(content)
            with self.assertRaises(BridgeError):
                write_polygons(path, "sh", size, [self.polygon()])
            self.assertEqual(path.read_text(), content)

    def test_a_polygon_counts_by_the_keys_around_a_frame(self) -> None:
        path = self.folder / "a.json"
        other = [(2.0, 2.0), (9.0, 1.0), (9.0, 9.0)]
        keys = {1001: TRIANGLE, 1005: other, 1009: TRIANGLE}
        moving = self.polygon()._replace(frames=list(range(1001, 1010)), keys=keys)
        write_polygons(path, "sh", (96, 64), [moving])
        before = read_override(path)
        keys[1009] = other
        write_polygons(path, "sh", (96, 64), [moving])
        after = read_override(path)
        assert before is not None and after is not None
        same = [n for n in range(1000, 1011) if before.rules_of(n) == after.rules_of(n)]
        self.assertEqual(same, [1000, 1001, 1002, 1003, 1004, 1005, 1010])

    def test_rounding_is_finer_than_the_raster(self) -> None:
        self.assertLess(10.0**-override_file._DIGITS, 2 / 1024)

    def test_without_a_manifest_all_is_missing_or_unproven(self) -> None:
        request = Request(self.plate(), str(self.folder), "plate", [1001, 1002])
        alpha = of_pattern(request.alpha, 1002)
        alpha.parent.mkdir()
        alpha.write_text("x")
        self.assertEqual(frame_states(request).states, {1001: "missing", 1002: "stale"})

    def test_a_frame_that_failed_says_why(self) -> None:
        request = Request(self.plate(), str(self.folder), "plate", [1001])
        record = {"state": "failed", "error": "the file is damaged"}
        (self.folder / "manifest.json").write_text(json.dumps({"frames": {"1001": record}}))
        said = frame_states(request).summary()
        self.assertEqual(said, "0 of 1 done · 1 failed 1001 (the file is damaged)")


class Geometry(unittest.TestCase):
    def test_a_circle_is_flattened_within_the_tolerance(self) -> None:
        r, k = 200.0, 200.0 * 0.5522847498
        circle = [
            Knot((r, 0), (0, -k), (0, k)),
            Knot((0, r), (k, 0), (-k, 0)),
            Knot((-r, 0), (0, k), (0, -k)),
            Knot((0, -r), (-k, 0), (k, 0)),
        ]
        corners = flatten(circle, pieces_for(circle))
        ends = zip(corners, corners[1:] + corners[:1])
        middles = [((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in ends]
        off = max(abs(r - (x * x + y * y) ** 0.5) for x, y in [*corners, *middles])
        self.assertLess(off, 0.16)  # 0.05 is the circle's own error as four cubics
        self.assertLess(len(corners), 200)

    def test_straight_lines_stay_what_they_are(self) -> None:
        square = [Knot(p, (0, 0), (0, 0)) for p in ((0, 0), (4, 0), (4, 4), (0, 4))]
        self.assertEqual(flatten(square, pieces_for(square)), [k.at for k in square])

    def test_the_inner_matrix_comes_first(self) -> None:
        move, double = (1.0, 0.0, 5.0, 0.0, 1.0, 0.0), (2.0, 0.0, 0.0, 0.0, 2.0, 0.0)
        knot = placed(Knot((1, 1), (1, 0), (0, 1)), product(move, double))
        self.assertEqual(knot, Knot((7, 2), (2, 0), (0, 2)))
        self.assertEqual(product(IDENTITY, move), move)

    def test_turning_twice_is_nothing(self) -> None:
        points = [(1.5, 2.5), (0.0, 0.0)]
        self.assertEqual(turned(turned(points, 7), 7), points)
        self.assertEqual(turned([(0.5, 0.5)], 7), [(0.5, 6.5)])


if __name__ == "__main__":
    unittest.main()
