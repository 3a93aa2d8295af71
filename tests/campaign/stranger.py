"""`Stranger`: what is done by seed to a plate, its masks and a result, now or later."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2

from plugin.result.layout import OutputLayout
from tests.campaign.tampering import TAMPERINGS
from tests.small_plate import mask, picture, replace_by

FRAMES = range(1001, 1006)
_VERSIONS = 4


class Stranger:
    """Changes files.

    Args:
        folder: with `plate` and `mask`.
        layout: of the result.
        dice: decides what, and when it is drawn, not when it is done.
        counts: changes by kind; added to.
    """

    def __init__(
        self, folder: Path, layout: OutputLayout, dice: random.Random, counts: dict[str, int]
    ) -> None:
        self.folder, self.layout, self.dice, self.counts = folder, layout, dice, counts
        self.last = FRAMES.stop - 1

    def drawn(self) -> Callable[[], None]:
        """A change, chosen now, to be made later."""
        ways: list[Callable[[], Callable[[], None]]] = [
            self._replaced, self._replaced, self._replaced, self._swapped, self._touched,
            self._linked, self._appended, self._tampered, self._tampered,
        ]  # fmt: skip
        way = self.dice.choice(ways)
        name = way.__name__.strip("_")
        self.counts[name] = self.counts.get(name, 0) + 1
        return way()

    def _file(self) -> tuple[str, int, Path]:
        of, number = self.dice.choice(("plate", "plate", "mask")), self.dice.choice(FRAMES)
        return of, number, self.folder / of / f"{of[0]}.{number}.png"

    def _replaced(self) -> Callable[[], None]:
        """Another version by rename, in place, or with times of long ago or of tomorrow."""
        of, number, path = self._file()
        version, how = self.dice.randrange(_VERSIONS), self.dice.choice(("new", "in place", "old"))
        made = (picture if of == "plate" else mask)(number, version)

        def do() -> None:
            if how == "in place":
                cv2.imwrite(str(path), made)
            else:
                replace_by(path, made)
            if how == "old":
                os.utime(path, (1, 1))

        return do

    def _swapped(self) -> Callable[[], None]:
        of, _, path = self._file()
        other = path.with_name(f"{of[0]}.{self.dice.choice(FRAMES)}.png")

        def do() -> None:
            if other != path:
                path.rename(path.with_name("held"))
                other.rename(path)
                path.with_name("held").rename(other)

        return do

    def _touched(self) -> Callable[[], None]:
        _, _, path = self._file()
        when = self.dice.choice((0, 1_000_000_000, 4_000_000_000))
        return lambda: os.utime(path, (when, when))

    def _linked(self) -> Callable[[], None]:
        """A link to a version that lies elsewhere."""
        of, number, path = self._file()
        version = self.dice.randrange(_VERSIONS)
        made = (picture if of == "plate" else mask)(number, version)

        def do() -> None:
            elsewhere = self.folder / f"{of}.{number}.{version}.png"
            cv2.imwrite(str(elsewhere), made)
            link = path.with_name("link")
            link.symlink_to(elsewhere)
            link.replace(path)

        return do

    def _appended(self) -> Callable[[], None]:
        def do() -> None:
            number = self.last + 1
            if number <= FRAMES.stop + 1:
                replace_by(self.folder / "mask" / f"m.{number}.png", mask(number))
                replace_by(self.folder / "plate" / f"p.{number}.png", picture(number))

        return do

    def _tampered(self) -> Callable[[], None]:
        way, seed = self.dice.choice(TAMPERINGS), self.dice.random()

        def do() -> None:
            with suppress(OSError, ValueError, LookupError):  # it is not there yet
                way(self.layout, random.Random(seed))

        return do

    def look(self) -> None:
        """How many frames the plate has by now; a killed run's changes are its own."""
        numbers = [int(f.name.split(".")[1]) for f in (self.folder / "plate").glob("p.*.png")]
        self.last = max(numbers)
