"""What moves by itself, and what the network of a shot makes of it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.segmenters.shot import FASTEST, UNKNOWN_MOTION, Known, ShotLearner
from plugin.segmentation.learn.own_motion import Seen, seen_beside

pytestmark = pytest.mark.slow

Picture = npt.NDArray[np.uint8]
HEIGHT, WIDTH = 180, 320


def texture(seed: int, height: int = HEIGHT, width: int = WIDTH + 80) -> Picture:
    grain = np.random.default_rng(seed).random((height, width, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(grain, (0, 0), 2.5)
    return np.asarray(cv2.normalize(soft, soft, 10, 240, cv2.NORM_MINMAX), np.uint8)


def staged(camera: int, subject: int, step: int) -> Picture:
    """A block of 60 before a scene; both move so many pixels a step."""
    frame = texture(1)[:, 40 + camera * step : 40 + camera * step + WIDTH].copy()
    left = 130 + subject * step
    frame[60:120, left : left + 60] = texture(2, 60, 60)
    return frame


@settings(max_examples=12, deadline=None)
@given(camera=st.integers(-4, 4), subject=st.integers(-4, 4))
def test_the_cameras_motion_is_none_of_its_own(camera: int, subject: int) -> None:
    seen = seen_beside(staged(camera, subject, 0), staged(camera, subject, 1))
    np.testing.assert_array_equal(seen[..., :3], staged(camera, subject, 0))
    motion = seen[..., 3].astype(float)
    assert motion.max() <= FASTEST
    assert np.median(motion[:40]) < 0.25 * FASTEST
    assert np.median(motion[-40:]) < 0.25 * FASTEST
    inside = float(np.median(motion[70:110, 140:180]))
    # The scene goes the other way than the camera does.
    relative = abs(subject + camera)
    if relative >= 4:
        assert inside > 0.7 * FASTEST
    elif relative == 0:
        assert inside < 0.25 * FASTEST


def test_behind_a_cut_it_is_not_known() -> None:
    one, other = staged(0, 3, 0), 255 - texture(9)[:, :WIDTH]
    for beside in (other, None):
        seen = seen_beside(one, beside)
        assert (seen[..., 3] == UNKNOWN_MOTION).all()
        np.testing.assert_array_equal(seen[..., :3], one)


def test_it_does_not_depend_on_what_ran_before() -> None:
    frames = staged(2, 5, 0), staged(2, 5, 1)
    first = seen_beside(*frames)
    cv2.setRNGSeed(77)
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        np.testing.assert_array_equal(seen_beside(*frames), first)
    finally:
        cv2.setNumThreads(before)


def moving(left: int, colour: tuple[int, int, int] | None) -> tuple[Seen, npt.NDArray[np.float32]]:
    """A block that moves before a still scene, in a colour or looking as the scene does there."""
    picture = np.dstack([texture(1)[:, :WIDTH] // 3 + 60, np.zeros((HEIGHT, WIDTH), np.uint8)])
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    mask[50:110, left : left + 60] = 1
    if colour is not None:
        picture[mask > 0, :3] = colour
    picture[mask > 0, 3] = FASTEST
    return picture, mask


def said_of(learner: ShotLearner, picture: Seen, mask: npt.NDArray[np.float32]) -> float:
    """What the network says, without a prior, of what lies well within a mask."""
    said = learner.ask(picture, None, (160.0, 80.0, 120.0))
    return float(said[cv2.erode(mask, np.ones((17, 17), np.uint8)) > 0.5].mean())


def test_what_looks_like_the_scene_is_found_by_its_motion() -> None:
    learner = ShotLearner.taught([Known.of(*moving(130, None))], 120)
    (left, at_left), (right, at_right) = moving(90, None), moving(170, None)
    np.testing.assert_array_equal(left[..., :3], right[..., :3])
    for picture, there, elsewhere in ((left, at_left, at_right), (right, at_right, at_left)):
        assert said_of(learner, picture, there) > said_of(learner, picture, elsewhere) + 0.25


def test_what_stands_still_is_found_by_its_looks() -> None:
    learner = ShotLearner.taught([Known.of(*moving(130, (170, 40, 40)))], 60)
    picture, mask = moving(170, (170, 40, 40))
    for motion in (0, UNKNOWN_MOTION):
        picture[..., 3] = motion
        assert said_of(learner, picture, mask) > 0.8
        assert said_of(learner, picture, moving(90, None)[1]) < 0.2
