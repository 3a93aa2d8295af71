"""Alpha EXRs: what goes in comes out to the last bit, and what is damaged never passes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any, get_args

import numpy as np
import OpenImageIO
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from plugin.errors import FrameError, OutputError
from plugin.exr.alpha_file import (
    AlphaFormat,
    Bits,
    Channels,
    Compression,
    encode_alpha,
    is_current,
    prove_alpha,
    read_alpha,
    write_alpha,
)
from plugin.exr.channels import pixel_digest
from plugin.request.shot import Shot
from plugin.types import FloatArray, Frame, PlateInfo, Window
from tests.plates import exr_plate

FORMATS = [
    AlphaFormat(*choice)
    for choice in product(get_args(Channels), get_args(Bits), get_args(Compression))
    if choice[0] != "fg" and not choice[2].startswith("dwa")
]
"""All that hold nothing but alpha; `test_exr_foreground` has the others."""

NO_PIXELS = np.zeros((1, 1, 3), np.float32)
RECIPE = "5" * 64


def _plate(
    data: Window,
    display: Window | None = None,
    aspect: float = 1.0,
    rate: str | None = "24000/1001",
) -> PlateInfo:
    return exr_plate(
        data,
        display,
        pixel_aspect=aspect,
        rate=None if rate is None else Fraction(rate),
        timecode="01:00:00:00",
    )


def _frame(timecode: str | None = None, **attributes: object) -> Frame:
    return Frame(1001, NO_PIXELS, timecode, attributes)


def _soft_edge(height: int = 19, width: int = 23) -> FloatArray:
    ramp = np.linspace(-0.2, 1.2, width, dtype=np.float32)
    rows = np.linspace(0.7, 1, height, dtype=np.float32)[:, None]
    return np.asarray(np.clip(ramp * rows, 0, 1), np.float32)


def _encode(alpha: FloatArray, **more: Any) -> bytes:
    height, width = alpha.shape
    info = _plate(Window.of_size(width, height))
    arguments = {"info": info, "frame": _frame(), "provenance": {"recipe": RECIPE}, **more}
    return encode_alpha(alpha, **arguments)


def _save(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "a.exr"
    path.write_bytes(data)
    return path


def _rounded(alpha: FloatArray, bits: Bits) -> FloatArray:
    return alpha.astype(np.float16).astype(np.float32) if bits == "half" else alpha


coordinates = st.integers(-5000, 5000)


@st.composite
def _windows(draw: st.DrawFn, most: int = 24) -> Window:
    x, y = draw(coordinates), draw(coordinates)
    return Window(x, y, x + draw(st.integers(0, most)), y + draw(st.integers(0, most)))


@given(data=st.data())
@settings(max_examples=80)
def test_every_alpha_comes_back_with_its_windows(data: st.DataObject) -> None:
    window, display = data.draw(_windows()), data.draw(_windows(most=6000))
    aspect = data.draw(st.sampled_from([0.5, 1.0, 1.5, 2.0]))
    form = data.draw(st.sampled_from(FORMATS))
    shape = (window.height, window.width)
    alpha = data.draw(arrays.arrays(np.float32, shape, elements=st.floats(0, 1, width=32)))
    info = _plate(window, display, aspect)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.exr"
        digest = write_alpha(
            path, alpha, info=info, frame=_frame(), provenance={"recipe": RECIPE}, form=form
        )
        found = prove_alpha(path)
    np.testing.assert_array_equal(
        found.alpha.view(np.uint32), _rounded(alpha, form.bits).view(np.uint32)
    )
    assert (found.data_window, found.display_window) == (window, display)
    assert (found.pixel_aspect, found.bits) == (aspect, form.bits)
    assert digest == pixel_digest(alpha, form.bits) == pixel_digest(found.alpha, form.bits)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: "-".join(vars_of(form)))
def test_openimageio_reads_the_same_bits(tmp_path: Path, form: AlphaFormat) -> None:
    alpha = _soft_edge()
    info = _plate(Window(-3, 4, 19, 22), Window.of_size(16, 16), 2.0)
    path = tmp_path / "a.exr"
    write_alpha(path, alpha, info=info, frame=_frame(), provenance={}, form=form)
    file = OpenImageIO.ImageInput.open(str(path))
    assert file is not None, OpenImageIO.geterror()
    spec = file.spec()
    pixels = file.read_image(OpenImageIO.HALF if form.bits == "half" else OpenImageIO.FLOAT)
    assert pixels is not None, file.geterror()
    assert str(spec.format) == form.bits
    assert tuple(spec.channelnames) == (("R", "G", "B", "A") if form.channels == "rgba" else ("A",))
    assert (spec.x, spec.y, spec.width, spec.height) == (-3, 4, 23, 19)
    assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == (0, 0, 16, 16)
    assert spec.get_float_attribute("PixelAspectRatio") == 2.0
    assert spec.get_string_attribute("compression") == form.compression
    for channel in range(spec.nchannels):
        stored = pixels[:, :, channel].astype(np.float32)
        np.testing.assert_array_equal(stored, _rounded(alpha, form.bits))


def vars_of(form: AlphaFormat) -> tuple[str, str, str]:
    return form.channels, form.bits, form.compression


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1e-7, 1.0000002, 70000.0])
def test_an_alpha_outside_its_range_is_refused(value: float) -> None:
    alpha = _soft_edge()
    alpha[3, 4] = value
    with pytest.raises(FrameError, match=r"not within \[0, 1\]"):
        _encode(alpha)


@pytest.mark.parametrize(
    "alpha",
    [
        np.zeros((19, 22), np.float32),
        np.zeros((19, 23), np.float64),
        np.zeros((19, 23, 1), np.float32),
        np.zeros((0, 0), np.float32),
    ],
    ids=str,
)
def test_an_alpha_of_another_shape_is_refused(alpha: Any) -> None:
    info = _plate(Window.of_size(23, 19))
    with pytest.raises(FrameError, match="the alpha is"):
        encode_alpha(alpha, info=info, frame=_frame(), provenance={})


def test_a_digest_of_other_pixels_is_refused() -> None:
    alpha = _soft_edge()
    _encode(alpha, provenance={"digest": pixel_digest(alpha)})
    with pytest.raises(FrameError, match="digest"):
        _encode(alpha, provenance={"digest": pixel_digest(1 - alpha)})


def test_an_alpha_that_is_not_contiguous(tmp_path: Path) -> None:
    alpha = np.asarray(_soft_edge(23, 19)).T[:, ::-1]
    found = read_alpha(_save(tmp_path, _encode(alpha)))
    np.testing.assert_array_equal(found.alpha, _rounded(alpha, "half"))
    assert pixel_digest(alpha) == found.provenance["digest"]


def test_the_digest_knows_shape_and_bits() -> None:
    alpha = np.zeros((4, 6), np.float32)
    shapes = {pixel_digest(alpha), pixel_digest(alpha.T), pixel_digest(alpha, "float")}
    assert len(shapes) == 3
    assert pixel_digest(alpha + np.float32(1e-9)) == pixel_digest(alpha)


def test_encoding_is_repeatable() -> None:
    assert _encode(_soft_edge()) == _encode(_soft_edge())


def test_the_settings_of_a_shot(tmp_path: Path) -> None:
    shot = Shot(plate="x.mov", out=tmp_path, channels="a", bits="float", compression="piz")
    assert AlphaFormat.of(shot) == AlphaFormat("a", "float", "piz")
    assert AlphaFormat.of(Shot(plate="x.mov", out=tmp_path)) == AlphaFormat()


def test_resume_trusts_contents_alone(tmp_path: Path) -> None:
    alpha = _soft_edge()
    path = tmp_path / "a.exr"
    info = _plate(Window.of_size(23, 19))
    told: Mapping[str, str] = {"recipe": RECIPE}
    assert is_current(path, RECIPE) is None
    path.touch()
    assert is_current(path, RECIPE) is None
    digest = write_alpha(path, alpha, info=info, frame=_frame(), provenance=told, root=tmp_path)
    assert is_current(path, RECIPE) == digest == pixel_digest(alpha)
    assert is_current(path, "6" * 64) is None


def test_writing_stays_in_the_output_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "alpha").symlink_to(tmp_path)
    info = _plate(Window.of_size(23, 19))
    with pytest.raises(OutputError, match="leads out"):
        write_alpha(
            tmp_path / "out" / "alpha" / "a.exr",
            _soft_edge(),
            info=info,
            frame=_frame(),
            provenance={},
            root=tmp_path / "out",
        )
