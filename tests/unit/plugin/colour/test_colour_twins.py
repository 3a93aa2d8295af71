"""One picture in several spaces gives one alpha, by the real network: sRGB, ACEScg, LogC.

All plates go through one shoulder, so the network sees the same up to the rounding of the file.
The adapted trimap is a choice of three classes, and a pixel on the edge between two of them is
tipped by a coarse rounding: 12 bits of the sRGB plate tip two of 36 864. Half floats may too;
floats give the same alpha everywhere.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from OpenImageIO import ImageBuf, ImageBufAlgo

from plugin.colour.ocio import BUILT_IN
from plugin.driver.run import run
from plugin.exr.alpha_file import read_alpha
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.synthetic import ShotKind, SyntheticShot, render
from plugin.types import FloatArray
from tests.media import rgb_channels, write_exr, write_image
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow

SPACES = {"ACEScg": "ACEScg", "LogC3": "ARRI LogC3 (EI800)"}
AP1 = (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)


@pytest.fixture(autouse=True)
def _no_studio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OCIO", raising=False)


def converted(srgb: FloatArray, space: str) -> FloatArray:
    """By OpenColorIO, apart from the code under test."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    image = ImageBuf(np.ascontiguousarray(linear, np.float32))
    result = ImageBufAlgo.colorconvert(
        image, "Linear Rec.709 (sRGB)", space, False, "", "", BUILT_IN
    )
    assert not result.has_error, result.geterror()
    return np.asarray(result.get_pixels("float"), np.float32)


_TIPPED = 4
"""Pixels of 36 864; before all plates had the shoulder, there were 20."""

Twin = tuple[Path, FloatArray, FloatArray]


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Twin:
    """The shot's folder, the sRGB plate (black to white), and its alpha."""
    folder = tmp_path_factory.mktemp("twin")
    frame = render(SyntheticShot(kind=ShotKind.DEMO, seed=2, width=256, height=144, frames=12), 11)
    srgb = np.clip(frame.plate_rgb, 0, 1)
    srgb = (np.round(srgb * 65535) / 65535).astype(np.float32)
    write_image(folder / "srgb.1001.png", np.round(srgb * 65535).astype(np.uint16))
    near = cv2.dilate((frame.alpha > 0).astype(np.uint8), np.ones((9, 9), np.uint8))
    deep = cv2.erode((frame.alpha == 1).astype(np.uint8), np.ones((5, 5), np.uint8))
    trimap = np.where(deep, 255, np.where(near, 128, 0)).astype(np.uint8)
    write_image(folder / "trimap.1001.png", trimap[..., None])
    return folder, srgb, alpha_of(folder, "srgb.1001.png")


def alpha_of(folder: Path, plate: str, **more: str) -> FloatArray:
    shot = Shot(
        plate=str(folder / plate),
        trimap=str(folder / "trimap.1001.png"),
        out=folder / plate.replace(".", "_"),
        bits="float",
        workers=1,
        **more,  # type: ignore[arg-type]
    )
    run(shot, executor=InProcessExecutor())
    return read_alpha(OutputLayout.of(shot).alpha(1001)).alpha


@pytest.mark.parametrize(
    ("space", "bits"), [("ACEScg", "half"), ("LogC3", "float"), ("LogC3", "half")]
)
def test_the_alpha_is_that_of_the_srgb_twin(twin: Twin, space: str, bits: str) -> None:
    folder, srgb, wanted = twin
    pixels = converted(srgb, SPACES[space]).astype(np.float16 if bits == "half" else np.float32)
    path = write_exr(folder / f"{space}_{bits}.1001.exr", rgb_channels(pixels))
    found = alpha_of(folder, path.name, in_colour=SPACES[space])
    assert_same(found, wanted, tipped=_TIPPED if bits == "half" else 0)


def assert_same(found: FloatArray, wanted: FloatArray, tipped: int = 0) -> None:
    difference = np.abs(found - wanted)
    assert 0.05 < wanted.mean() < 0.95
    assert difference.mean() < 0.0001
    most = float(difference.max())
    assert np.count_nonzero(difference >= 0.01) <= tipped, f"{most:.4f} at the most"


def test_the_tags_of_an_aces_plate_are_enough(twin: Twin) -> None:
    folder, srgb, wanted = twin
    pixels = converted(srgb, "ACEScg")
    path = write_exr(folder / "tagged.1001.exr", rgb_channels(pixels), chromaticities=AP1)
    assert_same(alpha_of(folder, path.name), wanted)
