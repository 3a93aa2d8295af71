"""Masks from another tool: pairing by number, channels, sizes, held frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenImageIO as oiio  # noqa: N813
import pytest

from plugin.errors import FrameError, MaskError
from plugin.request.shot import Shot
from plugin.segmentation import SegmentPlan, build, prepare
from plugin.segmentation.masks.files import MaskSettings
from plugin.types import Frame, PlateInfo, Window
from tests.plates import Painted, png_plate

WIDTH, HEIGHT = 24, 16


class BlackPlate(Painted):
    """A plate of black frames, 24 × 16 unless told."""

    def __init__(self, frames: str = "1001-1010", info: PlateInfo | None = None) -> None:
        self.info = info or png_plate(WIDTH, HEIGHT, frames)

    def read(self, number: int) -> Frame:
        return Frame(number, np.zeros((self.info.height, self.info.width, 3), np.float32))


def save(path: Path, pixels: npt.NDArray[Any], windows: str = "") -> None:
    """Write `H × W` or `H × W × C` pixels of their own type; `windows` as OIIO's ROI text."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    height, width, channels = pixels.shape
    spec = oiio.ImageSpec(width, height, channels, pixels.dtype.name)
    if windows:
        spec.x, spec.y, spec.full_x, spec.full_y, spec.full_width, spec.full_height = (
            int(value) for value in windows.split()
        )
    if channels in (2, 4):
        spec.alpha_channel = channels - 1
        spec.channelnames = ("Y", "A") if channels == 2 else ("R", "G", "B", "A")
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    assert output.open(str(path), spec)
    assert output.write_image(pixels)
    output.close()


def box(value: float = 1.0, dtype: type[Any] = np.uint8) -> npt.NDArray[Any]:
    """A box of `value` on 0, scaled to the type's range."""
    full = np.iinfo(dtype).max if issubclass(dtype, np.integer) else 1
    pixels = np.zeros((HEIGHT, WIDTH), np.float64)
    pixels[4:12, 6:18] = value * full
    return pixels.astype(dtype)


def shot(folder: Path, mask: str = "m.%04d.png", **options: str) -> Shot:
    return Shot.model_validate(
        {"plate": "p", "out": folder, "segment": "mask", "mask": str(folder / mask), **options}
    )


def planned(one: Shot, plate: BlackPlate | None = None) -> SegmentPlan:
    return prepare(one, plate or BlackPlate(), lambda rgb: rgb)


def coverage(plan: SegmentPlan, number: int, plate: BlackPlate | None = None) -> Mask2D:
    plate = plate or BlackPlate()
    return build(plan, plate.info).segment(plate.read(number)).coverage


Mask2D = npt.NDArray[np.float32]


@pytest.mark.parametrize("suffix", ["png", "tif", "exr"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float16, np.float32])
def test_values_are_read_as_coverage(tmp_path: Path, suffix: str, dtype: type[Any]) -> None:
    whole = issubclass(dtype, np.integer)
    if whole == (suffix == "exr") or (suffix == "png" and not whole):
        pytest.skip("the format has no such pixels")
    for number in range(1001, 1011):
        save(tmp_path / f"m.{number}.{suffix}", box(0.5, dtype))
    plan = planned(shot(tmp_path, f"m.%04d.{suffix}", frames="1004"))
    settings = plan.of(MaskSettings)
    reading = settings.reading.model_copy(update={"high": 1.0})
    settings = settings.model_copy(update={"reading": reading})
    plan = plan.model_copy(update={"settings": settings})
    np.testing.assert_allclose(coverage(plan, 1004), box(0.5, np.float32), atol=1 / 255)


@pytest.mark.parametrize(
    ("channels", "wanted"),
    [
        pytest.param([0.2, 0.2, 0.2, 0.7], 0.7, id="alpha before colour"),
        pytest.param([0.3, 0.9], 0.9, id="grey and alpha"),
        pytest.param([0.6, 0.6, 0.6], 0.6, id="grey in RGB"),
        pytest.param([0.8, 0.0, 0.0], 0.8, id="painted in red"),
    ],
)
def test_which_channel_counts(tmp_path: Path, channels: list[float], wanted: float) -> None:
    levels = np.array(channels, np.float32) * 255
    ramp = np.linspace(0, 1, WIDTH, dtype=np.float32)[None, :, None]
    pixels = np.broadcast_to(ramp * levels, (HEIGHT, WIDTH, len(channels))).astype(np.uint8)
    for number in range(1001, 1011):
        save(tmp_path / f"m.{number}.png", np.ascontiguousarray(pixels))
    assert coverage(planned(shot(tmp_path)), 1001).max() == pytest.approx(wanted, abs=1 / 255)


def test_an_alpha_of_one_everywhere_says_nothing(tmp_path: Path) -> None:
    opaque = np.dstack([box()] * 3 + [np.full((HEIGHT, WIDTH), 255, np.uint8)])
    for number in range(1001, 1011):
        save(tmp_path / f"m.{number}.png", opaque)
    plan = planned(shot(tmp_path))
    np.testing.assert_array_equal(coverage(plan, 1003), box(1, np.float32))
    assert "alpha is 1 everywhere" in plan.warnings[0]


def test_labels_of_zero_and_one_are_off_and_on(tmp_path: Path) -> None:
    for number in range(1001, 1011):
        save(tmp_path / f"m.{number}.png", (box() > 0).astype(np.uint8))
    plan = planned(shot(tmp_path))
    np.testing.assert_allclose(coverage(plan, 1003), box(1, np.float32))
    assert "taken as off and on" in plan.warnings[0]


def test_pairing_is_by_number_and_gaps_are_held_and_named(tmp_path: Path) -> None:
    for number, level in ((1001, 1.0), (1004, 0.5), (1009, 0.25)):
        save(tmp_path / f"m.{number}.png", box(level))
    plan = planned(shot(tmp_path))
    assert [float(coverage(plan, n).max()) for n in (1001, 1003, 1004, 1008, 1010)] == (
        pytest.approx([1, 1, 0.5, 0.5, 0.25], abs=1 / 255)
    )
    assert plan.warnings == (
        "no mask of their own, the nearest earlier one is held: frames 1002-1003,1005-1008,1010",
    )
    segmenter = build(plan, BlackPlate().info)
    assert segmenter.segment(BlackPlate().read(1004)).confidence == 1
    assert segmenter.segment(BlackPlate().read(1005)).confidence < 1
    assert segmenter.digest(1004) == segmenter.digest(1008) != segmenter.digest(1009)


def test_the_plan_survives_json_and_does_not_depend_on_the_frames_asked(tmp_path: Path) -> None:
    for number in range(1001, 1011):
        save(tmp_path / f"m.{number}.png", box())
    whole, part = planned(shot(tmp_path)), planned(shot(tmp_path, frames="1007"))
    assert whole == part == SegmentPlan.model_validate_json(whole.model_dump_json())


def test_the_digest_follows_the_contents(tmp_path: Path) -> None:
    for number in range(1001, 1011):
        save(tmp_path / f"m.{number}.png", box())
    plan = planned(shot(tmp_path))
    before = build(plan, BlackPlate().info).digest(1002)
    save(tmp_path / "m.1002.png", box(0.5))
    assert build(plan, BlackPlate().info).digest(1002) != before


def test_a_single_picture_serves_a_plate_of_one_frame(tmp_path: Path) -> None:
    save(tmp_path / "m.png", box())
    plate = BlackPlate("7")
    plan = planned(shot(tmp_path, "m.png"), plate)
    assert plan.warnings == ()
    np.testing.assert_array_equal(coverage(plan, 7, plate), box(1, np.float32))


def test_windows_are_laid_on_the_plate(tmp_path: Path) -> None:
    """A cropped EXR lies where its data window says; overscan takes the edge."""
    wide = BlackPlate(
        info=png_plate(WIDTH, HEIGHT, data_window=Window(-4, -2, WIDTH + 3, HEIGHT + 1))
    )
    cropped = np.ones((8, 12), np.float16)
    full = np.full((HEIGHT, WIDTH), 255, np.uint8)
    full[HEIGHT // 2, WIDTH // 2] = 0
    for number in range(1001, 1011):
        save(tmp_path / f"m.{number}.exr", cropped, f"6 4 0 0 {WIDTH} {HEIGHT}")
        save(tmp_path / f"full.{number}.png", full)
    laid = coverage(planned(shot(tmp_path, "m.%04d.exr"), wide), 1001, wide)
    expected = np.zeros((HEIGHT + 4, WIDTH + 8), np.float32)
    expected[2 + 4 : 2 + 12, 4 + 6 : 4 + 18] = 1
    np.testing.assert_array_equal(laid, expected)
    laid = coverage(planned(shot(tmp_path, "full.%04d.png"), wide), 1001, wide)
    assert int((laid == 0).sum()) == 1
    assert int((laid == 1).sum()) == laid.size - 1


BAD: list[tuple[str, str]] = [
    ("missing", "no such masks"),
    ("size", "12 × 8 pixels, but the plate has 24 × 16"),
    ("late", "no mask at or before frames 1001-1004"),
    ("after", "the masks begin at frame 2001, the frames asked for end at 1010"),
    ("text", "not a picture"),
    ("cut", "damaged"),
    ("video", "no such masks"),
    ("none", "no masks given"),
]


@pytest.mark.parametrize(("kind", "what"), BAD)
def test_refusals_before_the_work(tmp_path: Path, kind: str, what: str) -> None:
    good = {"late": range(1005, 1011), "after": range(2001, 2003), "missing": ()}
    for number in good.get(kind, range(1001, 1011)):
        save(tmp_path / f"m.{number}.png", box(dtype=np.uint16))
    broken = tmp_path / "m.1010.png"
    if kind == "size":
        save(broken, np.zeros((8, 12), np.uint8))
    if kind == "text":
        broken.write_text("not a picture")
    if kind == "cut":
        broken.write_bytes(broken.read_bytes()[:-30])
    asked = shot(tmp_path, "m.mp4" if kind == "video" else "m.%04d.png")
    if kind == "none":
        asked = asked.model_copy(update={"mask": None})
    with pytest.raises(MaskError, match=what):
        planned(asked)


def test_a_mask_that_vanishes_fails_its_frame_alone(tmp_path: Path) -> None:
    for number in range(1001, 1011):
        save(tmp_path / f"m.{number}.png", box())
    plan = planned(shot(tmp_path))
    (tmp_path / "m.1005.png").unlink()
    with pytest.raises(FrameError, match="no such file"):
        coverage(plan, 1005)
    with pytest.raises(FrameError, match="no such file"):
        build(plan, BlackPlate().info).digest(1005)
    assert coverage(plan, 1006).max() == 1
