"""The propagation unit of inference is that of training."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from model.adamatting import PropagationUnit
from model.inference.fused_propagation import FusedPropagation
from tests.networks import TINY


@pytest.mark.parametrize("recurrences", [1, 2, 3])
@pytest.mark.parametrize("count", [1, 3])
def test_fused_is_plain(recurrences: int, count: int) -> None:
    torch.manual_seed(5)
    unit = PropagationUnit(replace(TINY, recurrences=recurrences)).eval()
    with torch.inference_mode():
        for parameter in unit.parameters():
            parameter.mul_(3)  # gates far from the middle
        image, adapted, alpha = (torch.rand(count, n, 20, 33) for n in (3, 3, 1))
        given = [x.clone() for x in (image, adapted, alpha)]
        plain = unit(image, adapted, alpha)[-1]
        fused = FusedPropagation(unit)(image, adapted, alpha)
    torch.testing.assert_close(fused, plain, rtol=1e-5, atol=1e-5)
    assert (fused - alpha).abs().max() > 0.1
    for mine, before in zip((image, adapted, alpha), given, strict=True):
        assert torch.equal(mine, before)  # nothing is written into the arguments
