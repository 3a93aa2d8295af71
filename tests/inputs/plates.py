"""Plates: a file a row, and what is to be found in it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import OpenImageIO as oiio  # noqa: N813
import pytest

from plugin.framerange import FrameRange
from plugin.types import Window
from tests.inputs.files import WINDOW, chunk, dpx, gama, parts, picture, png
from tests.media import rgb_channels, write_exr, write_image

Made = tuple[Path, Mapping[str, object]]
WHOLE: dict[str, object] = {
    "data_window": Window.of_size(*WINDOW),
    "display_window": Window.of_size(*WINDOW),
}
LINEAR, SRGB = {"colour": "lin_rec709_scene"}, {"colour": "srgb_rec709_display"}
AP1 = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)


def _exr_windows(folder: Path) -> Made:
    made = _exr(folder, data=(3, 2), display=(0, 0, 19, 11), colorInteropID="lin_ap1_scene")
    return made, {"data_window": Window(3, 2, 14, 9)}


def _exr(folder: Path, **header: object) -> Path:
    channels = rgb_channels(picture(np.float16))
    return write_exr(folder / "a.exr", channels, **header)  # type: ignore[arg-type]


def _placed(folder: Path, suffix: str) -> Path:
    """A picture that says a place of itself, as its format's writer writes it."""
    spec = oiio.ImageSpec(*WINDOW, 3, "uint8")
    spec.x, spec.y, spec.full_width, spec.full_height = 4, 2, 40, 30
    image = oiio.ImageBuf(spec)
    image.set_pixels(image.roi, picture())
    assert image.write(str(folder / f"a{suffix}")), image.geterror()
    return folder / f"a{suffix}"


def _aspect(folder: Path) -> Path:
    return png(folder / "a.png", chunk(b"pHYs", struct.pack(">IIB", 1, 2, 0)))


def _cicp(folder: Path, *codes: int) -> Path:
    return png(folder / "a.png", chunk(b"cICP", bytes(codes)))


def _chrm(folder: Path) -> Path:
    wide = struct.pack(">8I", 31270, 32900, 70800, 29200, 17000, 79700, 13100, 4600)
    return png(folder / "a.png", chunk(b"cHRM", wide))


def _profile(folder: Path) -> Path:
    pytest.importorskip("PIL")
    from PIL import Image, ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    Image.fromarray(picture()).save(folder / "a.jpg", icc_profile=profile.tobytes())
    return folder / "a.jpg"


def _pillow(folder: Path, mode: str, suffix: str, pages: int = 1) -> Path:
    pytest.importorskip("PIL")
    from PIL import Image

    image = Image.new(mode, WINDOW)
    more = [image] * (pages - 1)
    if more:
        image.save(folder / f"a{suffix}", save_all=True, append_images=more)
    else:
        image.save(folder / f"a{suffix}")
    return folder / f"a{suffix}"


def _blender(folder: Path) -> Path:
    zero = np.zeros(WINDOW[::-1], np.float32)
    channels = rgb_channels(picture(np.float16), "ViewLayer.Combined")
    channels |= {f"ViewLayer.Normal.{name}": zero for name in "XYZ"}
    channels |= {f"ViewLayer.Vector.{name}": zero for name in "XYZW"}
    return write_exr(folder / "a.exr", channels | {"ViewLayer.Depth.Z": zero})


def _depth(folder: Path) -> Path:
    return write_exr(folder / "a.exr", {"depth.Z": np.ones(WINDOW[::-1], np.float32)})


def _named(folder: Path, name: str, number: int) -> Made:
    return write_image(folder / name, picture()), {"frames": FrameRange((number,))}


def _one_of_many(folder: Path) -> Made:
    for number in (1002, 1003):
        write_image(folder / f"plate.{number}.png", picture())
    return _named(folder, "plate.1001.png", 1001)


MAKERS: dict[str, Callable[[Path], Made]] = {
    "exr-windows": _exr_windows,
    "png-offset": lambda f: (
        png(f / "a.png", chunk(b"oFFs", struct.pack(">iiB", 20, 10, 0))),
        WHOLE,
    ),
    "tiff-position": lambda f: (_placed(f, ".tif"), WHOLE),
    "dpx-origin": lambda f: (dpx(_placed(f, ".dpx"), 3, write=False), WHOLE),
    "png-aspect": lambda f: (_aspect(f), {"pixel_aspect": 2.0}),
    "png-srgb": lambda f: (png(f / "a.png", chunk(b"sRGB", b"\0")), SRGB),
    "png-cicp-pq": lambda f: (_cicp(f, 1, 16, 0, 1), {"colour": "pq_rec709_display"}),
    "png-cicp-hd": lambda f: (_cicp(f, 1, 1, 0, 1), {"colour": "g24_rec709_display"}),
    "png-cicp-odd": lambda f: (_cicp(f, 1, 200, 0, 1), SRGB),
    "png-gama-linear": lambda f: (png(f / "a.png", gama(1)), LINEAR),
    "png-gama-mac": lambda f: (png(f / "a.png", gama(1 / 1.8)), {"colour": "g18_rec709_display"}),
    "png-gama-conflict": lambda f: (png(f / "a.png", chunk(b"sRGB", b"\0"), gama(1)), SRGB),
    "png-primaries": lambda f: (_chrm(f), SRGB),
    "png-animation": lambda f: (
        png(f / "a.png", chunk(b"sRGB", b"\0"), chunk(b"acTL", b"\0\0\0\2\0\0\0\0")),
        SRGB,
    ),
    "jpeg-exif": lambda f: (write_image(f / "a.jpg", picture(), Exif__ColorSpace=65535), SRGB),
    "jpeg-profile": lambda f: (_profile(f), SRGB),
    "jpeg-turned": lambda f: (write_image(f / "a.jpg", picture(), Orientation=6), WHOLE),
    "jpeg-cmyk": lambda f: (_pillow(f, "CMYK", ".jpg"), {}),
    "tiff-lab": lambda f: (_pillow(f, "LAB", ".tif"), {}),
    "tiff-pages": lambda f: (_pillow(f, "RGB", ".tif", 3), WHOLE),
    "tiff-float": lambda f: (write_image(f / "a.tif", picture(np.float32)), LINEAR),
    "dpx-linear-ffmpeg": lambda f: (dpx(f / "a.dpx", 2, 16, b"Lavc59.37.100"), SRGB),
    "dpx-linear-ten": lambda f: (dpx(f / "a.dpx", 2, 10), SRGB),
    "dpx-linear-sixteen": lambda f: (dpx(f / "a.dpx", 2), LINEAR),
    "dpx-log": lambda f: (dpx(f / "a.dpx", 3, 10), {"colour": "cineon_log"}),
    "exr-untagged": lambda f: (_exr(f), LINEAR),
    "exr-chromaticities": lambda f: (_exr(f, chromaticities=AP1), {"colour": "lin_ap1_scene"}),
    "exr-interop": lambda f: (_exr(f, colorInteropID="lin_ap1_scene"), {"colour": "lin_ap1_scene"}),
    "exr-parts-beauty": lambda f: (parts(f / "a.exr", "normals", "beauty"), LINEAR),
    "exr-parts-unclear": lambda f: (parts(f / "a.exr", "diffuse", "specular"), {}),
    "exr-blender": lambda f: (_blender(f), LINEAR),
    "exr-views": lambda f: (
        parts(f / "a.exr", "l", "r", views=("left", "right")),
        LINEAR,
    ),
    "exr-deep": lambda f: (_depth(f), {}),
    "name-number": lambda f: _named(f, "plate.1007.png", 1007),
    "name-one-of-many": _one_of_many,
    "name-no-number": lambda f: _named(f, "hero2.png", 1001),
}
