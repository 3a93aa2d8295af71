"""A colour patch through every codec, depth, tag and no tag comes back within one code value.

The patch is encoded by the equations of the standards, written out here once more, and rounded to
the codec's own code values; then it is read, encoded again and compared before rounding.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from plugin.errors import PlateError
from plugin.plates import open_plate
from plugin.plates.opening import AlphaSource
from tests.media import Codec, Tags, flat_planes, write_video

LUMA = {
    "601": (0.299, 0.587, 0.114),
    "709": (0.2126, 0.7152, 0.0722),
    "2020": (0.2627, 0.678, 0.0593),
}
PATCHES = [(0.8, 0.2, 0.1), (0.1, 0.7, 0.35), (0.18, 0.18, 0.18), (0.15, 0.2, 0.75)]

TAGGED = {
    "601 limited": ("601", False, Tags(6, 6, 6, 1)),
    "601 PAL": ("601", False, Tags(5, 5, 6, 1)),
    "709 limited": ("709", False, Tags(1, 1, 1, 1)),
    "709 full": ("709", True, Tags(1, 1, 1, 2)),
    "2020 limited": ("2020", False, Tags(9, 9, 14, 1)),
}
BIG, SMALL = (1280, 72), (64, 48)

X264 = {"qp": "0"}
X265 = {"x265-params": "lossless=1:log-level=none"}
CODECS = [
    Codec("libx264", "yuv420p", ".mp4", X264),
    Codec("libx264", "yuv420p10le", ".mp4", X264),
    Codec("libx264", "yuv422p10le", ".mov", X264),
    Codec("libx264", "yuv444p", ".mkv", X264),
    Codec("libx265", "yuv420p", ".mp4", X265),
    Codec("libx265", "yuv420p10le", ".mkv", X265),
    Codec("libx265", "yuv422p12le", ".mkv", X265),
    Codec("libx265", "yuv444p12le", ".mov", X265),
    Codec("libvpx-vp9", "yuv420p", ".webm", {"lossless": "1"}),
    Codec("ffv1", "yuv422p10le", ".mkv"),
    Codec("ffv1", "yuv444p16le", ".mkv"),
]
FIXED = [
    Codec("prores_ks", "yuv422p10le", ".mov", {"profile": "3"}, (256, 128)),
    Codec("prores_ks", "yuv444p10le", ".mov", {"profile": "4"}, (256, 128)),
    Codec("dnxhd", "yuv422p", ".mov", {"profile": "dnxhr_sq"}, (256, 128)),
    Codec("dnxhd", "yuv422p10le", ".mxf", {"profile": "dnxhr_hqx"}, (256, 128)),
    Codec("dnxhd", "yuv444p10le", ".mov", {"profile": "dnxhr_444"}, (256, 128)),
    Codec("libx264", "yuv420p", ".mxf", X264, (256, 128)),
]


def encode(rgb: npt.ArrayLike, matrix: str, bits: int, full: bool) -> npt.NDArray[np.float64]:
    """Code values of Y, Cb and Cr, not rounded (BT.709-6, 3; BT.601-7, 2.5; BT.2020-2, table 4)."""
    red, green, blue = np.moveaxis(np.asarray(rgb, np.float64), -1, 0)
    weights = LUMA[matrix]
    y = weights[0] * red + weights[1] * green + weights[2] * blue
    pb, pr = (blue - y) / (2 - 2 * weights[2]), (red - y) / (2 - 2 * weights[0])
    step, last = 2 ** (bits - 8), 2**bits - 1
    codes = [last * y, last * pb + 128 * step, last * pr + 128 * step]
    if not full:
        codes = [step * (219 * y + 16), step * (224 * pb + 128), step * (224 * pr + 128)]
    return np.stack(codes, axis=-1)


def check(path: Path, codec: Codec, matrix: str, full: bool, tags: Tags) -> float:
    """Largest error over all patches, in code values of the codec.

    What the file cannot hold, the rounding to its code values, is at most half of one.
    """
    wanted = encode(PATCHES, matrix, codec.bits, full)
    frames = [
        flat_planes(codec.pixels, codec.size, codes)
        for codes in wanted.round().astype(int).tolist()
    ]
    write_video(path, codec, frames, tags=tags)
    with closing(open_plate(str(path))) as plate:
        assert plate.info.bits >= codec.bits
        seen = np.stack([plate.read(number).rgb for number in plate.info.frames])
    assert seen.dtype == np.float32
    assert len(seen) == len(PATCHES)
    return float(np.abs(encode(seen, matrix, codec.bits, full) - wanted[:, None, None]).max())


@pytest.mark.parametrize("tag", TAGGED)
@pytest.mark.parametrize("codec", CODECS, ids=str)
def test_tagged(tmp_path: Path, codec: Codec, tag: str) -> None:
    matrix, full, tags = TAGGED[tag]
    assert check(tmp_path / f"patch{codec.suffix}", codec, matrix, full, tags) <= 0.51


@pytest.mark.parametrize("codec", FIXED, ids=str)
def test_mezzanine_codecs(tmp_path: Path, codec: Codec) -> None:
    matrix, full, tags = TAGGED["709 limited"]
    assert check(tmp_path / f"patch{codec.suffix}", codec, matrix, full, tags) <= 0.51


@pytest.mark.parametrize(
    ("size", "matrix"),
    [(BIG, "709"), ((72, 720), "709"), ((1278, 64), "601"), (SMALL, "601")],
    ids=["1280 wide", "720 high", "just below", "small"],
)
@pytest.mark.parametrize("pixels", ["yuv420p", "yuv422p10le"])
def test_untagged_goes_by_size(
    tmp_path: Path, size: tuple[int, int], matrix: str, pixels: str
) -> None:
    codec = Codec("libx264", pixels, ".mp4", X264, size)
    path = tmp_path / "patch.mp4"
    assert check(path, codec, matrix, full=False, tags=Tags()) <= 0.51
    with closing(open_plate(str(path))) as plate:
        assert plate.info.notes == (
            f"no matrix tag, taken as BT.{matrix} by its size, no range tag, taken as limited",
        )


@pytest.mark.parametrize("suffix", [".mov", ".avi", ".mkv"])
@pytest.mark.parametrize("pixels", ["yuvj420p", "yuvj422p", "yuvj444p"])
def test_motion_jpeg_is_full_range_601(tmp_path: Path, suffix: str, pixels: str) -> None:
    codec = Codec("mjpeg", pixels, suffix, {"qmin": "1", "qmax": "1"})
    assert check(tmp_path / f"patch{suffix}", codec, "601", full=True, tags=Tags()) <= 0.51


def test_prores_4444_carries_an_alpha(tmp_path: Path) -> None:
    codec = Codec("prores_ks", "yuva444p10le", ".mov", {"profile": "4", "alpha_bits": "16"})
    planes = flat_planes(codec.pixels, codec.size, (400, 512, 512, 0))
    planes[3][:, 32:] = 1023
    planes[3][:10, :] = 512
    path = write_video(tmp_path / "cut_out.mov", codec, [planes, planes])
    with closing(open_plate(str(path))) as plate:
        assert isinstance(plate, AlphaSource)
        assert plate.has_alpha
        assert "has an alpha of its own" in plate.info.notes
        alpha = plate.read_alpha(1002)
    assert alpha is not None
    assert np.abs(alpha - planes[3] / 1023).max() <= 1 / 1023


def test_prores_422_carries_none(tmp_path: Path) -> None:
    codec = FIXED[0]
    path = write_video(
        tmp_path / "plate.mov", codec, [flat_planes(codec.pixels, codec.size, (400, 512, 512))]
    )
    with closing(open_plate(str(path))) as plate:
        assert isinstance(plate, AlphaSource)
        assert not plate.has_alpha
        assert plate.read_alpha(1001) is None


@pytest.mark.parametrize(
    ("tags", "colour"),
    [
        (Tags(1, 1, 1, 1), "g24_rec709_display"),
        (Tags(9, 9, 14, 1), "g24_rec2020_display"),
        (Tags(9, 9, 16, 1), "pq_rec2020_display"),
        (Tags(9, 9, 18, 1), "hlg_rec2020_display"),
        (Tags(1, 12, 13, 1), "srgb_p3d65_display"),
        (Tags(1, 1, 8, 1), "lin_rec709_scene"),
        (Tags(), "g24_rec709_display"),
    ],
)
def test_transfer_and_primaries_name_the_space(tmp_path: Path, tags: Tags, colour: str) -> None:
    codec = Codec("libx265", "yuv420p10le", ".mp4", X265)
    planes = flat_planes(codec.pixels, codec.size, (400, 512, 512))
    path = write_video(tmp_path / "plate.mp4", codec, [planes], tags=tags)
    with closing(open_plate(str(path))) as plate:
        assert plate.info.colour == colour


def test_a_matrix_that_is_not_read_is_refused(tmp_path: Path) -> None:
    codec = Codec("libx264", "yuv444p", ".mp4", X264)
    planes = flat_planes(codec.pixels, codec.size, (100, 128, 128))
    path = write_video(tmp_path / "ycgco.mp4", codec, [planes], tags=Tags(8, 1, 1, 1))
    with pytest.raises(PlateError, match="matrix 8"):
        open_plate(str(path))


@pytest.mark.parametrize(
    "codec",
    [
        Codec("ffv1", "yuv444p16le", ".mkv"),
        Codec("libx265", "yuv422p12le", ".mkv", X265),
        Codec("libx264", "yuv420p10le", ".mp4", X264),
        Codec("ffv1", "gray16le", ".mkv"),
    ],
    ids=str,
)
def test_a_ramp_keeps_every_step(tmp_path: Path, codec: Codec) -> None:
    depth = codec.bits
    codec = Codec(codec.name, codec.pixels, codec.suffix, codec.options, (1024, 16))
    planes = flat_planes(
        codec.pixels, codec.size, [1 << (depth - 1)] * (1 + 2 * (codec.pixels[0] == "y"))
    )
    black, white = 16 << (depth - 8), 235 << (depth - 8)
    ramp = np.linspace(black, white, 1024).round().astype(planes[0].dtype)
    planes[0][:] = ramp
    path = write_video(tmp_path / f"ramp{codec.suffix}", codec, [planes], tags=Tags(1, 1, 1, 1))
    with closing(open_plate(str(path))) as plate:
        row = plate.read(1001).rgb[5, :, 1].astype(np.float64)
    assert len(np.unique(row)) == len(np.unique(ramp))
    assert np.abs(row - (ramp.astype(np.float64) - black) / (white - black)).max() < 1e-6
