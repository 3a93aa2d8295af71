"""SMPTE timecode: counting, drop-frame, and the packed words of DPX and OpenEXR."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.plates.timecode import advance, from_smpte_words

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("start", "frames", "rate", "end"),
    [
        ("01:00:00:00", 0, None, "01:00:00:00"),
        ("01:00:00:00", 25, Fraction(25), "01:00:01:00"),
        ("01:00:00:00", -1, Fraction(25), "00:59:59:24"),
        ("23:59:59:23", 1, Fraction(24), "00:00:00:00"),
        ("00:00:59:29", 1, Fraction(30), "00:01:00:00"),
        ("00:00:59;29", 1, NTSC, "00:01:00;02"),
        ("00:01:59;29", 1, NTSC, "00:02:00;02"),
        ("00:09:59;29", 1, NTSC, "00:10:00;00"),
        ("00:00:59;59", 1, 2 * NTSC, "00:01:00;04"),
        ("00:00:00;00", 17982, NTSC, "00:10:00;00"),
        ("00:00:00;00", 107892, NTSC, "01:00:00;00"),
        ("10:00:00.00", 1, NTSC, "10:00:00;01"),
        ("10:11:12:13", 3, Fraction(24000, 1001), "10:11:12:16"),
        ("not a timecode", 1, Fraction(24), None),
        ("10:00:00:00", 1, None, None),
    ],
)
def test_advance(start: str, frames: int, rate: Fraction | None, end: str | None) -> None:
    assert advance(start, frames, rate) == end


@given(st.integers(0, 2_589_407), st.integers(-3000, 3000))
def test_drop_frame_goes_there_and_back(count: int, frames: int) -> None:
    start = advance("00:00:00;00", count, NTSC)
    assert start is not None
    there = advance(start, frames, NTSC)
    assert there is not None
    assert advance(there, -frames, NTSC) == start
    minutes, labels = int(there[3:5]), there[6:]
    assert minutes % 10 == 0 or labels not in {"00;00", "00;01"}


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (0x10111213, "10:11:12:13"),
        (0x23595929, "23:59:59:29"),
        (0x10111213 | 1 << 6, "10:11:12;13"),
        (0xFFFFFFFF, None),
        (0x00007F00, None),
        (0x0000000F, None),
    ],
)
def test_words(word: int, text: str | None) -> None:
    assert from_smpte_words(word) == text
