"""What is there instead, when a plate is not: the message that saves a look into the folder."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

from plugin.errors import PlateError
from plugin.framerange import FrameRange
from plugin.pattern import FramePattern

_NUMBER = re.compile(r"(.*?)(\d{1,7})(\.[^.]+)\Z", re.ASCII | re.DOTALL)
_SHOWN = 3
_LISTED = 20_000


def nothing_there(path: Path) -> PlateError:
    """The error for a file or pattern that matches nothing, with the likeliest others by name."""
    folder = path.parent
    if not folder.is_dir():
        return PlateError("no such folder", where=folder, fix="check the path")
    if path.is_dir():
        inside = _candidates(path)
        fix = f"it holds {', '.join(inside[:_SHOWN])}" if inside else "it holds no files"
        return PlateError("a folder, not a plate", where=path, fix=fix)
    wanted = _plain(path.name)
    ranked = sorted(_candidates(folder), key=lambda text: -_likeness(wanted, text))
    near = [text for text in ranked if _likeness(wanted, text) > 0.5][:_SHOWN]
    fix = f"there is {'; '.join(near)}" if near else "nothing in the folder has a name like it"
    what = "no frame matches" if FramePattern.is_pattern(path.name) else "no such file"
    return PlateError(what, where=path, fix=fix)


def _plain(name: str) -> str:
    if FramePattern.is_pattern(name):
        name = re.sub(r"%0?\d{0,2}d|#+", "", name, count=1)
    return name.lower()


def _likeness(wanted: str, candidate: str) -> float:
    return SequenceMatcher(None, wanted, _plain(candidate.partition(" ")[0])).ratio()


def _candidates(folder: Path) -> list[str]:
    """Files of the folder, sequences as one line: `plate.%05d.exr 1-10`."""
    return sorted(
        name if numbers is None else f"{name} {FrameRange.of(numbers).brief}"
        for name, numbers in _grouped(folder)
    )


def sequences_in(folder: Path) -> list[Path]:
    """The folder's files, those of a sequence as its pattern."""
    return sorted(folder / name for name, _ in _grouped(folder))


def _grouped(folder: Path) -> Iterator[tuple[str, list[int] | None]]:
    """Names of files, and patterns with the numbers that they stand for."""
    sequences: dict[tuple[str, int, str], list[int]] = {}
    for count, entry in enumerate(folder.iterdir()):
        match = _NUMBER.match(entry.name)
        if count >= _LISTED:
            break
        if match is None:
            yield entry.name, None
        else:
            key = (match[1], len(match[2]), match[3])
            sequences.setdefault(key, []).append(int(match[2]))
    for (prefix, digits, suffix), numbers in sequences.items():
        if len(numbers) == 1:
            yield f"{prefix}{numbers[0]:0{digits}d}{suffix}", None
        else:
            yield f"{prefix}%0{digits}d{suffix}", numbers
