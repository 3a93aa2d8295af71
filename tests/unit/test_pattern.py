"""File patterns, and the files on disk that they name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin.errors import FrameRangeError
from plugin.pattern import FramePattern, name_of


@pytest.mark.parametrize(
    ("text", "number", "name"),
    [
        ("plate.%04d.exr", 1001, "plate.1001.exr"),
        ("plate.####.exr", 7, "plate.0007.exr"),
        ("plate.#.exr", 12, "plate.12.exr"),
        ("plate.%d.exr", 12, "plate.12.exr"),
        ("plate.%04d.exr", 12345, "plate.12345.exr"),
        ("plate_%06d", 3, "plate_000003"),
        ("%04d.png", 1, "0001.png"),
    ],
)
def test_path_of_a_frame(text: str, number: int, name: str) -> None:
    assert FramePattern.is_pattern(text)
    assert FramePattern.parse(text).path(number) == Path(name)


@pytest.mark.parametrize("text", ["plate.exr", "a.%04d.%04d.exr", "shot####/plate.exr", "##.#.exr"])
def test_parse_refuses(text: str) -> None:
    with pytest.raises(FrameRangeError, match="frame number"):
        FramePattern.parse(text)


def test_scan_takes_only_what_path_would_find_again(tmp_path: Path) -> None:
    for name in (
        "plate.1001.exr",
        "plate.1003.exr",
        "plate.12345.exr",
        "plate.01002.exr",
        "plate.12.exr",
        "plate.1001.exr.tmp",
        "plateX1004.exr",
        "plate.99999999.exr",
    ):
        (tmp_path / name).touch()
    (tmp_path / "plate.1005.exr").mkdir()
    assert list(FramePattern.parse(tmp_path / "plate.%04d.exr").scan()) == [1001, 1003, 12345]


def test_scan_of_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert not FramePattern.parse(tmp_path / "none" / "plate.%04d.exr").scan()


@given(st.integers(0, 9_999_999), st.integers(1, 8))
def test_padding_never_cuts(number: int, padding: int) -> None:
    name = FramePattern(Path(), "a.", padding, ".exr").path(number).name
    assert int(name.removeprefix("a.").removesuffix(".exr")) == number


@given(st.from_regex(r"[a-z_.]{1,8}", fullmatch=True), st.integers(1, 9))
def test_text_reads_back(prefix: str, padding: int) -> None:
    pattern = FramePattern(Path("shots"), prefix, padding, ".exr")
    assert FramePattern.parse(str(pattern)) == pattern


@pytest.mark.parametrize(
    ("plate", "name"),
    [
        ("a/bmx.1001.jpg", "bmx"),
        ("a/sh010_v2.0042.exr", "sh010_v2"),
        ("a/IMG_2034.tif", "IMG"),
        ("a/sh020/1001.png", "sh020"),
        ("a/hero2.png", "hero2"),
        ("a/sh010_v02.png", "sh010_v02"),
        ("a/take.0007.mov", "take.0007"),
        ("a/plate.%04d.exr", "plate."),
        ("a/sh030/####.exr", "sh030"),
    ],
)
def test_one_picture_is_named_as_its_sequence_is(plate: str, name: str) -> None:
    assert name_of(plate) == name
