"""What a person says to SAM 2 of a frame: `1001=point:320,180`, `1001=not:20,30`, `1001=box:…`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from plugin.errors import MaskError
from plugin.types import PlateInfo

_PROMPT = re.compile(r"(-?\d{1,7})=(point|not|box):([-+.\d,\s]{1,80})\Z", re.ASCII)
_NUMBERS = {"point": 2, "not": 2, "box": 4}


@dataclass(frozen=True, slots=True)
class FramePrompt:
    """The prompts of one frame, pixels of the plate.

    Attributes:
        points: x, y and whether the point is on the subject.
        box: left, top, right, bottom around the subject; None without.
    """

    points: tuple[tuple[float, float, bool], ...] = ()
    box: tuple[float, float, float, float] | None = None


def parse_prompts(texts: Iterable[str], info: PlateInfo) -> dict[int, FramePrompt]:
    """Prompts by frame number.

    Raises:
        MaskError: one cannot be read, or lies outside the plate.
    """
    found: dict[int, FramePrompt] = {}
    for text in texts:
        number, kind, values = _parse(text, info)
        before = found.get(number, FramePrompt())
        if kind == "box":
            if before.box is not None:
                raise MaskError("a frame has two boxes", where=f"--prompt {text}", fix="keep one")
            left, top, right, bottom = values
            found[number] = FramePrompt(before.points, (left, top, right, bottom))
        else:
            point = (values[0], values[1], kind == "point")
            found[number] = FramePrompt((*before.points, point), before.box)
    return found


def _parse(text: str, info: PlateInfo) -> tuple[int, str, list[float]]:
    match = _PROMPT.match(text)
    fix = "write it like 1001=point:320,180, 1001=not:20,30 or 1001=box:100,40,500,350"
    try:
        values = [float(part) for part in match[3].split(",")] if match else []
    except ValueError:
        values = []
    if match is None or len(values) != _NUMBERS[match[2]]:
        raise MaskError("no prompt", where=f"--prompt {text}", fix=fix)
    number, kind = int(match[1]), match[2]
    inside = all(
        0 <= value <= side
        for value, side in zip(values, (info.width, info.height) * 2, strict=False)
    )
    if number not in info.frames or not inside:
        what = "the prompt lies outside the plate"
        fix = f"frames {info.frames}, {info.width} × {info.height} pixels"
        raise MaskError(what, where=f"--prompt {text}", fix=fix)
    if kind == "box" and not (values[0] < values[2] and values[1] < values[3]):
        raise MaskError("the box is empty", where=f"--prompt {text}", fix=fix)
    return number, kind, values
