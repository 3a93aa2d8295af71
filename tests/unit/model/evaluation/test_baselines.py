"""Closed-form and KNN matting, with the real pymatting, on an image that both can solve."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from model.evaluation.baselines import baseline
from model.evaluation.perturb import dilated_trimap
from plugin.types import FloatArray


def disc() -> FloatArray:
    """A matte of 48 × 64: a disc of radius 14 with a soft edge."""
    y, x = np.mgrid[:48, :64]
    return np.asarray(np.clip((14 - np.hypot(y - 24, x - 32)) / 4 + 0.5, 0, 1), np.float32)


def picture(alpha: FloatArray) -> FloatArray:
    """A red subject over a blue ground."""
    front, back = np.array([0.9, 0.2, 0.1]), np.array([0.1, 0.3, 0.8])
    return np.asarray(alpha[..., None] * front + (1 - alpha[..., None]) * back, np.float32)


def test_baselines_solve_an_easy_image() -> None:
    truth = disc()
    trimap = dilated_trimap(truth, 3)
    for key in ("cf", "knn"):
        alpha = baseline(key)(picture(truth), trimap)
        assert alpha.dtype == np.float32
        assert np.abs(alpha - truth).mean() < 0.02
        assert 0 <= alpha.min() <= alpha.max() <= 1


@pytest.mark.parametrize(("label", "value"), [(0, 0.0), (128, 0.5), (255, 1.0)])
def test_a_trimap_of_one_label_is_answered(label: int, value: float) -> None:
    alpha = baseline("cf")(picture(disc()), np.full((48, 64), label, np.uint8))
    assert (alpha == value).all()


@pytest.mark.parametrize(("missing", "value"), [(255, 0.0), (0, 1.0)])
def test_one_label_propagates_everywhere(missing: int, value: float) -> None:
    truth = disc()
    full = dilated_trimap(truth, 3)
    trimap = np.where(full == missing, 128, full).astype(np.uint8)
    for key in ("cf", "knn"):
        assert (baseline(key)(picture(truth), trimap) == value).all()


def test_without_pymatting_the_extra_is_named() -> None:
    """In an interpreter of its own, where pymatting cannot be found."""
    program = (
        "import sys; sys.modules['pymatting'] = None\n"
        "from model.evaluation.baselines import baseline\n"
        "from plugin.errors import RequestError\n"
        "try:\n    baseline('cf')\n"
        "except RequestError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "adamatte[baselines]" in done.stdout
