"""Frame ranges: what is read, what is refused, and that writing and reading agree."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from plugin.errors import FrameRangeError
from plugin.framerange import MAX_NUMBER, FrameRange

NUMBERS = st.sets(st.integers(-2000, 2000), max_size=60)
RANGES = NUMBERS.map(FrameRange.of)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1001", [1001]),
        ("1001-1004", [1001, 1002, 1003, 1004]),
        ("1001-1006x2", [1001, 1003, 1005]),
        ("1,5-7", [1, 5, 6, 7]),
        ("7,1-3, 2", [1, 2, 3, 7]),
        ("-3--1", [-3, -2, -1]),
        ("-2-1", [-2, -1, 0, 1]),
        ("0010", [10]),
        ("5-5x3", [5]),
    ],
)
def test_parse_reads(text: str, numbers: list[int]) -> None:
    assert list(FrameRange.parse(text)) == numbers


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "1-",
        "-",
        "1..5",
        "5-1",
        "1-5x0",
        "1-5x-1",
        "1-5:2",
        "1,,2",
        "12345678",
        "1-9999999",
        "１",
    ],
)
def test_parse_refuses_with_the_text(text: str) -> None:
    with pytest.raises(FrameRangeError) as caught:
        FrameRange.parse(text)
    assert repr(text) in str(caught.value)
    assert caught.value.exit_code == 2


def test_text_is_the_short_form() -> None:
    assert str(FrameRange.of([1001, 1002, 1003, 1005, 1007, 1009, 2000])) == (
        "1001-1003,1005-1009x2,2000"
    )
    assert str(FrameRange.of([1, 3])) == "1,3"


def test_numbers_out_of_order_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="ascend"):
        FrameRange((2, 1))


@given(NUMBERS.filter(bool))
def test_text_reads_back(numbers: set[int]) -> None:
    frames = FrameRange.of(numbers)
    assert FrameRange.parse(str(frames)) == frames


@given(RANGES, RANGES)
def test_set_operations(one: FrameRange, other: FrameRange) -> None:
    assert set(one.intersection(other)) == set(one) & set(other)
    assert set(one.without(other)) == set(one) - set(other)


@given(RANGES, st.integers(-2001, 2001))
def test_contains(frames: FrameRange, number: int) -> None:
    assert (number in frames) == (number in set(frames))


@given(RANGES, st.integers(1, 20))
def test_chunks_are_the_range_in_order(frames: FrameRange, size: int) -> None:
    chunks = list(frames.chunks(size))
    assert [number for chunk in chunks for number in chunk] == list(frames)
    assert all(0 < len(chunk) <= size for chunk in chunks)
    assert all(len(chunk) == size for chunk in chunks[:-1])


def test_bounds_are_the_farms() -> None:
    assert FrameRange.parse(str(MAX_NUMBER)).last == MAX_NUMBER
    assert FrameRange.parse("3,9").first == 3


@pytest.mark.parametrize(
    "text",
    [
        "-9999999-9999999",
        "1-9999999",
        "1-600000,600001-1200000",
        ",".join(["1-1000000"] * 500),
    ],
)
def test_what_is_too_long_is_refused_by_its_length(text: str) -> None:
    """Before a number of it is made: all of them took a gigabyte and seconds."""
    tracemalloc.start()
    try:
        with pytest.raises(FrameRangeError, match="more than 1000000 frames"):
            FrameRange.parse(text)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1 << 20


def test_a_field_of_a_model_is_parsed_at_the_border() -> None:
    class Model(BaseModel):
        frames: FrameRange | None = None

    made = Model.model_validate_json('{"frames": "5,1-3"}', strict=True)
    assert made.frames == FrameRange((1, 2, 3, 5))
    assert made.model_dump(mode="json") == {"frames": "1-3,5"}
    assert Model(frames=made.frames) == made == Model.model_validate(made.model_dump())
    with pytest.raises(FrameRangeError):
        Model.model_validate_json('{"frames": "5-1"}')
    with pytest.raises(ValidationError, match="a frame range is a text"):
        Model.model_validate_json('{"frames": 5}')
