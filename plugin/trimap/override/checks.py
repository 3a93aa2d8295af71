"""What an override file has to agree with: the shot's frames, the plate's size, its pictures."""

import re
from pathlib import Path

from plugin.errors import AdaMatteError, FrameRangeError, OverrideError, told_as
from plugin.framerange import FrameRange
from plugin.trimap.override.document import rule_name
from plugin.trimap.override.models import ImageRule, OverrideFile, PolygonRule
from plugin.trimap.override.painted import picture_of, read_painted, refuse_path
from plugin.types import PlateInfo

_ENDS = re.compile(r"(-?\d{1,7})(?:-(-?\d{1,7}))?(?:x\d{1,7})?\Z", re.ASCII)


def refuse_other_plate(file: OverrideFile, info: PlateInfo, path: Path) -> None:
    """The file was made for a plate of this size.

    Raises:
        OverrideError: it was not.
    """
    made_for, have = (file.plate.width, file.plate.height), info.display_window
    if made_for != (have.width, have.height):
        raise OverrideError(
            f"made for a plate of {made_for[0]} × {made_for[1]} pixels,"
            f" this one has {have.width} × {have.height}",
            where=path,
            fix="take the shot's own file",
        )


def frames_of(file: OverrideFile, info: PlateInfo, path: Path) -> tuple[FrameRange, ...]:
    """The frames of every rule, in order.

    Raises:
        OverrideError: frames or a polygon's keys are no frame range, or lie outside the shot.
    """
    known: dict[str, FrameRange] = {}
    for number, rule in enumerate(file.rules, 1):
        where = rule_name(path, number, rule)
        if rule.frames not in known:
            _refuse_outside(_ends(rule.frames), info, where)
            known[rule.frames] = _parsed(rule.frames, where)
        if isinstance(rule, PolygonRule):
            _refuse_outside([int(key) for key in rule.polygon], info, where)
    return tuple(known[rule.frames] for rule in file.rules)


def check_pictures(
    file: OverrideFile,
    frames: tuple[FrameRange, ...],
    info: PlateInfo,
    path: Path,
    asked: FrameRange,
) -> None:
    """Read every painted picture that an asked frame needs.

    Raises:
        OverrideError: one is missing, outside the folder, damaged, of another size, or holds other
            values than a trimap.
    """
    for number, (rule, its_frames) in enumerate(zip(file.rules, frames, strict=True), 1):
        if not isinstance(rule, ImageRule):
            continue
        where = rule_name(path, number, rule)
        refuse_path(rule.image, where)
        pictures = {
            picture_of(rule.image, path.parent, frame, where)
            for frame in its_frames.intersection(asked)
        }
        for picture in sorted(pictures):
            _check_picture(rule, picture, info, where)


def _check_picture(rule: ImageRule, picture: Path, info: PlateInfo, where: str) -> None:
    try:
        read_painted(picture, rule.mode, info)
    except AdaMatteError as problem:
        what = f"{problem.what} ({picture.name})"
        raise OverrideError(what, where=where, fix=problem.fix) from problem


def _ends(text: str) -> list[int]:
    """First and last number of every part, without counting the range out: it may be huge."""
    matches = [_ENDS.match(part) for part in text.replace(" ", "").split(",")]
    return [int(end) for match in matches if match is not None for end in match.groups() if end]


def _refuse_outside(numbers: list[int], info: PlateInfo, where: str) -> None:
    outside = [n for n in numbers if not info.frames.first <= n <= info.frames.last]
    if outside:
        raise OverrideError(
            f"frame {outside[0]} is outside the shot, {info.frames.first} to {info.frames.last}",
            where=where,
            fix="correct its frames",
        )


def _parsed(text: str, where: str) -> FrameRange:
    with told_as(OverrideError, of=FrameRangeError, where=where):
        return FrameRange.parse(text)
