"""Synthetic shots on disk: what is decoded again is what was rendered."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from plugin.errors import OutputError, ShotError
from plugin.synthetic import ShotKind, SyntheticShot, render, write_shot, write_truth, write_video
from plugin.types import FloatArray

pytestmark = pytest.mark.slow

SHOT = SyntheticShot(ShotKind.STATIC, 0, 160, 90, 2, grain=0.0)


@cache
def true_plate(index: int) -> FloatArray:
    return render(SHOT, index).plate_rgb


def decoded(path: Path) -> list[FloatArray]:
    pictures = []
    with av.open(path) as container:
        for frame in container.decode(video=0):
            rgb = frame.reformat(
                format="rgb48le",
                src_colorspace="ITU709",
                dst_colorspace="ITU709",
                src_color_range="MPEG",
                dst_color_range="JPEG",
            ).to_ndarray()
            pictures.append((rgb / 65535).astype(np.float32))
    return pictures


@pytest.mark.parametrize(
    ("suffix", "pixel_format", "off", "bias"),
    [
        # Half the chroma is lost, and FFmpeg gives the rest back coarsely.
        (".mp4", "yuv420p", 0.05, 0.036),
        (".mkv", "yuv444p", 0.015, 0.012),
        (".mov", "yuv444p10le", 0.015, 0.012),
    ],
)
def test_a_video_comes_back_as_rendered(
    tmp_path: Path, suffix: str, pixel_format: str, off: float, bias: float
) -> None:
    path = write_video(SHOT, tmp_path / f"plate{suffix}", pixel_format=pixel_format)
    pictures = decoded(path)
    assert len(pictures) == SHOT.frames
    for index, picture in enumerate(pictures):
        error = picture - true_plate(index)
        assert np.abs(error).mean() < off
        # BT.601 for BT.709, or full for limited range, would be off by 0.039 or more.
        assert np.abs(cv2.blur(error, (16, 16))).max() < bias, "colour is off"
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_video_says_how_its_colour_is_coded(tmp_path: Path) -> None:
    with av.open(write_video(SHOT, tmp_path / "plate.mp4", rate=25)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1)
        assert context.color_range == 1
        assert stream.average_rate == 25
        assert (context.width, context.height) == (SHOT.width, SHOT.height)


def test_the_truth_is_numbered_as_asked(tmp_path: Path) -> None:
    files = write_truth(SHOT, tmp_path, first=98)
    assert str(files.alpha) == str(tmp_path / "alpha" / "static_alpha.%04d.png")
    assert str(files.mask) == str(tmp_path / "mask" / "mask.%04d.png")
    numbers = range(98, 98 + SHOT.frames)
    names = {f"static_alpha.{number:04d}.png" for number in numbers}
    assert {each.name for each in (tmp_path / "alpha").iterdir()} == names
    for number in numbers:
        frame = render(SHOT, number - 98)
        alpha = cv2.imread(str(files.alpha.path(number)), cv2.IMREAD_UNCHANGED)
        mask = cv2.imread(str(files.mask.path(number)), cv2.IMREAD_UNCHANGED)
        assert alpha is not None
        assert mask is not None
        assert alpha.dtype == np.uint16
        assert np.abs(alpha / 65535 - frame.alpha).max() <= 0.5001 / 65535
        assert np.array_equal(mask, frame.mask)


def test_a_shot_is_written_in_one_go(tmp_path: Path) -> None:
    files = write_shot(SHOT, tmp_path / "new" / "folder")
    assert files.video == tmp_path / "new" / "folder" / "static.mp4"
    assert len(decoded(files.video)) == SHOT.frames
    assert list(files.truth.alpha.scan()) == list(range(1001, 1001 + SHOT.frames))


@pytest.mark.parametrize(
    ("codec", "pixel_format"), [("no_such_codec", "yuv420p"), ("libx264", "gbrpf32le")]
)
def test_an_encoder_that_is_not_there_is_refused(
    tmp_path: Path, codec: str, pixel_format: str
) -> None:
    with pytest.raises(ShotError):
        write_video(SHOT, tmp_path / "plate.mp4", codec=codec, pixel_format=pixel_format)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError):
        write_truth(SHOT, tmp_path / "file")
    with pytest.raises(OutputError):
        write_video(SHOT, tmp_path / "file" / "plate.mp4")


def test_an_unknown_container_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ShotError):
        write_video(SHOT, tmp_path / "plate.nosuch")
    assert not list(tmp_path.iterdir())
