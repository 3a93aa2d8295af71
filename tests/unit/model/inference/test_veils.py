"""What T̂ takes for nothing in a region that was left unknown as a whole keeps its veil."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.inference.veils import keep_veils
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, FloatArray, LabelArray

HEIGHT, WIDTH = 180, 320
BODY = slice(40, 160), slice(120, 180)
"""Where the glass stands, all of it unknown."""

CAP = slice(44, 54), slice(140, 160)
WALL, TINT = (0.55, 0.5, 0.45), (0.4, 0.5, 0.6)


def scene(tint: tuple[float, ...] = TINT) -> tuple[FloatArray, LabelArray]:
    """A bottle of a tint before a wall, with grain; its trimap."""
    image = np.broadcast_to(np.array(WALL, np.float32), (HEIGHT, WIDTH, 3)).copy()
    image[BODY] = tint
    grain = np.random.default_rng(3).normal(0, 0.004, image.shape)
    trimap = np.full((HEIGHT, WIDTH), BACKGROUND, np.uint8)
    trimap[BODY] = UNKNOWN
    trimap[CAP] = FOREGROUND
    return np.asarray(image + grain, np.float32), trimap


def said(veil: float = 0.12) -> tuple[LabelArray, FloatArray, FloatArray]:
    """T̂, α̂ and α̃: the cap is there, the body is not; a veil all over it, less a rim."""
    adapted = np.full((HEIGHT, WIDTH), BACKGROUND, np.uint8)
    adapted[CAP] = FOREGROUND
    sketch = np.zeros((HEIGHT, WIDTH), np.float32)
    sketch[BODY][3:-3, 3:-3] = veil
    sketch[CAP] = 1
    return adapted, (adapted == FOREGROUND).astype(np.float32), sketch


def kept(
    image: FloatArray, trimap: LabelArray, adapted: LabelArray, sketch: FloatArray
) -> tuple[LabelArray, FloatArray]:
    alpha = (adapted == FOREGROUND).astype(np.float32)
    adapted = adapted.copy()
    keep_veils(image, trimap, adapted, alpha, sketch.__getitem__)
    return adapted, alpha


def test_the_body_of_a_bottle_is_there_and_unknown() -> None:
    adapted, alpha, sketch = said()
    now, found = kept(*scene(), adapted, sketch)
    veil = (sketch > 0) & (sketch < 1)
    assert (found[veil] == sketch[veil]).all()
    assert (now[veil] == UNKNOWN).all()
    assert (found[~veil] == alpha[~veil]).all()
    assert (now[~veil] == adapted[~veil]).all()


def narrow(trimap: LabelArray, sketch: FloatArray) -> None:
    """A band as wide as an edge's."""
    trimap[BODY][8:-8, 8:-8] = FOREGROUND
    sketch[trimap != UNKNOWN] = 0


def small(trimap: LabelArray, _: FloatArray) -> None:
    """A veil over a corner of a large unknown region."""
    trimap[:] = np.where(trimap == BACKGROUND, UNKNOWN, trimap)
    trimap[:, :60] = BACKGROUND


def thin(_: LabelArray, sketch: FloatArray) -> None:
    """Mist in streaks."""
    sketch[BODY][:, ::4] = 0


def faint(_: LabelArray, sketch: FloatArray) -> None:
    sketch *= np.float32(0.2)


def all_of_it(trimap: LabelArray, sketch: FloatArray) -> None:
    """Nothing is known to be background."""
    trimap[trimap == BACKGROUND] = UNKNOWN
    sketch[:] = 0.2


@pytest.mark.parametrize("spoil", [narrow, small, thin, faint, all_of_it])
def test_elsewhere_the_adapted_trimap_decides(spoil: object) -> None:
    assert callable(spoil)
    image, trimap = scene()
    adapted, alpha, sketch = said()
    spoil(trimap, sketch)
    now, found = kept(image, trimap, adapted, sketch)
    assert (now == adapted).all()
    assert (found == alpha).all()


def test_what_looks_like_the_background_is_the_background() -> None:
    adapted, alpha, sketch = said()
    now, found = kept(*scene(WALL), adapted, sketch)
    assert (now == adapted).all()
    assert (found == alpha).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 90), st.integers(1, 120))
def test_only_what_was_unknown_and_lost_is_changed(seed: int, height: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.array([BACKGROUND, UNKNOWN, FOREGROUND], np.uint8)
    coarse = rng.choice(labels, (-(-height // 30), -(-width // 30)), p=[0.3, 0.6, 0.1])
    trimap = np.kron(coarse, np.ones((30, 30), np.uint8))[:height, :width]
    adapted = np.where(rng.random((height, width)) < 0.1, UNKNOWN, BACKGROUND).astype(np.uint8)
    sketch = rng.normal(0.3, 0.3, (height, width)).astype(np.float32)
    image = rng.random((height, width, 3), np.float32)
    now, found = kept(image, trimap, adapted, sketch)
    changed = (now != adapted) | (found != 0)
    assert ((trimap == UNKNOWN) & (adapted == BACKGROUND))[changed].all()
    assert (now[changed] == UNKNOWN).all()
    assert 0 <= found.min() <= found.max() <= 1
