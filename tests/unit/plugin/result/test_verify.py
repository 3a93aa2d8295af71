"""`verify` finds what is missing, damaged, stale or foreign, by frame number."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from plugin.disk.atomic import write_whole
from plugin.errors import OutputError, RequestError
from plugin.exr.alpha_file import write_alpha
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.result.grey_png import write_grey
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest, PlateRecord, load, save
from plugin.result.telling import as_json, describe
from plugin.result.verify import Fault, VerifyReport, verify
from plugin.types import Frame, FrameResult, FrameState, PlateInfo, PlateKind, Window

FRAMES = FrameRange.span(1001, 1006)
MOVIE = b"a movie of six frames"


@pytest.fixture(name="layout")
def _layout(tmp_path: Path) -> OutputLayout:
    """A finished shot of six frames."""
    movie = tmp_path / "plate.mov"
    movie.write_bytes(MOVIE)
    info = PlateInfo(
        path=str(movie),
        kind=PlateKind.VIDEO,
        frames=FRAMES,
        data_window=Window.of_size(9, 7),
        display_window=Window.of_size(9, 7),
        pixel_aspect=1.0,
        rate=Fraction(24),
        timecode=None,
        codec="h264",
        pixel_format="yuv420p",
        bits=8,
        colour="srgb_rec709_display",
        digest=hashlib.sha256(MOVIE).hexdigest(),
    )
    shot = Shot(plate=str(movie), out=tmp_path / "out", shot="sh010")
    layout = OutputLayout.of(shot)
    layout.prepare({"alpha", "mask"})
    results = [_make(layout, info, number) for number in FRAMES]
    manifest = Manifest(
        version="0.1.0",
        shot=shot,
        plate=PlateRecord.of(info),
        model="lite",
        weights="1" * 64,
        asked=FRAMES,
    )
    save(layout.manifest, manifest.with_results(results))
    return layout


def _make(
    layout: OutputLayout, info: PlateInfo, number: int, recipe: str = "recipe"
) -> FrameResult:
    alpha = np.full((7, 9), (number % 7) / 7, np.float32)
    frame = Frame(number, np.zeros((1, 1, 3), np.float32))
    digest = write_alpha(
        layout.alpha(number), alpha, info=info, frame=frame, provenance={"recipe": recipe}
    )
    return FrameResult(number=number, state=FrameState.DONE, digest=digest, recipe="recipe")


def _change(layout: OutputLayout, **fields: object) -> None:
    save(layout.manifest, load(layout.manifest).model_copy(update=fields))


def _frames(report: VerifyReport) -> dict[str, str]:
    """Faults of frames, as ranges."""
    ranges = {fault.value: str(report.frames_with(fault)) for fault in Fault}
    return {fault: frames for fault, frames in ranges.items() if frames}


def test_a_finished_shot_is_complete(layout: OutputLayout) -> None:
    report = verify(layout.out)
    assert report.complete
    assert (report.promised, report.sound, report.findings) == (FRAMES, FRAMES, ())
    assert describe(report) == f"{layout.out}: 6 of 6 frames are there and whole"


def test_a_folder_that_was_moved_is_still_complete(layout: OutputLayout, tmp_path: Path) -> None:
    moved = layout.out.rename(tmp_path / "elsewhere")
    (tmp_path / "plate.mov").unlink()
    assert verify(moved).complete


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (Path.unlink, "missing"),
        (lambda path: path.write_bytes(b""), "damaged"),
        (_cut, "damaged"),
        (_flip, "damaged"),
    ],
    ids=["removed", "empty", "cut", "flipped"],
)
def test_spoilt_frames_are_named(
    layout: OutputLayout, spoil: Callable[[Path], object], fault: str
) -> None:
    for number in (1002, 1003, 1006):
        spoil(layout.alpha(number))
    report = verify(layout.out)
    assert not report.complete
    assert _frames(report) == {fault: "1002-1003,1006"}
    assert str(report.sound) == "1001,1004-1005"
    assert "1002-1003,1006" in describe(report)


def test_a_frame_in_the_place_of_another_is_damaged(layout: OutputLayout) -> None:
    write_whole(layout.alpha(1002), layout.alpha(1003).read_bytes())
    assert _frames(verify(layout.out)) == {"damaged": "1002"}


def test_a_frame_of_another_recipe_is_stale(layout: OutputLayout) -> None:
    manifest = load(layout.manifest)
    records = dict(manifest.frames)
    records[1004] = records[1004].model_copy(update={"recipe": "another"})
    _change(layout, frames=records)
    assert _frames(verify(layout.out)) == {"stale": "1004"}


@pytest.mark.parametrize("contents", [MOVIE + b"!", MOVIE[::-1]], ids=["size", "contents"])
def test_a_changed_plate_makes_all_frames_stale(
    layout: OutputLayout, tmp_path: Path, contents: bytes
) -> None:
    (tmp_path / "plate.mov").write_bytes(contents)
    report = verify(layout.out)
    assert _frames(report) == {"stale": "1001-1006"}
    assert "the plate" in describe(report)


def test_frames_that_no_run_came_to_are_missing(layout: OutputLayout) -> None:
    _change(layout, asked="1001-1008")
    report = verify(layout.out)
    assert _frames(report) == {"missing": "1007-1008"}
    assert "no run has come to it" in describe(report)


def test_a_whole_frame_without_a_record_is_unproved(layout: OutputLayout) -> None:
    """Its run was killed between the frame and the manifest."""
    records = dict(load(layout.manifest).frames)
    del records[1005]
    _change(layout, frames=records)
    assert _frames(verify(layout.out)) == {"unproved": "1005"}
    assert not verify(layout.out).complete


def test_a_failed_frame_is_told_with_its_reason(layout: OutputLayout) -> None:
    failed = FrameResult(
        number=1005, state=FrameState.FAILED, error="the mask is missing · m.png · look"
    )
    save(layout.manifest, load(layout.manifest).with_results([failed]))
    report = verify(layout.out)
    assert not report.complete
    assert _frames(report) == {"failed": "1005"}
    assert str(report.promised.without(report.sound)) == "1005"
    assert "the mask is missing" in describe(report)


def test_foreign_files_are_named_and_do_no_harm(layout: OutputLayout) -> None:
    alphas = layout.out / "alpha"
    for number in range(30):
        (alphas / f"other_alpha.{number:04d}.exr").touch()
    (alphas / ".x.exr.00000000-1-1-0123456789ab.tmp").touch()
    report = verify(layout.out)
    assert report.complete
    assert len(report.findings) == 31
    assert {finding.fault for finding in report.findings} == {Fault.FOREIGN}
    text = describe(report)
    assert "temporary" in text
    assert "and 10 more" in text


def test_damaged_masks_are_named(layout: OutputLayout) -> None:
    for number in FRAMES:
        write_grey(layout.pattern("mask").path(number), np.full((7, 9), 128, np.uint8))
    assert verify(layout.out).complete
    _flip(layout.pattern("mask").path(1003))
    report = verify(layout.out)
    assert [(f.frame, f.path) for f in report.findings] == [(1003, "mask/sh010_mask.1003.png")]


def test_the_report_as_json(layout: OutputLayout) -> None:
    layout.alpha(1002).unlink()
    told = json.loads(as_json(verify(layout.out)))
    assert (told["complete"], told["promised"], told["sound"]) == (
        False,
        "1001-1006",
        "1001,1003-1006",
    )
    assert [entry["frame"] for entry in told["missing"]] == [1002]
    assert told["missing"][0]["path"] == "alpha/sh010_alpha.1002.exr"


def test_without_a_manifest_nothing_is_promised(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no manifest"):
        verify(tmp_path)


def test_a_damaged_manifest_is_an_error(layout: OutputLayout) -> None:
    layout.manifest.write_bytes(b"{")
    with pytest.raises(OutputError, match="damaged"):
        verify(layout.out)


def test_a_frame_written_by_another_recipe_beside_its_record(layout: OutputLayout) -> None:
    info = _info_of(load(layout.manifest))
    _make(layout, info, 1001, recipe="later")
    assert _frames(verify(layout.out)) == {"stale": "1001"}


def _info_of(manifest: Manifest) -> PlateInfo:
    plate = manifest.plate
    return PlateInfo(
        path=plate.path,
        kind=plate.kind,
        frames=FRAMES,
        data_window=plate.data_window,
        display_window=plate.display_window,
        pixel_aspect=plate.pixel_aspect,
        rate=None,
        timecode=None,
        codec=plate.codec,
        pixel_format=plate.pixel_format,
        bits=plate.bits,
        colour=plate.colour,
    )
