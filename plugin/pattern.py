"""`FramePattern`: `plate.%04d.exr` or `plate.####.exr`, and the files on disk that it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from plugin.errors import FrameRangeError
from plugin.framerange import MAX_NUMBER, FrameRange

__all__ = ["FramePattern"]

_TOKEN = re.compile(r"%0?(\d{0,2})d|(#+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class FramePattern:
    """A file name with one place for the frame number, zero-padded to `padding` digits.

    A number with more digits than the padding is written in full (`%04d` of 12345 is `12345`), as
    every farm and host does.
    """

    folder: Path
    prefix: str
    padding: int
    suffix: str

    @staticmethod
    def is_pattern(text: str) -> bool:
        """Whether the file name holds `%04d` or `####`."""
        return _TOKEN.search(Path(text).name) is not None

    @classmethod
    def parse(cls, text: str | Path) -> FramePattern:
        """Read a pattern; one `#` a digit.

        Raises:
            FrameRangeError: if the file name has no frame token, or more than one.
        """
        path = Path(text)
        tokens = list(_TOKEN.finditer(path.name))
        if len(tokens) != 1:
            what = "no frame number in the pattern" if not tokens else "more than one frame number"
            raise FrameRangeError(what, where=path, fix="name it like plate.%04d.exr")
        token = tokens[0]
        padding = len(token[2]) if token[2] else int(token[1] or 1)
        return cls(path.parent, path.name[: token.start()], padding, path.name[token.end() :])

    def __str__(self) -> str:
        return str(self.folder / f"{self.prefix}%0{self.padding}d{self.suffix}")

    def path(self, number: int) -> Path:
        """The file of one frame."""
        return self.folder / f"{self.prefix}{number:0{self.padding}d}{self.suffix}"

    def scan(self) -> FrameRange:
        """The numbers of the files that are there. A missing folder holds none.

        `plate.01001.exr` is not frame 1001 of `plate.%04d.exr`: `path` would not find it again.
        """
        if not self.folder.is_dir():
            return FrameRange(())
        name = re.compile(re.escape(self.prefix) + r"(-?\d+)" + re.escape(self.suffix), re.ASCII)
        found = (name.fullmatch(entry.name) for entry in self.folder.iterdir())
        numbers = (int(match[1]) for match in found if match is not None)
        return FrameRange.of(n for n in numbers if abs(n) <= MAX_NUMBER and self.path(n).is_file())
