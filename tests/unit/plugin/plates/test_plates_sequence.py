"""Sequences and single images: numbers, windows, channels, metadata, refusals."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pytest

from plugin.errors import FrameError, PlateError
from plugin.framerange import FrameRange
from plugin.plates import AlphaSource, check_frames, open_plate, plate_sum
from plugin.types import PlateKind
from tests.media import rgb_channels, sequence, shared, write_exr, write_image


def half(number: int, height: int = 5, width: int = 7) -> npt.NDArray[np.float16]:
    """A picture that belongs to a frame number."""
    rng = np.random.default_rng(number)
    return rng.random((height, width, 3), np.float32).astype(np.float16)


def test_a_frame_is_its_number_with_gaps_and_offsets(tmp_path: Path) -> None:
    pattern = sequence(tmp_path, [1001, 1003, 1010, 12000], half)
    with closing(open_plate(pattern.replace("%04d", "####"))) as plate:
        assert plate.info.kind is PlateKind.SEQUENCE
        assert str(plate.info.frames) == "1001,1003,1010,12000"
        for number in (1010, 1001, 12000, 1003):
            frame = plate.read(number)
            assert frame.number == number
            assert frame.rgb.dtype == np.float32
            assert frame.rgb.flags.c_contiguous
            assert np.array_equal(frame.rgb, half(number).astype(np.float32))
        with pytest.raises(FrameError, match=r"no such frame.*frame 1002"):
            plate.read(1002)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("plate.1001.exr", 1001),
        ("plate_0042.exr", 42),
        ("1007.exr", 1007),
        ("plate.exr", 77),
        ("plate_v003.exr", 77),
        ("IMG_20261122.exr", 77),
    ],
)
def test_an_image_is_a_shot_of_one_frame(tmp_path: Path, name: str, number: int) -> None:
    write_exr(tmp_path / name, rgb_channels(half(1)))
    with closing(open_plate(str(tmp_path / name), start_frame=77)) as plate:
        assert plate.info.kind is PlateKind.IMAGE
        assert list(plate.info.frames) == [number]
        assert np.array_equal(plate.read(number).rgb, half(1).astype(np.float32))
        digest = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        found = plate_sum(plate)
        assert found is not None
        assert found.sha256 == plate.digest(number) == digest


@pytest.mark.parametrize("suffix", [".dpx", ".tif", ".png"])
def test_sixteen_bits_are_kept(tmp_path: Path, suffix: str) -> None:
    ramp = np.arange(65536, dtype=np.uint16).reshape(64, 1024)
    pixels = np.stack([ramp, ramp[::-1], 65535 - ramp], 2)
    path = write_image(tmp_path / f"ramp{suffix}", pixels)
    with closing(open_plate(str(path))) as plate:
        rgb = plate.read(1001).rgb
        assert plate.info.bits == 16
    assert np.array_equal(np.rint(rgb.astype(np.float64) * 65535), pixels)
    assert len(np.unique(rgb[:, :, 0])) == 65536


@pytest.mark.parametrize("begin", [1664, 1920, 2048])
def test_a_dpx_whose_pixels_begin_early_has_no_timecode_of_pixels(
    tmp_path: Path, begin: int
) -> None:
    whole = write_image(tmp_path / "a.dpx", np.full((32, 32, 3), 0x0101, np.uint16)).read_bytes()
    order: Literal["big", "little"] = "big" if whole.startswith(b"SDPX") else "little"
    pixels = whole[int.from_bytes(whole[4:8], order) :]
    head = bytearray(whole[:begin])
    if begin == 2048:
        head[1920:1928] = 2 * 0x01020304.to_bytes(4, order)
    for place in (4, 808):  # where the file says that the pixels begin, and the element
        head[place : place + 4] = begin.to_bytes(4, order)
    head[16:20] = (len(head) + len(pixels)).to_bytes(4, order)
    path = tmp_path / "b.dpx"
    path.write_bytes(bytes(head) + pixels)
    plate = open_plate(str(path))
    assert plate.info.timecode == ("01:02:03:04" if begin == 2048 else None)
    assert plate.info.rate is None
    assert plate.read(plate.info.frames.first).timecode == plate.info.timecode


@pytest.mark.parametrize("bits", [10, 12])
def test_ten_and_twelve_bit_dpx(tmp_path: Path, bits: int) -> None:
    last = (1 << bits) - 1
    codes = np.arange(last + 1, dtype=np.uint32).reshape(-1, 32)
    stored = ((codes * 65535 + last // 2) // last).astype(np.uint16)
    path = write_image(tmp_path / "a.dpx", np.stack([stored] * 3, 2), oiio__BitsPerSample=bits)
    with closing(open_plate(str(path))) as plate:
        assert plate.info.bits == bits
        assert np.abs(plate.read(1001).rgb[:, :, 1] * last - codes).max() < 0.1


def test_straight_alpha_leaves_the_colours_alone(tmp_path: Path) -> None:
    pixels = np.full((4, 5, 4), 40000, np.uint16)
    pixels[:, :2, 3] = 0
    for suffix in (".png", ".tif"):
        path = write_image(tmp_path / f"a{suffix}", pixels, oiio__UnassociatedAlpha=1)
        with closing(open_plate(str(path))) as plate:
            assert np.allclose(plate.read(1001).rgb, 40000 / 65535)
            assert isinstance(plate, AlphaSource)
            alpha = plate.read_alpha(1001)
            assert alpha is not None
            assert np.allclose(alpha, pixels[:, :, 3] / 65535)


def test_grey_and_eight_bit_pictures(tmp_path: Path) -> None:
    pixels = np.arange(20, dtype=np.uint8).reshape(4, 5, 1)
    with closing(open_plate(str(write_image(tmp_path / "a.png", pixels)))) as plate:
        assert np.allclose(plate.read(1001).rgb, np.repeat(pixels, 3, 2) / 255)
        assert (plate.info.bits, plate.info.colour) == (8, "srgb_rec709_display")
    flat = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    with closing(open_plate(str(write_image(tmp_path / "a.jpg", flat)))) as plate:
        assert np.abs(plate.read(1001).rgb * 255 - flat).max() <= 2


def test_check_frames_names_what_is_missing_and_what_is_different(tmp_path: Path) -> None:
    pattern = sequence(tmp_path, [*range(1001, 1008), *range(1010, 1013)], half)
    write_exr(tmp_path / "plate.1003.exr", rgb_channels(half(1, 5, 8)))
    write_exr(tmp_path / "plate.1004.exr", rgb_channels(half(1)), display=(0, 0, 9, 9))
    (tmp_path / "plate.1005.exr").write_bytes(b"not an EXR")
    with closing(open_plate(pattern)) as plate:
        with pytest.raises(PlateError, match=r"2 frames are missing: 1008-1009") as missing:
            check_frames(plate, FrameRange.span(1006, 1012))
        assert "1001-1007,1010-1012" in missing.value.fix
        with pytest.raises(PlateError, match=r"3 frames are unlike the others: 1003-1005"):
            check_frames(plate, plate.info.frames)
        check_frames(plate, FrameRange.parse("1001-1002,1006"))
        for number in (1003, 1004, 1005):
            with pytest.raises(FrameError) as caught:
                plate.read(number)
            assert f"plate.{number}.exr" in caught.value.where


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("plate.%05d.exr", "plate.%04d.exr 1001-1003"),
        ("plat.%04d.exr", "plate.%04d.exr 1001-1003"),
        ("plate.%04d.dpx", "plate.%04d.exr 1001-1003"),
        ("plate.exr", "plate.%04d.exr 1001-1003"),
        ("plate.1009.exr", "plate.%04d.exr 1001-1003"),
    ],
)
def test_near_misses_are_named(tmp_path: Path, asked: str, there: str) -> None:
    sequence(tmp_path, [1001, 1002, 1003], half)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(PlateError) as caught:
        open_plate(str(tmp_path / asked))
    assert there in caught.value.fix
    assert "notes" not in caught.value.fix


def test_a_folder_or_none_is_said_so(tmp_path: Path) -> None:
    sequence(tmp_path, [1, 2], half)
    with pytest.raises(PlateError, match=r"a folder.*plate.%04d.exr 1-2"):
        open_plate(str(tmp_path))
    with pytest.raises(PlateError, match="no such folder"):
        open_plate(str(tmp_path / "none" / "plate.%04d.exr"))


def test_files_that_are_no_pictures(tmp_path: Path) -> None:
    for name, content in (("a.exr", b""), ("b.exr", b"hello"), ("c.png", b"\x89PNG\r\n\x1a\n")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PlateError):
            open_plate(str(tmp_path / name))


@pytest.mark.parametrize("suffix", [".exr", ".png", ".tif", ".dpx", ".jpg"])
@pytest.mark.parametrize("share", [0.5, 0.95])
def test_a_cut_picture_is_named_by_its_number(tmp_path: Path, suffix: str, share: float) -> None:
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 65535, (64, 64, 3), np.uint16)
    for number in (1, 2):
        pixels: dict[str, npt.NDArray[Any]] = {
            ".exr": (noise / 65535).astype(np.float16),
            ".jpg": noise.astype(np.uint8),
        }
        write_image(tmp_path / f"a.{number:04d}{suffix}", pixels.get(suffix, noise))
    path = tmp_path / f"a.0002{suffix}"
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with closing(open_plate(str(tmp_path / f"a.%04d{suffix}"))) as plate:
        plate.read(1)
        with pytest.raises(FrameError, match=rf"a\.0002\{suffix}"):
            plate.read(2)


def test_digest_changes_with_the_file(tmp_path: Path) -> None:
    pattern = sequence(tmp_path, [1, 2], half)
    with closing(open_plate(pattern)) as plate:
        before = plate.digest(1), plate.digest(2)
        write_exr(tmp_path / "plate.0002.exr", rgb_channels(half(9)))
        assert plate.digest(1) == before[0]
        assert plate.digest(2) != before[1]
        assert plate_sum(plate) is None
        assert plate.info.digest == ""
        (tmp_path / "plate.0002.exr").unlink()
        with pytest.raises(FrameError, match="cannot be read"):
            plate.digest(2)


@pytest.mark.parametrize(
    ("name", "colour"),
    [
        ("good/Chromaticities/Rec709.exr", "lin_rec709_scene"),
        ("good/Chromaticities/XYZ.exr", "lin_ciexyz_scene"),
        ("good/ScanLines/Carrots.exr", "lin_ap0_scene"),
        ("dpx/dpx_nuke_10bits_rgb.dpx", "srgb_rec709_display"),
        ("dpx/checker.cin", "cineon_log"),
        ("odd/GammaChart.exr", "lin_rec709_scene"),
        ("odd/comp_dwaa_v1.exr", "lin_rec709_scene"),
        ("odd/v1.7.test.planar.exr", "lin_rec709_scene"),
    ],
)
def test_pictures_of_others(name: str, colour: str) -> None:
    with closing(open_plate(str(shared(f"exr/{name}")))) as plate:
        frame = plate.read(plate.info.frames.first)
        assert frame.rgb.shape == (plate.info.height, plate.info.width, 3)
        assert np.isfinite(frame.rgb).all()
        assert plate.info.colour == colour
