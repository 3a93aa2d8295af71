"""Whole jobs with what the output options ask for: colours, clean-up, layers, moving windows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin.driver.run import run
from plugin.errors import MaskError, PlateError, RequestError, ShotError
from plugin.exr.alpha_file import AlphaFile, Channels, prove_alpha
from plugin.framerange import FrameRange
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest
from plugin.result.verify import verify
from plugin.types import FloatArray, FrameResult, Window
from tests.jobs import luma_matter
from tests.media import checker, rgb_channels, write_exr, write_image
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow

DATA, DISPLAY = (-4, -2), (0, 0, 28, 14)
HEIGHT, WIDTH = 19, 37


class Recorded(QuietProgress):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.states: dict[int, str] = {}

    def note(self, text: str) -> None:
        self.notes.append(text)

    def frame(self, result: FrameResult) -> None:
        assert not result.error, result.error
        self.states[result.number] = result.state.value


def here(shot: Shot, recorded: Recorded | None = None) -> Manifest:
    return run(shot, progress=recorded, executor=InProcessExecutor(luma_matter))


def frames_of(shot: Shot) -> dict[int, AlphaFile]:
    layout = OutputLayout.of(shot)
    return {n: prove_alpha(layout.alpha(n)) for n in layout.pattern("alpha").scan()}


def linear(number: int) -> FloatArray:
    """Scene-linear, light above 1, a little below 0."""
    rng = np.random.default_rng(number)
    rgb = rng.random((HEIGHT, WIDTH, 3), np.float32)
    rgb[:6, :9] *= 30
    rgb[0, 0] = -0.01
    return rgb.astype(np.float16).astype(np.float32)


def plate(folder: Path, numbers: range = range(1001, 1004), **more: Any) -> str:
    for number in numbers:
        planes = rgb_channels(linear(number).astype(np.float16))
        write_exr(
            folder / f"p.{number}.exr", planes, data=DATA, display=DISPLAY, pixelAspectRatio=2.0
        )
    assert not more
    return str(folder / "p.%04d.exr")


def trimaps(folder: Path, numbers: range = range(1001, 1004)) -> str:
    """Subject on the left, unknown in the middle, background on the right."""
    labels = np.zeros((HEIGHT, WIDTH, 1), np.uint8)
    labels[:, :24] = 128
    labels[:, :12] = 255
    for number in numbers:
        write_image(folder / f"t.{number}.png", labels)
    return str(folder / "t.%04d.png")


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    return Shot(plate=plate(tmp_path), trimap=trimaps(tmp_path), out=tmp_path / "out")


def with_(shot: Shot, **more: object) -> Shot:
    return Shot.model_validate({**shot.model_dump(), **more})


@pytest.mark.parametrize("bits", ["half", "float"])
def test_colours_stay_in_the_plates_own_space_and_range(shot: Shot, bits: str) -> None:
    shot = with_(shot, channels="fg", bits=bits)
    here(shot)
    for number, found in frames_of(shot).items():
        rgb = linear(number)
        assert found.foreground is not None
        assert (found.data_window, found.pixel_aspect) == (Window(-4, -2, 32, 16), 2.0)
        assert found.display_window == Window(*DISPLAY)
        np.testing.assert_array_equal(found.foreground[:, :12], rgb[:, :12])
        assert found.foreground.max() > 20
        assert not found.foreground[:, 24:].any()
        assert found.attributes["colorInteropID"] == "lin_rec709_scene"
    assert verify(shot.out).complete


OPTIONS: list[dict[str, object]] = [
    {"channels": "fg"},
    {"channels": "fg", "despill": "green"},
    {"channels": "fg", "despill": "blue"},
    {"channels": "fg", "compression": "dwaa"},
    {"despeckle": 100_000.0},
    {"choke": 40.0},
    {"choke": -40.0},
    {"soften": 50.0},
]


def test_every_option_is_another_result_and_each_resumes(shot: Shot) -> None:
    seen: set[str] = set()
    for more in [{}, *OPTIONS]:
        recorded = Recorded()
        manifest = here(with_(shot, **more), recorded)
        assert set(recorded.states.values()) == {"done"}, more
        seen |= {record.recipe for record in manifest.frames.values()}
        again = Recorded()
        here(with_(shot, **more), again)
        assert set(again.states.values()) == {"skipped"}, more
        assert verify(shot.out).complete
    assert len(seen) == 3 * (1 + len(OPTIONS))


def mattes(folder: Path, name: str, values: Mapping[int, float]) -> str:
    """The lower rows are white as much as is asked for."""
    for number, value in values.items():
        picture = np.zeros((HEIGHT, WIDTH, 1), np.uint16)
        picture[10:] = round(value * 65535)
        write_image(folder / f"{name}.{number}.png", picture)
    return str(folder / f"{name}.%04d.png")


def test_garbage_and_holdout_are_paired_by_number(shot: Shot, tmp_path: Path) -> None:
    here(shot)
    plain = {n: f.alpha for n, f in frames_of(shot).items()}
    garbage = mattes(tmp_path, "junk", {1001: 0, 1002: 1, 1003: 0.5})
    recorded = Recorded()
    here(with_(shot, garbage=garbage), recorded)
    found = {n: f.alpha for n, f in frames_of(shot).items()}
    np.testing.assert_array_equal(found[1001], plain[1001])
    assert not found[1002][10:].any()
    np.testing.assert_array_equal(found[1002][:10], plain[1002][:10])
    np.testing.assert_allclose(found[1003][10:], 0.5 * plain[1003][10:], atol=1e-3)
    holdout = mattes(tmp_path, "core", {1001: 1, 1002: 1, 1003: 0})
    here(with_(shot, garbage=garbage, holdout=holdout))
    found = {n: f.alpha for n, f in frames_of(shot).items()}
    assert (found[1001][10:] == 1).all()
    assert not found[1002][10:].any()  # garbage wins


def test_a_matte_that_changes_is_computed_again_and_only_its_frame(
    shot: Shot, tmp_path: Path
) -> None:
    shot = with_(shot, garbage=mattes(tmp_path, "junk", dict.fromkeys((1001, 1002, 1003), 1.0)))
    here(shot)
    mattes(tmp_path, "junk", {1002: 0.5})
    recorded = Recorded()
    here(shot, recorded)
    assert recorded.states == {1001: "skipped", 1002: "done", 1003: "skipped"}


def test_one_picture_holds_for_all_frames(shot: Shot, tmp_path: Path) -> None:
    mattes(tmp_path, "junk", {7: 1})
    recorded = Recorded()
    here(with_(shot, garbage=str(tmp_path / "junk.7.png")), recorded)
    assert all(not found.alpha[10:].any() for found in frames_of(shot).values())
    assert not [note for note in recorded.notes if "held" in note]


@pytest.mark.parametrize(
    ("more", "error", "what"),
    [
        ({"garbage": "small.%04d.png"}, MaskError, "5 × 4 pixels"),
        ({"holdout": "none.%04d.png"}, MaskError, "no such masks"),
        ({"garbage": "late.%04d.png"}, MaskError, "no mask at or before frames 1001"),
        ({"compression": "dwaa"}, ShotError, "DWA is lossy"),
        ({"despill": "green"}, ShotError, "no colours"),
        ({"despill": "auto", "channels": "fg"}, ShotError, "no green or blue screen"),
        ({"layer": "diffuse"}, PlateError, "no layer 'diffuse'; there are the main picture"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    shot: Shot, tmp_path: Path, more: dict[str, str], error: type[RequestError], what: str
) -> None:
    for number in range(1001, 1004):
        write_image(tmp_path / f"small.{number}.png", np.zeros((4, 5, 1), np.uint8))
    mattes(tmp_path, "late", {1002: 1, 1003: 1})
    paths = {k: str(tmp_path / v) for k, v in more.items() if k in ("garbage", "holdout")}
    with pytest.raises(error, match=what):
        here(with_(shot, **{**more, **paths}))
    assert not shot.out.exists()


def test_a_layer_is_the_plate(tmp_path: Path) -> None:
    rgb = linear(1)
    layers = rgb_channels(rgb * 0) | rgb_channels(rgb, "diffuse")
    for number in range(1001, 1004):
        write_exr(
            tmp_path / f"p.{number}.exr", {k: v.astype(np.float16) for k, v in layers.items()}
        )
    shot = Shot(
        plate=str(tmp_path / "p.%04d.exr"), trimap=trimaps(tmp_path), out=tmp_path / "out",
        channels="fg", layer="diffuse",
    )  # fmt: skip
    here(shot)
    for found in frames_of(shot).values():
        assert found.foreground is not None
        np.testing.assert_array_equal(found.foreground[:, :12], rgb[:, :12])
    recorded = Recorded()
    here(with_(shot, layer=""), recorded)
    assert set(recorded.states.values()) == {"done"}


WINDOWS = {
    1001: Window(3, 2, 17, 11),
    1002: Window(-4, -2, 32, 16),
    1003: Window(20, 9, 20, 9),
    1004: Window(0, 5, 32, 8),
}


@pytest.mark.parametrize("channels", ["rgba", "fg"])
def test_each_frame_keeps_its_own_data_window(tmp_path: Path, channels: Channels) -> None:
    display = (-1, 0, 24, 12)
    whole = checker(WIDTH, HEIGHT)
    canvas = Window(-4, -2, 32, 16)
    for number, own in WINDOWS.items():
        cut = whole[canvas.area_of(own)]
        planes = rgb_channels(np.repeat(cut[..., None], 3, axis=2).astype(np.float16))
        corner = (own.x_min, own.y_min)
        write_exr(tmp_path / f"p.{number}.exr", planes, data=corner, display=display)
    shot = Shot(
        plate=str(tmp_path / "p.%04d.exr"),
        segment="none",
        out=tmp_path / "out",
        channels=channels,
        keep=frozenset({"trimap", "adapted"}),
    )
    recorded = Recorded()
    here(shot, recorded)
    for number, found in frames_of(shot).items():
        own = WINDOWS[number]
        assert (found.data_window, found.display_window) == (own, Window(*display))
        np.testing.assert_array_equal(found.alpha > 0.5, whole[canvas.area_of(own)])
    assert verify(shot.out).complete
    assert any("data window" in note for note in recorded.notes)
    again = Recorded()
    here(
        with_(shot, frames=FrameRange.parse("1003-1004")), again
    )  # a part of the shot makes the same pixels
    assert again.states == {1003: "skipped", 1004: "skipped"}


def test_pixels_that_are_no_numbers_are_told(shot: Shot, tmp_path: Path) -> None:
    rgb = linear(1002)
    rgb[3, 4, 1], rgb[5, 6] = np.nan, np.inf
    write_exr(
        tmp_path / "p.1002.exr", rgb_channels(rgb), data=DATA, display=DISPLAY, pixelAspectRatio=2.0
    )
    recorded = Recorded()
    manifest = here(with_(shot, channels="fg"), recorded)
    assert "NaN or infinite in the plate, made safe: 2 pixels, frames 1002" in recorded.notes
    assert manifest.frames[1002].statistics["non_finite"] == 2
    found = frames_of(shot)[1002]
    assert found.foreground is not None
    assert np.isfinite(found.foreground).all()
