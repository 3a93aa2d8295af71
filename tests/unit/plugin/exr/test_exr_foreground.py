"""EXRs of foreground colours with their alpha: every variant comes back as it was promised."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import OpenImageIO
import pytest

from plugin.errors import FrameError, ShotError
from plugin.exr.alpha_file import (
    AlphaFormat,
    Bits,
    Channels,
    Colours,
    Compression,
    encode_alpha,
    is_current,
    prove_alpha,
    write_alpha,
)
from plugin.exr.channels import pixel_digest
from plugin.finish import refuse_format
from plugin.request.shot import Shot
from plugin.types import FloatArray, Frame, Window
from tests.plates import exr_plate

WINDOW, DISPLAY = Window(-3, 4, 19, 22), Window.of_size(16, 16)
INFO = exr_plate(WINDOW, DISPLAY, "1001-1002", pixel_aspect=2.0, colour="lin_rec709_scene")
AP1 = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)
FRAME = Frame(1001, np.zeros((1, 1, 3), np.float32), None, {"chromaticities": AP1, "lens": "50"})
LOSSLESS = ("none", "zip", "zips", "piz")
LOSSY = ("dwaa", "dwab")
RECIPE = "5" * 64


def alpha_of(seed: int = 1) -> FloatArray:
    ramp = np.linspace(-0.3, 1.3, WINDOW.width, dtype=np.float32)
    noise = np.random.default_rng(seed).random((WINDOW.height, WINDOW.width), np.float32)
    return np.clip(ramp + 0.1 * noise, 0, 1)


def colours_of(seed: int = 2, **more: Any) -> Colours:
    rng = np.random.default_rng(seed)
    rgb = rng.normal(0.5, 1.0, (WINDOW.height, WINDOW.width, 3)).astype(np.float32)
    rgb[3, 4] = (300.0, 65504.0, -0.25)
    return Colours(rgb * alpha_of()[..., None], **more)


def write(path: Path, form: AlphaFormat, colours: Colours) -> str:
    told = {"recipe": RECIPE}
    return write_alpha(
        path, alpha_of(), info=INFO, frame=FRAME, provenance=told, form=form, colours=colours
    )


def rounded(values: FloatArray, bits: Bits) -> FloatArray:
    return values.astype(np.float16).astype(np.float32) if bits == "half" else values


@pytest.mark.parametrize("bits", ["half", "float"])
@pytest.mark.parametrize("compression", LOSSLESS)
def test_lossless_foregrounds_are_exact_in_openimageio(
    tmp_path: Path, bits: Bits, compression: Compression
) -> None:
    path, colours = tmp_path / "a.exr", colours_of()
    digest = write(path, AlphaFormat("fg", bits, compression), colours)
    file = OpenImageIO.ImageInput.open(str(path))
    assert file is not None, OpenImageIO.geterror()
    spec = file.spec()
    pixels = file.read_image("float")
    file.close()
    assert pixels is not None, file.geterror()
    assert tuple(spec.channelnames) == ("R", "G", "B", "A")
    assert str(spec.format) == bits
    assert (spec.x, spec.y, spec.full_width, spec.full_height) == (-3, 4, 16, 16)
    assert spec.get_float_attribute("PixelAspectRatio") == 2.0
    np.testing.assert_array_equal(pixels[..., 3], rounded(alpha_of(), bits))
    np.testing.assert_array_equal(pixels[..., :3], rounded(colours.rgb, bits))
    found = prove_alpha(path)
    assert found.foreground is not None
    np.testing.assert_array_equal(found.foreground, pixels[..., :3])
    assert digest == pixel_digest(alpha_of(), bits, colours.rgb) == is_current(path, RECIPE)


@pytest.mark.parametrize("compression", LOSSY)
def test_dwa_keeps_alpha_exact_and_colours_near(tmp_path: Path, compression: Compression) -> None:
    y, x = np.mgrid[: WINDOW.height, : WINDOW.width].astype(np.float32) / 20
    smooth = np.stack([x, y, 0.5 + 0 * x], axis=2) * alpha_of()[..., None]
    path = tmp_path / "a.exr"
    digest = write(path, AlphaFormat("fg", "half", compression), Colours(smooth))
    found = prove_alpha(path)
    np.testing.assert_array_equal(found.alpha, rounded(alpha_of(), "half"))
    assert found.foreground is not None
    error = np.abs(found.foreground - smooth).max()
    assert 0 < error < 0.05
    assert digest == is_current(path, RECIPE) == found.provenance["digest"]
    assert digest != pixel_digest(alpha_of(), "half", smooth)  # it is of what the file gives back


def test_the_header_says_whose_colours_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    form = AlphaFormat("fg")
    write(path, form, colours_of(space="lin_ap1", interop_id="lin_ap1_scene", tagged=True))
    found = prove_alpha(path)
    assert found.attributes["colorInteropID"] == "lin_ap1_scene"
    assert found.attributes["chromaticities"] == pytest.approx(AP1)
    assert found.attributes["lens"] == "50"
    assert found.provenance["colourSpace"] == "lin_ap1"
    assert found.provenance["foreground"] == "premultiplied"
    write(path, form, colours_of(space="camera X"))
    attributes = prove_alpha(path).attributes
    assert "colorInteropID" not in attributes  # unknown is not "data"
    assert "chromaticities" not in attributes  # someone overruled the plate's tags


def test_values_beyond_half_are_held_at_its_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    colours = colours_of()
    colours.rgb[0, 0] = (1e9, -1e9, 70000.0)
    write(path, AlphaFormat("fg"), colours)
    found = prove_alpha(path)
    assert found.foreground is not None
    assert found.foreground[0, 0].tolist() == [65504.0, -65504.0, 65504.0]


def test_one_changed_colour_is_another_digest() -> None:
    rgb = colours_of().rgb
    other = rgb.copy()
    other[5, 6, 2] += 1
    digests = {pixel_digest(alpha_of(), "half", each) for each in (rgb, other, rgb[..., ::-1])}
    assert len(digests | {pixel_digest(alpha_of(), "half")}) == 4


@pytest.mark.parametrize(
    "rgb",
    [
        np.zeros((3, 3, 3), np.float32),
        np.zeros((WINDOW.height, WINDOW.width), np.float32),
        np.zeros((WINDOW.height, WINDOW.width, 3), np.float64),
        np.full((WINDOW.height, WINDOW.width, 3), np.nan, np.float32),
        np.full((WINDOW.height, WINDOW.width, 3), np.inf, np.float32),
    ],
    ids=["small", "grey", "double", "nan", "inf"],
)
def test_a_foreground_that_cannot_be_is_refused(rgb: Any) -> None:
    with pytest.raises(FrameError, match="foreground"):
        encode_alpha(
            alpha_of(),
            info=INFO,
            frame=FRAME,
            provenance={},
            form=AlphaFormat("fg"),
            colours=Colours(rgb),
        )


@pytest.mark.parametrize(
    ("channels", "bits", "compression"),
    list(product(get_args(Channels), get_args(Bits), get_args(Compression))),
)
def test_what_would_lose_something_unsaid_is_refused(
    tmp_path: Path, channels: Channels, bits: Bits, compression: Compression
) -> None:
    shot = Shot(plate="a.mov", out=tmp_path, channels=channels, bits=bits, compression=compression)
    if compression in LOSSLESS or (channels, bits) == ("fg", "half"):
        refuse_format(shot)
        return
    with pytest.raises(ShotError) as caught:
        refuse_format(shot)
    assert caught.value.where == f"--compression {compression}"
    assert "zips" in caught.value.fix
    with pytest.raises(FrameError):
        encode_alpha(
            alpha_of(),
            info=INFO,
            frame=FRAME,
            provenance={},
            form=AlphaFormat("a" if channels == "fg" else channels, bits, compression),
        )


def test_despill_without_colours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShotError, match="no colours"):
        refuse_format(Shot(plate="a.mov", out=tmp_path, despill="green"))
