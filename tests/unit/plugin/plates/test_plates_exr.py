"""EXR plates: windows, channels, layers, luminance-chroma, values that are no numbers."""

from __future__ import annotations

import struct
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenEXR  # type: ignore[import-not-found]
import pytest

from plugin.errors import FrameError, PlateError
from plugin.plates import open_plate
from plugin.plates.images.sequence import NON_FINITE
from plugin.plates.limits import MAX_PIXELS, MAX_SIDE
from plugin.types import Window
from tests.media import raw_exr, rgb_channels, shared, write_exr


def half(number: int, height: int = 5, width: int = 7) -> npt.NDArray[np.float16]:
    """A picture that belongs to a frame number."""
    rng = np.random.default_rng(number)
    return rng.random((height, width, 3), np.float32).astype(np.float16)


def timecode(hours: int, minutes: int, seconds: int, frame: int, drop: bool = False) -> Any:
    return OpenEXR.TimeCode(
        hours, minutes, seconds, frame, drop, *[False] * 5, 0, 0, 0, 0, 0, 0, 0, 0
    )


def test_windows_pixel_aspect_rate_and_metadata(tmp_path: Path) -> None:
    for number in (1, 2):
        write_exr(
            tmp_path / f"a.{number:04d}.exr",
            rgb_channels(half(number, 9, 11)),
            data=(-3, -2),
            display=(0, 0, 6, 4),
            pixelAspectRatio=2.0,
            framesPerSecond=Fraction(24000, 1001),
            timeCode=timecode(10, 11, 12, 22 + number % 2, drop=False),
            cameraMake="ARRI",
            isoSpeed=800.0,
        )
    with closing(open_plate(str(tmp_path / "a.%04d.exr"))) as plate:
        info = plate.info
        assert (info.width, info.height) == (11, 9)
        assert info.data_window == Window(-3, -2, 7, 6)
        assert info.display_window == Window(0, 0, 6, 4)
        assert (info.pixel_aspect, info.rate) == (2.0, Fraction(24000, 1001))
        assert (info.codec, info.pixel_format, info.bits) == ("exr/zips", "half", 16)
        assert (info.colour, info.timecode) == ("lin_rec709_scene", "10:11:12:23")
        second = plate.read(2)
        assert second.timecode == "10:11:12:22"
        assert second.attributes == {"cameraMake": "ARRI", "isoSpeed": 800.0}
        assert second.rgb.shape == (9, 11, 3)


def test_float_exr_keeps_values_above_one_and_below_zero(tmp_path: Path) -> None:
    rgb = np.array([[[-0.25, 1e-6, 300.0]]], np.float32)
    path = write_exr(tmp_path / "a.exr", rgb_channels(rgb))
    with closing(open_plate(str(path))) as plate:
        assert np.array_equal(plate.read(1001).rgb, rgb)
        assert (plate.info.pixel_format, plate.info.bits) == ("float", 32)


def test_nan_and_infinity_are_counted_and_made_safe(tmp_path: Path) -> None:
    rgb = np.full((2, 3, 3), 0.5, np.float32)
    rgb[0, 0] = [np.nan, 0.25, np.inf]
    rgb[1, 2, 1] = -np.inf
    path = write_exr(tmp_path / "a.exr", rgb_channels(rgb))
    with closing(open_plate(str(path))) as plate:
        frame = plate.read(1001)
    assert np.isfinite(frame.rgb).all()
    assert frame.rgb[0, 0].tolist() == [0.0, 0.25, 65504.0]
    assert frame.rgb[1, 2, 1] == -65504.0
    assert frame.attributes[NON_FINITE] == 2


@pytest.mark.parametrize(
    ("channels", "wanted", "note"),
    [
        ({"G": 0.5}, (0, 0.5, 0), "no R and B, taken as 0"),
        ({"R": 0.25, "B": 0.5, "Z": 9}, (0.25, 0, 0.5), "no G, taken as 0"),
        ({"Y": 0.5, "A": 1}, (0.5, 0.5, 0.5), "grey"),
        ({"beauty.R": 0.25, "beauty.G": 0.5, "beauty.B": 0.75}, (0.25, 0.5, 0.75), "layer beauty"),
        ({"r": 0.25, "g": 0.5, "b": 0.75}, (0.25, 0.5, 0.75), ""),
        ({"A": 1, "R": 0.25, "G": 0.5, "B": 0.75, "diffuse.R": 9}, (0.25, 0.5, 0.75), ""),
    ],
)
def test_channels(
    tmp_path: Path, channels: dict[str, float], wanted: tuple[float, ...], note: str
) -> None:
    planes = {name: np.full((2, 3), value, np.float16) for name, value in channels.items()}
    path = write_exr(tmp_path / "a.exr", planes)
    with closing(open_plate(str(path))) as plate:
        assert np.allclose(plate.read(1001).rgb, wanted)
        assert note in " ".join(plate.info.notes)


@pytest.mark.parametrize("names", [["A"], ["Z"], ["id", "depth.Z"]])
def test_no_colour_is_refused(tmp_path: Path, names: list[str]) -> None:
    path = write_exr(tmp_path / "a.exr", {name: np.zeros((2, 3), np.float16) for name in names})
    with pytest.raises(PlateError, match="no colour channels among"):
        open_plate(str(path))


def test_layers_views_and_parts_by_name(tmp_path: Path) -> None:
    def part(name: str, view: str, value: float, layer: str = "") -> Any:
        channels = rgb_channels(np.full((2, 3, 3), value, np.float16), layer)
        return OpenEXR.Part({"type": OpenEXR.scanlineimage, "view": view}, channels, name)

    path = tmp_path / "a.exr"
    parts = [part("main", "left", 0.1), part("main_r", "right", 0.2), part("aov", "", 0.3, "spec")]
    OpenEXR.File(parts).write(str(path))
    for layer, value in (
        ("", 0.1),
        ("main", 0.1),
        ("left", 0.1),
        ("right", 0.2),
        ("RIGHT", 0.2),
        ("spec", 0.3),
        ("aov.spec", 0.3),
    ):
        with closing(open_plate(str(path), layer=layer)) as plate:
            assert np.allclose(plate.read(1001).rgb, value, atol=1e-3), layer
    with closing(open_plate(str(path))) as plate:
        assert plate.info.notes[-1] == "--layer could also take aov.spec, main_r"
    with pytest.raises(PlateError, match=r"no layer 'nope'; there are aov.spec, main, main_r"):
        open_plate(str(path), layer="nope")


def test_two_layers_and_no_main_picture_have_to_be_chosen_from(tmp_path: Path) -> None:
    planes = rgb_channels(half(1), "diffuse") | rgb_channels(half(2), "specular")
    path = write_exr(tmp_path / "a.exr", planes)
    with pytest.raises(PlateError, match="no main picture; there are diffuse, specular"):
        open_plate(str(path))
    with closing(open_plate(str(path), layer="specular")) as plate:
        assert np.array_equal(plate.read(1001).rgb, half(2).astype(np.float32))


def test_luminance_chroma(tmp_path: Path) -> None:
    luma = np.linspace(0.2, 0.8, 48).reshape(6, 8)
    chroma = {"RY": (2, np.full((3, 4), 0.25)), "BY": (2, np.full((3, 4), -0.5))}
    path = tmp_path / "a.exr"
    path.write_bytes(raw_exr({"Y": (1, luma), **chroma}, 8, 6))
    with closing(open_plate(str(path))) as plate:
        rgb = plate.read(1001).rgb
        assert plate.info.codec == "exr/luminance-chroma"
    assert np.allclose(rgb[:, :, 0], 1.25 * luma, atol=1e-3)
    assert np.allclose(rgb[:, :, 2], 0.5 * luma, atol=1e-3)
    assert np.allclose(rgb @ [0.2126, 0.7152, 0.0722], luma, atol=1e-3)
    path.write_bytes(path.read_bytes()[:-40])
    with closing(open_plate(str(path))) as plate, pytest.raises(FrameError, match="damaged"):
        plate.read(1001)


@pytest.mark.parametrize(
    ("width", "height"),
    [(MAX_SIDE + 1, 1), (100_000, 100_000), (MAX_SIDE, MAX_PIXELS // MAX_SIDE + 1)],
)
def test_an_absurd_header_is_refused_before_decoding(
    tmp_path: Path, width: int, height: int
) -> None:
    content = raw_exr({name: (1, np.zeros((1, 1))) for name in "RGB"}, 1, 1)
    small, large = struct.pack("<4i", 0, 0, 0, 0), struct.pack("<4i", 0, 0, width - 1, height - 1)
    path = tmp_path / "bomb.exr"
    path.write_bytes(content.replace(small, large))
    with pytest.raises(PlateError, match=r"over the limit|cannot be opened"):
        open_plate(str(path))


def test_deep_data_is_refused() -> None:
    with pytest.raises(PlateError, match="deep"):
        open_plate(str(shared("exr/odd/11.deep.exr")))
