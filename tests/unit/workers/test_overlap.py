"""Two frames at a time: order, bounds, errors, an early end."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from plugin.errors import SurroundingsError
from workers.neighbours import Once
from workers.overlap import two_at_a_time
from workers.stage_clock import Door


def test_results_come_in_order() -> None:
    assert list(two_at_a_time(lambda n: n * n, range(50))) == [n * n for n in range(50)]
    assert list(two_at_a_time(lambda n: n, [])) == []


def test_the_next_is_begun_while_the_last_goes_on_and_no_third() -> None:
    both, most, now = threading.Barrier(2, timeout=300), 0, 0
    lock = threading.Lock()

    def do(number: int) -> int:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        both.wait()  # goes on only when two are in it
        with lock:
            now -= 1
        return number

    assert list(two_at_a_time(do, range(6))) == list(range(6))
    assert most == 2


def test_no_more_is_asked_for_than_two_ahead() -> None:
    asked: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(9):
            asked.append(number)
            yield number

    results = two_at_a_time(lambda n: n, numbers())
    assert next(results) == 0
    assert asked == [0, 1]
    results.close()  # type: ignore[attr-defined]


def test_an_error_stands_in_the_place_of_its_frame() -> None:
    def do(number: int) -> int:
        if number == 2:
            raise OSError(28, "full")
        return number

    results = two_at_a_time(do, range(5))
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(OSError, match="full"):
        next(results)


def test_a_value_is_made_once_and_an_error_is_forgotten() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        if len(made) == 1:
            raise ValueError("first")
        return -number

    once: Once[int] = Once(2)
    with pytest.raises(ValueError, match="first"):
        once.get(1, make)
    assert [once.get(n, make) for n in (1, 1, 2, 1, 3, 2, 1)] == [-1, -1, -2, -1, -3, -2, -1]
    assert made == [1, 1, 2, 3, 1]  # 3 pushes out what is farthest from it


def test_a_door_that_is_shut_lets_out_what_is_in_it_and_nothing_after() -> None:
    door, inside, shut = Door(), threading.Event(), threading.Event()
    said: list[str] = []

    def write() -> None:
        with door:
            inside.set()
            said.append("written")

    writer = threading.Thread(target=write)
    with door:
        writer.start()
        assert inside.wait(300)  # any number at once
    writer.join()

    def leave() -> None:
        door.shut()
        said.append("shut")
        shut.set()

    leaver = threading.Thread(target=leave)
    with door:
        leaver.start()
        said.append("left")
    assert shut.wait(300)
    leaver.join()
    assert said == ["written", "left", "shut"]
    with pytest.raises(SurroundingsError), door:
        said.append("never")
