"""A device that runs out of memory goes on in smaller tiles, and the recipe says which frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from plugin.driver.run import run
from plugin.result.verify import verify
from plugin.types import FloatArray, LabelArray
from tests.small_plate import FRAMES, EveryPixelMatter, small_shot
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow


class Shrinking(EveryPixelMatter):
    """Has smaller tiles from its fourth call on; knows what frames it was called for, in order."""

    def __init__(self, calls: int = 0) -> None:
        self.calls = calls
        self.frames: list[int] = []

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        self.calls += 1
        across = np.flatnonzero(trimap.any(axis=0)).mean()  # the disc's place says which it is
        self.frames.append(1000 + round((across - 14) / 4))
        return super().__call__(image, trimap)

    @property
    def digest(self) -> str:  # type: ignore[override]
        return "small tiles" if self.calls > 3 else "large tiles"


@pytest.mark.parametrize("stabilise", [0, 1])
def test_a_frame_is_of_the_tiles_that_it_was_made_in(tmp_path: Path, stabilise: int) -> None:
    shot = small_shot(tmp_path).model_copy(
        update={"stabilise": stabilise, "keep": frozenset({"raw"})}
    )

    def recipes(out: str, matter: Shrinking) -> dict[int, str]:
        asked = shot.model_copy(update={"out": tmp_path / out})
        manifest = run(asked, executor=InProcessExecutor(lambda _plan: matter))
        assert verify(asked.out).complete
        return {number: record.recipe for number, record in manifest.frames.items()}

    large, small = (recipes(f"of{n}", Shrinking(n)) for n in (-1000, 1000))
    mixed = recipes("mixed", shrinking := Shrinking())
    by_large = {n for n in FRAMES if mixed[n] == large[n]}
    by_small = {n for n in FRAMES if mixed[n] == small[n]}
    # The fourth call itself found no room; neighbours count as they were made. Two frames are in
    # the works at a time, and either may be first at the network.
    assert sorted(shrinking.frames) == list(FRAMES)
    first, last = set(shrinking.frames[:3]), set(shrinking.frames[3:])
    near = {n: {*range(n - stabilise, n + stabilise + 1)} & {*FRAMES} for n in FRAMES}
    assert by_large == {n for n in FRAMES if near[n] <= first}
    assert by_small == {n for n in FRAMES if near[n] <= last}
    assert recipes("mixed", Shrinking(-1000)) == large
