"""A one-pixel checker through every reader: nothing shifts, flips, scales or bleeds."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenEXR  # type: ignore[import-not-found]
import pytest

from plugin.plates import AlphaSource, open_plate
from plugin.types import Window
from tests.media import (
    Codec,
    Tags,
    checker,
    flat_planes,
    raw_exr,
    rgb_channels,
    write_exr,
    write_image,
    write_video,
)

SIZES = [(33, 17), (64, 48), (1, 1), (7, 2), (2, 7)]


def seen(plate: str) -> npt.NDArray[np.bool_]:
    """Where the plate's only frame is light; it must be grey, and nothing but light and dark."""
    with closing(open_plate(plate)) as source:
        rgb = source.read(source.info.frames.first).rgb
        assert rgb.shape == (source.info.height, source.info.width, 3)
    assert np.allclose(rgb, rgb[:, :, :1], atol=1e-6)
    assert np.isin(np.rint(rgb * 1000), [0, 1000]).all()
    return rgb[:, :, 0] > 0.5


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("suffix", [".exr", ".dpx", ".tif", ".png"])
def test_images(tmp_path: Path, suffix: str, size: tuple[int, int]) -> None:
    dtype = np.float16 if suffix == ".exr" else np.uint16
    white = 1 if suffix == ".exr" else 65535
    wanted = checker(*size)
    pixels = np.repeat(wanted[:, :, None], 3, axis=2).astype(dtype) * dtype(white)
    assert np.array_equal(seen(str(write_image(tmp_path / f"a{suffix}", pixels))), wanted)


def test_jpeg(tmp_path: Path) -> None:
    # Lossy, so the checker's cells are two blocks wide; a shift or flip would still show.
    wanted = np.kron(checker(5, 4), np.ones((16, 16), bool))[:, :73]
    pixels = np.repeat(wanted[:, :, None] * np.uint8(255), 3, axis=2)
    assert np.array_equal(seen(str(write_image(tmp_path / "a.jpg", pixels))), wanted)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("corner", [(0, 0), (-5, -3), (12, 7)], ids=str)
@pytest.mark.parametrize("display", [None, (0, 0, 19, 9), (-8, -8, 80, 80)], ids=str)
@pytest.mark.parametrize("tiled", [False, True], ids=["lines", "tiles"])
def test_exr_windows(
    tmp_path: Path,
    size: tuple[int, int],
    corner: tuple[int, int],
    display: tuple[int, int, int, int] | None,
    tiled: bool,
) -> None:
    wanted = checker(*size)
    planes = rgb_channels(np.repeat(wanted[:, :, None], 3, axis=2).astype(np.float16))
    more = {"type": OpenEXR.tiledimage, "tiles": OpenEXR.TileDescription()} if tiled else {}
    if tiled:
        more["tiles"].xSize, more["tiles"].ySize = 16, 8
    path = write_exr(tmp_path / "a.exr", planes, data=corner, display=display, **more)
    assert np.array_equal(seen(str(path)), wanted)
    with closing(open_plate(str(path))) as plate:
        x, y = corner
        assert plate.info.data_window == Window(x, y, x + size[0] - 1, y + size[1] - 1)
        if display is not None:
            assert plate.info.display_window == Window(*display)


@pytest.mark.parametrize("compression", ["NO", "RLE", "ZIP", "ZIPS", "PIZ", "PXR24"])
def test_exr_compressions(tmp_path: Path, compression: str) -> None:
    wanted = checker(37, 21)
    planes = rgb_channels(np.repeat(wanted[:, :, None], 3, axis=2).astype(np.float16))
    kind = getattr(OpenEXR, f"{compression}_COMPRESSION")
    path = write_exr(tmp_path / "a.exr", planes, data=(3, 5), compression=kind)
    assert np.array_equal(seen(str(path)), wanted)


def test_exr_luminance_chroma(tmp_path: Path) -> None:
    wanted = checker(12, 10)
    grey = {name: (2, np.zeros((5, 6))) for name in ("RY", "BY")}
    (tmp_path / "a.exr").write_bytes(raw_exr({"Y": (1, wanted), **grey}, 12, 10, (4, -2)))
    assert np.array_equal(seen(str(tmp_path / "a.exr")), wanted)


VIDEOS = [
    (Codec("ffv1", "yuv420p", ".mkv"), (33, 17)),
    (Codec("ffv1", "yuv422p10le", ".mkv"), (33, 17)),
    (Codec("ffv1", "yuv411p", ".mkv"), (33, 17)),
    (Codec("ffv1", "gray16le", ".mkv"), (33, 17)),
    (Codec("ffv1", "gbrp12le", ".mkv"), (33, 17)),
    (Codec("libx264", "yuv444p", ".mp4", {"qp": "0"}), (33, 17)),
    (Codec("libx264", "yuv420p", ".mp4", {"qp": "0"}), (34, 18)),
    (Codec("libx264", "yuv420p10le", ".mov", {"qp": "0"}), (130, 66)),
    (
        Codec("libx265", "yuv444p12le", ".mkv", {"x265-params": "lossless=1:log-level=none"}),
        (65, 33),
    ),
    (Codec("libvpx-vp9", "yuv420p", ".webm", {"lossless": "1"}), (33, 17)),
    (Codec("png", "rgb24", ".mov"), (33, 17)),
    (Codec("png", "rgb24", ".avi"), (33, 17)),
    (Codec("rawvideo", "uyvy422", ".mov"), (34, 18)),
    (Codec("v210", "yuv422p10le", ".mov"), (48, 18)),
]


@pytest.mark.parametrize(("codec", "size"), VIDEOS, ids=[str(c) for c, _ in VIDEOS])
def test_videos(tmp_path: Path, codec: Codec, size: tuple[int, int]) -> None:
    codec = Codec(codec.name, codec.pixels, codec.suffix, codec.options, size)
    wanted = checker(*size)
    path = tmp_path / f"a{codec.suffix}"
    planes: list[npt.NDArray[Any]]
    step = 1 << (codec.bits - 8)
    black, white, middle = 16 * step, 235 * step, 128 * step
    if codec.pixels.startswith("gbr"):
        planes = [(wanted * 4095).astype(np.uint16)] * 3
        tags = Tags()
    elif codec.pixels == "rgb24":
        planes = [np.repeat(wanted * np.uint8(255), 3, axis=1)]
        tags = Tags()
    elif codec.pixels == "uyvy422":
        packed = np.full((size[1], 2 * size[0]), 128, np.uint8)
        packed[:, 1::2] = np.where(wanted, white, black)
        planes, tags = [packed], Tags(1, 1, 1, 1)
    else:
        colour = [] if codec.pixels.startswith("gray") else [middle, middle]
        planes = flat_planes(codec.pixels, size, [black, *colour])
        planes[0][:] = np.where(wanted, white, black)
        tags = Tags(1, 1, 1, 1)
    write_video(path, codec, [planes], tags=tags)
    assert np.array_equal(seen(str(path)), wanted)


@pytest.mark.parametrize(
    ("pixels", "order"),
    [("rgb24", "RGB"), ("rgba", "RGBA"), ("rgb48be", "RGB"), ("rgba64be", "RGBA")],
)
def test_packed_rgb_is_exact(tmp_path: Path, pixels: str, order: str) -> None:
    wide = "be" in pixels
    rng = np.random.default_rng(5)
    values = rng.integers(0, 65536 if wide else 256, (17, 33, len(order)))
    stored = values.astype(">u2" if wide else "u1").reshape(17, -1)
    codec = Codec("png", pixels, ".mov", {}, (33, 17))
    path = write_video(tmp_path / "a.mov", codec, [[stored]])
    with closing(open_plate(str(path))) as plate:
        last = np.float32(65535 if wide else 255)
        assert np.array_equal(plate.read(1001).rgb, values[:, :, :3].astype(np.float32) / last)
        assert isinstance(plate, AlphaSource)
        assert plate.has_alpha == (order == "RGBA")
        alpha = plate.read_alpha(1001)
        if order == "RGBA":
            assert alpha is not None
            assert np.array_equal(alpha, values[:, :, 3].astype(np.float32) / last)
