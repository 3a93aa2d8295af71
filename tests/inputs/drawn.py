"""What the campaign draws: plates and masks of every kind, with what is true of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from plugin.types import Window
from tests.inputs.files import chunk, gama, png
from tests.inputs.plates import AP1
from tests.inputs.scenes import AP1_FROM_709, Scene, to_linear
from tests.media import LOSSLESS, rgb_channels, write_exr, write_image, write_video

Array = npt.NDArray[Any]
SIZES = ((64, 32), (60, 34), (72, 40))
REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
PLACE = chunk(b"oFFs", b"\0\0\0\x14\0\0\0\x0a\0")


@dataclass
class DrawnPlate:
    """A plate on disk and what is true of it.

    Attributes:
        path: as a user types it.
        scene: what it shows.
        numbers: its frames.
        kind: of file, for the counts.
        excuses: notes that make a wrong result a told one.
    """

    path: str
    scene: Scene
    numbers: tuple[int, ...]
    kind: str
    excuses: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)


def draw_plate(rng: random.Random, folder: Path) -> DrawnPlate:
    """Draw one, of one to four frames."""
    kind = rng.choice(["exr"] * 6 + ["png"] * 3 + ["tif", "tif", "dpx", "jpg", "video"])
    count, first = rng.randint(1, 4), rng.choice([1, 998, 1001, 1001, 1010, 99_998])
    if kind == "video":
        first = 1001
    width, height = rng.choice(SIZES)
    display = data = Window.of_size(width, height)
    if kind == "exr":
        display, data = _windows(rng, width, height)
    scene = Scene(display, data, first)
    numbers = tuple(range(first, first + count))
    pattern = rng.choice(["%04d", "%04d", "####", "%d", "%06d"])
    stem = rng.choice(["plate.", "sh010_comp_v002.", "a b.", "p_"])
    plate = DrawnPlate("", scene, numbers, kind)
    if kind == "video":
        plate.path = str(_video(folder / f"{stem}v.mkv", scene, numbers))
        return plate
    suffix = f".{kind}"
    writer = _writer(rng, kind, plate)
    if count > 2 and rng.random() < 0.15:
        numbers = plate.numbers = (*numbers[:1], *numbers[2:])
    typed = pattern
    if pattern == "%d" and numbers[0] < 1000 and rng.random() < 0.5:
        typed = "%04d"
        plate.excuses.append("left out for their other padding")
    for number in numbers:
        writer(folder / f"{stem}{_text(number, pattern)}{suffix}", number)
    _neighbours(rng, folder / f"{stem}{pattern}{suffix}", plate.numbers[-1] + 1)
    plate.path = str(folder / f"{stem}{typed}{suffix}")
    return plate


def _windows(rng: random.Random, width: int, height: int) -> tuple[Window, Window]:
    x, y = rng.choice([(0, 0), (0, 0), (30, -12)])
    display = Window(x, y, x + width - 1, y + height - 1)
    kind = rng.choice(["same", "same", "overscan", "crop", "uneven"])
    more = {"same": (0, 0, 0, 0), "overscan": (4, 3, 4, 3), "crop": (-2, -3, -4, -2)}
    left, top, right, bottom = more.get(kind, (5, 0, 1, 2))
    data = Window(
        display.x_min - left, display.y_min - top, display.x_max + right, display.y_max + bottom
    )
    return display, data


def _text(number: int, pattern: str) -> str:
    digits = {"%d": 1, "%06d": 6}.get(pattern, 4)
    return f"{number:0{digits}d}"


def _neighbours(rng: random.Random, pattern: Path, number: int) -> None:
    """Files beside it that look like a part of it."""
    kind = rng.choice(["none"] * 5 + ["padding", "extension"])
    mark = next(t for t in ("%04d", "####", "%d", "%06d") if t in pattern.name)
    if kind == "padding" and mark != "%d":
        longer = f"{number:0{9 if mark == '%06d' else 7}d}"
        pattern.with_name(pattern.name.replace(mark, longer)).write_bytes(b"another")
    elif kind == "extension":
        name = pattern.name.replace(mark, _text(number, mark))
        pattern.with_name(name).with_suffix(".bak").write_bytes(b"another")


Writer = Callable[[Path, int], object]


def _writer(rng: random.Random, kind: str, plate: DrawnPlate) -> Writer:
    if kind == "exr":
        return _exr_writer(rng, plate)
    scene, bits = plate.scene, rng.choice([8, 16])
    if kind in {"jpg", "dpx"}:
        depth = 8 if kind == "jpg" else 16
        more = {"CompressionQuality": 98, "oiio__BitsPerSample": rng.choice([10, 16])}
        more = {name: value for name, value in more.items() if (name[0] == "C") == (depth == 8)}
        return lambda path, n: write_image(path, _whole(scene.picture(n), depth), **more)
    if kind == "tif":
        floats = rng.random() < 0.3
        place = {"XPosition": 3.0, "YPosition": 2.0} if rng.random() < 0.3 else {}
        if floats:
            plate.kind += " float"
            return lambda path, n: write_image(path, to_linear(scene.picture(n)), **place)
        return lambda path, n: write_image(path, _whole(scene.picture(n), bits), **place)
    return _png_writer(rng, plate, bits)


def _png_writer(rng: random.Random, plate: DrawnPlate, bits: int) -> Writer:
    scene = plate.scene
    tag = rng.choice(["none", "none", "place", "linear", "alpha"])
    plate.kind += f" {tag}"
    if tag == "linear":
        return lambda path, n: png(path, gama(1), pixels=_whole(to_linear(scene.picture(n)), 16))
    chunks = (PLACE,) if tag == "place" else ()

    def plain(path: Path, number: int) -> object:
        pixels = _whole(scene.picture(number), bits)
        if tag == "alpha":
            full = np.full_like(pixels[..., :1], 255 if bits == 8 else 65535)
            pixels = np.dstack([pixels, full])
        return png(path, *chunks, pixels=pixels)

    return plain


def _exr_writer(rng: random.Random, plate: DrawnPlate) -> Writer:
    scene = plate.scene
    colour = rng.choice(["none", "rec709", "ap1", "interop", "changing"])
    layout = rng.choice(["plain", "plain", "alpha", "layer", "aovs", "depth"])
    dtype = rng.choice([np.float16, np.float32])
    plate.kind += f" {colour} {layout}"
    display = scene.display
    corners = (display.x_min, display.y_min, display.x_max, display.y_max)

    def write(path: Path, number: int) -> object:
        header: dict[str, Any] = {}
        wide = colour in {"ap1", "interop"} or (colour == "changing" and number % 2 == 1)
        if colour not in {"none", "interop"}:
            header["chromaticities"] = AP1 if wide else REC709
        if colour == "interop":
            header["colorInteropID"] = "lin_ap1_scene"
        rgb = to_linear(scene.picture(number))
        if wide:
            rgb = (rgb @ AP1_FROM_709.T).astype(np.float32)
        channels = rgb_channels(rgb.astype(dtype), "rgba" if layout == "layer" else "")
        shape = rgb.shape[:2]
        if layout == "alpha":
            channels["A"] = np.ones(shape, dtype)
        if layout in {"aovs", "layer"}:
            noise = np.random.default_rng(number).random((*shape, 3), np.float32)
            channels |= rgb_channels(noise.astype(dtype), "normals")
        if layout == "depth":
            channels["depth.Z"] = np.full(shape, 7, np.float32)
            channels |= {f"N.{name}": np.zeros(shape, np.float32) for name in "XYZ"}
        corner = (scene.data.x_min, scene.data.y_min)
        return write_exr(path, channels, data=corner, display=corners, **header)

    return write


def _video(path: Path, scene: Scene, numbers: Sequence[int]) -> Path:
    codec = replace(LOSSLESS, size=(scene.data.width, scene.data.height))
    frames = []
    for number in numbers:
        rgb = np.rint(scene.picture(number) * 4095).astype(np.uint16)
        frames.append([np.ascontiguousarray(rgb[..., i]) for i in (1, 2, 0)])
    return write_video(path, codec, frames)


def _whole(values: Array, bits: int) -> Array:
    full = (1 << bits) - 1
    return np.asarray(np.rint(values * full), np.uint8 if bits == 8 else np.uint16)
