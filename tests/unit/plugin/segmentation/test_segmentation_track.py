"""`track`: key masks carried through a painted shot."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from plugin.errors import FrameError, MaskError
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.segmentation import SegmentPlan, build, prepare, run_first
from plugin.segmentation.track.carried import most_helpful
from plugin.segmentation.track.method import TrackSettings
from plugin.types import Frame
from tests.plates import Painted, png_plate

pytestmark = pytest.mark.slow

WIDTH, HEIGHT = 160, 96
Picture = npt.NDArray[np.float32]


def noise(seed: int, size: tuple[int, int], low: float, high: float) -> Picture:
    grain = np.random.default_rng(seed).random((*size, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(grain, (0, 0), 2)
    span = soft.max() - soft.min()
    return np.asarray(low + (high - low) * (soft - soft.min()) / span, np.float32)


@dataclass
class MovingPlate(Painted):
    """A textured disc over a textured ground, both moving; a post may stand in the way.

    Attributes:
        post: columns that a post covers.
        reads: numbers in the order in which they were read.
    """

    post: tuple[int, int] | None = None
    reads: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ground = noise(1, (HEIGHT, WIDTH + 80), 0.1, 0.5) * np.array([0.6, 1, 0.7], np.float32)
        self.skin = noise(2, (48, 48), 0.4, 0.9) * np.array([1, 0.6, 0.4], np.float32)
        self.info = png_plate(WIDTH, HEIGHT, "1001-1016")

    def place(self, number: int) -> tuple[int, int]:
        return 20 + 5 * (number - 1001), 24 + (number - 1001)

    def truth(self, number: int) -> npt.NDArray[np.bool_]:
        left, top = self.place(number)
        inside = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.circle(inside, (left + 24, top + 24), 20, (1,), -1)
        if self.post is not None:
            inside[:, self.post[0] : self.post[1]] = 0
        return inside > 0

    def read(self, number: int) -> Frame:
        self.reads.append(number)
        offset = 2 * (number - 1001)
        rgb = self.ground[:, offset : offset + WIDTH].copy()
        left, top = self.place(number)
        pasted = rgb.copy()
        pasted[top : top + 48, left : left + 48] = self.skin
        inside = self.truth(number)
        rgb[inside] = pasted[inside]
        if self.post is not None:
            rgb[:, self.post[0] : self.post[1]] = 0.05
        return Frame(number, rgb)


def shot(folder: Path, plate: MovingPlate, *keys: int, frames: str | None = None) -> Shot:
    files = []
    for key in keys:
        path = folder / f"key.{key}.png"
        cv2.imwrite(str(path), plate.truth(key).astype(np.uint8) * 255)
        files.append(f"{key}={path}")
    return Shot(
        plate="p",
        out=folder,
        segment="track",
        keyframe=tuple(files),
        frames=None if frames is None else FrameRange.parse(frames),
    )


def tracked(one: Shot, plate: MovingPlate, folder: Path) -> SegmentPlan:
    plan = prepare(one, plate, lambda rgb: rgb)
    return run_first(plan, one, plate, lambda rgb: rgb, folder)


def overlap(plan: SegmentPlan, plate: MovingPlate, number: int) -> float:
    mask = build(plan, plate.info).segment(plate.read(number)).coverage > 0.5
    truth = plate.truth(number)
    return float((mask & truth).sum() / max((mask | truth).sum(), 1))


@pytest.mark.parametrize("keys", [(1001,), (1016,), (1008,), (1001, 1016)])
def test_a_mask_is_carried_both_ways(tmp_path: Path, keys: tuple[int, ...]) -> None:
    plate = MovingPlate()
    plan = tracked(shot(tmp_path, plate, *keys), plate, tmp_path / "track")
    assert plan.warnings == ()
    assert min(overlap(plan, plate, n) for n in plate.info.frames) > 0.9
    segmenter = build(plan, plate.info)
    assert all(segmenter.segment(plate.read(key)).confidence == 1 for key in keys)


def test_a_mask_does_not_depend_on_the_frames_asked(tmp_path: Path) -> None:
    plate = MovingPlate()
    tracked(shot(tmp_path, plate, 1001, 1012), plate, tmp_path / "all")
    tracked(shot(tmp_path, plate, 1001, 1012, frames="1005,1014"), plate, tmp_path / "part")
    for number in (1005, 1014):
        one, other = (tmp_path / kind / f"track.{number}.png" for kind in ("all", "part"))
        assert one.read_bytes() == other.read_bytes()
    assert not (tmp_path / "part" / "track.1015.png").exists()


def test_a_subject_that_is_hidden_is_lost_named_and_found_again(tmp_path: Path) -> None:
    plate = MovingPlate(post=(62, 104))
    plan = tracked(shot(tmp_path, plate, 1001), plate, tmp_path / "track")
    assert "a key here would help" in plan.warnings[0]
    assert re.fullmatch("a key here would help most: 10(0[3-9]|1[0-6])", plan.warnings[1])
    segmenter = build(plan, plate.info)
    confidence = {n: segmenter.segment(plate.read(n)).confidence for n in plate.info.frames}
    hidden = [n for n in plate.info.frames if plate.truth(n).sum() < 400]
    assert hidden
    assert max(confidence[n] for n in hidden) < 0.5
    lost = segmenter.segment(plate.read(hidden[0]))
    assert lost.unsure is not None
    assert lost.unsure[lost.coverage > 0.5].all()
    assert overlap(plan, plate, 1016) > 0.7


def test_a_second_run_takes_what_is_there(tmp_path: Path) -> None:
    plate = MovingPlate()
    one = shot(tmp_path, plate, 1001)
    plan = tracked(one, plate, tmp_path / "track")
    plate.reads.clear()
    assert tracked(one, plate, tmp_path / "track") == plan
    assert plate.reads == []
    (tmp_path / "track" / "track.1005.png").write_bytes(b"damaged")
    assert tracked(one, plate, tmp_path / "track") == plan
    assert plate.reads != []
    assert overlap(plan, plate, 1005) > 0.9


@pytest.mark.parametrize(
    ("confidence", "best"),
    [
        ({}, None),
        (dict.fromkeys(range(40), 1.0), None),
        (dict.fromkeys(range(400), 0.95), None),
        ({**dict.fromkeys(range(40), 1.0), 7: 0.0}, None),
        ({n: 0.2 if 10 <= n <= 20 else 1.0 for n in range(40)}, 15),
        ({n: 0.0 if n in (3, 4, 5) else 0.4 if n > 50 else 1.0 for n in range(91)}, 70),
        ({n * 10: 0.3 if n > 2 else 1.0 for n in range(6)}, 40),
    ],
)
def test_a_key_is_asked_for_where_it_gains_most(
    confidence: dict[int, float], best: int | None
) -> None:
    """The middle of a long weak stretch goes before a short one that is lost."""
    assert most_helpful(confidence) == best


def test_where_a_key_helps_is_told_to_programs_and_by_every_task_alike(tmp_path: Path) -> None:
    plate = MovingPlate(post=(70, 110))
    one = shot(tmp_path, plate, 1001)
    folder = tmp_path / "track"
    plan = tracked(one, plate, folder)
    settings = plan.of(TrackSettings)
    assert settings.key_wanted == most_helpful(settings.confidence) is not None
    assert json.loads((folder / "track.json").read_text())["key_wanted"] == settings.key_wanted
    assert f"a key here would help most: {settings.key_wanted}" in plan.warnings
    few = one.model_copy(update={"frames": FrameRange.parse("1002-1003")})
    assert tracked(few, plate, folder).of(TrackSettings).key_wanted == settings.key_wanted
    # A pass of its own asks among the frames that are wanted of it, not those on the way to them.
    far = one.model_copy(update={"frames": FrameRange.parse("1015-1016")})
    found = tracked(far, plate, tmp_path / "far").of(TrackSettings)
    assert found.key_wanted in (1015, 1016, None)
    assert set(found.confidence) == set(range(1001, 1017))
    sure = tracked(
        shot(tmp_path, MovingPlate(), 1001, 1008, 1016), MovingPlate(), tmp_path / "sure"
    )
    assert sure.of(TrackSettings).key_wanted is None


@pytest.mark.parametrize("keys", [(1001,), (1007,), (1003, 1009), (1002, 1006, 1010)])
def test_a_pass_tells_how_it_goes(tmp_path: Path, keys: tuple[int, ...]) -> None:
    """From none to all, one after the other, and every picture once a side that reaches it."""
    plate = MovingPlate()
    one = shot(tmp_path, plate, *keys)
    told: list[tuple[int, int]] = []
    plan = prepare(one, plate, lambda rgb: rgb)
    run_first(
        plan,
        one,
        plate,
        lambda rgb: rgb,
        tmp_path / "track",
        step=lambda done, total: told.append((done, total)),
    )
    totals = {total for _, total in told}
    assert totals == {len(told) - 1}
    assert [done for done, _ in told] == list(range(len(told)))


def test_another_key_is_another_recipe(tmp_path: Path) -> None:
    plate = MovingPlate()
    one = shot(tmp_path, plate, 1001)
    before = build(tracked(one, plate, tmp_path / "track"), plate.info).digest(1004)
    cv2.imwrite(str(tmp_path / "key.1001.png"), np.full((HEIGHT, WIDTH), 255, np.uint8))
    after = build(tracked(one, plate, tmp_path / "track"), plate.info).digest(1004)
    assert before != after


def test_masks_of_another_colour_space_are_not_taken(tmp_path: Path) -> None:
    plate = MovingPlate()
    one = shot(tmp_path, plate, 1001)
    plan = prepare(one, plate, lambda rgb: rgb)
    for colour in ("sRGB", "ACEScg"):
        plate.reads.clear()
        run_first(plan, one, plate, lambda rgb: rgb, tmp_path / "track", colour=colour)
        assert plate.reads != []


def test_a_frame_that_was_not_reached_fails_alone(tmp_path: Path) -> None:
    plate = MovingPlate()
    plan = tracked(shot(tmp_path, plate, 1001, frames="1001-1003"), plate, tmp_path / "track")
    with pytest.raises(FrameError, match="no carried mask · frame 1009"):
        build(plan, plate.info).segment(plate.read(1009))


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("none", "no key frames given"),
        ("outside", "key frames 2000 are not on the plate"),
        ("size", "10 × 10 pixels, but the plate has 160 × 96"),
        ("empty", "the key's mask is empty"),
        ("missing", "no such file"),
        ("video", "a key is no picture"),
    ],
)
def test_bad_keys_are_refused(tmp_path: Path, kind: str, what: str) -> None:
    plate = MovingPlate()
    one = shot(tmp_path, plate, 1001)
    key = tmp_path / "key.1001.png"
    if kind == "size":
        cv2.imwrite(str(key), np.full((10, 10), 255, np.uint8))
    if kind == "empty":
        cv2.imwrite(str(key), np.zeros((HEIGHT, WIDTH), np.uint8))
    given = {
        "none": (),
        "outside": (f"2000={key}",),
        "missing": ("1001=nowhere.png",),
        "video": ("1001=key.mov",),
    }
    keyframe = given.get(kind, one.keyframe)
    with pytest.raises(MaskError, match=what):
        prepare(one.model_copy(update={"keyframe": keyframe}), plate, lambda rgb: rgb)
    assert not (tmp_path / "track").exists()


def test_auto_takes_keys(tmp_path: Path) -> None:
    plate = MovingPlate()
    one = shot(tmp_path, plate, 1001).model_copy(update={"segment": "auto"})
    plan = prepare(one, plate, lambda rgb: rgb)
    how = "channel Y, 0 is none and 255 all, as stored"
    way = "learned in 400 steps and carried both ways"
    assert plan.reason == f"auto chose learn: 1 key frame (1001) {way}, {how}"
