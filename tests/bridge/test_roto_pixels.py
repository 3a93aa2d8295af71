"""Roto ─► override ─► trimap ─► alpha: a shape lands on the pixels that it was drawn on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from plugin.driver.run import run, trimap
from plugin.exr.alpha_file import read_alpha
from plugin.request.shot import Shot
from plugin.result.grey_png import read_grey
from plugin.result.layout import OutputLayout
from tests.bridge.nuke_host import stage
from tests.bridge.suite import test_roto as drawn
from tests.jobs import luma_matter
from tests.media import rgb_channels, write_exr
from workers.in_process import InProcessExecutor

import nuke  # isort: skip

WIDTH, HEIGHT = 97, 61
FRAMES = range(1001, 1006)
BOX = (20.0, 15.0, 60.0, 35.0)
"""The rectangle as it was drawn, before the layer moves it: left, bottom, right, top; y up."""

PIVOT = (40.0, 25.0)
ANGLES = {1001: 0.0, 1005: 50.0}
SCALES = {1001: (1.0, 1.0), 1005: (0.75, 1.4)}
MOVES = {1001: (0.0, 0.0), 1005: (8.5, 7.25)}


def between(keys: Mapping[int, npt.ArrayLike], frame: int) -> npt.NDArray[np.float64]:
    part = (frame - 1001) / 4
    return np.asarray(keys[1001]) * (1 - part) + np.asarray(keys[1005]) * part


def inside(frame: int, slack: float) -> npt.NDArray[np.bool_]:
    """Which pixel centres lie in the moved rectangle, by undoing the layer's transform."""
    x, y = np.meshgrid(np.arange(WIDTH) + 0.5, HEIGHT - (np.arange(HEIGHT) + 0.5))
    move, scale = between(MOVES, frame), between(SCALES, frame)
    turn = math.radians(float(between(ANGLES, frame)))
    x, y = x - move[0] - PIVOT[0], y - move[1] - PIVOT[1]
    u = (x * math.cos(turn) + y * math.sin(turn)) / scale[0] + PIVOT[0]
    v = (-x * math.sin(turn) + y * math.cos(turn)) / scale[1] + PIVOT[1]
    left, bottom, right, top = BOX
    across = (left - slack < u) & (u < right + slack)
    within: npt.NDArray[np.bool_] = across & (bottom - slack < v) & (v < top + slack)
    return within


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    """A plate of odd size with pixels twice as wide as high, and a shape exported for it."""
    stage.fresh()
    flat = np.full((HEIGHT, WIDTH, 3), 0.25, np.float32)
    for number in FRAMES:
        path = tmp_path / "plate" / f"p.{number}.exr"
        path.parent.mkdir(exist_ok=True)
        write_exr(path, rgb_channels(flat), pixelAspectRatio=2.0)
    from nuke_bridge.nuke_node import build

    node = build.build()
    plate = stage.read(str(tmp_path / "plate" / "p.%04d.exr"), 1001, 1005, (WIDTH, HEIGHT, 2.0))
    node.setInput(0, plate)
    node["out"].setValue(str(tmp_path / "out"))
    knob = drawn.roto()["curves"]
    layer = drawn.layer(knob, "foreground")
    left, bottom, right, top = BOX
    corners = [(left, bottom), (right, bottom), (right, top), (left, top)]
    drawn.shape(knob, layer, "box", corners)
    moved = layer.getTransform()
    for frame in (1001, 1005):
        moved.addRotationKey(frame, 0, 0, ANGLES[frame])
        moved.addScaleKey(frame, *SCALES[frame], 0)
        moved.addTranslationKey(frame, *MOVES[frame], 0)
        moved.addPivotPointKey(frame, *PIVOT, 0)
    stage.press(node, "export_overrides")
    assert stage.STATE.messages == []
    override = str(node["override"].value())
    plate_files = str(tmp_path / "plate" / "p.%04d.exr")
    return Shot(plate=plate_files, segment="none", override=override, out=tmp_path / "result")


def test_a_shape_lands_on_its_pixels(shot: Shot) -> None:
    executor = InProcessExecutor(luma_matter)
    trimap(shot, executor=executor)
    run(shot, executor=executor)
    layout = OutputLayout.of(shot)
    off = 0
    for number in FRAMES:
        sure, never = inside(number, -0.002), ~inside(number, 0.002)
        labels = read_grey(layout.pattern("trimap").path(number))
        alpha = read_alpha(layout.alpha(number)).alpha
        assert sure.sum() > 400
        off += int((labels[sure] != 255).sum() + (labels[never] != 128).sum())
        off += int((alpha[sure] != 1).sum() + (alpha[never] == 1).sum())
    assert off == 0


def test_the_pretended_host_holds_the_same_picture() -> None:
    """The layer's matrix is what `inside` undoes, checked at a corner."""
    stage.fresh()
    knob = drawn.roto()["curves"]
    moved = drawn.layer(knob, "unknown").getTransform()
    moved.addRotationKey(1, 0, 0, 90.0)
    m = moved.evaluate(1).getMatrix()
    assert (m[0] * 3 + m[1] * 1 + m[3], m[4] * 3 + m[5] * 1 + m[7]) == pytest.approx((-1, 3))
    assert nuke.root() is not None
