"""Ways to damage a file: bits, lengths, order, ends, and numbers that are too large."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

_EXTREMES = (
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\1",
)
_TEXTS = (b"-1", b"1e999", b"99999999999999999999", b"null", b"[[[[", b'"../../x"', b"{}", b"\xff")
_NUMBER = re.compile(rb"\d+")


def mutated(content: bytes, dice: random.Random, others: Sequence[bytes]) -> bytes:
    """The content, damaged in one to three ways.

    Args:
        content: of a good file.
        dice: decides.
        others: of files of other kinds, to graft from.
    """
    for _ in range(dice.randint(1, 3)):
        way = dice.choice(_WAYS)
        content = way(content, dice) or b"\0"
        if dice.random() < 0.03:
            other = dice.choice(others)
            content = content[: dice.randrange(len(content) + 1)] + other[: 1 << 16]
    return content


def _flip(content: bytes, dice: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(dice.choice((1, 1, 4, 32))):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return bytes(data)


def _flip_early(content: bytes, dice: random.Random) -> bytes:
    data = bytearray(content)
    data[dice.randrange(min(len(data), 400))] = dice.randrange(256)
    return bytes(data)


def _extreme(content: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(min(len(content), dice.choice((64, 1024, 1 << 30))))
    return content[:place] + dice.choice(_EXTREMES) + content[place + 4 :]


def _cut(content: bytes, dice: random.Random) -> bytes:
    return content[: dice.randrange(len(content))]


def _drop(content: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(content))
    return content[:start] + content[start + dice.randint(1, 64) :]


def _repeat(content: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(content))
    piece = content[start : start + dice.randint(1, 256)]
    return content[:start] + piece * dice.choice((2, 2, 50)) + content[start:]


def _insert(content: bytes, dice: random.Random) -> bytes:
    start = dice.randrange(len(content) + 1)
    return content[:start] + dice.randbytes(dice.randint(1, 64)) + content[start:]


def _swap(content: bytes, dice: random.Random) -> bytes:
    middle = dice.randrange(len(content))
    return content[middle:] + content[:middle]


def _number(content: bytes, dice: random.Random) -> bytes:
    """Another number or word in a text; a flip where there is none."""
    found = list(_NUMBER.finditer(content[: 1 << 16]))
    if not found:
        return _flip(content, dice)
    one = dice.choice(found)
    return content[: one.start()] + dice.choice(_TEXTS) + content[one.end() :]


_WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flip,
    _flip_early,
    _extreme,
    _cut,
    _drop,
    _repeat,
    _insert,
    _swap,
    _number,
)
