"""Other programs read every kind of file that is written, to the last bit where it is lossless.

OpenImageIO always; Blender where there is one: a `blender` on the path, or a Python that has `bpy`,
named by `ADAMATTE_BPY` (`python3.11 -m venv bpy && bpy/bin/pip install bpy==5.0.1`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from itertools import product
from pathlib import Path

import numpy as np
import OpenImageIO
import pytest

from plugin.exr.alpha_file import AlphaFormat, Bits, Channels, Colours, Compression, write_alpha
from plugin.types import FloatArray, Frame, Window
from tests.plates import exr_plate

pytestmark = pytest.mark.slow

LOSSLESS: tuple[Compression, ...] = ("none", "zip", "zips", "piz")
LOSSY: tuple[Compression, ...] = ("dwaa", "dwab")
CHANNELS: tuple[Channels, ...] = ("rgba", "a", "fg")
BITS: tuple[Bits, ...] = ("half", "float")
FORMS = [AlphaFormat(*choice) for choice in product(CHANNELS, BITS, LOSSLESS)]
FORMS += [AlphaFormat("fg", "half", lossy) for lossy in LOSSY]

GEOMETRIES = {
    "cropped": (Window(5, 3, 27, 21), Window.of_size(64, 48), 1.0),
    "overscan": (Window(-3, -5, 33, 41), Window(0, 0, 30, 30), 2.0),
    "apart": (Window(100, 90, 116, 100), Window.of_size(40, 20), 0.5),
    "pixel": (Window(-1, 7, -1, 7), Window.of_size(3, 9), 1.0),
}

BLENDER = """
import array, json, sys
import bpy
there = sys.argv[sys.argv.index("--") + 1:]
for path in there:
    image = bpy.data.images.load(path)
    image.colorspace_settings.name, image.alpha_mode = "Non-Color", "CHANNEL_PACKED"
    width, height = image.size
    pixels = array.array("f", bytes(4 * width * height * image.channels))
    image.pixels.foreach_get(pixels)
    with open(path + ".pixels", "wb") as file:
        file.write(json.dumps([height, width, image.channels]).encode() + b"\\n")
        pixels.tofile(file)
"""


def name_of(place: str, form: AlphaFormat) -> str:
    return f"{place}-{form.channels}-{form.bits}-{form.compression}"


def truth(place: str, form: AlphaFormat) -> tuple[FloatArray, FloatArray]:
    """Colours and alpha as they should be stored."""
    window = GEOMETRIES[place][0]
    rng = np.random.default_rng(7)
    alpha = np.clip(rng.normal(0.5, 0.6, (window.height, window.width)), 0, 1).astype(np.float32)
    rgb = np.repeat(alpha[..., None], 3, axis=2)
    if form.channels == "fg":
        y, x = np.mgrid[: window.height, : window.width].astype(np.float32) / 8
        rgb = np.stack([np.sin(x) * 4, y, x * y - 0.1], axis=2) * alpha[..., None]
    if form.bits == "half":
        rgb, alpha = (part.astype(np.float16).astype(np.float32) for part in (rgb, alpha))
    return rgb, alpha


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every variant, named by what it is."""
    folder = tmp_path_factory.mktemp("variants")
    frame = Frame(1001, np.zeros((1, 1, 3), np.float32), "01:00:00:00", {"cameraMake": "X"})
    for place, (data, display, aspect) in GEOMETRIES.items():
        info = exr_plate(data, display, "1001", pixel_aspect=aspect, colour="lin_rec709_scene")
        for form in FORMS:
            rgb, alpha = truth(place, form)
            write_alpha(
                folder / f"{name_of(place, form)}.exr",
                alpha,
                info=info,
                frame=frame,
                provenance={},
                form=form,
                colours=Colours(rgb) if form.channels == "fg" else None,
            )
    return folder


def assert_as_promised(pixels: FloatArray, place: str, form: AlphaFormat) -> None:
    """Of `H × W × 4` or, for A alone, `H × W × 1` or 4 of which the last counts."""
    rgb, alpha = truth(place, form)
    np.testing.assert_array_equal(pixels[..., -1], alpha)
    if form.channels == "a":
        return
    if form.compression in LOSSY:
        assert (np.abs(pixels[..., :3] - rgb) < 0.1 + 0.05 * np.abs(rgb)).all()
    else:
        np.testing.assert_array_equal(pixels[..., :3], rgb)


@pytest.mark.parametrize("place", GEOMETRIES)
def test_openimageio_reads_all(files: Path, place: str) -> None:
    data, display, aspect = GEOMETRIES[place]
    for form in FORMS:
        file = OpenImageIO.ImageInput.open(str(files / f"{name_of(place, form)}.exr"))
        assert file is not None, OpenImageIO.geterror()
        spec, pixels = file.spec(), file.read_image("float")
        assert pixels is not None, file.geterror()
        file.close()
        names = ("A",) if form.channels == "a" else ("R", "G", "B", "A")
        assert tuple(spec.channelnames) == names
        assert str(spec.format) == form.bits
        assert (spec.x, spec.y, spec.width, spec.height) == (
            data.x_min, data.y_min, data.width, data.height,
        )  # fmt: skip
        assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == (
            display.x_min, display.y_min, display.width, display.height,
        )  # fmt: skip
        assert spec.get_float_attribute("PixelAspectRatio") == aspect
        assert_as_promised(pixels, place, form)


def blender() -> list[str]:
    """The command that runs a script in Blender; skips where there is none."""
    python = os.environ.get("ADAMATTE_BPY")
    if python and Path(python).is_file():
        return [python]
    program = shutil.which("blender")
    if program is None:
        pytest.skip("no Blender: none on the path, and ADAMATTE_BPY names no Python with bpy")
    return [program, "--background", "--factory-startup", "--python-exit-code", "1", "--python"]


@pytest.fixture(scope="module")
def seen_by_blender(files: Path) -> Path:
    """The same folder, each file's pixels beside it as Blender sees them."""
    command = blender()
    script = files / "read.py"
    script.write_text(BLENDER, encoding="utf-8")
    paths = sorted(str(path) for path in files.glob("*.exr"))
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [*command, str(script), "--", *paths],
        capture_output=True, text=True, timeout=600, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return files


@pytest.mark.parametrize("place", GEOMETRIES)
def test_blender_reads_all(seen_by_blender: Path, place: str) -> None:
    """Blender shows the data window alone, so sizes are its; it knows no pixel aspect of EXRs."""
    for form in FORMS:
        data = (seen_by_blender / f"{name_of(place, form)}.exr.pixels").read_bytes()
        shape, _, values = data.partition(b"\n")
        pixels = np.frombuffer(values, np.float32).reshape(json.loads(shape))[::-1]
        window = GEOMETRIES[place][0]
        assert pixels.shape[:2] == (window.height, window.width)
        assert_as_promised(pixels, place, form)
