"""From options and a job file to a `Shot`: who wins, where paths point, what is refused and how."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.errors import FrameRangeError, RequestError, ShotError
from plugin.framerange import FrameRange
from plugin.request.job_file import MAX_BYTES, PATH_FIELDS, option_name, range_of, shot_from
from plugin.request.shot import Shot

LEAST: dict[str, object] = {"plate": "sh010.mov", "out": "out"}


def job(folder: Path, text: str) -> Path:
    """A job file, which needs no plate: the command line has one."""
    file = folder / "shot.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_defaults_are_the_shots() -> None:
    assert shot_from(LEAST) == Shot(plate="sh010.mov", out=Path("out"))


def test_command_line_over_job_file_over_defaults(tmp_path: Path) -> None:
    file = job(tmp_path, 'erode = 5\ndilate = 30\nkeep = ["mask"]\nforce = true')
    shot = shot_from(LEAST | {"erode": "6", "dilate": None, "force": False}, file)
    assert (shot.erode, shot.dilate, shot.retries) == (6, 30, 2)
    assert shot.keep == frozenset({"mask"})
    assert not shot.force


def test_paths_of_a_job_file_start_at_the_file(tmp_path: Path) -> None:
    file = job(
        tmp_path,
        'plate = "plates/a.%04d.exr"\nout = "/abs/out"\nmask = "../roto.mov"\n'
        'model = "mine.safetensors"\nshot = "sh"',
    )
    shot = shot_from({}, file)
    assert shot.plate == str(tmp_path / "plates/a.%04d.exr")
    assert shot.out == Path("/abs/out")
    assert shot.mask == str(tmp_path / "../roto.mov")
    assert shot.model == str(tmp_path / "mine.safetensors")
    assert shot.shot == "sh"


def test_a_bundled_model_is_a_name_and_the_command_lines_paths_are_its_own(tmp_path: Path) -> None:
    shot = shot_from(LEAST, job(tmp_path, 'model = "lite"\nplate = "other.mov"'))
    assert (shot.model, shot.plate) == ("lite", "sh010.mov")


def test_every_field_that_holds_a_path_is_known() -> None:
    fields = set(Shot.model_fields)
    assert fields >= PATH_FIELDS
    words = ("pattern", "file", "folder", "clip")
    documented = {
        line.split(":")[0].strip()
        for line in (Shot.__doc__ or "").splitlines()
        if line.startswith("        ") and any(word in line for word in words)
    } & fields
    names_too = {"model", "segment_model", "shot", "keyframe", "in_colour"}
    assert documented - names_too <= PATH_FIELDS


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        ({"workers": "auto"}, "workers", 0),
        ({"chunk": "auto"}, "chunk", 0),
        ({"keep": ("mask,trimap", "adapted")}, "keep", {"mask", "trimap", "adapted"}),
        ({"keep": ("",)}, "keep", set()),
        ({"frames": "1001, 1002,1003"}, "frames", FrameRange.span(1001, 1003)),
        ({"screen": "#00FF00"}, "screen", "#00ff00"),
    ],
)
def test_what_people_write(options: dict[str, object], field: str, value: object) -> None:
    assert getattr(shot_from(LEAST | options), field) == value


@pytest.mark.parametrize(
    "text",
    ["start-frame = 7", "start_frame = 7", 'workers = "auto"', "workers = 0", 'keep = "mask"'],
)
def test_what_people_write_in_a_job_file(text: str, tmp_path: Path) -> None:
    shot_from(LEAST, job(tmp_path, text))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"erode": "wide"}, "'wide' is not a number · --erode · give a number like 8 or 2.5"),
        ({"erode": "501"}, "'501' is out of range · --erode · give a number, 0 to 500"),
        ({"erode": "nan"}, "'nan' is out of range · --erode · give a number, 0 to 500"),
        ({"erode": "-inf"}, "'-inf' is out of range · --erode · give a number, 0 to 500"),
        (
            {"gpus_per_worker": "0"},
            "'0' is out of range · --gpus-per-worker · give a number, above 0, to 16",
        ),
        (
            {"start_frame": "1.5"},
            "'1.5' is not a whole number · --start-frame · give a number like 8",
        ),
        (
            {"device": "cud"},
            "'cud' is not one of its values · --device · did you mean cuda? "
            "It takes auto, cpu, cuda",
        ),
        (
            {"keep": ("alpha",)},
            "'alpha' is not one of its values · --keep · it takes mask, trimap, adapted, raw",
        ),
        (
            {"screen": "green"},
            "'green' is not accepted · --screen · "
            "give the screen's colour as displayed, #00b140 or so, or auto",
        ),
        (
            {"frames": "9-1"},
            "the range runs backwards · --frames '9-1' · "
            "write it like 1001-1100, 1001-1100x2 or 1,5",
        ),
        ({"out": None}, "no output folder is given · --out · add --out DIR"),
        (
            {"plate": None},
            "no plate is given · PLATE · name a video, a sequence like plate.%04d.exr, or an image",
        ),
    ],
)
def test_options_are_refused_in_one_line(options: dict[str, object], message: str) -> None:
    with pytest.raises((ShotError, FrameRangeError)) as caught:
        shot_from(LEAST | options)
    assert str(caught.value) == message


def test_the_first_of_several_is_named_and_the_rest_counted() -> None:
    with pytest.raises(ShotError, match=r"'x' is not a number \(and 1 more\) · --erode"):
        shot_from(LEAST | {"erode": "x", "dilate": "y"})


@pytest.mark.parametrize(
    ("text", "what", "where", "fix"),
    [
        ("erod = 4", "unknown key 'erod'", ":1 erod", "did you mean erode?"),
        ("\n\nzzz = 4", "unknown key 'zzz'", ":3 zzz", "see adamatte run --help"),
        ("[zzz]\na = 4", "unknown key 'zzz'", ":1 zzz", "see adamatte run --help"),
        ("a = 1\n[[", "not TOML: Invalid", "", "erode = 6"),
        ("erode = 1\nerode = 2", "not TOML: Cannot overwrite", "", "erode = 6"),
        ("a = " + "[" * 5000, "not TOML: nested too deeply", "", "erode = 6"),
        ("a = " + "1" * 5000, "not TOML: ", "", "erode = 6"),
        ("start-frame = 1\nstart_frame = 2", "given twice", ":1 start_frame", "keep one"),
        ('\nerode = "6"', "'6' is not a number", ":2 erode", "8"),
        ("erode = true", "True is not a number", ":1 erode", "8"),
        ("erode = nan", "nan is out of range", ":1 erode", "0 to 500"),
        ("erode = 1e999", "inf is out of range", ":1 erode", "0 to 500"),
        ("start-frame = 1.5", "1.5 is not a whole number", ":1 start_frame", "8"),
        ('force = "yes"', "'yes' is neither true nor false", ":1 force", "true"),
        ("shot = 10", "10 is not a text", ":1 shot", "quotes"),
        ("shot = 2026-01-01", "is not a text", ":1 shot", "quotes"),
        ("out = 10", "10 is not a text", ":1 out", "quotes"),
        ("[mask]\npath = 'x'", "is not a text", ":1 mask", "quotes"),
        ("keep = [1]", "1 is not one of its values", ":1 keep", "mask, trimap, adapted"),
        ("keep = 3", "3 is not a list", ":1 keep", "list"),
        ('device = "gpu"', "'gpu' is not one of its values", ":1 device", "auto, cpu, cuda"),
        ('frames = "1-2-3"', "not a frame range", ":1 frames '1-2-3'", "1001-1100"),
    ],
)
def test_job_files_are_refused_by_line(
    text: str, what: str, where: str, fix: str, tmp_path: Path
) -> None:
    file = job(tmp_path, text)
    with pytest.raises((ShotError, FrameRangeError)) as caught:
        shot_from(LEAST, file)
    error = caught.value
    assert error.exit_code == 2
    assert what in error.what
    assert error.where.startswith(str(file))
    assert error.where.endswith(where)
    assert fix in error.fix
    assert "\n" not in str(error)


def test_what_the_command_line_overrules_is_checked_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(ShotError, match="erode"):
        shot_from(LEAST | {"erode": "3"}, job(tmp_path, 'erode = "wide"'))


@pytest.mark.parametrize(
    ("contents", "what"),
    [(None, "no such job file"), (b"\xff\xfe", "not UTF-8"), (b"#" * (MAX_BYTES + 1), "too large")],
)
def test_files_that_are_no_job_files(contents: bytes | None, what: str, tmp_path: Path) -> None:
    file = tmp_path / "shot.toml"
    if contents is not None:
        file.write_bytes(contents)
    with pytest.raises(ShotError, match=what):
        shot_from(LEAST, file)


@pytest.mark.parametrize("place", [".", "/dev/zero", "x\0y", "n" * 5000])
def test_places_that_are_no_files(place: str) -> None:
    with pytest.raises(ShotError) as caught:
        shot_from(LEAST, Path(place))
    assert str(caught.value).count(" · ") == 2


VALUES = st.none() | st.text() | st.integers() | st.floats() | st.booleans() | st.lists(st.text())


@given(st.dictionaries(st.sampled_from(sorted(Shot.model_fields)), VALUES))
def test_any_options_make_a_shot_or_one_of_our_errors(options: dict[str, Any]) -> None:
    with suppress(RequestError):
        assert shot_from(options).plate == options["plate"]


@given(st.text(max_size=200))
def test_any_text_is_a_job_file_or_one_of_our_errors(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    file = tmp_path_factory.mktemp("job") / "shot.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    with suppress(RequestError):
        shot_from(LEAST, file)


@pytest.mark.parametrize(
    ("field", "option"),
    [("plate", "PLATE"), ("out", "--out"), ("gpus_per_worker", "--gpus-per-worker")],
)
def test_options_are_named_as_they_are_typed(field: str, option: str) -> None:
    assert option_name(field) == option


@pytest.mark.parametrize(
    ("field", "text"),
    [("erode", "0 to 500"), ("gpus_per_worker", "above 0, to 16"), ("start_frame", "")],
)
def test_range_of(field: str, text: str) -> None:
    assert range_of(field) == text


def test_frames_of_a_copy_may_be_a_text() -> None:
    shot = Shot(plate="p.mov", out=Path("o"))
    assert shot.model_copy(update={"frames": "1-3"}).frames == FrameRange.span(1, 3)
    assert shot.model_copy() == shot
    with pytest.raises(FrameRangeError):
        shot.model_copy(update={"frames": "3-1"})
