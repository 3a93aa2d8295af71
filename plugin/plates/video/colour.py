"""How a video's code values stand for colours: by its tags and, untagged, by its size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import av

from plugin.colour.primaries import OTHER_PRIMARIES, TRANSFERS, VIDEO
from plugin.errors import PlateError

_HD_WIDTH, _HD_HEIGHT = 1280, 720

_MATRICES = {1: "BT.709", 5: "BT.601", 6: "BT.601", 9: "BT.2020"}
"""Matrix coefficients of ITU-T H.273, table 4."""

_UNSAID = frozenset({0, 2, 3})
"""Codes that say nothing: reserved and unspecified. A matrix of 0 means RGB, which YUV is not."""

_AS_VIDEO = frozenset({1, 4, 6, 11, 12, 14, 15})
_AS_HD = frozenset({1, 4, 5, 6, 7, 22})
"""Transfers of cameras and screens for video, and primaries that are nearly BT.709's."""

_LIMITED, _FULL = 1, 2
"""FFmpeg's codes of the range."""


@dataclass(frozen=True, slots=True)
class ColourTags:
    """Code points of ITU-T H.273, and FFmpeg's for the range."""

    matrix: int
    primaries: int
    transfer: int
    range: int

    @classmethod
    def of(cls, tagged: av.VideoFrame | av.VideoCodecContext) -> ColourTags:
        """The tags of a frame, or of a stream as its container and header have them."""
        return cls(
            int(tagged.colorspace),
            int(tagged.color_primaries),
            int(tagged.color_trc),
            int(tagged.color_range),
        )

    def or_else(self, other: ColourTags) -> ColourTags:
        """These, filled up with the other's where they say nothing."""
        return ColourTags(
            other.matrix if self.matrix in _UNSAID else self.matrix,
            other.primaries if self.primaries in _UNSAID else self.primaries,
            other.transfer if self.transfer in _UNSAID else self.transfer,
            self.range or other.range,
        )


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a video's code values stand for colours.

    Attributes:
        matrix: `RGB`, or the standard whose Kr and Kb apply.
        full: code values from 0 to the last one; otherwise 16 to 235 (240) of 8 bits.
        site: where chroma samples lie, in pixels of luma right of and below the first of luma.
        colour: the space of the RGB that comes out, as in `PlateInfo.colour`.
        notes: what was taken from tags and what was assumed.
    """

    matrix: str
    full: bool
    colour: str
    notes: tuple[str, ...]
    site: tuple[float, float] = (0.0, 0.5)


def encoding_of(frame: av.VideoFrame, tags: ColourTags, where: object) -> Encoding:
    """Read the tags of a decoded frame, then the container's; the rest follows from its size.

    Untagged: 1280 pixels wide or 720 high and up is BT.709, smaller is BT.601; the range is
    limited unless the pixel format says full.

    Raises:
        PlateError: the tags name a matrix that is not read.
    """
    tags = ColourTags.of(frame).or_else(tags)
    if frame.format.is_rgb or frame.format.has_palette:
        return Encoding("RGB", full=True, colour=_colour_name(tags), notes=())
    full = tags.range == _FULL or frame.format.name.startswith("yuvj")
    matrix, matrix_note = _matrix_of(frame, tags, where)
    notes = (f"{matrix_note}, {_range_note(tags, full)}", *_unfollowed(tags))
    return Encoding(matrix, full, _colour_name(tags), notes)


def _unfollowed(tags: ColourTags) -> Iterator[str]:
    """Tags that are known to mean something else than what they are taken as."""
    if tags.transfer not in {*_AS_VIDEO, *_UNSAID, *TRANSFERS}:
        yield f"transfer {tags.transfer} of ITU-T H.273 is taken as video's gamma"
    if tags.primaries not in {*_AS_HD, *_UNSAID, *OTHER_PRIMARIES}:
        yield f"primaries {tags.primaries} of ITU-T H.273 are taken as BT.709's"


def _range_note(tags: ColourTags, full: bool) -> str:
    if tags.range in {_LIMITED, _FULL}:
        return f"{'full' if full else 'limited'} range by its tag"
    if full:
        return "full range by its pixel format"
    return "no range tag, taken as limited"


def _matrix_of(frame: av.VideoFrame, tags: ColourTags, where: object) -> tuple[str, str]:
    if len(frame.format.components) < 3:
        return "BT.709", "grey"
    if tags.matrix in _MATRICES:
        matrix = _MATRICES[tags.matrix]
        return matrix, f"{matrix} matrix by its tag"
    if tags.matrix not in _UNSAID:
        raise PlateError(
            f"colour matrix {tags.matrix} of ITU-T H.273 is not read",
            where=where,
            fix="transcode it to BT.709, BT.601 or BT.2020 non-constant luminance",
        )
    large = frame.width >= _HD_WIDTH or frame.height >= _HD_HEIGHT
    matrix = "BT.709" if large else "BT.601"
    return matrix, f"no matrix tag, taken as {matrix} by its size"


def _colour_name(tags: ColourTags) -> str:
    primaries = OTHER_PRIMARIES.get(tags.primaries, "rec709")
    return TRANSFERS.get(tags.transfer, VIDEO).format(primaries)
