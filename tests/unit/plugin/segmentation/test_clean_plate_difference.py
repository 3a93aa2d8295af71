"""What differs from a clean plate: cloth before hard edges, holes, shadows that keep the place."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from plugin.image.regions import Flags, depth
from plugin.segmentation.clean_plate.difference import differences_of
from plugin.segmentation.clean_plate.method import fill_holes
from plugin.types import FloatArray

WIDTH, HEIGHT = 320, 240


def place(seed: int = 1) -> FloatArray:
    """A pale wall with a dark rim and a post, over a floor of coloured boards."""
    rng = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(rng.standard_normal((HEIGHT, WIDTH, 3)), (0, 0), 2)
    picture = np.full((HEIGHT, WIDTH, 3), 0.8) + 0.03 * grain / grain.std()
    tone = rng.random(WIDTH // 8 + 1)[np.arange(WIDTH) // 8]
    boards = np.array([0.75, 0.42, 0.2]) * (0.75 + 0.4 * tone)[None, :, None]
    picture[150:] = boards + 0.02 * grain[150:] / grain.std()
    picture[70:75], picture[:, 158:163] = 0.1, 0.15
    return np.asarray(np.clip(picture, 0, 1), np.float32)


def disc(x: float, y: float, radius: float) -> Flags:
    down, right = np.mgrid[:HEIGHT, :WIDTH]
    return np.asarray(np.hypot(right - x, down - y) < radius)


def seen(subject: Flags, cloth: float) -> FloatArray:
    """The place with grain of its own, and grey cloth before it."""
    rng = np.random.default_rng(9)
    rgb = np.where(subject[..., None], np.float32(cloth), place())
    return np.clip(rgb + rng.normal(0, 0.006, rgb.shape), 0, 1).astype(np.float32)


def filled(rgb: FloatArray) -> tuple[FloatArray, Flags]:
    tolerant, exact = differences_of(rgb, place())
    coverage = np.clip((tolerant - np.float32(0.04)) / np.float32(0.1), 0, 1)
    return coverage, fill_holes(coverage, exact > 0.04, reach=0.006, largest=2e-3)


@pytest.mark.parametrize("cloth", [0.1, 0.15, 0.45])
def test_cloth_before_a_hard_edge_is_solid(cloth: float) -> None:
    """Of whatever grey: the rim's and the post's own greys are hidden by no tolerance."""
    subject = disc(160, 80, 55)
    coverage, unsure = filled(seen(subject, cloth))
    inner = depth(subject) > 8
    alike = (np.abs(place().mean(axis=2) - cloth) < 0.06).astype(np.uint8)
    same = inner & (cv2.dilate(alike, np.ones((5, 5), np.uint8)) > 0)
    assert (coverage[inner & ~same] > 0.95).mean() > 0.98
    assert unsure[inner & ~same].mean() < 0.02


def test_a_hole_that_shows_the_place_stays_open() -> None:
    hole = disc(120, 95, 14)
    coverage, _ = filled(seen(disc(130, 85, 55) & ~hole, 0.45))
    assert coverage[depth(hole) > 3].max() < 0.05


@pytest.mark.parametrize("left", [0.9, 0.7, 0.5])
def test_a_shadow_on_coloured_boards_is_no_subject(left: float) -> None:
    """Down to half of the light, with a soft rim and a bluish tint."""
    soft = cv2.GaussianBlur(disc(230, 200, 28).astype(np.float32), (0, 0), 5)[..., None]
    rgb = seen(np.zeros((HEIGHT, WIDTH), np.bool_), 0)
    shaded = rgb * (1 - soft * (1 - left * np.array([0.98, 1, 1.02], np.float32)))
    tolerant, exact = differences_of(np.asarray(shaded, np.float32), place())
    assert (tolerant > 0.08).sum() < 0.06 * soft.sum()
    assert (exact > 0.08).sum() < 0.06 * soft.sum()


@pytest.mark.parametrize("cloth", [0.05, 0.3])
def test_dark_cloth_before_coloured_boards_is_no_shadow(cloth: float) -> None:
    subject = disc(230, 200, 28)
    tolerant, _ = differences_of(seen(subject, cloth), place())
    assert (tolerant[depth(subject) > 3] > 0.04).mean() > 0.9
