"""The header of an alpha EXR: the contract's attributes, time, and what the plate hands on."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR  # type: ignore[import-not-found]
import OpenImageIO
import pytest

from plugin.exr.alpha_file import encode_alpha, read_alpha
from plugin.exr.channels import pixel_digest
from plugin.types import Frame, PlateInfo, Window
from tests.plates import exr_plate

NO_PIXELS = np.zeros((1, 1, 3), np.float32)
RECIPE = "5" * 64
ALPHA = np.linspace(0, 1, 19 * 23, dtype=np.float32).reshape(19, 23)
PLATE = exr_plate(
    Window(-3, 4, 19, 22),
    Window.of_size(16, 16),
    pixel_aspect=2.0,
    rate=Fraction(24000, 1001),
    timecode="01:00:00:00",
)


def _frame(timecode: str | None = None, **attributes: object) -> Frame:
    return Frame(1001, NO_PIXELS, timecode, attributes)


def _encode(frame: Frame, info: PlateInfo = PLATE) -> bytes:
    return encode_alpha(ALPHA, info=info, frame=frame, provenance={"recipe": RECIPE})


def _save(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "a.exr"
    path.write_bytes(data)
    return path


GOLDEN = {
    "type": "Storage.scanlineimage",
    "compression": "Compression.ZIPS_COMPRESSION",
    "lineOrder": "LineOrder.INCREASING_Y",
    "channels": "A B G R",
    "dataWindow": "-3 4 19 22",
    "displayWindow": "0 0 15 15",
    "pixelAspectRatio": "2.0",
    "framesPerSecond": "24000/1001",
    "timeCode": "1:2:3:4 drop",
    "colorInteropID": "data",
    "screenWindowCenter": "0.0 0.0",
    "screenWindowWidth": "1.0",
    "comments": "slate 12\ntake 3",
    "adamatte/version": "0.1.0",
    "adamatte/model": "lite",
    "adamatte/weights": "1" * 64,
    "adamatte/override": "",
    "adamatte/recipe": RECIPE,
}


def _plainly(name: str, value: Any) -> str:
    if name == "channels":
        return " ".join(channel.name for channel in value)
    if name in ("dataWindow", "displayWindow", "screenWindowCenter"):
        return " ".join(str(number) for number in np.asarray(value).ravel())
    if name == "timeCode":
        time = f"{value.hours}:{value.minutes}:{value.seconds}:{value.frame}"
        return time + (" drop" if value.dropFrame else "")
    return str(value)


def test_the_header_is_the_contracts(tmp_path: Path) -> None:
    keys = ("version", "model", "weights", "override", "recipe")
    provenance = {key: GOLDEN[f"adamatte/{key}"] for key in keys}
    frame = _frame("01:02:03;04", comments="slate 12\ntake 3")
    data = encode_alpha(ALPHA, info=PLATE, frame=frame, provenance=provenance)
    attributes = dict(read_alpha(_save(tmp_path, data)).attributes)
    assert len(attributes.pop("adamatte/seal")) == 64
    assert attributes.pop("adamatte/digest") == pixel_digest(ALPHA)
    assert {name: _plainly(name, value) for name, value in attributes.items()} == GOLDEN


def test_openimageio_sees_timecode_rate_and_provenance(tmp_path: Path) -> None:
    data = _encode(_frame("10:11:12:23"))
    file = OpenImageIO.ImageInput.open(str(_save(tmp_path, data)))
    assert file is not None, OpenImageIO.geterror()
    spec = file.spec()
    assert spec.get_string_attribute("smpte:TimeCode") == "10:11:12:23"
    assert tuple(spec.getattribute("FramesPerSecond")) == (24000, 1001)
    assert spec.get_string_attribute("adamatte/recipe") == RECIPE


@pytest.mark.parametrize(
    ("timecode", "standard", "text"),
    [
        (None, None, None),
        ("00:00:00:00", (0, 0, 0, 0, 0), None),
        ("23:59:59:29", (23, 59, 59, 29, 0), None),
        ("01:02:03;04", (1, 2, 3, 4, 1), None),
        ("01:02:03:30", None, "01:02:03:30"),
        ("24:00:00:00", None, "24:00:00:00"),
        ("nonsense", None, "nonsense"),
    ],
)
def test_timecodes(
    tmp_path: Path, timecode: str | None, standard: tuple[int, ...] | None, text: str | None
) -> None:
    found = read_alpha(_save(tmp_path, _encode(_frame(timecode))))
    code = found.attributes.get("timeCode")
    read = code and (code.hours, code.minutes, code.seconds, code.frame, int(code.dropFrame))
    assert (read, found.provenance.get("timecode")) == (standard, text)


@pytest.mark.parametrize(
    ("timecode", "rate", "standard"),
    [
        ("10:00:00:27", 50, (13, True)),
        ("10:00:00:49", 50, (24, True)),
        ("01:00:00;58", Fraction(60000, 1001), (29, False)),
        ("01:00:00:29", 30, (29, False)),
        ("01:00:00:12", 100, None),
        ("01:00:00:60", 100, None),
    ],
)
def test_above_thirty_frames_are_counted_in_pairs(
    tmp_path: Path, timecode: str, rate: Fraction | int, standard: tuple[int, bool] | None
) -> None:
    plate = PLATE.model_copy(update={"rate": Fraction(rate)})
    found = read_alpha(_save(tmp_path, _encode(_frame(timecode), plate)))
    code = found.attributes.get("timeCode")
    assert (code and (code.frame, bool(code.fieldPhase))) == standard
    assert (found.provenance.get("timecode") == timecode) == (standard is None)


@pytest.mark.parametrize("words", [(0x10000012, 0x87654321), (0x23595924, 0), (0x0100C049, 1)])
def test_a_file_s_own_timecode_keeps_its_marks_and_user_bits(
    tmp_path: Path, words: tuple[int, int]
) -> None:
    frame = replace(_frame("10:00:00:12"), smpte=words)
    path = _save(tmp_path, _encode(frame))
    image = OpenImageIO.ImageBuf(str(path))
    assert tuple(n & 0xFFFFFFFF for n in image.spec().getattribute("smpte:TimeCode")) == words


MATRIX = np.arange(16, dtype=np.float32).reshape(4, 4)


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("owner", "somebody ä", True),
        ("focus", 2.5, True),
        ("isoSpeed", np.float32(800), True),
        ("reelNumber", 12, True),
        ("flag", True, True),
        ("shutter", Fraction(1, 48), True),
        ("worldToCamera", MATRIX, True),
        ("lens", np.array([1, 2], np.int32), True),
        ("keyCode", OpenEXR.KeyCode(1, 2, 3, 4, 5, 4, 64), True),
        ("big", 1 << 40, False),
        ("nul", "a\0b", False),
        ("broken", "\udc80", False),
        ("long", "x" * 20_000, False),
        ("bytes", b"x", False),
        ("nothing", None, False),
        ("names", ["a", "b"], False),
        ("table", np.zeros((7, 7)), False),
        ("x" * 300, "long name", False),
        ("", "no name", False),
        ("chromaticities", "a matte is data", False),
        ("acesImageContainerFlag", 1, False),
        ("oiio:ColorSpace", "lin_rec709", False),
        ("adamatte/recipe", "forged", False),
        ("dataWindow", "forged", False),
        ("tiles", 5, False),
    ],
)
def test_what_of_the_plate_is_carried(tmp_path: Path, name: str, value: object, kept: bool) -> None:
    frame = Frame(1001, NO_PIXELS, None, {name: value})
    found = read_alpha(_save(tmp_path, _encode(frame))).attributes
    if kept:
        assert str(found[name]) == str(_as_stored(value))
    else:
        assert name not in found or str(found[name]) != str(value)
    assert found["adamatte/recipe"] == RECIPE


def _as_stored(value: object) -> object:
    return int(value) if isinstance(value, bool) else value


def test_endless_attributes_end(tmp_path: Path) -> None:
    frame = Frame(1001, NO_PIXELS, None, {f"a{n}": "x" for n in range(5000)})
    found = read_alpha(_save(tmp_path, _encode(frame))).attributes
    assert len(found) < 300


@pytest.mark.parametrize("rate", ["24", "30000/1001", "1/3", "100000000001/3", None])
def test_rates(tmp_path: Path, rate: str | None) -> None:
    info = PLATE.model_copy(update={"rate": None if rate is None else Fraction(rate)})
    found = read_alpha(_save(tmp_path, _encode(_frame(), info))).attributes
    told = found.get("framesPerSecond")
    assert (told is None) == (rate is None)
    if rate is not None and told is not None and len(rate) < 12:
        assert told == Fraction(rate)
