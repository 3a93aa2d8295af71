"""Damaged, forged and foreign EXRs: refused with one clear error, nothing on stdout."""

from __future__ import annotations

import os
import random
import struct
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenImageIO
import pytest

from plugin.errors import FrameError
from plugin.exr.alpha_file import encode_alpha, is_current, prove_alpha, read_alpha
from plugin.exr.decode import MAX_FILE
from plugin.types import FloatArray, Frame, Window
from tests.plates import exr_plate

pytestmark = pytest.mark.slow

RECIPE = "5" * 64
WINDOW = Window(-3, 4, 13, 14)


def _alpha() -> FloatArray:
    noise = np.random.default_rng(5).random((WINDOW.height, WINDOW.width), np.float32)
    return np.asarray(noise, np.float32)


@pytest.fixture(name="whole", scope="module")
def _whole() -> bytes:
    info = exr_plate(WINDOW, Window.of_size(16, 16), rate=Fraction(24))
    frame = Frame(1001, np.zeros((1, 1, 3), np.float32))
    return encode_alpha(_alpha(), info=info, frame=frame, provenance={"recipe": RECIPE})


def _unsealed(whole: bytes) -> bytes:
    """As if another program had written it: nothing to compare the bytes with."""
    return whole.replace(b"adamatte/seal", b"adamatte/SEAL").replace(b"/digest", b"/DIGEST")


def test_no_flipped_bit_passes(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.exr"
    path.write_bytes(whole)
    assert is_current(path, RECIPE) is not None
    passed = []
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << (place % 8)
        path.write_bytes(damaged)
        if is_current(path, RECIPE) is not None:
            passed.append(place)
    assert passed == []


def test_no_cut_file_passes(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.exr"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert is_current(path, RECIPE) is None
        with pytest.raises(FrameError):
            read_alpha(path)


def test_nothing_added_passes(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "a.exr"
    path.write_bytes(whole + b"\0")
    assert is_current(path, RECIPE) is None


@pytest.mark.parametrize("seed", range(4))
def test_damage_without_a_seal_is_an_error_or_a_matte(
    tmp_path: Path, whole: bytes, capfd: pytest.CaptureFixture[str], seed: int
) -> None:
    dice = random.Random(seed)
    path = tmp_path / "a.exr"
    for _ in range(100):
        damaged = bytearray(_unsealed(whole))
        for _ in range(dice.randint(1, 4)):
            damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        path.write_bytes(damaged[: dice.choice([len(damaged), dice.randrange(len(damaged))])])
        assert is_current(path, RECIPE) is None
        with suppress(FrameError):
            found = read_alpha(path).alpha
            assert found.min() >= 0
            assert found.max() <= 1
    assert capfd.readouterr().out == ""  # stdout may be a stream of JSON lines


@pytest.mark.parametrize(
    "corners", [(0, 0, 99_999, 99_999), (0, 0, 16_384, 16_384), (0, 0, 65_536, 0), (5, 5, 4, 5)]
)
def test_a_header_that_asks_for_too_much_is_refused(
    tmp_path: Path, whole: bytes, corners: tuple[int, int, int, int]
) -> None:
    start = b"dataWindow\0box2i\0" + struct.pack("<i", 16)
    place = whole.index(start) + len(start)
    forged = bytearray(_unsealed(whole))
    forged[place : place + 16] = struct.pack("<4i", *corners)
    path = tmp_path / "a.exr"
    path.write_bytes(forged)
    with pytest.raises(FrameError, match=r"not a frame's size|header cannot be read"):
        read_alpha(path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    pipe, sparse = tmp_path / "pipe.exr", tmp_path / "sparse.exr"
    os.mkfifo(pipe)
    sparse.touch()
    os.truncate(sparse, MAX_FILE + 1)
    for path, what in (
        (pipe, "not a regular file"),
        (sparse, "larger than"),
        (tmp_path, "not a regular file"),
        (tmp_path / "gone.exr", "missing"),
    ):
        with pytest.raises(FrameError, match=what):
            read_alpha(path)
        assert is_current(path, RECIPE) is None


def _foreign(path: Path, names: tuple[str, ...], kind: str, pixels: FloatArray) -> None:
    spec = OpenImageIO.ImageSpec(pixels.shape[1], pixels.shape[0], len(names), kind)
    spec.channelnames = names
    spec.attribute("adamatte/recipe", RECIPE)
    output = OpenImageIO.ImageOutput.create(str(path))
    assert output is not None, OpenImageIO.geterror()
    assert output.open(str(path), spec)
    assert output.write_image(np.repeat(pixels[:, :, None], len(names), axis=2))
    output.close()


def test_a_matte_of_another_program_is_read_and_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    _foreign(path, ("R", "G", "B", "A"), "float", _alpha())
    found = read_alpha(path)
    np.testing.assert_array_equal(found.alpha, _alpha())
    assert (found.bits, found.sealed) == ("float", False)
    assert is_current(path, RECIPE) is None
    with pytest.raises(FrameError, match="another program"):
        prove_alpha(path)


@pytest.mark.parametrize(
    ("names", "kind", "scale", "what"),
    [
        (("R", "G", "B"), "half", 1.0, "no channel A"),
        (("A",), "uint", 1.0, "whole numbers"),
        (("A",), "half", 2.0, "not within"),
        (("A",), "half", np.nan, "not within"),
    ],
)
def test_other_kinds_of_exr_are_refused(
    tmp_path: Path, names: tuple[str, ...], kind: str, scale: float, what: str
) -> None:
    path = tmp_path / "a.exr"
    _foreign(path, names, kind, _alpha() * np.float32(scale))
    with pytest.raises(FrameError, match=what):
        read_alpha(path)


def test_a_png_is_no_exr(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    with pytest.raises(FrameError, match="header cannot be read"):
        read_alpha(path)
