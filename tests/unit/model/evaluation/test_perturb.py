"""Trimaps from the true matte: dilated ones are right, eroded ones wrong where they must be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.evaluation.benchmark import BenchImage
from model.evaluation.metrics import optimal_trimap
from model.evaluation.perturb import dilated_trimap, eroded_trimap, task_of
from plugin.errors import TrimapError
from plugin.types import FloatArray

IMAGE = BenchImage("a", Path("a/image.png"), None, {})


def disc() -> FloatArray:
    """A matte of 48 × 64: a disc of radius 14 with a soft edge."""
    y, x = np.mgrid[:48, :64]
    return np.asarray(np.clip((14 - np.hypot(y - 24, x - 32)) / 4 + 0.5, 0, 1), np.float32)


@given(st.integers(0, 20), st.integers(0, 20))
def test_dilated_trimaps_are_right_and_nested(n: int, m: int) -> None:
    truth = disc()
    narrow, wide = (dilated_trimap(truth, k) for k in sorted((n, m)))
    optimal = optimal_trimap(truth)
    for trimap in (narrow, wide):
        known = trimap != 128
        assert np.array_equal(trimap[known], optimal[known])
    assert ((narrow == 128) <= (wide == 128)).all()


def test_dilation_reaches_n_pixels_in_a_disc() -> None:
    truth = np.zeros((41, 41), np.float32)
    truth[20, 20] = 0.5
    y, x = np.mgrid[:41, :41]
    within = np.hypot(y - 20, x - 20) <= 7
    assert np.array_equal(dilated_trimap(truth, 7) == 128, within)
    assert np.array_equal(dilated_trimap(truth, 0), optimal_trimap(truth))


def test_a_hard_edge_gets_a_band_too() -> None:
    truth = np.zeros((5, 20), np.float32)
    truth[:, 10:] = 1
    assert dilated_trimap(truth, 3)[2].tolist() == [0] * 7 + [128] * 6 + [255] * 7


def test_an_eroded_mask_mislabels_hair_and_is_scored_there() -> None:
    truth = disc()
    truth[24, 32:62] = 1  # a hair that reaches far out
    labels = eroded_trimap(truth, 4)
    assert labels[24, 60] == 0
    assert labels[24, 32] == 255


def test_wrong_labels_are_scored() -> None:
    truth = disc()
    truth[24, 32:62] = 1
    task = task_of(IMAGE, "erode-4", truth)
    assert task.trimap[24, 60] == 0
    assert task.scored[24, 60] == 128
    right = (task.trimap == optimal_trimap(truth)) | (task.trimap == 128)
    assert np.array_equal(task.scored[right], task.trimap[right])
    with pytest.raises(TrimapError, match="nothing is left"):
        task_of(IMAGE, "erode-30", truth)
