"""Names of files as they are typed, stored, and as long as a disk takes them."""

import os
import unicodedata
from pathlib import Path

from plugin.errors import ShotError
from plugin.pattern import FramePattern

_LONGEST_NAME, _LONGEST_PATH = 255, 4096
"""Bytes that Linux takes, where the file system does not say."""


def as_stored(text: str) -> str:
    """The path whose names are those typed, in whichever Unicode form the disk has them.

    `é` is one character here and two there (NFC and NFD): a Mac stores the second, a keyboard gives
    the first. A path that is there as typed, or in neither form, comes back as it is.
    """
    if text.isascii() or "://" in text:
        return text
    path = Path(text).absolute()
    found = Path(path.anchor)
    for part in path.parts[1:]:
        found /= part if (found / part).exists() else _twin(found, part)
    return str(found) if found != path else text


def _twin(folder: Path, name: str) -> str:
    wanted = unicodedata.normalize("NFC", name)
    if FramePattern.is_pattern(name):
        forms = (name, wanted, unicodedata.normalize("NFD", name))
        return next((f for f in forms if FramePattern.parse(folder / f).scan()), name)
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError:
        return name
    return next((n for n in names if unicodedata.normalize("NFC", n) == wanted), name)


def refuse_foreign(path: object, option: str) -> None:
    """Refuse a path that no disk takes, or whose names are not UTF-8.

    A job, its manifest and every library pass names as text.

    Raises:
        ShotError: it is not, or too long.
    """
    longest = max((len(os.fsencode(part)) for part in Path(str(path)).parts), default=0)
    if longest > _LONGEST_NAME or len(os.fsencode(str(path))) > _LONGEST_PATH:
        what = f"a name of {longest} bytes, no disk takes more than {_LONGEST_NAME}"
        raise ShotError(what, where=f"{option} {str(path)[:60]}…", fix="check the path")
    try:
        str(path).encode()
    except UnicodeEncodeError as problem:
        raise ShotError(
            "a name in this path is not UTF-8",
            where=f"{option} {str(path).encode(errors='backslashreplace').decode()}",
            fix="rename it (convmv -t utf8 does), or make a link with a plain name",
        ) from problem


def refuse_long(longest: Path, option: str) -> None:
    """Refuse an output whose longest name the disk would not take.

    Args:
        longest: of the files that will be written; its folder need not be there.
        option: what to shorten.

    Raises:
        ShotError: the name or the path is too long.
    """
    folder = longest.parent
    while not _is_folder(folder) and folder != folder.parent:
        folder = folder.parent
    name, path = (len(os.fsencode(text)) for text in (longest.name, longest))
    for size, key, least, what in (
        (name, "PC_NAME_MAX", _LONGEST_NAME, "file names"),
        (path, "PC_PATH_MAX", _LONGEST_PATH, "paths"),
    ):
        try:
            most = os.pathconf(folder, key)
        except (OSError, ValueError):
            most = least
        if size > most:
            raise ShotError(
                f"{what} of {size} bytes, the disk takes {most}",
                where=longest.name[:60] + "…",
                fix=f"take a shorter {option}",
            )


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # too long even to be asked for
        return False
