"""`load` an override file for a shot, and apply it to one frame's trimap at a time."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path

from plugin.errors import FrameError, OverrideError, told_as
from plugin.framerange import FrameRange
from plugin.plates.companions.pictures import digest_of
from plugin.trimap.override.checks import check_pictures, frames_of, refuse_other_plate
from plugin.trimap.override.document import parse, read_bytes, rule_name
from plugin.trimap.override.models import (
    ImageRule,
    OverrideFile,
    ParamsRule,
    PolygonRule,
    Rule,
    StrokeRule,
)
from plugin.trimap.override.painted import picture_of, read_painted
from plugin.trimap.override.raster import (
    GRID,
    Points,
    between,
    on_grid,
    overlap,
    polygon_pixels,
    stroke_pixels,
)
from plugin.trimap.stretches import Edge
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, LabelArray, PlateInfo, Trimap, Window

_LABELS = {"background": BACKGROUND, "unknown": UNKNOWN, "foreground": FOREGROUND}


@dataclass(frozen=True, slots=True)
class Override:
    """A checked override file of one shot.

    Attributes:
        path: the file.
        sha256: of the file, for the manifest and the EXR header.
        file: what it says.
        frames: the frames of each rule, in the rules' order.
        info: the plate that it was checked against.
        warnings: what is odd but no mistake.
    """

    path: Path
    sha256: str
    file: OverrideFile
    frames: tuple[FrameRange, ...]
    info: PlateInfo
    warnings: tuple[str, ...] = ()

    def params(self, number: int) -> tuple[float | None, float | None]:
        """`erode` and `dilate` of a frame, each None where no rule gives it; the last one wins."""
        erode = dilate = None
        for _, rule in self._rules(number):
            if isinstance(rule, ParamsRule):
                erode = erode if rule.params.erode is None else rule.params.erode
                dilate = dilate if rule.params.dilate is None else rule.params.dilate
        return erode, dilate

    @property
    def bands(self) -> Override:
        """The same file's bands alone, without the rules that paint pixels."""
        pairs = zip(self.file.rules, self.frames, strict=True)
        kept = [(rule, frames) for rule, frames in pairs if isinstance(rule, ParamsRule)]
        file = self.file.model_copy(update={"rules": tuple(rule for rule, _ in kept)})
        return replace(self, file=file, frames=tuple(frames for _, frames in kept))

    def edge(self, number: int) -> Edge | None:
        """What the outline of a frame is; None where no rule says it; the last one wins."""
        said = (r.params.edge for _, r in self._rules(number) if isinstance(r, ParamsRule))
        return next((edge for edge in reversed([*said]) if edge is not None), None)

    def ids(self, number: int) -> list[str]:
        """Names of the rules of a frame, in the order in which they apply."""
        return [rule.id for _, rule in self._rules(number)]

    def apply(self, trimap: Trimap, after: int = 0) -> Trimap:
        """The trimap with every pixel rule of its frame applied in order; the last one wins.

        Args:
            trimap: before them.
            after: so many of the frame's rules, the first ones, are in it already.

        Raises:
            FrameError: a painted picture is missing or damaged by now.
        """
        labels = trimap.labels.copy()
        for place, rule in self._rules(trimap.number)[after:]:
            self._edit(labels, rule, trimap.number, place)
        return Trimap(trimap.number, labels)

    @told_as(FrameError)
    def digests(self, number: int) -> list[str]:
        """sha256 of each rule of this frame and of its picture; empty where none speaks of it.

        Raises:
            FrameError: a painted picture is missing by now.
        """
        found: list[str] = []
        for place, rule in self._rules(number):
            text = json.dumps(_meaning(rule, number), sort_keys=True)
            found.append(hashlib.sha256(text.encode()).hexdigest())
            if isinstance(rule, ImageRule):
                found.append(digest_of(self._picture(rule, number, place)))
        return found

    def _rules(self, number: int) -> list[tuple[int, Rule]]:
        """The rules of a frame, each with its place in the file from 1."""
        each = enumerate(zip(self.file.rules, self.frames, strict=True), 1)
        return [(place, rule) for place, (rule, frames) in each if number in frames]

    @told_as(FrameError)
    def _edit(self, labels: LabelArray, rule: Rule, number: int, place: int) -> None:
        if isinstance(rule, ImageRule):
            path = self._picture(rule, number, place)
            theirs, painted = read_painted(path, rule.mode, self.info)
            labels[painted] = theirs[painted]
        if isinstance(rule, PolygonRule):
            paint(labels, _corners(rule, number), None, _LABELS[rule.set], self.info)
        if isinstance(rule, StrokeRule):
            radius = round(rule.stroke.radius * GRID)
            paint(labels, on_grid(rule.stroke.points), radius, _LABELS[rule.set], self.info)

    def _picture(self, rule: ImageRule, number: int, place: int) -> Path:
        where = rule_name(self.path, place, rule)
        with told_as(FrameError, of=OverrideError, where=f"frame {number}"):
            return picture_of(rule.image, self.path.parent, number, where)


def paint(
    labels: LabelArray, points: Points, radius: int | None, label: int, info: PlateInfo
) -> None:
    """Fill a polygon, or sweep a brush, within the plate's data window.

    Args:
        labels: `H × W` uint8, painted into.
        points: corners or a line, pixels of the display window on the grid.
        radius: of the brush, grid units; None for a polygon.
        label: what is painted.
        info: the plate.
    """
    data, display = info.data_window, info.display_window
    # Coordinates count from the display window's corner, pixels are those of the data window.
    window = Window(
        data.x_min - display.x_min,
        data.y_min - display.y_min,
        data.x_max - display.x_min,
        data.y_max - display.y_min,
    )
    box, brush = overlap(points, radius or 0, window), radius is not None
    if box is None:
        return
    covered = stroke_pixels(points, radius or 0, box) if brush else polygon_pixels(points, box)
    left, top = box.x_min - window.x_min, box.y_min - window.y_min
    labels[top : top + box.height, left : left + box.width][covered] = label


def load(
    path: str | Path,
    info: PlateInfo,
    *,
    shot: str = "",
    asked: FrameRange | None = None,
    sha256: str = "",
) -> Override:
    """Read an override file and check it against its shot, before any frame is worked on.

    Args:
        path: the file.
        info: the plate, with all its frames.
        shot: the shot's name, to warn where the file names another; empty not to.
        asked: frames whose pictures are read and checked; None is all, an empty range (in a
            worker, whose driver has done it) none.
        sha256: what the file has to be still; empty for the first time.

    Raises:
        OverrideError: anything is wrong with it; names the rule.
    """
    path = Path(path).absolute()
    content = read_bytes(path)
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise OverrideError("changed since the job began", where=path, fix="start the job again")
    return of_bytes(content, path, info, shot=shot, asked=asked)


def of_bytes(
    content: bytes,
    path: Path,
    info: PlateInfo,
    *,
    shot: str = "",
    asked: FrameRange | None = None,
) -> Override:
    """The same of contents that are not, or not yet, in the file.

    Args:
        content: the file's.
        path: of the file, absolute.
        info: as for `load`.
        shot: likewise.
        asked: likewise.

    Raises:
        OverrideError: as `load`.
    """
    found = hashlib.sha256(content).hexdigest()
    file = parse(content, path)
    refuse_other_plate(file, info, path)
    frames = frames_of(file, info, path)
    check_pictures(file, frames, info, path, info.frames if asked is None else asked)
    warnings: tuple[str, ...] = ()
    if shot and file.shot != shot:
        warnings = (f"{path.name} is for shot {file.shot!a}, this one is {shot}",)
    return Override(path, found, file, frames, info, warnings)


def _corners(rule: PolygonRule, number: int) -> Points:
    """The polygon on a frame: linear between its keys, held before the first and after the last."""
    keys = sorted(int(key) for key in rule.polygon)
    before = max((key for key in keys if key <= number), default=keys[0])
    after = min((key for key in keys if key >= number), default=keys[-1])
    start, end = (on_grid(rule.polygon[str(key)]) for key in (before, after))
    if before == after:
        return start
    # At a frame before the first key, or after the last, both are that key.
    return between(start, end, number - before, after - before)


def _meaning(rule: Rule, number: int) -> object:
    """What a rule comes to on one frame, without its name and its frames."""
    if isinstance(rule, PolygonRule):
        return ["polygon", rule.set, _corners(rule, number).tolist()]
    kept = rule.model_dump(mode="json", exclude={"id", "frames", "image"})
    return [type(rule).__name__, kept]
