"""The manifest: readable, merged under a lock, and never believed blindly."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from plugin.disk.folder_lock import LOCK_NAME
from plugin.errors import OutputError, RequestError
from plugin.framerange import FrameRange
from plugin.request.shot import Shot
from plugin.result.manifest import (
    Manifest,
    ManifestFile,
    PlateRecord,
    load,
    merge,
    save,
    update,
    write_progress,
)
from plugin.types import FrameResult, FrameState, PlateKind, Window
from tests.plates import exr_plate

INFO = exr_plate(
    Window(-8, -8, 1927, 1087),
    Window.of_size(1920, 1080),
    "1001-1100",
    rate=Fraction(24000, 1001),
    timecode="01:00:00:00",
)


def _digest(number: int) -> str:
    return f"{number:064x}"


def _result(number: int, state: FrameState = FrameState.DONE) -> FrameResult:
    return FrameResult(
        number=number,
        state=state,
        digest=_digest(number),
        recipe="r",
        seconds=1.5,
        stages={"network": 1.25},
        statistics={"unknown": 0.125},
    )


def _manifest(*results: FrameResult, asked: str = "", **more: object) -> Manifest:
    made = Manifest(
        version="0.1.0",
        shot=Shot(plate=INFO.path, out=Path("out"), shot="sh010"),
        plate=PlateRecord.of(INFO),
        model="lite",
        weights="1" * 64,
        started="2026-11-05T10:00:00+00:00",
        asked=FrameRange.parse(asked) if asked else FrameRange(()),
    )
    return made.model_copy(update=more).with_results(results)


results = st.builds(
    FrameResult,
    number=st.integers(-9_999_999, 9_999_999),
    state=st.sampled_from(FrameState),
    digest=st.sampled_from(["", "a" * 64, "0" * 64]),
    recipe=st.text(max_size=5),
    seconds=st.floats(0, 1e6),
    stages=st.dictionaries(st.text(max_size=5), st.floats()),
    statistics=st.dictionaries(st.text(max_size=5), st.floats()),
    error=st.text(max_size=20),
)


@given(found=st.lists(results, max_size=5))
def test_what_is_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, found: list[FrameResult]
) -> None:
    path = tmp_path_factory.mktemp("manifest") / "manifest.json"
    manifest = _manifest(*found, asked="1001-1010x3")
    save(path, manifest)
    assert load(path) == manifest


def test_a_frame_is_a_line_and_the_schema_is_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    save(path, _manifest(_result(1002), _result(1001)))
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[1] == '"schema": "adamatte-manifest/1",'
    assert [line[:6] for line in lines if line.startswith('"1')] == ['"1001"', '"1002"']
    assert json.loads(path.read_bytes())["frames"]["1001"]["digest"] == _digest(1001)


def test_a_video_is_recorded_with_its_size(tmp_path: Path) -> None:
    movie = tmp_path / "plate.mov"
    movie.write_bytes(b"x" * 77)
    info = INFO.model_copy(update={"path": str(movie), "kind": PlateKind.VIDEO, "digest": "2" * 64})
    assert (PlateRecord.of(info).bytes, PlateRecord.of(info).digest) == (77, "2" * 64)
    assert PlateRecord.of(INFO).bytes is None


def test_names_that_are_not_unicode_survive(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    shot = Shot(plate="plate_\udc80.mov", out=Path("ö"), shot="sh010")
    failed = FrameResult(number=7, state=FrameState.FAILED, error="missing · \udc80.mov · look")
    manifest = _manifest(failed, shot=shot)
    save(path, manifest)
    assert load(path) == manifest


def test_no_manifest_is_a_wrong_request(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="no manifest here"):
        load(tmp_path / "manifest.json")
    (tmp_path / "file").touch()
    with pytest.raises(RequestError, match="no manifest here"):
        load(tmp_path / "file" / "manifest.json")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('"model"', '"modell"', "Extra inputs|Field required"),
        ("manifest/1", "manifest/2", "schema: Input should be"),
        ('"digest":"', '"digest":"X', r"frames\.1001\.digest"),
        ('"state":"done"', '"state":"perfect"', r"frames\.1001\.state"),
        ('"1002"', '"1001"', "'1001' stands twice"),
        ('"1002"', '"01001"', "a frame stands twice"),
        ('"1002"', '"99999999"', "frame numbers end"),
        ('"1002"', '"x"', r"frames\.x"),
        ('"seconds":1.5', '"seconds":NaN', "NaN is not JSON"),
        ('"seconds":1.5', '"seconds":1e999', "finite"),
        ('"asked": ""', '"asked": "9-1"', "runs backwards"),
        ('"frames": {', '"frames": [', "line"),
        ('"model": "lite"', '"model": ' + "[" * 100_000, "nested too deep"),
        ('"model": "lite"', '"model": ' + "9" * 5_000, "digits"),
    ],
)
def test_damage_is_named(tmp_path: Path, old: str, new: str, what: str) -> None:
    path = tmp_path / "manifest.json"
    save(path, _manifest(_result(1001), _result(1002)))
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(OutputError, match=what) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_no_cut_manifest_passes(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    save(path, _manifest(_result(1001)))
    whole = path.read_bytes().rstrip()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(OutputError):
            load(path)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"[]", b"null", b'"' + b"x" * 99])
def test_what_is_no_manifest_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "manifest.json"
    path.write_bytes(data)
    with pytest.raises(OutputError, match="damaged"):
        load(path)


def test_a_part_of_the_frames_keeps_the_others() -> None:
    first = _manifest(_result(1001), _result(1002), asked="1001-1002", model="resnet50")
    second = _manifest(
        _result(1002).model_copy(update={"recipe": "new"}), _result(1003), asked="1002-1003"
    )
    both = merge(first, second)
    assert str(both.asked) == "1001-1003"
    assert {n: record.recipe for n, record in both.frames.items()} == {
        1001: "r",
        1002: "new",
        1003: "r",
    }
    assert both.model == "lite"


def test_a_skipped_frame_keeps_what_is_known_of_it() -> None:
    skipped = FrameResult(number=1001, state=FrameState.SKIPPED, digest=_digest(1001), recipe="r")
    first = _manifest(_result(1001))
    kept = merge(first, _manifest(skipped)).frames[1001]
    assert kept == first.frames[1001]
    other = skipped.model_copy(update={"digest": _digest(5)})
    assert merge(first, _manifest(other)).frames[1001].state is FrameState.SKIPPED


def test_pictures_alone_add_only_what_failed_to_a_manifest_of_mattes() -> None:
    mattes = _manifest(_result(1001), _result(1002), asked="1001-1002")
    done = [
        FrameResult(number=n, state=FrameState.DONE, recipe="trimap") for n in (1001, 1002, 1003)
    ]
    pictures = _manifest(*done, asked="1001-1003", model="resnet50")
    assert merge(mattes, pictures, pictures=True) == mattes
    failed = FrameResult(number=1002, state=FrameState.FAILED, error="why")
    both = merge(mattes, _manifest(done[0], failed, asked="1001-1003"), pictures=True)
    assert both.frames[1001] == mattes.frames[1001]
    assert str(both.not_done) == "1002"
    assert both.frames[1002].request in both.requests
    assert str(both.asked) == "1001-1002"
    nothing_yet = _manifest(asked="1001")
    assert merge(nothing_yet, pictures, pictures=True) == merge(nothing_yet, pictures)


def test_a_failed_frame_is_said_and_then_forgotten() -> None:
    failed = FrameResult(number=1001, state=FrameState.FAILED, error="why")
    manifest = _manifest(_result(1001), asked="1001-1002").with_results([failed])
    assert str(manifest.in_state(FrameState.FAILED)) == "1001"
    assert str(manifest.promised) == "1001-1002"
    skipped = FrameResult(number=1001, state=FrameState.SKIPPED, digest=_digest(1001))
    assert str(manifest.with_results([skipped]).in_state(FrameState.FAILED)) == ""


def test_figures_that_are_not_finite_are_left_out() -> None:
    strange = _result(1).model_copy(update={"statistics": {"a": float("nan"), "b": 0.5}})
    assert strange.record().statistics == {"b": 0.5}


def test_updates_see_what_others_wrote(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    one, two = ManifestFile(path), ManifestFile(path)
    one.update(_manifest(_result(1)))
    two.update(_manifest(_result(2)))
    one.update(_manifest(_result(3)))
    path.unlink()
    assert sorted(one.update(_manifest(_result(4))).frames) == [4]
    assert sorted(update(path, _manifest(_result(5))).frames) == [4, 5]
    assert load(path) == two.update(_manifest())


_WRITER = """
import json, sys
from pathlib import Path
from plugin.framerange import FrameRange
from plugin.result.manifest import FrameRecord, ManifestFile, load

path, start = Path(sys.argv[1]), int(sys.argv[2])
file = ManifestFile(path)
empty = load(path).model_copy(update={"frames": {}, "asked": FrameRange(())})
for number in range(start, start + 25):
    file.update(empty.model_copy(update={"frames": {number: FrameRecord(state="done")}}))
"""


def test_processes_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    save(path, _manifest())
    starts = (0, 1000, 2000, 3000)
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(path), str(start)]) for start in starts
    ]
    assert [writer.wait() for writer in writers] == [0] * len(writers)
    expected = {number for start in starts for number in range(start, start + 25)}
    assert set(load(path).frames) == expected
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [LOCK_NAME, "manifest.json"]


def test_progress_is_one_json_object(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    write_progress(path, {"done": 1, "total": 9, "fps": float("inf"), "eta_s": float("nan")})
    write_progress(path, {"done": 2, "total": 9, "fps": float("inf"), "name": "\udc80"})
    told = {"done": 2, "total": 9, "fps": None, "name": "\udc80"}
    found = json.loads(path.read_bytes())
    assert {name: found[name] for name in told} == told
    assert [entry.name for entry in tmp_path.iterdir()] == ["progress.json"]


@pytest.mark.parametrize("corners", ["[0, 0, 7]", "[0, 0, 7, 7, 7]", "[0, 0, 7.5, 7]", '"0 0 7 7"'])
def test_a_window_is_four_whole_numbers(corners: str) -> None:
    text = PlateRecord.of(INFO).model_dump_json()
    assert PlateRecord.model_validate_json(text).data_window == INFO.data_window
    assert '"data_window":[-8,-8,1927,1087]' in text
    with pytest.raises(ValidationError):
        PlateRecord.model_validate_json(text.replace("[-8,-8,1927,1087]", corners))
