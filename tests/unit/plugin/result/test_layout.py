"""The output folder's names are the contract's, and it is tried before the work."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest

from plugin.errors import OutputError
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout, estimate_bytes, free_bytes
from plugin.types import PlateInfo, PlateKind, Window


def _plate(width: int, height: int) -> PlateInfo:
    return PlateInfo(
        path="plate.mov",
        kind=PlateKind.VIDEO,
        frames=FrameRange.span(1, 10),
        data_window=Window.of_size(width, height),
        display_window=Window.of_size(width, height),
        pixel_aspect=1.0,
        rate=Fraction(24),
        timecode=None,
        codec="h264",
        pixel_format="yuv420p",
        bits=8,
        colour="srgb_rec709_display",
    )


def test_the_names_are_the_contracts(tmp_path: Path) -> None:
    layout = OutputLayout.of(Shot(plate="x.mov", out=tmp_path, shot="sh010"))
    names = {
        layout.alpha(1001): "alpha/sh010_alpha.1001.exr",
        layout.alpha(7): "alpha/sh010_alpha.0007.exr",
        layout.alpha(123456): "alpha/sh010_alpha.123456.exr",
        layout.pattern("mask").path(1001): "mask/sh010_mask.1001.png",
        layout.pattern("trimap").path(1001): "trimap/sh010_trimap.1001.png",
        layout.pattern("adapted").path(1001): "adapted/sh010_adapted.1001.png",
        layout.manifest: "manifest.json",
        layout.progress: "progress.json",
        layout.report: "report",
    }
    assert {path: str(path.relative_to(tmp_path)) for path in names} == names


def test_folders_are_created_and_orphans_swept(tmp_path: Path) -> None:
    layout = OutputLayout(tmp_path / "a" / "b", "sh010")
    assert layout.prepare({"alpha", "mask"}) == 0
    assert sorted(entry.name for entry in layout.out.iterdir()) == ["alpha", "mask"]
    probe = layout.out / "alpha" / ".x.exr.00000000-1-1-0123456789ab.tmp"
    probe.touch()
    assert layout.prepare({"alpha", "mask"}) == 0  # of another host
    layout.probe_writable(1 << 20, {"alpha", "mask"})
    assert [entry.name for entry in (layout.out / "mask").iterdir()] == []


@pytest.mark.parametrize("place", ["", "alpha"])
def test_a_file_in_the_way_is_refused(tmp_path: Path, place: str) -> None:
    layout = OutputLayout(tmp_path / "out", "sh010")
    blocker = layout.out / place if place else layout.out
    blocker.parent.mkdir(exist_ok=True)
    blocker.touch()
    with pytest.raises(OutputError, match="a file stands where a folder should be"):
        layout.prepare()


def test_a_folder_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="a file stands"):
        OutputLayout(tmp_path / "file" / "out", "sh010").prepare()


def test_a_folder_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    layout = OutputLayout(tmp_path / "out", "sh010")
    layout.out.mkdir()
    (layout.out / "alpha").symlink_to(tmp_path)
    with pytest.raises(OutputError, match="leads out of the output folder"):
        layout.prepare()


def test_the_output_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    layout = OutputLayout(tmp_path / "out", "sh010")
    layout.prepare()
    layout.probe_writable()
    assert (tmp_path / "real" / "alpha").is_dir()


def test_too_little_room_is_said_before_the_work(tmp_path: Path) -> None:
    layout = OutputLayout(tmp_path, "sh010")
    layout.prepare()
    room = shutil.disk_usage(tmp_path).free
    with pytest.raises(OutputError, match=r"GB free, the shot needs about .* GB"):
        layout.probe_writable(2 * room + (2 << 30))
    assert free_bytes(tmp_path) is not None


def test_a_folder_that_is_gone_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="gone"):
        free_bytes(tmp_path / "missing")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 10 * 100 * 50 * 8 * 0.1),
        ({"compression": "none"}, 10 * 100 * 50 * 8),
        ({"channels": "a", "compression": "none"}, 10 * 100 * 50 * 2),
        ({"bits": "float", "compression": "none"}, 10 * 100 * 50 * 16),
        ({"channels": "a", "compression": "none", "pictures": 3}, 10 * 100 * 50 * 2.3),
    ],
)
def test_the_estimate_follows_the_settings(settings: dict[str, object], expected: float) -> None:
    found = estimate_bytes(_plate(100, 50), 10, **settings)  # type: ignore[arg-type]
    assert found == pytest.approx(expected, abs=1)
