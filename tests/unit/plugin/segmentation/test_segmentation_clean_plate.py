"""`clean-plate`: differences from the place without the subject."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from plugin.colour.display import shoulder
from plugin.errors import FrameError, MaskError
from plugin.request.shot import Shot
from plugin.segmentation import SegmentPlan, build, prepare
from plugin.segmentation.clean_plate.registration import expose
from plugin.types import Frame
from tests.plates import Painted, png_plate

WIDTH, HEIGHT = 240, 136
Picture = npt.NDArray[np.float32]


def room() -> Picture:
    """A wall, a floor of boards, a window: edges and soft texture."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    grain = np.random.default_rng(3).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    picture = 0.72 + 0.1 * (x / WIDTH)[..., None] + 0.1 * cv2.GaussianBlur(grain, (0, 0), 3)
    tone = np.random.default_rng(4).random(WIDTH // 9 + 1).astype(np.float32)
    boards = (
        np.array([0.5, 0.3, 0.18], np.float32) * (0.8 + 0.4 * tone[(x / 9).astype(int)])[..., None]
    )
    picture = np.where(y[..., None] > 90, boards, picture)
    picture[20:50, 10:60] = 0.15
    return np.asarray(np.clip(picture, 0, 1), np.float32)


class RoomPlate(Painted):
    """A subject in the room; the camera shakes, the exposure drifts, a shadow falls."""

    def __init__(
        self, *, shake: float = 0, exposure: float = 1, shadow: bool = False, grain: float = 0.008
    ) -> None:
        self.shake, self.exposure, self.shadow, self.grain = shake, exposure, shadow, grain
        self.info = png_plate(WIDTH, HEIGHT)

    def truth(self, number: int) -> npt.NDArray[np.bool_]:
        inside = np.zeros((HEIGHT, WIDTH), np.uint8)
        if number > 1001:
            cv2.ellipse(inside, (70 + 9 * (number - 1001), 75), (22, 45), 0, 0, 360, (1,), -1)
        return self._shaken(inside.astype(np.float32)) > 0.5

    def _shaken(self, picture: Picture) -> Picture:
        move = np.array([[1, 0, self.shake], [0, 1, -0.7 * self.shake]], np.float64)
        moved = cv2.warpAffine(picture, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.float32)

    def read(self, number: int) -> Frame:
        back = room()
        if self.shadow:
            y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
            dark = 0.3 * np.exp(-(((x - 190) / 35) ** 2 + ((y - 110) / 25) ** 2))
            back = back * (1 - dark)[..., None]
        back = self._shaken(np.asarray(back, np.float32)) * self.exposure
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        cloth = np.stack([0.25 + 0.1 * np.sin(x / 3), 0.3 + 0.1 * np.cos(y / 4), 0.45 + 0 * x], 2)
        rgb = np.where(self.truth(number)[..., None], cloth, back)
        rgb = rgb + np.random.default_rng(number).normal(0, self.grain, rgb.shape)
        return Frame(number, np.clip(rgb, 0, 1).astype(np.float32))


def save(path: Path, rgb: Picture) -> None:
    cv2.imwrite(str(path), np.rint(rgb[..., ::-1] * 255).astype(np.uint8))


def planned(plate: RoomPlate, clean: Path, **options: str) -> SegmentPlan:
    one = Shot.model_validate(
        {"plate": "p", "out": "o", "segment": "clean-plate", "clean_plate": str(clean), **options}
    )
    return prepare(one, plate, lambda rgb: rgb)


PLATES = {
    "steady": RoomPlate(),
    "another exposure": RoomPlate(exposure=1.12),
    "a darker exposure": RoomPlate(exposure=0.85),
    "shake": RoomPlate(shake=2.3),
    "shake and exposure": RoomPlate(shake=-1.6, exposure=0.9),
    "a shadow": RoomPlate(shadow=True),
    "grain": RoomPlate(grain=0.02),
}


@pytest.mark.parametrize("name", PLATES)
def test_the_subject_is_what_differs(tmp_path: Path, name: str) -> None:
    plate = PLATES[name]
    save(tmp_path / "clean.png", room())
    segmenter = build(planned(plate, tmp_path / "clean.png"), plate.info)
    for number in (1004, 1009):
        mask = segmenter.segment(plate.read(number)).coverage > 0.5
        truth = plate.truth(number)
        assert (mask & truth).sum() / (mask | truth).sum() > 0.9
    empty = segmenter.segment(plate.read(1001)).coverage > 0.5
    assert empty.mean() < 0.005


def test_a_sequence_pairs_by_number(tmp_path: Path) -> None:
    plate = RoomPlate()
    for number in plate.info.frames:
        wrong = room()[:, ::-1] if number != 1004 else room()
        save(tmp_path / f"clean.{number}.png", wrong)
    segmenter = build(planned(plate, tmp_path / "clean.%04d.png"), plate.info)
    mask = segmenter.segment(plate.read(1004)).coverage > 0.5
    truth = plate.truth(1004)
    assert (mask & truth).sum() / (mask | truth).sum() > 0.9
    assert segmenter.digest(1004) != segmenter.digest(1005)


def test_a_still_is_the_same_for_every_frame_and_the_plan_for_every_range(tmp_path: Path) -> None:
    plate = RoomPlate()
    save(tmp_path / "clean.png", room())
    plan = planned(plate, tmp_path / "clean.png")
    assert plan == planned(plate, tmp_path / "clean.png", frames="1003")
    segmenter = build(plan, plate.info)
    before = segmenter.digest(1003)
    assert before == segmenter.digest(1004)
    save(tmp_path / "clean.png", room() * np.float32(0.9))
    assert build(plan, plate.info).digest(1003) != before


def test_another_place_fails_the_frame(tmp_path: Path) -> None:
    plate = RoomPlate()
    save(tmp_path / "clean.png", 1 - room())
    segmenter = build(planned(plate, tmp_path / "clean.png"), plate.info)
    with pytest.raises(FrameError, match="of the frame differs from the clean plate"):
        segmenter.segment(plate.read(1004))


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("missing", "clean"),
        ("size", "120 × 68 pixels, but the plate has 240 × 136"),
        ("gap", "no clean plate for frames 1006-1010"),
        ("none", "no clean plate given"),
    ],
)
def test_bad_clean_plates_are_refused(tmp_path: Path, kind: str, what: str) -> None:
    plate, path = RoomPlate(), tmp_path / "clean.png"
    if kind == "size":
        save(path, room()[::2, ::2])
    if kind == "gap":
        path = tmp_path / "clean.%04d.png"
        for number in range(1001, 1006):
            save(tmp_path / f"clean.{number}.png", room())
    one = Shot(plate="p", out=tmp_path, segment="clean-plate", clean_plate=str(path))
    if kind == "none":
        one = one.model_copy(update={"clean_plate": None})
    with pytest.raises(MaskError, match=what):
        prepare(one, plate, lambda rgb: rgb)


def test_auto_takes_a_clean_plate(tmp_path: Path) -> None:
    save(tmp_path / "clean.png", room())
    plan = planned(RoomPlate(), tmp_path / "clean.png", segment="auto")
    assert (
        plan.reason == "auto chose clean-plate: clean.png, a still, colours in srgb_rec709_display"
    )


def test_what_lost_its_light_says_nothing_of_the_exposure() -> None:
    clean = np.full((90, 160, 3), 0.45, np.float32)
    clean[:60] = 0.85
    brighter = shoulder(np.minimum(clean * np.float32(1.3), 1))
    np.testing.assert_allclose(expose(clean, brighter)[70:], brighter[70:], rtol=1e-3)
