"""`Figure`: one thing measured; `Settings`: what to measure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from plugin.errors import ShotError

PARTS = ("network", "job", "memory", "stabilise")
ALONE = ("workers",)
"""Of the job, for who wants it by itself."""


SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "2160p": (3840, 2160), "4320p": (7680, 4320)}

_FREE = re.compile(r"(\d{2,5})x(\d{2,5})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Size:
    """A frame's size with its name."""

    name: str
    width: int
    height: int

    @classmethod
    def parse(cls, text: str) -> Size:
        """`1080p` or `320x180`.

        Raises:
            ShotError: it is neither.
        """
        if text in SIZES:
            return cls(text, *SIZES[text])
        free = _FREE.match(text)
        if free is None or not all(64 <= int(side) <= 16384 for side in free.groups()):
            fix = f"give {', '.join(SIZES)} or WxH, 64 to 16384 a side"
            raise ShotError(f"no such size: {text}", where="--sizes", fix=fix)
        return cls(text, int(free[1]), int(free[2]))

    def grown(self, times: int) -> Size:
        """A larger frame of the same shape."""
        return Size(f"{times}×{self.name}", self.width * times, self.height * times)


@dataclass(frozen=True, slots=True)
class Settings:
    """What to measure, and how long.

    Attributes:
        sizes: frames for the network; the job is measured at `main`.
        unknown: shares of unknown pixels, percent.
        parts: of `PARTS` and `ALONE`.
        rounds: how often each call is timed; the best counts.
        frames: length of the job's shot.
        memory: the size whose peak is measured; None for the largest of `sizes`.
        model: bundled weights by name, or a file.
        device: `cpu` or `cuda`.
        seeds: of the shots that stabilisation is measured on.
    """

    sizes: tuple[Size, ...]
    unknown: tuple[float, ...]
    parts: tuple[str, ...] = PARTS
    rounds: int = 3
    frames: int = 16
    memory: Size | None = None
    model: str = "lite"
    device: str = "cpu"
    seeds: tuple[int, ...] = (2, 3)

    @property
    def main(self) -> Size:
        """1080p where it is asked for, else the first size."""
        return next((size for size in self.sizes if size.name == "1080p"), self.sizes[0])

    @property
    def share(self) -> float:
        """10 % where it is asked for, else the first."""
        return 10.0 if 10.0 in self.unknown else self.unknown[0]


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured.

    Attributes:
        name: says what, and is the same from run to run: `network · 1080p · 10 % unknown`.
        value: in `unit`.
        unit: `×`, `s`, `GiB`, `%`, `GFLOP/s`, `frames/s`.
        better: which way is better; None where neither is.
        goal: that it is to reach; None where there is none.
        steady: whether it can be held against another run: ratios and memory can, seconds cannot.
    """

    name: str
    value: float
    unit: str
    better: Literal["lower", "higher"] | None = None
    goal: float | None = None
    steady: bool = True

    @property
    def reached(self) -> bool | None:
        """Whether the goal is; None where there is none."""
        if self.goal is None:
            return None
        return self.value <= self.goal if self.better == "lower" else self.value >= self.goal
