"""The same as numpy's own, over the last axis."""

from __future__ import annotations

import numpy as np
import pytest

from plugin.image import channels


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_as_numpy_does(count: int) -> None:
    rng = np.random.default_rng(count)
    one, other = rng.random((2, 13, 7, count), dtype=np.float32)
    assert np.array_equal(channels.most(one), one.max(axis=2))
    assert np.array_equal(channels.least(one), one.min(axis=2))
    assert np.allclose(channels.mean(one), one.mean(axis=2), atol=1e-7)
    assert np.allclose(channels.dot(one, other), (one * other).sum(axis=2), atol=1e-6)
    for found in (channels.most(one), channels.mean(one), channels.dot(one, other)):
        assert found.dtype == np.float32
