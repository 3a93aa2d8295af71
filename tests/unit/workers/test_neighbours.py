"""Pictures and regions as stabilisation keeps them: every code, and what is read of it."""

from __future__ import annotations

import numpy as np

from plugin.image.channels import as_bytes
from plugin.result.raw_files import Raw
from plugin.types import BACKGROUND, FloatArray, Frame, Window
from workers.neighbours import Source, raw_frame

ROW = Window(0, 0, 1024, 14)


def test_every_picture_is_in_8_bits_as_it_is_rounded() -> None:
    values = np.concatenate(
        [np.arange(511, dtype=np.float32) / 510, np.random.default_rng(0).random(9999, np.float32)]
    ).reshape(-1, 1, 1)
    rgb: FloatArray = np.repeat(values, 3, axis=2)
    expected = np.rint(rgb * np.float32(255)).astype(np.uint8)
    assert np.array_equal(as_bytes(rgb), expected)


def test_soft_is_what_lies_between_0_and_1_in_every_code() -> None:
    codes = np.arange(0x3C00 + 1, dtype=np.uint16).view(np.float16)
    half = np.resize(codes, (15, 1025))
    for alpha in (half, half.astype(np.float32)):
        trimap = np.full(alpha.shape, BACKGROUND, np.uint8)
        plate = Frame(1, np.zeros((15, 1025, 3), np.float32))
        source = Source(plate, plate, (slice(0, 15), slice(0, 1025)))
        frame = raw_frame(1, Raw(alpha, trimap, trimap), source, ROW, ROW)
        assert np.array_equal(frame.region, (alpha > 0) & (alpha < 1))
