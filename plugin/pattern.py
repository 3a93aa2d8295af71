"""`FramePattern`: `plate.%04d.exr` or `plate.####.exr`, and the files on disk that it names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plugin.errors import FrameRangeError
from plugin.framerange import MAX_NUMBER, FrameRange

_NUMBERED = re.compile(r"(-?\d{1,12})(?!\d)", re.ASCII)
_EXTENSION = re.compile(r"\.\w{2,5}", re.ASCII)
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
    def of(cls, text: str | Path) -> FramePattern | None:
        """The pattern that a path is meant as; None where it names one file.

        `roto #2.png` is a file where there is one of that name.

        Raises:
            FrameRangeError: as `parse`.
        """
        # Not `Path.is_file`, which raises where a folder may not be read: then none is known.
        one = not cls.is_pattern(str(text)) or os.path.isfile(text)  # noqa: PTH113
        return None if one else cls.parse(text)

    @classmethod
    def parse(cls, text: str | Path) -> FramePattern:
        """Read a pattern; one `#` a digit. Beside `%04d` or `###` a single `#` is a letter.

        Raises:
            FrameRangeError: if the file name has no frame token, or more than one.
        """
        path = Path(text)
        tokens = list(_TOKEN.finditer(path.name))
        if any(token[2] is None or len(token[2]) > 2 for token in tokens):
            tokens = [token for token in tokens if token[0] != "#"]
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
        return self.folder / self.name(number)

    def name(self, number: int) -> str:
        """The name of one frame's file, without its folder."""
        return f"{self.prefix}{number:0{self.padding}d}{self.suffix}"

    def scan(self) -> FrameRange:
        """The numbers of the files that are there. A missing folder holds none.

        `plate.01001.exr` is not frame 1001 of `plate.%04d.exr`: `path` would not find it again.
        """
        return self.listing()[0]

    def listing(self) -> tuple[FrameRange, tuple[str, ...]]:
        """`scan`, and a note of each kind of file that looks like a part of it and is left out.

        Those are numbers with another padding, the same names with another extension, and what is
        missing between the first and the last.
        """
        numbers: list[int] = []
        padded: list[str] = []
        others: dict[str, list[int]] = {}
        for name in _files(self.folder):
            match = (
                _NUMBERED.match(name, len(self.prefix)) if name.startswith(self.prefix) else None
            )
            if match is None:
                continue
            number, suffix = int(match[1]), name[match.end() :]
            if suffix != self.suffix:
                others.setdefault(suffix, []).append(number)
            elif abs(number) > MAX_NUMBER or name != self.path(number).name:
                padded.append(name)
            else:
                numbers.append(number)
        frames = FrameRange.of(numbers)
        return frames, tuple(self._notes(frames, padded, others)) if frames else ()

    def _notes(
        self, frames: FrameRange, padded: list[str], others: dict[str, list[int]]
    ) -> Iterator[str]:
        gaps = frames.gaps
        if gaps:
            yield f"missing between its first and last frame: {gaps.brief}"
        if padded:
            names = ", ".join(sorted(padded)[:3]) + (", …" if len(padded) > 3 else "")
            yield f"left out for their other padding: {len(padded)} files, {names}"
        stem = f"{self.prefix}%0{self.padding}d"
        beside = [
            f"{stem}{suffix} {FrameRange.of(found).brief}"
            for suffix, found in sorted(others.items())
            if _EXTENSION.fullmatch(suffix)
        ]
        if beside:
            yield f"other files of the same name, left out: {'; '.join(beside[:3])}"


_ENDS_IN_NUMBER = re.compile(r"(?:^|\.|[_ -](?=\d{3}))(\d{1,7})\Z", re.ASCII)
_VIDEOS = frozenset({".mov", ".mp4", ".m4v", ".mkv", ".webm", ".mxf", ".avi"})


def number_in(path: Path, otherwise: int) -> int:
    """The number that ends a file's name: 1001 of `plate.1001.exr`, no `v02` and no `hero2`."""
    match = _ENDS_IN_NUMBER.search(path.stem)
    return otherwise if match is None else int(match[1])


def name_of(plate: str) -> str:
    """What a plate is called: `plate` of `plate.%04d.exr` and of the one picture `plate.1001.exr`.

    A video keeps its number, which is none of a frame; files that are numbers alone have the name
    of their folder.
    """
    pattern, path = FramePattern.of(plate), Path(plate)
    if pattern is None and path.suffix.lower() in _VIDEOS:
        return path.stem
    text = _ENDS_IN_NUMBER.sub("", path.stem) if pattern is None else pattern.prefix
    return text or path.parent.name


def sequence_around(path: Path) -> tuple[str, ...]:
    """A note where one picture was named and it is one of a sequence."""
    match = re.search(r"(?:^|[._ -])(\d{3,7})\Z", path.stem, re.ASCII)
    if match is None:
        return ()
    prefix = path.stem[: match.start(1)]
    frames = FramePattern(path.parent, prefix, len(match[1]), path.suffix).scan()
    count = len(frames)
    return (f"one picture of a sequence of {count}, {frames.brief}",) if count > 1 else ()


def _files(folder: Path) -> Iterator[str]:
    """Names of the files in a folder; none where it is missing."""
    try:
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries if entry.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return
