"""Plates in any space come to the same display picture as their sRGB twin."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from OpenImageIO import ImageBuf, ImageBufAlgo

from plugin.colour.display import (
    InputColour,
    display_transform,
    input_colour,
    shoulder,
    srgb_encode,
)
from plugin.colour.ocio import BUILT_IN, is_known, names_like
from plugin.errors import PlateError
from plugin.types import PlateInfo, Window
from tests.plates import exr_plate

Floats = npt.NDArray[np.float32]


@pytest.fixture(autouse=True)
def _no_studio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCIO", raising=False)


def plate(colour: str, path: str = "shots/plate.%04d.exr") -> PlateInfo:
    return exr_plate(Window.of_size(4, 3), path=path, colour=colour)


def colours(top: float = 1.0) -> Floats:
    """1331 linear colours of the Rec.709 cube up to `top`, as a picture."""
    axis = np.linspace(0, 1, 11, dtype=np.float32) ** 2 * np.float32(top)
    return np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(11, 121, 3)


def convert(rgb: Floats, source: str, target: str) -> Floats:
    """By OpenColorIO, apart from the code under test."""
    result = ImageBufAlgo.colorconvert(ImageBuf(rgb), source, target, False, "", "", BUILT_IN)
    assert not result.has_error, result.geterror()
    return np.asarray(result.get_pixels("float"), np.float32)


@pytest.mark.parametrize(
    "colour", ["srgb_rec709_display", "srgb_rec709_scene", "g24_rec709_display", "sRGB"]
)
def test_display_referred_passes_as_it_is_but_for_the_shoulder(colour: str) -> None:
    rgb = np.array([[[0.0, 0.5, 0.9], [-0.1, 0.123456, 1.0], [1.5, 40.0, 0.95]]], np.float32)
    before = rgb.copy()
    seen = display_transform(plate(colour))(rgb)
    assert np.array_equal(seen[0, :1], rgb[0, :1])
    assert seen[0, 1].tolist() == pytest.approx([0, 0.123456, 0.93353], abs=1e-5)
    assert np.array_equal(seen, shoulder(np.maximum(rgb, 0)))
    assert np.array_equal(rgb, before)


def test_linear_goes_through_the_srgb_curve() -> None:
    grey = np.full((1, 1, 3), 0.18, np.float32)
    seen = display_transform(plate("lin_rec709_scene"))(grey)
    assert seen[0, 0].tolist() == pytest.approx([0.46135] * 3, abs=1e-5)
    assert seen.dtype == np.float32


@pytest.mark.parametrize(
    ("colour", "ocio"),
    [
        ("lin_ap1_scene", "ACEScg"),
        ("ACEScg", "ACEScg"),
        ("scene_linear", "ACEScg"),
        ("lin_ap0_scene", "ACES2065-1"),
        ("lin_rec2020_scene", "Linear Rec.2020"),
        ("lin_p3d65_scene", "Linear P3-D65"),
        ("ARRI LogC3 (EI800)", "ARRI LogC3 (EI800)"),
        ("arri_logc4", "ARRI LogC4"),
        ("S-Log3 S-Gamut3.Cine", "S-Log3 S-Gamut3.Cine"),
        ("ACEScct", "ACEScct"),
        ("Log3G10 REDWideGamutRGB", "Log3G10 REDWideGamutRGB"),
        ("pq_rec2020_display", "Rec.2100-PQ - Display"),
        ("hlg_rec2020_display", "Rec.2100-HLG - Display"),
    ],
)
def test_twins_look_the_same(colour: str, ocio: str) -> None:
    linear = colours(4.0)
    twin = display_transform(plate("lin_rec709_scene"))(linear)
    stored = convert(linear, "Linear Rec.709 (sRGB)", ocio)
    seen = display_transform(plate(colour))(stored)
    assert np.abs(seen - twin).max() < 1e-3
    within = linear.max(axis=-1) <= 1
    srgb = convert(linear, "Linear Rec.709 (sRGB)", "sRGB - Texture")
    video = display_transform(plate("srgb_rec709_display"))(srgb)
    assert np.abs(seen - video)[within].max() < 1e-3
    dark = linear.max(axis=-1) < 0.78
    assert np.abs(seen - srgb)[dark].max() < 1e-3


@pytest.mark.parametrize(
    ("colour", "ocio"),
    [
        ("srgb_p3d65_display", "Display P3 - Display"),
        ("g24_rec2020_display", "Rec.1886 Rec.2020 - Display"),
        ("Gamma 2.2 AP1 - Texture", "Gamma 2.2 AP1 - Texture"),
    ],
)
def test_wide_display_spaces_look_as_srgb_does(colour: str, ocio: str) -> None:
    linear = colours()
    seen = display_transform(plate(colour))(convert(linear, "Linear Rec.709 (sRGB)", ocio))
    srgb = convert(linear, "Linear Rec.709 (sRGB)", "sRGB - Texture")
    assert np.abs(seen - display_transform(plate("srgb_rec709_display"))(srgb)).max() < 1e-3


def test_chromaticities_of_no_named_space() -> None:
    primaries = "0.64,0.33,0.3,0.6,0.15,0.06,0.3127,0.329"
    linear = colours(2.0)
    wanted = display_transform(plate("lin_rec709_scene"))(linear)
    assert np.allclose(display_transform(plate(f"lin({primaries})"))(linear), wanted, atol=1e-6)


def test_cineon_black_white_and_grey() -> None:
    codes = np.array([[[95, 445, 685]]], np.float32) / np.float32(1023)
    seen = display_transform(plate("cineon_log"))(codes)[0, 0]
    assert seen[0] == pytest.approx(0, abs=1e-5)
    assert seen[1] == pytest.approx(float(srgb_encode(np.array([0.146]))[0]), abs=0.01)
    assert seen[2] == pytest.approx(0.93353, abs=1e-4)


def test_a_bright_edge_does_not_vanish() -> None:
    # A sleeve at four times white before a window at sixteen: 4 steps of 8 bits between them.
    edge = np.array([[[4.0] * 3, [16.0] * 3]], np.float32)
    sleeve, window = display_transform(plate("lin_rec709_scene"))(edge)[0, :, 0]
    assert window - sleeve > 4 / 255


def test_the_shoulder_leaves_what_is_below_alone_and_is_smooth() -> None:
    x = np.linspace(0, 8, 80_001, dtype=np.float64).astype(np.float32)
    y = shoulder(x)
    assert np.array_equal(y[x <= 0.9], x[x <= 0.9])
    assert (np.diff(y) >= 0).all()
    assert y.max() == 1.0
    slopes = np.diff(y.astype(np.float64)) / np.diff(x.astype(np.float64))
    knee = int(np.searchsorted(x, 0.9))
    assert slopes[knee + 20 : knee + 40].mean() == pytest.approx(1.0, abs=0.2)


@given(st.lists(st.floats(-10, 1e5, width=32), min_size=3, max_size=3))
def test_linear_always_ends_within_zero_and_one(values: list[float]) -> None:
    rgb = np.array([[values]], np.float32)
    seen = display_transform(plate("lin_ap1_scene"))(rgb)
    assert seen.shape == rgb.shape
    assert np.isfinite(seen).all()
    assert seen.min() >= 0
    assert seen.max() <= 1


def test_the_option_wins_then_file_rules_then_tags() -> None:
    tagged = plate("lin_rec709_scene")
    assert input_colour(tagged).space == "lin_rec709_scene"
    assert "tags" in input_colour(tagged).why
    ruled = tagged.model_copy(update={"path": "shots/plate_acescg.%04d.exr"})
    assert input_colour(ruled).space == "ACEScg"
    assert "file rules" in input_colour(ruled).why
    told = input_colour(ruled, "ARRI LogC4")
    assert (told.space, told.why) == ("ARRI LogC4", "by --in-colour")
    for path in ("raw/draw.exr", "acescg/plate.exr"):
        assert input_colour(plate("lin_rec709_scene", path)).space == "lin_rec709_scene"


def test_what_was_chosen_travels() -> None:
    chosen = input_colour(plate("lin_ap1_scene"))
    assert pickle.loads(pickle.dumps(chosen)) == chosen  # noqa: S301  our own
    rgb = colours()
    again = display_transform(plate("srgb_rec709_display"), InputColour(chosen.space, "", BUILT_IN))
    assert np.array_equal(again(rgb), display_transform(plate("lin_ap1_scene"))(rgb))


@pytest.mark.parametrize("colour", ["nonsense", "lin(1,2)", "lin(0,0,0,0,0,0,0,0)"])
def test_an_unknown_space_is_refused(colour: str) -> None:
    with pytest.raises(PlateError, match=r"not known.*--in-colour, such as \w"):
        display_transform(plate("lin_rec709_scene"), colour)


STUDIO = """ocio_profile_version: 2
search_path: ""
roles: {default: lin_rec709, scene_linear: lin_rec709}
file_rules:
  - !<Rule> {name: dailies, colorspace: house, extension: "*", pattern: "*/dailies/*"}
  - !<Rule> {name: Default, colorspace: lin_rec709}
displays:
  sRGB:
    - !<View> {name: Raw, colorspace: lin_rec709}
colorspaces:
  - !<ColorSpace> {name: lin_rec709, encoding: scene-linear}
  - !<ColorSpace>
    name: house
    to_scene_reference: !<MatrixTransform>
      matrix: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 1]
"""


def test_the_studios_configuration_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.ocio"
    config.write_text(STUDIO)
    monkeypatch.setenv("OCIO", str(config))
    grey = np.full((1, 1, 3), 0.09, np.float32)
    daily = plate("lin_rec709_scene", str(tmp_path / "dailies" / "a.exr"))
    chosen = input_colour(daily)
    assert (chosen.space, chosen.config) == ("house", str(config))
    assert display_transform(daily)(grey)[0, 0, 0] == pytest.approx(0.46135, abs=1e-4)
    assert display_transform(daily, "lin_rec709")(grey)[0, 0, 0] < 0.35
    assert display_transform(plate("pq_rec2020_display"))(grey)[0, 0, 0] > 0


def test_a_broken_configuration_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "config.ocio"
    config.write_text("hello")
    monkeypatch.setenv("OCIO", str(config))
    with pytest.raises(PlateError, match=r"OCIO configuration cannot be read.*\$OCIO"):
        display_transform(plate("lin_rec709_scene"))


@pytest.mark.parametrize(
    ("asked", "named"),
    [("aces", "ACEScg"), ("slog3", "S-Log3 S-Gamut3"), ("logc", "ARRI LogC4"), ("no such", "")],
)
def test_a_space_that_is_not_known_is_told_what_is_near_it(asked: str, named: str) -> None:
    found = names_like(asked, BUILT_IN)
    assert 1 <= len(found) <= 6
    assert all(is_known(name, BUILT_IN) for name in found)
    assert named in (*found, "")


@pytest.mark.parametrize("width", [1, 3, 16, 61])
def test_halves_look_to_the_bit_as_they_do_beside_what_is_none(width: int) -> None:
    codes = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    values = codes[np.isfinite(codes)].astype(np.float32)
    rows = len(values) // (3 * width)
    rgb = np.ascontiguousarray(values[: 3 * width * rows].reshape(rows, width, 3))
    to_display = display_transform(plate("lin_rec709_scene"))
    other = np.full((1, width, 3), 0.1, np.float32)  # no half is
    beside = to_display(np.concatenate([rgb, other]))[:-1]
    assert np.array_equal(to_display(rgb).view(np.uint32), beside.view(np.uint32))
