"""What the desk holds of a frame: the plate, its trimap, its matte."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from plugin.trimap.stretches import Edge
from plugin.types import FloatArray, Frame, LabelArray, Trimap

Band = tuple[str, float | None, float | None, Edge | None]
"""The plan's tag, and what an override says of a frame's band: `erode`, `dilate`, `edge`."""


class Source(Protocol):
    """`workers.neighbours.Source`: a frame as it is, and as the network sees it."""

    @property
    def frame(self) -> Frame:
        """As there."""

    @property
    def seen(self) -> Frame:
        """As there."""

    @property
    def rgb(self) -> FloatArray:
        """As there."""

    @property
    def area(self) -> tuple[slice, slice]:
        """As there."""


@dataclass(slots=True, eq=False)
class Look:
    """What of a frame does not depend on corrections.

    Attributes:
        number: the frame.
        source: the plate's frame, in its own space and as the network sees it.
        seen: `H × W × 3` uint8, the plate as displayed.
        plain: its trimap before the corrections' pixel rules, by band; the last that was asked for.
    """

    number: int
    source: Source
    seen: LabelArray
    plain: dict[Band, Trimap] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Trimaps:
    """A frame's trimap.

    Attributes:
        key: changes whenever a correction changes anything of this frame.
        plain: `H × W`, before the corrections' pixel rules.
        labels: `H × W`, after them.
        rules: digests of those rules.
        count: how many they are.
        before: the trimap that this one was made from by adding rules, until it is drawn.
        drawn: `H × W × 3` uint8, over the plate; made when it is looked at.
    """

    key: str
    plain: LabelArray
    labels: LabelArray
    rules: tuple[str, ...] = ()
    count: int = 0
    before: Trimaps | None = None
    drawn: LabelArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Matte:
    """A frame's matte, on the plate's data window.

    Attributes:
        adapted: `H × W` uint8, T̂; None of one that a run left on disk without it.
        alpha: `H × W` float32 as a file keeps it.
        front: `H × W × 3` uint8, the subject's own colours as displayed; None where it is the
            plate's that are comped.
    """

    adapted: LabelArray | None
    alpha: FloatArray
    front: LabelArray | None = None
