"""One kind of error: what, where, what to do, in one line, as everywhere in AdaMatte."""

from __future__ import annotations


class BridgeError(Exception):
    """Something that the artist should read.

    Args:
        what: what is wrong, in a few plain words.
        where: the file, knob, shape or address that it is about.
        fix: what to do about it.
    """

    def __init__(self, what: str, where: object, fix: str) -> None:
        super().__init__(what, where, fix)
        self.what = what
        self.where = str(where)
        self.fix = fix

    def __str__(self) -> str:
        return " ".join(f"{self.what} · {self.where} · {self.fix}".split())
