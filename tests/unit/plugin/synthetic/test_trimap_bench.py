"""The figures of `docs/trimaps.md`, on one small shot of each sort."""

from __future__ import annotations

import pytest

from plugin.synthetic import ShotKind, SyntheticShot
from tests.trimap_bench import BANDS, main, measure

pytestmark = pytest.mark.slow


def test_wide_keeps_what_is_mixed_and_auto_more_than_fixed() -> None:
    shots = [
        SyntheticShot(kind, 0, 320, 180, frames=25) for kind in (ShotKind.BLUR, ShotKind.GREEN)
    ]
    table = measure(shots, methods=("mask", "chroma", "clean-plate"), step=24)
    assert set(table) == {(m, b) for m in ("mask", "chroma", "clean-plate") for b in BANDS}
    for method in ("mask", "chroma", "clean-plate"):
        fixed, auto, wide = (table[method, band] for band in BANDS)
        assert fixed.kept < auto.kept < wide.kept
        assert fixed.unknown < auto.unknown < wide.unknown < 0.5
        assert wide.kept > 0.97
        assert fixed.needed == auto.needed == wide.needed > 20  # of the mask, not of the band
    # Of what is mixed a sixth more, although it is as narrow as can be along edges that are sharp.
    assert table["mask", "auto"].kept > 7 / 6 * table["mask", "fixed"].kept


def test_the_command_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    words = "--kinds green --seeds 1 --step 24 --height 128 --methods mask chroma"
    assert main(words.split()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("| method | band | kept |")
    assert sum(line.startswith("| chroma |") for line in lines) == len(BANDS)
