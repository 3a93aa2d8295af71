"""`build_report`: the whole of `DIR/report`, in an order in which each part is worth its time.

small pictures ─► figures ─► worst frames ─► full-size pictures ─► film ─► page
"""

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

import av.error

from plugin.disk.atomic import is_temporary, made, refuse_escape, sweep_orphans
from plugin.errors import FrameError, OutputError, RequestError
from plugin.framerange import FrameRange
from plugin.report.against import compare
from plugin.report.contact import contact_sheet, evenly
from plugin.report.facts import Problem, corner_of, problems_of, rules_of
from plugin.report.gallery import Gallery, opened
from plugin.report.measure import Deadline, figures_of, is_done, measure_flicker, spread
from plugin.report.page import Page, write_page
from plugin.report.preview import write_preview
from plugin.report.sprites import FOLDER, read_sprite, sprite_key
from plugin.report.suggest import Attempts, Tries, suggestions
from plugin.report.worst import Suspect, worst
from plugin.result.layout import OutputLayout
from plugin.result.manifest import Manifest, load
from plugin.result.verify import VerifyReport, verify
from plugin.types import LabelArray

_FULL_BYTES = 64 << 20
_EVENLY = 12
_CONTACT = 5
_FILM_FRAME_S = 0.02
"""Likely time to read, put together and encode a frame of the film, for the deadline."""

_LONG, _MOSTLY = 1000, 10
"""Frames up to which, and times the frames with pictures up to which, all that were asked for are
in the film."""

_SLOWEST = Fraction(1)


@dataclass(frozen=True, slots=True)
class Report:
    """What was built.

    Attributes:
        page: the file to open.
        suspects: the frames to look at, the worst first.
        seconds: that it took.
        bytes: of the whole folder.
        found: how the frames stand.
        notes: what was left out, and why.
        tries: overrides that were tried.
    """

    page: Path
    suspects: tuple[Suspect, ...]
    seconds: float
    bytes: int
    found: VerifyReport
    notes: tuple[str, ...] = ()
    tries: Tries = field(default_factory=Tries)


def build_report(
    out: Path,
    *,
    thorough: bool = True,
    against: Path | None = None,
    full: FrameRange | None = None,
    seconds: float | None = None,
    attempts: Attempts | None = None,
) -> Report:
    """Build or renew the report of a result.

    Args:
        out: a folder that `adamatte run` wrote.
        thorough: decode every frame to find what is damaged or stale; else believe the manifest.
        against: another run of the shot, to compare with.
        full: frames whose pictures are wanted at full size, besides the worst and a few others.
        seconds: after which what is not worth waiting for is left out; None for no limit.
        attempts: mattes frames of the shot again, to try overrides; None not to try any.

    Raises:
        RequestError: a folder holds no result.
        OutputError: the disk refuses, or a manifest is damaged.
    """
    started = time.monotonic()
    manifest = load(out / "manifest.json")
    other = None if against is None else load(against / "manifest.json")
    layout = OutputLayout(out, manifest.shot.name)
    _prepare(layout)
    work = _Work(layout, manifest, Deadline.within(seconds), full or FrameRange(()))
    standing = verify(out, decode=thorough)
    problems = problems_of(standing)
    with opened(out, manifest) as gallery:
        page = work.page(gallery, problems, thorough=thorough)
        if attempts is not None:
            shot, corner = manifest.shot.model_copy(update={"out": out}), corner_of(manifest)
            tries = suggestions(page.suspects, page.figures, shot, corner, attempts)
            page = replace(page, tries=tries, notes=(*page.notes, *tries.notes))
        if against is not None and other is not None:
            comparison, pictures = compare(
                gallery, manifest, against, other, _made(layout.report / "against", layout)
            )
            page = replace(page, against=comparison, compared=pictures)
        _sweep(layout, manifest, page)
    page = replace(page, bytes=_bytes(layout.report))
    path = write_page(layout.report, page)
    taken = time.monotonic() - started
    return Report(
        path, page.suspects, taken, _bytes(layout.report), standing, page.notes, page.tries
    )


class _Work:
    """The parts of one report, each within its share of the time."""

    def __init__(
        self, layout: OutputLayout, manifest: Manifest, until: Deadline, full: FrameRange
    ) -> None:
        self._layout, self._manifest, self._until, self._wanted = layout, manifest, until, full
        self._notes: list[str] = []

    def page(self, gallery: Gallery, problems: list[Problem], *, thorough: bool) -> Page:
        """Everything but the comparison."""
        manifest = self._manifest
        lost = {n for p in problems if p.kind in ("missing", "damaged") for n in p.frames}
        done = FrameRange.of(n for n, r in manifest.frames.items() if is_done(r) and n not in lost)
        if missing := self._wanted.without(done):
            raise RequestError("no such frames in the result", where=missing, fix="see --full")
        sprites = self._sprites(gallery, done, self._until.part(0.4))
        flicker = measure_flicker(self._layout.report, manifest, sprites, self._until.part(0.35))
        figures = [f for f in figures_of(manifest, flicker) if f.number in done]
        suspects = tuple(worst(figures, keys=manifest.keys))
        full = self._full(gallery, suspects, done, self._until.part(0.6))
        contact = _contact(self._layout.report, sprites, done)
        film, shown = self._film(sprites)
        return Page(
            manifest=manifest,
            problems=tuple(problems),
            figures=tuple(figures),
            suspects=suspects,
            sprites=sprites,
            full=full,
            rules=tuple(rules_of(manifest, self._layout)),
            film=film,
            film_frames=shown,
            contact=contact,
            notes=tuple(self._notes),
            thorough=thorough,
        )

    def _sprites(self, gallery: Gallery, done: FrameRange, until: Deadline) -> dict[int, Path]:
        """The small pictures, made where there are none."""
        found = {n: path for n in done if (path := gallery.sprite(n)) is not None}
        left = 0
        for number in spread(set(done) - set(found)):
            if until.left <= 0:
                left += 1
                continue
            with suppress(FrameError):
                found[number] = gallery.make_sprite(number)
        if left:
            self._notes.append(
                f"{left} frames have no small pictures yet: adamatte report makes them"
            )
        return dict(sorted(found.items()))

    def _full(
        self,
        gallery: Gallery,
        suspects: Iterable[Suspect],
        done: FrameRange,
        until: Deadline,
    ) -> dict[int, dict[str, Path]]:
        """Full-size pictures, the most wanted first, as far as time and room reach."""
        folder = _made(self._layout.report / "full", self._layout)
        order = [*self._wanted, *(suspect.number for suspect in suspects), *evenly(done, _EVENLY)]
        found: dict[int, dict[str, Path]] = {}
        used, left = 0, 0
        for number in dict.fromkeys(order):
            wanted = number in self._wanted
            if not wanted and (until.left <= 0 or used >= _FULL_BYTES):
                left += 1
                continue
            with suppress(FrameError):
                found[number] = gallery.write_full(number, folder)
                used += sum(path.stat().st_size for path in found[number].values())
        if left:
            self._notes.append(
                f"{left} frames were left without full-size pictures, for want of "
                f"{'room' if used >= _FULL_BYTES else 'time'}: adamatte report --full FRAMES"
            )
        return found

    def _film(self, sprites: Mapping[int, Path]) -> tuple[Path | None, tuple[int, ...]]:
        """The film and its frames, one in so many where time is short; None if it cannot be."""
        size = next((_tile_size(path) for path in sprites.values()), None)
        promised = self._manifest.promised.numbers
        if len(promised) > max(_LONG, _MOSTLY * len(sprites)):  # of next to nothing there is a film
            promised = FrameRange.of(self._manifest.frames).numbers
        if size is None:
            return None, ()
        allowed = max(1.0, self._until.left / _FILM_FRAME_S)
        step = max(1, math.ceil(len(promised) / allowed))
        if step > 1:
            self._notes.append(f"the film shows one frame in {step}, for want of time")
        rate = max((self._manifest.plate.rate or Fraction(24)) / step, _SLOWEST)
        path, shown = self._layout.report / "preview.mp4", promised[::step]
        try:
            if write_preview(path, _tiles(shown, sprites), size, rate, self._layout.out):
                return path, shown
            self._notes.append("no film: this FFmpeg has no encoder of H.264 or VP9")
        except av.error.FFmpegError as error:
            self._notes.append(f"no film: {error.strerror}")
        return None, ()


def _tiles(
    numbers: Iterable[int], sprites: Mapping[int, Path]
) -> Iterator[tuple[int, Mapping[str, LabelArray] | None]]:
    for number in numbers:
        tiles = read_sprite(sprites[number]) if number in sprites else None
        yield number, tiles if tiles is not None and "alpha" in tiles else None


def _tile_size(path: Path) -> tuple[int, int] | None:
    tiles = read_sprite(path)
    if not tiles:
        return None
    height, width = next(iter(tiles.values())).shape[:2]
    return width, height


def _contact(report: Path, sprites: Mapping[int, Path], done: FrameRange) -> Path | None:
    path = report / "contact.png"
    chosen = evenly(done.intersection(FrameRange.of(sprites)), _CONTACT)
    rows = [(n, tiles) for n in chosen if (tiles := read_sprite(sprites[n])) is not None]
    return path if rows and contact_sheet(rows, path) else None


def _prepare(layout: OutputLayout) -> None:
    for folder in (layout.report, layout.out / FOLDER):
        _made(folder, layout)
        sweep_orphans(folder)


def _made(folder: Path, layout: OutputLayout) -> Path:
    refuse_escape(made(folder), layout.out)
    return folder


def _sweep(layout: OutputLayout, manifest: Manifest, page: Page) -> None:
    """Remove pictures that are of no use any more: of earlier mattes, or not in this report."""
    wanted = {path for files in page.full.values() for path in files.values()}
    wanted |= {path for files in page.compared.values() for path in files.values()}
    for folder in ("full", "against"):
        for path in _files(layout.report / folder):
            if path not in wanted and not is_temporary(path.name):
                path.unlink(missing_ok=True)
    for path in _files(layout.out / FOLDER):
        number, digest = sprite_key(path.name) or (None, "")
        record = None if number is None else manifest.frames.get(number)
        if record is not None and record.digest and record.digest[:16] != digest:
            path.unlink(missing_ok=True)  # another matte of the frame is there by now


def _files(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if p.is_file()] if folder.is_dir() else []


def _bytes(folder: Path) -> int:
    try:
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    except OSError as error:
        raise OutputError(str(error.strerror), where=folder, fix="run it again") from error
