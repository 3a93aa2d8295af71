"""The chroma keyer and `auto`, on painted screens with a known truth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from pydantic import ValidationError

from plugin.errors import FrameError, MaskError
from plugin.request.shot import Shot
from plugin.segmentation import SegmentPlan, build, prepare
from plugin.segmentation.masks.files import MaskSettings
from plugin.segmentation.screen.method import ChromaSettings
from plugin.trimap.band import trimap_from_mask
from plugin.types import UNKNOWN, Frame
from tests.plates import Painted, png_plate

WIDTH, HEIGHT = 320, 180
Picture = npt.NDArray[np.float32]

SUBJECT = (0.62, 0.42, 0.35)
SCREENS = {
    "green": (0.10, 0.69, 0.21),
    "blue": (0.10, 0.25, 0.75),
    "lime": (0.76, 0.76, 0.05),
    "dim green": (0.08, 0.40, 0.12),
}


@dataclass(frozen=True)
class Scene:
    """A round subject that wanders before a screen: its light, noise, shadow and surroundings."""

    screen: tuple[float, float, float] = SCREENS["green"]
    subject: tuple[float, float, float] = SUBJECT
    uneven: float = 0.0
    noise: float = 0.01
    shadow: bool = False
    spill: float = 0.0
    side: int = 0

    def alpha(self, number: int) -> Picture:
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        distance = np.hypot(x - 120 - 8 * (number % 9), (y - 110) * 0.8)
        return np.asarray(np.clip((52 - distance) / 5, 0, 1), np.float32)

    def rgb(self, number: int) -> Picture:
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        light = 1 + self.uneven * (x / WIDTH - 0.5) + 0.5 * self.uneven * (y / HEIGHT - 0.5)
        if self.shadow:
            light = light * (1 - 0.45 * np.exp(-(((x - 250) / 30) ** 2 + ((y - 150) / 15) ** 2)))
        back = np.array(self.screen, np.float32) * light[..., None]
        texture = 1 + 0.3 * np.sin(x / 7)[..., None] * np.cos(y / 5)[..., None]
        front = np.array(self.subject, np.float32) * texture + self.spill * np.array(
            self.screen, np.float32
        )
        alpha = self.alpha(number)[..., None]
        picture = alpha * front + (1 - alpha) * back
        if self.side:
            picture[:, : self.side] = 0.35
        grain = np.random.default_rng(number).normal(0, self.noise, picture.shape)
        return np.asarray(np.clip(picture + grain, 0, 1), np.float32)


class PaintedPlate(Painted):
    """A plate that a scene paints."""

    def __init__(self, scene: Scene, frames: str = "1001-1030") -> None:
        self.scene = scene
        self.info = png_plate(WIDTH, HEIGHT, frames)

    def read(self, number: int) -> Frame:
        return Frame(number, self.scene.rgb(number))


def planned(plate: PaintedPlate, **options: str) -> SegmentPlan:
    asked = Shot.model_validate({"plate": "p", "out": Path("o"), "segment": "chroma", **options})
    return prepare(asked, plate, lambda rgb: rgb)


def iou(one: Picture, other: Picture) -> float:
    """Intersection over union of what is above one half."""
    here, there = one > 0.5, other > 0.5
    return float((here & there).sum() / (here | there).sum())


SCENES = {
    **{name: Scene(screen=colour) for name, colour in SCREENS.items()},
    "uneven light": Scene(uneven=0.7),
    "noise": Scene(noise=0.05),
    "a shadow on the screen": Scene(shadow=True),
    "a black subject": Scene(subject=(0.03, 0.03, 0.03)),
    "a white subject": Scene(subject=(0.9, 0.9, 0.9)),
    "spill": Scene(spill=0.15),
    "spill of lime on skin": Scene(screen=SCREENS["lime"], spill=0.12),
    "a stand beside the screen": Scene(side=40),
}


@pytest.mark.parametrize("name", SCENES)
def test_the_subject_is_told_from_the_screen(name: str) -> None:
    plate = PaintedPlate(SCENES[name])
    mask = build(planned(plate), plate.info).segment(plate.read(1013))
    truth = plate.scene.alpha(1013)
    assert iou(mask.coverage, truth) > 0.96
    labels = trimap_from_mask(mask, erode=24, dilate=24, height=HEIGHT).labels
    mixed = (truth > 0.02) & (truth < 0.98)
    assert (labels[mixed] == UNKNOWN).mean() > 0.995
    assert (labels == UNKNOWN).mean() < 0.16


def test_the_plan_does_not_depend_on_the_frames_asked() -> None:
    plate = PaintedPlate(Scene(uneven=0.4))
    plan = planned(plate)
    assert plan == planned(plate, frames="1017")
    assert plan == SegmentPlan.model_validate_json(plan.model_dump_json())


def test_a_mask_does_not_depend_on_the_order() -> None:
    plate = PaintedPlate(Scene(uneven=0.4))
    plan = planned(plate)
    forwards, backwards = build(plan, plate.info), build(plan, plate.info)
    first = {n: forwards.segment(plate.read(n)).coverage for n in (1003, 1008, 1020)}
    again = {n: backwards.segment(plate.read(n)).coverage for n in (1020, 1008, 1003)}
    for number, mask in first.items():
        np.testing.assert_array_equal(mask, again[number])


def test_the_screen_may_be_named() -> None:
    plate = PaintedPlate(Scene(screen=(0.75, 0.1, 0.1), subject=(0.2, 0.5, 0.3)))
    plan = planned(plate, screen="#d02020")
    mask = build(plan, plate.info).segment(plate.read(1010))
    assert iou(mask.coverage, plate.scene.alpha(1010)) > 0.96


@pytest.mark.parametrize(
    ("scene", "options", "what"),
    [
        (Scene(screen=(0.5, 0.5, 0.5)), {}, "no screen is seen"),
        (Scene(screen=(0.5, 0.42, 0.33)), {}, "no screen is seen"),
        (Scene(), {"screen": "#2040f0"}, "no screen of colour #2040f0 is seen"),
        (Scene(), {"screen": "#808080"}, "the screen's colour is a grey"),
    ],
)
def test_no_screen_is_refused(scene: Scene, options: dict[str, str], what: str) -> None:
    with pytest.raises(MaskError, match=what):
        planned(PaintedPlate(scene), **options)


def test_a_frame_without_screen_fails_alone() -> None:
    plate = PaintedPlate(Scene())
    segmenter = build(planned(plate), plate.info)
    grey = Frame(1004, np.full((HEIGHT, WIDTH, 3), 0.4, np.float32))
    with pytest.raises(FrameError, match=r"no screen in this frame · frame 1004"):
        segmenter.segment(grey)


def test_auto_takes_a_screen_that_it_sees() -> None:
    plan = planned(PaintedPlate(Scene()), segment="auto")
    assert plan.method == "chroma"
    assert plan.reason.startswith("auto chose chroma: a screen of #1ab")


@pytest.mark.parametrize(
    "colour", [(0.45, 0.66, 0.9), (0.53, 0.31, 0.17), (0.31, 0.36, 0.16), (0.5, 0.5, 0.5)]
)
def test_auto_never_guesses(colour: tuple[float, float, float]) -> None:
    """Sky, wooden floor, lawn and wall are no screens; the refusal lists what can be given."""
    with pytest.raises(MaskError) as caught:
        planned(PaintedPlate(Scene(screen=colour)), segment="auto")
    for option in ("--trimap", "--mask", "--screen", "--segment none"):
        assert option in caught.value.fix


def test_auto_needs_no_masks_where_trimaps_are_given() -> None:
    plan = planned(PaintedPlate(Scene()), segment="auto", trimap="t.%04d.png")
    assert plan.method == "none"
    assert "ready trimaps" in plan.reason


def test_none_knows_nothing() -> None:
    plate = PaintedPlate(Scene())
    segmenter = build(planned(plate, segment="none"), plate.info)
    mask = segmenter.segment(plate.read(1001))
    assert (trimap_from_mask(mask, erode=8, dilate=12, height=HEIGHT).labels == UNKNOWN).all()
    assert segmenter.digest(1001) == segmenter.digest(1002)


def test_specks_of_noise_are_dropped() -> None:
    plate = PaintedPlate(Scene())
    segmenter = build(planned(plate), plate.info)
    speckled = plate.read(1005).rgb.copy()
    cv2.circle(speckled, (20, 20), 0, (0.5, 0.5, 0.5), -1)
    mask = segmenter.segment(Frame(1005, speckled))
    assert mask.coverage[:40, :40].max() == 0


def test_a_plan_is_read_back_with_the_settings_of_its_method() -> None:
    plan = SegmentPlan(
        method="chroma", settings=ChromaSettings(hue=120.0, strength=0.5), reason="keyed"
    )
    again = SegmentPlan.model_validate_json(plan.model_dump_json())
    assert again == plan
    assert again.of(ChromaSettings).hue == 120.0
    with pytest.raises(TypeError, match="a plan of chroma has no MaskSettings"):
        again.of(MaskSettings)
    with pytest.raises(ValidationError):
        SegmentPlan.model_validate({"method": "mask", "settings": {"hue": 1}, "reason": "r"})
