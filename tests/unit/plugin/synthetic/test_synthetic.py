"""Synthetic shots: the truth holds exactly, and a frame depends on its number alone."""

from __future__ import annotations

import itertools
import math
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

from plugin.errors import ShotError
from plugin.synthetic import ShotKind, SyntheticFrame, SyntheticShot, render
from plugin.synthetic.creature import creature_of, velocity
from plugin.synthetic.noise import generator, motion_blur, noise
from plugin.synthetic.scene import scene_of
from plugin.types import FloatArray

pytestmark = pytest.mark.slow


def small(kind: ShotKind = ShotKind.DEMO, seed: int = 0, **changes: float) -> SyntheticShot:
    sizes = {"width": 160, "height": 90, "frames": 60}
    return SyntheticShot(kind, seed, **sizes, **changes)  # type: ignore[arg-type]


@cache
def frame_of(kind: ShotKind = ShotKind.DEMO, seed: int = 0, index: int = 20) -> SyntheticFrame:
    return render(small(kind, seed), index)


def edges(frame: SyntheticFrame) -> float:
    """Share of pixels that are neither subject nor background."""
    return float(((frame.alpha > 0.01) & (frame.alpha < 0.99)).mean())


@pytest.mark.parametrize("kind", ShotKind)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_compositing_equation_holds_to_the_last_bit(kind: ShotKind, seed: int) -> None:
    frame = frame_of(kind, seed)
    alpha = frame.alpha[..., None]
    comp = frame.foreground + (1 - alpha) * frame.background + frame.grain
    assert np.array_equal(comp, frame.plate_rgb)


@pytest.mark.parametrize("kind", ShotKind)
@pytest.mark.parametrize("seed", [0, 1])
def test_everything_is_within_its_range(kind: ShotKind, seed: int) -> None:
    frame = frame_of(kind, seed)
    size = (90, 160)
    assert frame.alpha.shape == frame.mask.shape == size
    for picture in (frame.plate_rgb, frame.foreground, frame.background, frame.grain):
        assert picture.shape == (*size, 3)
        assert picture.dtype == np.float32
    assert frame.alpha.dtype == np.float32
    assert frame.mask.dtype == np.uint8
    for picture in (frame.plate_rgb, frame.background, frame.alpha):
        assert picture.min() >= 0
        assert picture.max() <= 1
    assert frame.foreground.min() >= 0
    assert (frame.foreground <= frame.alpha[..., None] + 1e-6).all()


@pytest.mark.parametrize("kind", ShotKind)
def test_the_matte_is_hard_but_can_be_solved(kind: ShotKind) -> None:
    frame = frame_of(kind)
    assert (frame.alpha == 1).mean() > 0.05
    assert (frame.alpha == 0).mean() > 0.4
    assert 0.02 < edges(frame) < 0.25


def test_a_frame_depends_on_its_number_alone() -> None:
    one = frame_of(ShotKind.OCCLUSION, 1)
    creature_of.cache_clear()
    scene_of.cache_clear()
    longer = SyntheticShot(ShotKind.OCCLUSION, 1, 160, 90, frames=1000)
    render(longer, 21)
    other = render(longer, 20)
    for name in ("plate_rgb", "alpha", "foreground", "background", "grain", "mask"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_frames_and_seeds_differ() -> None:
    frames = [frame_of(seed=seed, index=index) for seed, index in [(0, 20), (0, 21), (1, 20)]]
    for one, other in itertools.combinations(frames, 2):
        assert np.abs(one.alpha - other.alpha).max() > 0.3
        assert np.abs(one.background - other.background).max() > 0.1


def test_a_static_shot_moves_less_than_any_other() -> None:
    def change(kind: ShotKind) -> float:
        before, after = (frame_of(kind, index=index).alpha for index in (20, 21))
        return float(np.abs(after - before).mean())

    still = change(ShotKind.STATIC)
    assert all(change(kind) > 3 * still for kind in (ShotKind.FAST, ShotKind.WIND))


def test_a_still_camera_shows_the_same_background() -> None:
    def walls(kind: ShotKind) -> tuple[FloatArray, FloatArray]:
        return frame_of(kind).background[:40], frame_of(kind, index=21).background[:40]

    still, moving = walls(ShotKind.STATIC), walls(ShotKind.PAN)
    assert np.array_equal(still[0], still[1])
    assert not np.array_equal(moving[0], moving[1])


def test_motion_blur_widens_the_edge() -> None:
    shot = small(ShotKind.BLUR)
    phase = creature_of(shot.seed, shot.direction.fur).phase
    fastest = max(range(48), key=lambda index: math.hypot(*velocity(shot, phase, index).tolist()))
    assert edges(render(shot, fastest)) > 1.25 * edges(frame_of(ShotKind.STATIC))


def test_an_occluder_hides_the_subject_and_counts_as_background() -> None:
    clear, hidden = (frame_of(ShotKind.OCCLUSION, index=index).alpha.sum() for index in (0, 24))
    assert hidden < 0.95 * clear


def test_a_green_screen_is_green_uneven_and_spills() -> None:
    frame = frame_of(ShotKind.GREEN)
    red, green, blue = np.moveaxis(frame.background, -1, 0)
    assert (green > red + 0.1).all()
    assert (green > blue + 0.1).all()
    assert green.max() > 1.2 * green.min()
    rim = (frame.alpha > 0.2) & (frame.alpha < 0.8)
    core = frame.alpha == 1

    def greenness(where: npt.NDArray[np.bool_]) -> float:
        colour = frame.foreground[where] / frame.alpha[where][:, None]
        return float((colour[:, 1] - np.maximum(colour[:, 0], colour[:, 2])).mean())

    assert greenness(rim) > greenness(core)


def test_grain_can_be_chosen_and_keeps_the_plate_in_range() -> None:
    clean = render(small(grain=0.0), 20)
    assert not clean.grain.any()
    noisy = render(small(grain=0.05), 20)
    assert 0.03 < noisy.grain.std() < 0.06
    assert np.array_equal(noisy.alpha, clean.alpha)
    assert noisy.plate_rgb.min() >= 0
    assert noisy.plate_rgb.max() <= 1


@pytest.mark.parametrize("kind", ShotKind)
def test_the_mask_is_rough_but_right(kind: ShotKind) -> None:
    frame = frame_of(kind)
    said, true = frame.mask > 127, frame.alpha > 0.5
    overlap = (said & true).sum() / (said | true).sum()
    assert 0.75 < overlap < 0.995


def test_a_shot_looks_the_same_at_every_size() -> None:
    little = frame_of().alpha
    big = render(SyntheticShot(width=320, height=180), 20).alpha
    shrunk = big.reshape(90, 2, 160, 2).mean(axis=(1, 3))
    assert np.abs(shrunk - little).mean() < 0.02


@pytest.mark.parametrize(
    "changes",
    [{"width": 161}, {"height": 20}, {"frames": 0}, {"seed": -1}, {"grain": -0.1}, {"grain": 2}],
)
def test_a_shot_that_cannot_be_rendered_is_refused(changes: dict[str, float]) -> None:
    values = {"width": 160, "height": 90} | changes
    with pytest.raises(ShotError):
        SyntheticShot(**values)  # type: ignore[arg-type]


@pytest.mark.parametrize("index", [-1, 60])
def test_a_frame_outside_the_shot_is_refused(index: int) -> None:
    with pytest.raises(ShotError, match="no such frame"):
        render(small(), index)


@pytest.mark.parametrize("move", [(0.0, 0.0), (5.0, 0.0), (-3.0, 4.0), (0.2, 0.1)])
def test_motion_blur_keeps_the_sum_and_the_place(move: tuple[float, float]) -> None:
    dot = np.zeros((31, 31), np.float32)
    dot[15, 15] = 1
    blurred = motion_blur(dot, *move)
    assert blurred.sum() == pytest.approx(1, abs=1e-5)
    rows, columns = np.mgrid[0:31, 0:31]
    assert (blurred * rows).sum() == pytest.approx(15, abs=1e-3)
    assert (blurred * columns).sum() == pytest.approx(15, abs=1e-3)


def test_noise_depends_on_topic_and_key() -> None:
    keys = [("a", 1), ("a", 1), ("a", 2), ("b", 1)]
    fields = [noise(generator(topic, key), 20, 30, 7.0) for topic, key in keys]
    assert np.array_equal(fields[0], fields[1])
    assert not np.array_equal(fields[0], fields[2])
    assert not np.array_equal(fields[0], fields[3])
    assert 0.1 < fields[0].std() < 1.2
