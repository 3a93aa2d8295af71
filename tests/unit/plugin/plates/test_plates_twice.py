"""EXR plates of halves and floats come to the bit as OpenImageIO reads them, which reads others."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import OpenEXR  # type: ignore[import-not-found]
import OpenImageIO as oiio  # noqa: N813
import pytest

from plugin.plates import open_plate
from plugin.types import FloatArray
from tests.media import shared, write_exr

COMPRESSIONS = ("NO", "RLE", "ZIPS", "ZIP", "PIZ", "PXR24", "B44", "B44A", "DWAA", "DWAB")


def as_oiio_reads(path: Path, names: str = "RGB") -> FloatArray:
    image = oiio.ImageInput.open(str(path))
    assert image is not None, oiio.geterror()
    there = list(image.spec().channelnames)
    pixels = np.asarray(image.read_image(0, 0, 0, len(there), "float"), np.float32)
    image.close()
    return np.ascontiguousarray(pixels[..., [there.index(name) for name in names]])


def as_we_read(path: Path) -> FloatArray:
    with closing(open_plate(str(path))) as plate:
        return plate.read(plate.info.frames.first).rgb


def same(one: FloatArray, other: FloatArray) -> bool:
    return np.array_equal(one.view(np.uint32), other.view(np.uint32))


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("kinds", ["eee", "fff", "efe"])
def test_of_every_compression_and_kind(tmp_path: Path, compression: str, kinds: str) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 3, (37, 53, 4)).astype(np.float32)
    values[4:20, 5:30] = 0.25
    planes = {
        name: np.ascontiguousarray(values[..., place].astype(kind))
        for place, (name, kind) in enumerate(zip("RGB", kinds, strict=True))
    }
    planes |= {"A": values[..., 3].astype(np.float16), "Z": values[..., 3]}
    path = tmp_path / "p_v1.exr"
    write_exr(
        path,
        planes,
        data=(-7, 11),
        display=(0, 0, 63, 63),
        compression=getattr(OpenEXR, f"{compression}_COMPRESSION"),
    )
    assert same(as_we_read(path), as_oiio_reads(path))


def test_of_the_files_that_others_wrote() -> None:
    compared = 0
    for path in sorted(shared("exr/good").glob("*/*.exr")):
        image = oiio.ImageInput.open(str(path))
        there = set(image.spec().channelnames) if image is not None else set()
        if image is not None:
            image.close()
        if set("RGB") <= there:
            found, expected = as_we_read(path), as_oiio_reads(path)
            finite = np.isfinite(expected)
            assert found.shape == expected.shape, path
            assert np.array_equal(found[finite], expected[finite]), path
            compared += 1
    assert compared >= 20
