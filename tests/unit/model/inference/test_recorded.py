"""Launches as a graph: where there is no GPU recording fails for real; the matte is the same."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from model.inference.recorded import Recorder

pytestmark = pytest.mark.skipif(
    torch.cuda.is_available(), reason="a graph is recorded here: see tests/cluster/test_on_a_gpu.py"
)


class Work:
    """Adds and multiplies, and knows how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
        self.times += 1
        return one + other, one * other


def pair(value: float) -> tuple[Tensor, Tensor]:
    return torch.full((2, 3), value), torch.full((2, 3), 2.0)


def test_where_nothing_can_be_recorded_all_is_done_the_ordinary_way() -> None:
    recorder, work = Recorder(), Work()
    for time, value in enumerate((1.0, 5.0, 7.0, 9.0), 1):
        total, product = recorder("kind", work, *pair(value))
        assert total.tolist() == [[value + 2] * 3] * 2
        assert product.tolist() == [[value * 2] * 3] * 2
        assert work.times == time  # the second time recording is tried, and fails before it works
        assert bool(recorder.refused) == (time > 1)


def test_what_comes_once_is_not_recorded() -> None:
    recorder, work = Recorder(), Work()
    for time, kind in enumerate("ababab", 1):
        recorder(kind, work, *pair(1.0))
        assert (work.times, recorder.refused) == (time, "")
