"""A device that runs out of memory goes on in smaller tiles, and the recipe says which frames."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin.driver.plan import Plan
from plugin.driver.run import run
from plugin.result.verify import verify
from plugin.types import FloatArray, LabelArray
from tests.small_plate import FRAMES, EveryPixelMatter, small_shot
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow


class Shrinking(EveryPixelMatter):
    """Has smaller tiles from its fourth call on."""

    def __init__(self, calls: int = 0) -> None:
        self.calls = calls

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        self.calls += 1
        return super().__call__(image, trimap)

    @property
    def digest(self) -> str:  # type: ignore[override]
        return "small tiles" if self.calls > 3 else "large tiles"


@pytest.mark.parametrize("stabilise", [0, 1])
def test_a_frame_is_of_the_tiles_that_it_was_made_in(tmp_path: Path, stabilise: int) -> None:
    shot = small_shot(tmp_path).model_copy(
        update={"stabilise": stabilise, "keep": frozenset({"raw"})}
    )

    def recipes(out: str, make: type[EveryPixelMatter], **how: int) -> dict[int, str]:
        def matter(_plan: Plan) -> EveryPixelMatter:
            return make(**how)

        asked = shot.model_copy(update={"out": tmp_path / out})
        manifest = run(asked, executor=InProcessExecutor(matter))
        assert verify(asked.out).complete
        return {number: record.recipe for number, record in manifest.frames.items()}

    large, small = (recipes(f"of{n}", Shrinking, calls=n) for n in (-1000, 1000))
    mixed = recipes("mixed", Shrinking)
    by_large = {n for n in FRAMES if mixed[n] == large[n]}
    by_small = {n for n in FRAMES if mixed[n] == small[n]}
    # The fourth frame's call itself found no room; neighbours count as they were made.
    assert by_large == set(range(1001, 1004 - stabilise))
    assert by_small == set(range(1004 + stabilise, 1007))
    again = recipes("mixed", Shrinking, calls=-1000)
    assert again == large
