"""What the desk shows of a frame is what a run writes; whose turn the network is; tiles."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from model.inference.recall import Recall
from model.inference.threads import settle_process
from model.matter import Matter as Network
from plugin.desk.changes import Change
from plugin.desk.corrections import Corrections
from plugin.desk.frames import Frames
from plugin.desk.held import Look, Matte, Trimaps
from plugin.desk.mattes import Mattes, SupersededError
from plugin.desk.views import SIDE, VIEWS, Behind, Scene, Tile, draw
from plugin.driver.probe import anchored, probe_job
from plugin.driver.run import run
from plugin.errors import FrameError
from plugin.exr.alpha_file import read_alpha
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.trimap.overlay import draw_over, outline_width
from plugin.types import FloatArray, Frame, LabelArray, Matter, Trimap
from tests.desks import stroke
from tests.jobs import LumaMatter, creature
from workers.in_process import InProcessExecutor
from workers.neighbours import Source

RULES: list[dict[str, Any]] = [
    stroke("strap", "1002-1003", "foreground", (10, 10), (80, 12)),
    {"id": "wide", "frames": "1003", "params": {"dilate": 30.0}},
    {
        "id": "shape",
        "frames": "1001-1003",
        "set": "unknown",
        "polygon": {"1001": [[0, 0], [30, 0], [0, 30]], "1003": [[60, 0], [90, 0], [60, 30]]},
    },
]


def corrected(shot: Shot, rules: list[dict[str, Any]]) -> tuple[Shot, Frames]:
    """A shot whose override file the desk wrote, and the desk's frames of it."""
    plan, info, _ = probe_job(shot, "alpha", QuietProgress())
    corrections = Corrections(shot.out.parent / "desk.trimap.json", info, shot.name)
    for rule in rules:
        corrections.change((Change.model_validate_json(json.dumps({"now": rule})),))
    override = str(corrections.path) if rules else None
    return shot.model_copy(update={"override": override}), Frames(plan, corrections)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"bits": "float"},
        {"choke": 3.0, "soften": 2.0, "despeckle": 30.0},
        {"channels": "fg"},
        {"band": "wide"},
        {"tile": "64"},
        {"compression": "piz", "channels": "a", "erode": 2.0},
    ],
    ids=str,
)
def test_what_is_seen_is_what_a_run_writes(tmp_path: Path, options: dict[str, Any]) -> None:
    settle_process()
    shot = anchored(creature(tmp_path, frames=3)).model_copy(update=options)
    shot, frames = corrected(shot, RULES)
    seen = {number: frames.matte(number)[1] for number in (1003, 1001, 1002)}
    frames.close()
    run(shot, executor=InProcessExecutor())
    for number, matte in seen.items():
        wrote = read_alpha(OutputLayout.of(shot).alpha(number))
        assert np.array_equal(wrote.alpha, matte.alpha)
        assert (matte.front is None) == (options.get("channels") != "fg")


@pytest.mark.slow
def test_a_trimap_is_made_anew_only_where_it_changed(tmp_path: Path) -> None:
    shot, frames = corrected(anchored(creature(tmp_path, frames=3)), RULES)
    plain, _ = corrected(anchored(creature(tmp_path / "b", frames=3)), [])
    keys = {number: frames.key(number) for number in (1001, 1002, 1003)}
    assert len(set(keys.values())) == 3
    assert frames.trimap(1002) is frames.trimap(1002)
    assert (frames.trimap(1003).labels != frames.trimap(1003).plain).any()
    assert plain.override is None
    frames.close()
    with pytest.raises(FrameError, match="no such frame"):
        frames.look(999)
    assert shot.override is not None


class Gate(LumaMatter):
    """A network that says when it begins and waits until it may go on; it asks for its turn."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may = threading.Event()
        self.turn: Any = None
        self.done: list[tuple[int, ...]] = []

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        if image.shape[0] == 64 and image.shape[1] == 64:  # the first, which loads it
            return super().__call__(image, trimap)
        self.begun.release()
        self.may.wait()
        self.turn()
        self.done.append(trimap.shape)
        return super().__call__(image, trimap)


def gated(shot: Shot) -> tuple[Gate, Corrections, Mattes]:
    """The queue of a desk whose network waits."""
    gate = Gate()
    plan, info, _ = probe_job(shot, "alpha", QuietProgress())
    corrections = Corrections(shot.out.parent / "s.trimap.json", info, shot.name)

    def make(turn: Any) -> Frames:
        def matter(_: object) -> Matter:
            gate.turn = turn
            return gate

        return Frames(plan, corrections, turn, make_matter=matter)

    return gate, corrections, Mattes(make, lambda n: (n - 1, n + 1) if n == 1002 else ())


def change(corrections: Corrections, name: str) -> None:
    rule = stroke(name, "1002", "unknown", (40, 30))
    corrections.change((Change.model_validate_json(json.dumps({"now": rule})),))


def test_a_newer_correction_ends_the_work_on_the_older(tmp_path: Path) -> None:
    gate, corrections, mattes = gated(anchored(creature(tmp_path, frames=3)))

    async def work() -> None:
        change(corrections, "one")
        first = asyncio.ensure_future(mattes.get(1002))
        await asyncio.to_thread(gate.begun.acquire)
        change(corrections, "two")
        second = asyncio.ensure_future(mattes.get(1002))
        await asyncio.sleep(0)
        key = mattes.frames.key(1002)
        while (1002, key) not in mattes._jobs:
            await asyncio.sleep(0)
        gate.may.set()
        with pytest.raises(SupersededError):
            await first
        found, _ = await second
        assert found == key

    try:
        asyncio.run(work())
    finally:
        gate.may.set()
        mattes.close()


def test_nobody_waits_nobody_mattes_and_neighbours_come_when_idle(tmp_path: Path) -> None:
    gate, _, mattes = gated(anchored(creature(tmp_path, frames=3)))

    async def work() -> None:
        left = asyncio.ensure_future(mattes.get(1001))
        await asyncio.to_thread(gate.begun.acquire)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        wanted = asyncio.ensure_future(mattes.get(1002))
        gate.may.set()
        await wanted
        assert len(gate.done) >= 1, "the one that was left was given up"
        while mattes.frames.matted(1003, "0") is None or mattes.frames.matted(1001, "0") is None:
            await asyncio.sleep(0.01)

    try:
        asyncio.run(work())
    finally:
        mattes.close()


def test_what_the_network_said_is_given_again_and_is_the_same() -> None:
    network, other = Network("lite", device="cpu"), Network("lite", device="cpu")
    turns: list[int] = []
    network.remember(64 << 20, lambda: turns.append(1))
    rng = np.random.default_rng(1)
    image = rng.random((160, 800, 3), np.float32)
    trimap = np.zeros((160, 800), np.uint8)
    trimap[40:100, 40:100], trimap[60:90, 60:90] = 128, 255
    trimap[40:100, 680:740], trimap[60:90, 700:720] = 128, 255
    for change_ in range(3):
        trimap[50:55, 50 + 5 * change_ : 60 + 5 * change_] = 255  # one of the two places
        adapted, alpha = network(image, trimap)
        its_adapted, its_alpha = other(image, trimap)
        assert np.array_equal(adapted, its_adapted)
        assert np.array_equal(alpha, its_alpha)
    recall = network.inference.recall
    assert isinstance(recall, Recall)
    assert recall.given == 2
    assert recall.asked == len(turns) == 6


def scene(height: int, width: int) -> Scene:
    """A frame of noise with everything that a view may show."""
    rng = np.random.default_rng(2)
    seen = rng.integers(0, 256, (height, width, 3), np.uint8)
    labels = np.zeros((height, width), np.uint8)
    labels[height // 4 : -height // 4, width // 4 : -width // 4] = 128
    labels[height // 3 : -height // 3, width // 3 : -width // 3] = 255
    alpha = rng.random((height, width), np.float32)
    frame = Frame(1, seen.astype(np.float32) / np.float32(255))
    look = Look(1, Source(frame, frame, (slice(None), slice(None))), seen)
    look.plain = {("", None, None, None): Trimap(1, labels)}
    trimaps = Trimaps("0", np.zeros_like(labels), labels)
    return Scene(look, trimaps, Matte(labels, alpha), Behind())


def decoded(view: Any, tile: Tile, of: Scene) -> LabelArray:
    data, kind = draw(view, tile, of)
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert found is not None
    assert kind == ("image/png" if tile.exact else "image/jpeg")
    return np.asarray(found, np.uint8)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [(70, 96), (1, 5), (1100, 2100)])
def test_tiles_make_up_the_frame(view: Any, size: tuple[int, int]) -> None:
    of, (height, width) = scene(*size), size
    rows = range(-(-height // SIDE))
    columns = range(-(-width // SIDE))
    whole = np.concatenate(
        [np.concatenate([decoded(view, Tile(0, c, r, True), of) for c in columns], 1) for r in rows]
    )
    assert whole.shape[:2] == size
    if view == "plate":
        assert np.array_equal(whole[..., ::-1], of.look.seen)
    if view == "alpha" and of.matte is not None:
        assert np.array_equal(whole, np.rint(of.matte.alpha * 255))
    small = decoded(view, Tile(1, 0, 0), of)
    assert small.shape[:2] == tuple(max(1, min(side, 2 * SIDE) // 2) for side in size)


def test_an_outline_goes_on_from_tile_to_tile() -> None:
    of = scene(1100, 1100)
    assert of.trimaps is not None
    tiles = [[decoded("trimap", Tile(0, c, r, True), of) for c in (0, 1)] for r in (0, 1)]
    joined = np.concatenate([np.concatenate(row, 1) for row in tiles])
    rgb = of.look.seen.astype(np.float32) / np.float32(255)
    whole = draw_over(rgb, of.trimaps.plain, of.trimaps.labels, outline_width(1100))
    assert np.array_equal(joined[..., ::-1], whole)


@pytest.mark.parametrize("tile", [Tile(0, 1, 0), Tile(0, 0, 1), Tile(5, 0, 0), Tile(0, -1, 0)])
def test_there_is_no_tile_beyond_the_frame(tile: Tile) -> None:
    with pytest.raises(FrameError, match="no such tile"):
        draw("plate", tile, scene(40, 40))


@pytest.mark.parametrize("alpha", [0.0, 0.25, 1.0])
def test_a_comp_is_the_front_over_what_is_behind(alpha: float) -> None:
    of = scene(60, 60)
    assert of.matte is not None
    share = np.full((60, 60), alpha, np.float32)
    for behind in (Behind((0.2, 0.4, 0.6)), Behind(None), Behind(picture=of.look.seen[::-1])):
        area = slice(0, 60), slice(0, 60)
        comp = decoded(
            "comp", Tile(0, 0, 0, True), Scene(of.look, None, Matte(None, share), behind)
        )
        wanted = alpha * of.look.seen + (1 - alpha) * behind.part(area)
        assert np.abs(comp[..., ::-1] - wanted).max() <= 0.51
