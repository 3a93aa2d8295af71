"""Pixels change only together with the recipe's version."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from plugin.driver.plan import RECIPE_VERSION
from tests.golden_frames import FILE, MARGIN, SHOTS, STEP, Golden, alphas_of, digest, phase_of

pytestmark = pytest.mark.slow

GOLDEN: Golden = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SHOTS)
def test_pixels_are_those_of_this_recipe(name: str, tmp_path: Path) -> None:
    seen = {
        str(number): digest(alpha, GOLDEN[name][str(number)]["phase"])
        for number, alpha in alphas_of(name, tmp_path)
    }
    known = {number: frame["digest"] for number, frame in GOLDEN[name].items()}
    assert seen == known, (
        "alphas are others than before: raise RECIPE_VERSION, so that nobody resumes half a shot "
        "with them, then write the golden frames anew with `python -m tests.golden_frames`"
    )


def test_the_golden_frames_are_of_this_recipe() -> None:
    assert GOLDEN["recipe"] == {"version": RECIPE_VERSION}
    assert set(GOLDEN) == {"recipe", *SHOTS}


def test_last_bits_do_not_count_and_changes_do() -> None:
    rng = np.random.default_rng(3)
    alpha = rng.random((64, 96), np.float32)
    alpha[np.mod(alpha - 0.5 * STEP, STEP) < 3 * MARGIN] = 0.25  # borders' surroundings, emptied
    phase, margin = phase_of(alpha)
    assert margin > MARGIN
    last_bits = rng.uniform(-MARGIN, MARGIN, alpha.shape).astype(np.float32)
    assert digest(alpha + last_bits, phase) == digest(alpha, phase)
    for change in (np.float32(0.002), np.float32(-0.002)):
        assert digest(alpha + change, phase) != digest(alpha, phase)
    moved = np.roll(alpha, 1, axis=1)
    assert digest(moved, phase) != digest(alpha, phase)
