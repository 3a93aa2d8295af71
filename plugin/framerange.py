"""`FrameRange`: an immutable set of frame numbers, as farms and compositors write it.

    1001-1100         all of them, both ends included
    1001-1100x2       every second one
    1001,1005-1010    a list

Frame numbers are the plate's own; nothing in the program counts positions.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from plugin.errors import FrameRangeError

MAX_NUMBER = 9_999_999
"""Largest frame number, either sign: seven digits, as farms allow."""

MAX_FRAMES = 1_000_000
"""Most frames in one range: eleven hours at 24 frames a second."""

_BRIEF = 60
"""Characters that a person reads over."""

_PART = re.compile(r"(-?\d{1,7})(?:-(-?\d{1,7})(?:x(\d{1,7}))?)?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class FrameRange:
    """Frame numbers, ascending, each once.

    Build it with `parse`, `of` or `span`; the constructor expects numbers that already are in
    order, and checks it.
    """

    numbers: tuple[int, ...]

    def __post_init__(self) -> None:
        for before, after in zip(self.numbers, self.numbers[1:], strict=False):
            if after <= before:
                raise ValueError(f"frame numbers must ascend: {before}, {after}")

    @classmethod
    def of(cls, numbers: Iterable[int]) -> FrameRange:
        """The range that holds these numbers, in any order, repeats allowed."""
        return cls(tuple(sorted(set(numbers))))

    @classmethod
    def span(cls, first: int, last: int, step: int = 1) -> FrameRange:
        """`first` to `last`, both included where the step meets them."""
        return cls(tuple(range(first, last + 1, step)))

    @classmethod
    def parse(cls, text: str) -> FrameRange:
        """Read `1001-1100x2,1105`.

        Raises:
            FrameRangeError: for anything else, a descending range, a step of zero, or a range over
                `MAX_FRAMES`.
        """
        parts = [_numbers_of(part, text) for part in text.replace(" ", "").split(",")]
        if sum(map(len, parts)) > MAX_FRAMES:  # by their lengths: nothing is expanded yet
            raise _refuse(f"more than {MAX_FRAMES} frames", text)
        return cls.of(number for part in parts for number in part)

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: object) -> CoreSchema:
        """A field of a model: text in files, parsed at the border and refused there."""
        return core_schema.no_info_plain_validator_function(
            cls._of_field, serialization=core_schema.to_string_ser_schema()
        )

    @classmethod
    def _of_field(cls, value: object) -> FrameRange:
        if isinstance(value, FrameRange):
            return value
        if not isinstance(value, str):
            raise PydanticCustomError("string_type", "a frame range is a text")
        return cls.parse(value)

    def __str__(self) -> str:
        """The shortest of the forms that `parse` reads back."""
        return ",".join(_format_runs(self.numbers))

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    def __contains__(self, number: object) -> bool:
        position = (
            bisect_left(self.numbers, number) if isinstance(number, int) else len(self.numbers)
        )
        return position < len(self.numbers) and self.numbers[position] == number

    @property
    def first(self) -> int:
        """The lowest number. `IndexError` when empty."""
        return self.numbers[0]

    @property
    def last(self) -> int:
        """The highest number. `IndexError` when empty."""
        return self.numbers[-1]

    def intersection(self, other: FrameRange) -> FrameRange:
        """The numbers in both."""
        return FrameRange.of(set(self.numbers) & set(other.numbers))

    def without(self, other: FrameRange) -> FrameRange:
        """The numbers here that are not in `other`."""
        return FrameRange.of(set(self.numbers) - set(other.numbers))

    @property
    def brief(self) -> str:
        """The range for a person: as `str`, or its ends and its length where that is long."""
        text = str(self)
        if len(text) <= _BRIEF:
            return text
        return f"{self.first}-{self.last}, {len(self)} frames with gaps"

    @property
    def gaps(self) -> FrameRange:
        """The numbers that are missing between the first and the last, at the smallest step."""
        pairs = zip(self.numbers, self.numbers[1:], strict=False)
        step = min((after - before for before, after in pairs), default=1)
        if len(self.numbers) < 3 and step > 1:  # two frames make no step
            step = 1
        if not self.numbers or (self.last - self.first) // step > MAX_FRAMES:
            return FrameRange(())
        return FrameRange.span(self.first, self.last, step).without(self)

    def chunks(self, size: int) -> Iterator[FrameRange]:
        """Consecutive pieces of at most `size` frames."""
        for start in range(0, len(self.numbers), size):
            yield FrameRange(self.numbers[start : start + size])


def _refuse(why: str, text: str) -> FrameRangeError:
    return FrameRangeError(why, where=repr(text), fix="write it like 1001-1100, 1001-1100x2 or 1,5")


def _numbers_of(part: str, text: str) -> range:
    match = _PART.match(part)
    if match is None:
        raise _refuse("not a frame range", text)
    first = int(match[1])
    last = first if match[2] is None else int(match[2])
    step = 1 if match[3] is None else int(match[3])
    if last < first:
        raise _refuse("the range runs backwards", text)
    if step == 0:
        raise _refuse("the step is zero", text)
    return range(first, last + 1, step)


def _format_runs(numbers: tuple[int, ...]) -> Iterator[str]:
    start = 0
    while start < len(numbers):
        end = _end_of_run(numbers, start)
        step = numbers[start + 1] - numbers[start] if end > start else 1
        if end - start == 1 and step > 1:
            end = start  # two numbers apart are clearer as a list
        if end == start:
            yield str(numbers[start])
        else:
            yield f"{numbers[start]}-{numbers[end]}" + (f"x{step}" if step > 1 else "")
        start = end + 1


def _end_of_run(numbers: tuple[int, ...], start: int) -> int:
    """Index of the last number that goes on from `start` with one step."""
    if start + 1 == len(numbers):
        return start
    step = numbers[start + 1] - numbers[start]
    end = start + 1
    while end + 1 < len(numbers) and numbers[end + 1] - numbers[end] == step:
        end += 1
    return end
