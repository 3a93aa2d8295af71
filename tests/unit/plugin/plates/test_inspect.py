"""`inspect`: everything that probing found, for people and as JSON."""

from __future__ import annotations

import json
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np

from plugin.plates import open_plate
from plugin.plates.inspect import as_json, describe
from tests.media import H264, numbered, rgb_channels, write_exr, write_video


def test_a_video(tmp_path: Path) -> None:
    path = write_video(tmp_path / "plate.mp4", H264, numbered(H264, 12))
    with closing(open_plate(str(path))) as plate:
        text, plain = describe(plate.info), as_json(plate.info)
    assert text.splitlines() == [
        f"plate     {path}",
        "kind      video",
        "frames    1001-1012 (12)",
        "size      32 × 32",
        "rate      24 frames a second",
        "timecode  none",
        "codec     h264, yuv420p, 8 bits a channel",
        "colour    g24_rec709_display",
        "note      no matrix tag, taken as BT.601 by its size, no range tag, taken as limited",
    ]
    assert json.loads(json.dumps(plain)) == plain
    assert plain["frames"] == "1001-1012"
    assert (plain["first"], plain["last"], plain["count"]) == (1001, 1012, 12)
    assert (plain["width"], plain["height"], plain["rate"]) == (32, 32, "24")
    assert plain["timecode"] is plain["sha256"] is None


def test_overscan_pixel_aspect_and_broadcast_rate(tmp_path: Path) -> None:
    write_exr(
        tmp_path / "a.0001.exr",
        rgb_channels(np.zeros((6, 8, 3), np.float16)),
        data=(-2, -1),
        display=(0, 0, 3, 3),
        pixelAspectRatio=2.0,
        framesPerSecond=Fraction(24000, 1001),
    )
    with closing(open_plate(str(tmp_path / "a.%04d.exr"))) as plate:
        text, plain = describe(plate.info), as_json(plate.info)
    assert "size      8 × 6, pixel aspect 2\n" in text
    assert "data      (-2, -1) to (5, 4)\ndisplay   (0, 0) to (3, 3)\n" in text
    assert "rate      23.976 frames a second (24000/1001)" in text
    assert plain["data_window"] == [-2, -1, 5, 4]
    assert plain["display_window"] == [0, 0, 3, 3]
    assert plain["pixel_aspect"] == 2.0
    assert plain["rate"] == "24000/1001"
