"""Masks and trimaps as PNG: the same pixels back, and damage never passes."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenImageIO
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from plugin.errors import FrameError, OutputError
from plugin.result.grey_png import read_grey, write_grey
from plugin.types import LabelArray

TRIMAP = np.array([[0, 128, 255], [255, 128, 0]], np.uint8).repeat(5, 0).repeat(7, 1)


@given(pixels=arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40))))
@settings(max_examples=50)
def test_every_picture_comes_back(
    tmp_path_factory: pytest.TempPathFactory, pixels: LabelArray
) -> None:
    path = tmp_path_factory.mktemp("png") / "a.png"
    write_grey(path, pixels)
    np.testing.assert_array_equal(read_grey(path), pixels)


def test_openimageio_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_grey(path, TRIMAP[:, ::-1])
    file = OpenImageIO.ImageInput.open(str(path))
    assert file is not None, OpenImageIO.geterror()
    pixels = file.read_image(OpenImageIO.UINT8)
    assert pixels is not None, file.geterror()
    assert (file.spec().nchannels, str(file.spec().format)) == (1, "uint8")
    np.testing.assert_array_equal(pixels[:, :, 0], TRIMAP[:, ::-1])


def test_no_flipped_bit_and_no_cut_passes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.png"
    write_grey(path, TRIMAP)
    whole = path.read_bytes()
    damaged = [whole[:length] for length in range(len(whole))]
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << (place % 8)
        damaged.append(bytes(flipped))
    for data in (*damaged, whole + b"\0"):
        path.write_bytes(data)
        with pytest.raises(FrameError, match="damaged"):
            read_grey(path)
    assert capfd.readouterr() == ("", "")  # no decoder saw any of it


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), np.float32),
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros((1, 70_000), np.uint8),
    ],
    ids=["float", "colour", "empty", "long"],
)
def test_other_pictures_are_not_written(tmp_path: Path, pixels: Any) -> None:
    with pytest.raises(FrameError, match=r"H × W uint8|not a frame's size"):
        write_grey(tmp_path / "a.png", pixels)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("pixels", [np.zeros((4, 4), np.uint16), np.zeros((4, 4, 3), np.uint8)])
def test_other_pictures_are_not_read(tmp_path: Path, pixels: Any) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), pixels)
    with pytest.raises(FrameError, match="not an 8-bit grey PNG"):
        read_grey(path)


def test_a_header_that_asks_for_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write_grey(path, TRIMAP)
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    with pytest.raises(FrameError, match="not a frame's size"):
        read_grey(path)


def test_pixels_that_do_not_decode_are_refused(tmp_path: Path) -> None:
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"too few")),
        (b"IEND", b""),
    ]
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in chunks:
        total = struct.pack(">I", zlib.crc32(name + body))
        data += struct.pack(">I", len(body)) + name + body + total
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with pytest.raises(FrameError, match="cannot be decoded"):
        read_grey(path)


def test_a_picture_stays_in_the_output_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mask").symlink_to(tmp_path)
    with pytest.raises(OutputError, match="leads out"):
        write_grey(tmp_path / "out" / "mask" / "a.png", TRIMAP, root=tmp_path / "out")
