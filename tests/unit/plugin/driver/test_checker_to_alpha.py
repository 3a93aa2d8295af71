"""A one-pixel checker from the plate to the alpha EXR: no shift, no flip, no resize on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from plugin.driver.run import run
from plugin.exr.alpha_file import AlphaFile, prove_alpha
from plugin.plates import open_plate
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.types import Window
from tests.jobs import luma_matter
from tests.media import Codec, Tags, checker, rgb_channels, write_exr, write_image, write_video
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow

Pattern = npt.NDArray[np.bool_]


def matted(folder: Path, plate: str, **more: Any) -> AlphaFile:
    """The alpha of the plate's only frame; LumaMatter makes its light alpha where nothing is known.

    A whole job, with the masks, trimaps and mattes asked for.
    """
    shot = Shot(plate=plate, out=folder / "out", workers=1, **{"segment": "none", **more})
    run(shot, executor=InProcessExecutor(luma_matter))
    layout = OutputLayout.of(shot)
    (number,) = layout.pattern("alpha").scan()
    return prove_alpha(layout.alpha(number))


def rgb(pattern: Pattern, kind: type[np.generic], white: float) -> npt.NDArray[Any]:
    return np.asarray(np.repeat(pattern[..., None], 3, axis=2) * white, kind)


def picture(suffix: str) -> Callable[[Path, Pattern], Path]:
    def write(folder: Path, pattern: Pattern) -> Path:
        return write_image(folder / f"p.1001{suffix}", rgb(pattern, np.uint16, 65535))

    return write


def video(codec: str, pixels: str, suffix: str) -> Callable[[Path, Pattern], Path]:
    def write(folder: Path, pattern: Pattern) -> Path:
        height, width = pattern.shape
        how = Codec(codec, pixels, suffix, {"qp": "0"} if "264" in codec else {}, (width, height))
        step = 1 << (how.bits - 8)
        grey = np.uint8 if how.bits == 8 else np.uint16
        if pixels.startswith("gbr"):
            planes: list[npt.NDArray[Any]] = [
                (pattern * ((256 << (how.bits - 8)) - 1)).astype(grey)
            ] * 3
            return write_video(folder / f"p{suffix}", how, [planes])
        planes = [np.where(pattern, 235 * step, 16 * step).astype(grey)]
        planes += [np.full(pattern.shape, 128 * step, grey)] * 2
        return write_video(folder / f"p{suffix}", how, [planes], tags=Tags(1, 1, 1, 1))

    return write


READERS = {
    "png": picture(".png"),
    "tiff": picture(".tif"),
    "dpx": picture(".dpx"),
    "ffv1": video("ffv1", "gbrp12le", ".mkv"),
    "h264": video("libx264", "yuv444p", ".mp4"),
    "h264-10": video("libx264", "yuv444p10le", ".mov"),
}


@pytest.mark.parametrize("size", [(33, 17), (7, 21)], ids=str)
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("channels", ["rgba", "fg"])
def test_every_reader(tmp_path: Path, reader: str, size: tuple[int, int], channels: str) -> None:
    wanted = checker(*size)
    plate = READERS[reader](tmp_path, wanted)
    found = matted(tmp_path, str(plate), channels=channels)
    assert (found.data_window, found.display_window) == (Window.of_size(*size),) * 2
    np.testing.assert_array_equal(found.alpha > 0.5, wanted)
    # The brightness of display white as the network sees it: 0.9335 by the shoulder above 0.9.
    assert np.abs(found.alpha - 0.9335 * wanted).max() < 0.002
    if found.foreground is not None:
        np.testing.assert_array_equal(found.foreground[..., 1] > 0.5, wanted)


WINDOWS = {
    "plain": (Window(0, 0, 32, 16), Window(0, 0, 32, 16)),
    "overscan": (Window(-5, -3, 37, 21), Window(0, 0, 30, 18)),
    "crop": (Window(4, 3, 20, 13), Window(0, 0, 32, 18)),
    "apart": (Window(50, 60, 66, 64), Window(-3, -3, 20, 20)),
}


@pytest.mark.parametrize("place", WINDOWS)
@pytest.mark.parametrize("channels", ["rgba", "a", "fg"])
def test_exr_windows(tmp_path: Path, place: str, channels: str) -> None:
    data, display = WINDOWS[place]
    wanted = checker(data.width, data.height)
    corners = (display.x_min, display.y_min, display.x_max, display.y_max)
    corner = (data.x_min, data.y_min)
    planes = rgb_channels(rgb(wanted, np.float16, 1))
    path = write_exr(tmp_path / "p.1001.exr", planes, data=corner, display=corners)
    found = matted(tmp_path, str(path), channels=channels)
    assert (found.data_window, found.display_window) == (data, display)
    np.testing.assert_array_equal(found.alpha > 0.5, wanted)
    if found.foreground is not None:
        np.testing.assert_array_equal(found.foreground > 0.5, np.repeat(wanted[..., None], 3, 2))
    with_plate = open_plate(str(path)).read(1001).rgb
    np.testing.assert_array_equal(with_plate[..., 0] > 0.5, found.alpha > 0.5)


@pytest.mark.parametrize("place", ["plain", "overscan", "crop"])
def test_trimaps_and_mattes_lie_where_the_plate_does(tmp_path: Path, place: str) -> None:
    data, display = WINDOWS[place]
    wanted = checker(data.width, data.height)
    corners = (display.x_min, display.y_min, display.x_max, display.y_max)
    corner = (data.x_min, data.y_min)
    grey = rgb_channels(np.full((data.height, data.width, 3), 0.5, np.float16))
    path = write_exr(tmp_path / "p.1001.exr", grey, data=corner, display=corners)
    png = write_image(tmp_path / "c.1001.png", (wanted[..., None] * np.uint8(255)))
    exr = {"Y": wanted.astype(np.float16)}
    placed = write_exr(tmp_path / "c.1001.exr", exr, data=corner, display=corners)
    for matte in (str(png), str(placed)):
        found = matted(tmp_path, str(path), trimap=matte)
        np.testing.assert_array_equal(found.alpha, wanted)
        found = matted(tmp_path, str(path), holdout=matte)
        np.testing.assert_array_equal(found.alpha == 1, wanted)
        found = matted(tmp_path, str(path), garbage=matte)
        np.testing.assert_array_equal(found.alpha == 0, wanted)
