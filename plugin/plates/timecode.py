"""SMPTE 12M timecode: `HH:MM:SS:FF`, `HH:MM:SS;FF` when drop-frame."""

import re
from fractions import Fraction

_TEXT = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.])(\d{2,3})\Z", re.ASCII)


def advance(timecode: str, frames: int, rate: Fraction | None) -> str | None:
    """The timecode `frames` frames later, around midnight where need be.

    Drop-frame (a `;` or `.` before the frames) skips the first two labels of each minute but every
    tenth at 29.97, the first four at 59.94.

    `frames` may be negative.

    Returns:
        None where the text is no timecode, or the rate is not known and `frames` is not 0.
    """
    match = _TEXT.match(timecode)
    if match is None:
        return None
    if frames == 0:
        return timecode
    if rate is None or rate <= 0:
        return None
    hours, minutes, seconds, frame = (int(match[i]) for i in (1, 2, 3, 5))
    per_second = max(1, round(rate))
    drop = per_second // 15 if match[4] in ";." and per_second % 30 == 0 else 0
    total_minutes = hours * 60 + minutes
    count = (total_minutes * 60 + seconds) * per_second + frame
    count -= drop * (total_minutes - total_minutes // 10)
    return _format(count + frames, per_second, drop, ";" if match[4] in ";." else ":")


def at_rate(timecode: str, counted: Fraction | None, rate: Fraction | None) -> str:
    """A timecode that counts pairs of frames (25 of 50 a second) as one that counts each."""
    match = _TEXT.match(timecode)
    if match is None or counted is None or rate is None or round(rate) != 2 * round(counted):
        return timecode
    return f"{timecode[: match.start(5)]}{2 * int(match[5]):02d}"


def _format(count: int, per_second: int, drop: int, separator: str) -> str:
    ten_minutes = 600 * per_second - 9 * drop
    count %= 144 * ten_minutes
    tens, rest = divmod(count, ten_minutes)
    label = tens * 600 * per_second + rest
    if drop and rest >= 60 * per_second:
        minute = 60 * per_second - drop
        label += drop * (1 + (rest - 60 * per_second) // minute)
    seconds, frame = divmod(label, per_second)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{clock}{separator}{frame:02d}"


def from_smpte_words(time_and_flags: int) -> str | None:
    """Read the packed word of DPX and OpenEXR: binary-coded decimal with flags (SMPTE 12M).

    Returns:
        None where the digits make no timecode, as in a header that was never filled in.
    """
    word = time_and_flags & 0xFFFFFFFF
    frame = (word >> 4 & 0x3) * 10 + (word & 0xF)
    second = (word >> 12 & 0x7) * 10 + (word >> 8 & 0xF)
    minute = (word >> 20 & 0x7) * 10 + (word >> 16 & 0xF)
    hour = (word >> 28 & 0x3) * 10 + (word >> 24 & 0xF)
    if hour > 23 or minute > 59 or second > 59 or word & 0xF > 9:
        return None
    separator = ";" if word >> 6 & 1 else ":"
    return f"{hour:02d}:{minute:02d}:{second:02d}{separator}{frame:02d}"
