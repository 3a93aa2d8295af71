"""What lies beside a plate and how a run would read it: masks, trimaps, overrides."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from plugin.errors import AdaMatteError
from plugin.plates.companions.pictures import is_picture
from plugin.plates.nearby import sequences_in
from plugin.request.shot import Shot
from plugin.segmentation.masks.pairing import pair_masks
from plugin.types import PlateInfo

_VIDEOS = frozenset({".mov", ".mp4", ".mkv", ".webm", ".mxf", ".avi"})
_OVERRIDE = ".trimap.json"
_FOLDERS = 50
"""Folders that are looked into: the plate's own, those in it, and those beside it."""


@dataclass(frozen=True, slots=True)
class Companion:
    """A file or sequence beside a plate.

    Attributes:
        path: as an option takes it.
        option: which would take it: `--mask` or `--override`.
        reading: how it would be read; empty where it would be refused.
        notes: what would be told of it.
        refused: why it would be refused; empty where it would be read.
    """

    path: str
    option: str
    reading: str = ""
    notes: tuple[str, ...] = ()
    refused: str = ""


def companions_of(info: PlateInfo) -> list[Companion]:
    """Everything beside a plate that may go with it, each read as a run would read it."""
    plate = Path(info.path).absolute()
    return [
        _companion(path, info)
        for folder in _folders(plate.parent)
        for path in sequences_in(folder)
        if path != plate and _may_be(path)
    ]


def _folders(folder: Path) -> list[Path]:
    around = [folder, *_within(folder), *(f for f in _within(folder.parent) if f != folder)]
    return around[:_FOLDERS]


def _within(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(entry for entry in folder.iterdir() if entry.is_dir())
    except OSError:
        return


def _may_be(path: Path) -> bool:
    return is_picture(path) or path.suffix.lower() in _VIDEOS or path.name.endswith(_OVERRIDE)


def _companion(path: Path, info: PlateInfo) -> Companion:
    if path.name.endswith(_OVERRIDE):
        return Companion(str(path), "--override", "checked by `adamatte trimap --check`")
    shot = Shot(plate=info.path, out=path.parent)
    try:
        found = pair_masks(str(path), shot, info)
    except AdaMatteError as problem:
        return Companion(str(path), "--mask", refused=problem.what)
    if found.looked in (found.empty, found.solid):
        return Companion(str(path), "--mask", refused="nothing, or all, is subject in its frames")
    return Companion(str(path), "--mask", f"{found.how}, {found.values}", found.notes)
