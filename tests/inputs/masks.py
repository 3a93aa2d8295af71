"""Masks: files a row for a plate of 48 × 32, frames 1001 to 1003, and what they are to cover."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from tests.inputs.files import chunk, png
from tests.media import LOSSLESS, write_exr, write_image, write_video

Array = npt.NDArray[Any]
Made = tuple[Path, dict[str, Any]]
WIDTH, HEIGHT = 48, 32
NUMBERS = (1001, 1002, 1003)


def disc(x: float = 24, radius: float = 9) -> Array:
    """A soft disc, `32 × 48`, 0 to 1."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    far = np.hypot(columns - x, rows - 16)
    return np.asarray(np.clip((radius - far) / 3 + 0.5, 0, 1), np.float32)


WANTED = disc()
"""What most of them are to cover."""

HARD = (WANTED > 0.5).astype(np.float32)


def stills(
    folder: Path, values: Array, suffix: str = "png", *, numbers: tuple[int, ...] = NUMBERS
) -> Path:
    """The same picture a frame: 8 bits from floats within [0, 1], else as it is."""
    pixels = values[..., None] if values.ndim == 2 else values
    if pixels.dtype.kind == "f" and suffix != "exr":
        pixels = np.rint(pixels * 255).astype(np.uint8)
    for number in numbers:
        write_image(folder / f"m.{number:04d}.{suffix}", pixels)
    return folder / f"m.%04d.{suffix}"


def exrs(folder: Path, channels: Mapping[str, Array]) -> Path:
    """The same EXR a frame."""
    stored = {name: np.ascontiguousarray(values) for name, values in channels.items()}
    for number in NUMBERS:
        write_exr(folder / f"m.{number}.exr", stored)
    return folder / "m.%04d.exr"


def picture() -> Array:
    """A picture in many colours."""
    return np.random.default_rng(1).random((HEIGHT, WIDTH, 3), np.float32)


def both(colours: Array, alpha: Array) -> Array:
    """Colours and an alpha, `32 × 48 × 4`."""
    three = colours if colours.ndim == 3 else np.dstack([colours] * 3)
    return np.dstack([three, alpha]).astype(np.float32)


def two_layers(folder: Path) -> Path:
    """Objects in layers, the second the wanted one."""
    return exrs(folder, {"Object_0.Y": disc(8, 5), "Object_1.Y": WANTED})


def labels(folder: Path, step: int = 1) -> Path:
    """Two objects by number, the second the wanted one."""
    values = np.zeros((HEIGHT, WIDTH), np.uint8)
    values[:, :8] = step
    values[HARD > 0] = 2 * step
    if step > 1:
        values[:4, 40:] = 3 * step
    return stills(folder, values)


def depths(folder: Path) -> Path:
    """Values from 0 to 40."""
    return exrs(folder, {"Y": WANTED * np.float32(40)})


def video(folder: Path) -> Path:
    """A lossless video of the disc."""
    grey = np.rint(WANTED * 4095).astype(np.uint16)
    codec = LOSSLESS.__class__(
        LOSSLESS.name, LOSSLESS.pixels, LOSSLESS.suffix, size=(WIDTH, HEIGHT)
    )
    return write_video(folder / "m.mkv", codec, [[grey] * 3] * 3)


def webm(folder: Path) -> Path:
    """VP9 with the disc in its alpha and a picture in its colours."""
    import av

    path = folder / "m.webm"
    try:
        codec = av.Codec("libvpx-vp9", "w")
    except av.error.FFmpegError:
        pytest.skip("no encoder of VP9 here")
    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec.name, rate=24, options={"lossless": "1"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuva420p"
        for _ in NUMBERS:
            pixels = np.rint(both(picture(), WANTED) * 255).astype(np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgba")))
        output.mux(stream.encode())
    return path


def one_black(folder: Path) -> Path:
    """The second of three is black."""
    made = stills(folder, WANTED)
    write_image(folder / "m.1002.png", np.zeros((HEIGHT, WIDTH, 1), np.uint8))
    return made


def sized(folder: Path, width: int, height: int) -> Path:
    """The disc at another size."""
    return stills(folder, cv2.resize(WANTED, (width, height), interpolation=cv2.INTER_AREA))


def mixed(folder: Path) -> Path:
    """The last of three at half the size."""
    made = stills(folder, WANTED)
    write_image(folder / "m.1003.png", np.zeros((HEIGHT // 2, WIDTH // 2, 1), np.uint8))
    return made


def offset(folder: Path) -> Path:
    """PNGs that lie on a page."""
    place = chunk(b"oFFs", b"\0\0\0\x09\0\0\0\x05\0")
    for number in NUMBERS:
        pixels = np.rint(WANTED * 255).astype(np.uint8)[..., None]
        png(folder / f"m.{number}.png", place, pixels=pixels)
    return folder / "m.%04d.png"


def one_file(folder: Path) -> Path:
    """One file whose name looks like a pattern."""
    return write_image(folder / "roto #2.png", np.rint(WANTED * 255).astype(np.uint8)[..., None])


def pages(folder: Path) -> Path:
    """TIFFs of two pages."""
    pytest.importorskip("PIL")
    from PIL import Image

    image = Image.fromarray(np.rint(WANTED * 255).astype(np.uint8))
    for number in NUMBERS:
        image.save(folder / f"m.{number}.tif", save_all=True, append_images=[image])
    return folder / "m.%04d.tif"


def more_channels(folder: Path) -> Path:
    """The second has an alpha of its own besides."""
    made = exrs(folder, {"Y": WANTED})
    write_exr(folder / "m.1002.exr", {"Y": WANTED, "A": disc(8, 4)})
    return made


def by_colour() -> Array:
    """A red object and a green one."""
    return np.dstack([HARD * 0.5, (disc(6, 5) > 0.5) * 0.5, HARD * 0]).astype(np.float32)


def tinted() -> Array:
    """The disc in orange."""
    return np.asarray(WANTED[..., None] * np.array([1, 0.5, 0.2], np.float32), np.float32)


def shades(values: Array, low: float, high: float) -> Array:
    """Stretched to other ends."""
    return (low + values * (high - low)).astype(np.float32)


def whole(values: Array, full: int) -> Array:
    """As 16-bit integers up to `full`."""
    return np.asarray(np.rint(values * full), np.uint16)


EMPTY, FULL = np.zeros_like(WANTED), np.ones_like(WANTED)

MAKERS: dict[str, Callable[[Path], Made]] = {
    "grey": lambda f: (stills(f, WANTED), {}),
    "grey-16": lambda f: (stills(f, whole(WANTED, 65535)), {}),
    "float-one": lambda f: (exrs(f, {"Y": WANTED}), {}),
    "alpha": lambda f: (stills(f, both(picture(), WANTED)), {}),
    "alpha-full": lambda f: (stills(f, both(WANTED, FULL)), {}),
    "alpha-empty": lambda f: (exrs(f, {**dict.fromkeys("RGB", WANTED), "A": EMPTY}), {}),
    "two-mattes": lambda f: (stills(f, both(WANTED, disc(8, 6))), {}),
    "grey-picture": lambda f: (stills(f, both(picture()[..., 0], WANTED)), {}),
    "picture": lambda f: (stills(f, picture()), {}),
    "objects-by-colour": lambda f: (stills(f, by_colour()), {}),
    "red": lambda f: (stills(f, np.dstack([WANTED, EMPTY, EMPTY])), {}),
    "one-colour": lambda f: (stills(f, tinted()), {}),
    "layers-one": lambda f: (
        exrs(f, {**{n: picture()[..., i] for i, n in enumerate("RGB")}, "Object_0.Y": WANTED}),
        {},
    ),
    "layers-two": lambda f: (two_layers(f), {}),
    "layer-asked": lambda f: (two_layers(f), {"mask_layer": "Object_1"}),
    "layer-unknown": lambda f: (two_layers(f), {"mask_layer": "Object_7"}),
    "depth": lambda f: (exrs(f, {"depth.Z": FULL * 7, "mask.Y": WANTED}), {}),
    "channel-alone": lambda f: (exrs(f, {"subject": WANTED}), {}),
    "crypto": lambda f: (exrs(f, {f"CryptoObject00.{n}": WANTED for n in "RGBA"}), {}),
    "eight-in-sixteen": lambda f: (stills(f, whole(WANTED, 255)), {}),
    "ten-in-sixteen": lambda f: (stills(f, whole(WANTED, 1023)), {}),
    "floats-of-255": lambda f: (exrs(f, dict.fromkeys("RGB", WANTED * 255)), {}),
    "zero-and-one": lambda f: (stills(f, HARD.astype(np.uint8)), {"wanted": HARD}),
    "labels": lambda f: (labels(f), {}),
    "label-asked": lambda f: (labels(f), {"mask_range": "2-2", "wanted": HARD}),
    "ids-asked": lambda f: (
        exrs(f, {"id": (HARD * 3).astype(np.uint32) + (disc(6, 4) > 0.5) * np.uint32(5)}),
        {"mask_range": "3-3", "wanted": HARD},
    ),
    "labels-spread": lambda f: (labels(f, 85), {}),
    "depth-values": lambda f: (depths(f), {}),
    "range-asked": lambda f: (depths(f), {"mask_range": "0-40"}),
    "overshoot": lambda f: (exrs(f, {"Y": shades(WANTED, -0.05, 1.1)}), {"within": 0.11}),
    "video-levels": lambda f: (stills(f, shades(WANTED, 16 / 255, 235 / 255)), {}),
    "dim": lambda f: (exrs(f, {"Y": WANTED * np.float32(0.6)}), {"wanted": WANTED * 0.6}),
    "inverted": lambda f: (stills(f, 1 - WANTED), {"mask_invert": True}),
    "inverted-unsaid": lambda f: (stills(f, 1 - WANTED), {"wanted": 1 - WANTED}),
    "infinite": lambda f: (
        exrs(f, {"Y": np.where(WANTED >= 1, np.float32(np.inf), WANTED)}),
        {},
    ),
    "more-channels": lambda f: (more_channels(f), {}),
    "empty": lambda f: (stills(f, EMPTY), {}),
    "full": lambda f: (stills(f, FULL), {}),
    "empty-in-one": lambda f: (one_black(f), {}),
    "smaller": lambda f: (sized(f, 24, 16), {"within": 0.3}),
    "other-shape": lambda f: (sized(f, 30, 30), {}),
    "mixed-sizes": lambda f: (mixed(f), {}),
    "png-offset-mask": lambda f: (offset(f), {}),
    "hash-in-name": lambda f: (one_file(f), {}),
    "targa": lambda f: (stills(f, WANTED, "tga"), {}),
    "ends-before": lambda f: (stills(f, WANTED, numbers=tuple(range(1, 25))), {}),
    "begins-after": lambda f: (stills(f, WANTED, numbers=(1003,)), {}),
    "longer": lambda f: (stills(f, WANTED, numbers=(999, 1000, *NUMBERS)), {}),
    "video": lambda f: (video(f), {}),
    "video-asked": lambda f: (video(f), {"mask_start": 1000}),
    "video-alpha": lambda f: (webm(f), {"within": 0.02}),
    "pages": lambda f: (pages(f), {}),
}
