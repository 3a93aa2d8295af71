"""Where things lie in a shot's output folder, and whether it can be written."""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from plugin.disk.atomic import disk_refuses, made, refuse_escape, sweep_orphans, write_whole
from plugin.errors import OutputError
from plugin.pattern import FramePattern
from plugin.request.shot import Shot
from plugin.types import PlateInfo

_SHARE_LEFT = 0.10
"""A matte after lossless compression over its raw bytes. Measured on noise over half of a 4K frame,
with R=G=B=A: 0.11; on ordinary mattes 0.01 to 0.05."""

_SHARE_LEFT_OF_COLOURS = 0.3
"""The same of foreground colours. Measured on a subject with grain that fills a fifth of the frame:
0.2; larger ones come to more."""

_MARGIN = 8 << 20
"""Bytes for the manifest, the progress file and the report."""


@dataclass(frozen=True, slots=True)
class OutputLayout:
    """The names in the output folder of one shot.

    Attributes:
        out: the folder; it may be a symbolic link, what lies in it may not lead out of it.
        name: the shot's name as `Shot.name` gives it.
    """

    out: Path
    name: str

    @classmethod
    def of(cls, shot: Shot) -> Self:
        """The layout of a shot."""
        return cls(shot.out, shot.name)

    @property
    def manifest(self) -> Path:
        """What was asked, and what became of each frame."""
        return self.out / "manifest.json"

    @property
    def progress(self) -> Path:
        """Replaced while a run goes on."""
        return self.out / "progress.json"

    @property
    def canvas(self) -> Path:
        """What a farm's job found of the plate's data windows, for its tasks."""
        return self.out / "canvas.json"

    @property
    def report(self) -> Path:
        """Folder of the QC report."""
        return self.out / "report"

    @property
    def track(self) -> Path:
        """Folder of the masks that were carried through the shot."""
        return self.out / "track"

    def override(self, sha256: str) -> Path:
        """A copy of an override file that frames were made with."""
        return self.out / "override" / f"{sha256[:16]}.json"

    def alpha(self, number: int) -> Path:
        """The matte of one frame."""
        return self.pattern("alpha").path(number)

    def raw(self, number: int) -> Path:
        """The network's alpha, before stabilisation."""
        return self.pattern("raw").path(number)

    def labels(self, number: int) -> Path:
        """The trimaps that go with a raw alpha."""
        return FramePattern(self.out / "raw", f"{self.name}_labels.", 4, ".png").path(number)

    def pattern(self, kind: str) -> FramePattern:
        """The sequence of `alpha`, `raw`, `mask`, `trimap`, `adapted` or `overlay`."""
        suffix = {"alpha": ".exr", "raw": ".exr", "overlay": ".jpg"}.get(kind, ".png")
        return FramePattern(self.out / kind, f"{self.name}_{kind}.", 4, suffix)

    def folders(self, kinds: Iterable[str]) -> tuple[Path, ...]:
        """The output folder itself and those of the sequences."""
        return (self.out, *(self.out / kind for kind in sorted(set(kinds))))

    def prepare(self, kinds: Iterable[str] = ("alpha",), *, alone: bool = False) -> int:
        """Create the folders and sweep what dead processes left in them.

        Args:
            kinds: the sequences that will be written: `alpha` and `Shot.keep`.
            alone: nobody else works in the folder, so what other machines left is swept too.

        Returns:
            How many orphaned temporaries were removed.

        Raises:
            OutputError: a folder cannot be created, or a symbolic link leads out of the output.
        """
        removed = 0
        for folder in self.folders(kinds):
            refuse_escape(made(folder), self.out)
            removed += sweep_orphans(folder, alone=alone)
        return removed

    def probe_writable(self, needed: int = 0, kinds: Iterable[str] = ("alpha",)) -> None:
        """Refuse before the work what would fail after it. Call it after `prepare`.

        Args:
            needed: bytes that the job will write, from `estimate_bytes`.
            kinds: as for `prepare`.

        Raises:
            OutputError: a folder cannot be written, or the disk has less room than needed.
        """
        for folder in self.folders(kinds):
            with suppress(_ProbedError):
                write_whole(folder / "probe", b"probe", check=_stop, root=self.out)
        free = free_bytes(self.out)
        if free is not None and needed and free < needed + _MARGIN:
            raise OutputError(
                f"the disk has {_size(free)} free, the shot needs about {_size(needed + _MARGIN)}",
                where=self.out,
                fix="free some space, ask for fewer --frames, or take another --out",
            )


class _ProbedError(Exception):
    """Ends a write before its rename: the probe never has a name of its own."""


def _stop(_: Path) -> None:
    raise _ProbedError


def free_bytes(folder: Path) -> int | None:
    """Bytes that this user may still write there; None where the file system does not say."""
    with disk_refuses(folder):
        status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize if status.f_blocks else None


def estimate_bytes(
    info: PlateInfo,
    frames: int,
    *,
    channels: str = "rgba",
    bits: str = "half",
    compression: str = "zips",
    pictures: int = 0,
    raw: bool = False,
) -> int:
    """Bytes that a job will write: a likely figure, not a bound, so that few jobs are refused.

    Args:
        info: the plate, for its size.
        frames: how many will be written.
        channels: as in `Shot`.
        bits: as in `Shot`.
        compression: as in `Shot`.
        pictures: how many of mask, trimap and adapted are kept.
        raw: the network's alphas lie on disk too, at least until the end.
    """
    pixels = info.width * info.height
    sample = pixels * (2 if bits == "half" else 4)
    share = 1.0 if compression == "none" else _SHARE_LEFT
    stored = sample * (1 if channels == "a" else 4) * share
    if channels == "fg":
        stored = sample * (share + 3 * max(share, _SHARE_LEFT_OF_COLOURS))
    between = (sample + pixels) * _SHARE_LEFT if raw else 0.0
    return int(frames * (stored + between + pictures * pixels * _SHARE_LEFT))


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
