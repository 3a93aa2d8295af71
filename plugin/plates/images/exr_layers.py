"""Which part and channels of an image make the plate: layers, views and parts by name."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from plugin.errors import PlateError

_COLOUR = {"r": "R", "red": "R", "g": "G", "green": "G", "b": "B", "blue": "B"}
_OTHER = {"y": "Y", "i": "Y", "a": "A", "alpha": "A", "ry": "RY", "by": "BY"}
_FIX = "say which with --layer"
_NAMED = 6

_BEAUTY = frozenset(
    {"beauty", "rgba", "rgb", "combined", "composite", "main", "default", "master", "image", "c"}
)
"""What renderers and compositors call the picture itself, as a part or as a layer's last word."""

_DATA = re.compile(
    r"(?:^|[._ -])(?:normals?|n|nn?_?(?:world|cam(?:era)?)?|p|positions?|points?|pworld|pref|depth"
    r"|z|vectors?|velocity|motion|mv|mvec|motionvectors?|uvs?|st|stmap|ids?|crypto\w*|masks?|mattes?"
    r"|ao|occlusion|tangents?|facing|fresnel|samples?|variance|indexob|indexma)\d*\Z",
    re.IGNORECASE,
)
"""Names of passes that hold no colours, whatever their channels are called."""


def names_data(name: str) -> bool:
    """Whether a layer's or part's name says that its values are no colours."""
    return _DATA.search(name) is not None


@dataclass(frozen=True, slots=True)
class Part:
    """One part (subimage) of a file.

    Attributes:
        number: its place in the file.
        name: of the part; empty in files with one.
        view: `left`, `right`, …; empty where there are no views.
        channels: full names, `diffuse.R`.
        deep: it holds several samples a pixel.
    """

    number: int
    name: str
    view: str
    channels: tuple[str, ...]
    deep: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """The channels of a plate.

    Attributes:
        part: the part's place in the file.
        rgb: channel numbers of red, green and blue; -1 where one is missing and taken as 0; one
            number alone is grey, none is luminance and chroma.
        alpha: channel number of the alpha, None where there is none.
        notes: what was assumed.
        label: the layer's name and which of its channels there are.
    """

    part: int
    rgb: tuple[int, ...]
    alpha: int | None = None
    notes: tuple[str, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Layer:
    part: Part
    name: str
    channels: dict[str, int]

    @property
    def names(self) -> set[str]:
        """Everything this layer may be called by, in lower case."""
        owners = {self.part.name, self.part.view} - {""}
        names = {f"{owner}.{self.name}" for owner in owners if self.name}
        names |= {self.name} if self.name else owners
        return {name.lower() for name in names}

    @property
    def label(self) -> str:
        owner = self.part.name or self.part.view
        return ".".join(text for text in (owner, self.name) if text) or "the main picture"

    @property
    def coloured(self) -> bool:
        return bool({"R", "G", "B", "Y"} & self.channels.keys())

    @property
    def is_data(self) -> bool:
        """Whether the name says that its values are no colours: normals, depth, motion, masks."""
        return names_data(self.name or self.part.name)

    @property
    def is_beauty(self) -> bool:
        """Whether the name says that this is the picture."""
        words = re.split(r"[._ -]", (self.name or self.part.name).lower())
        return (words[-2:] if words[-1] == self.part.view.lower() else words[-1:])[0] in _BEAUTY


def choose(parts: Iterable[Part], layer: str, where: Path) -> Picture:
    """Find the plate's channels.

    Without a name: the unnamed layer of the file's only part, or of its first view; among several
    parts or named layers the one that is called the picture (`beauty`, `rgba`, `Combined`), or the
    only one that is not called data (`normals`, `depth`, …).

    Args:
        parts: of the file.
        layer: a layer (`diffuse`), a view (`left`), a part, or part and layer with a dot between.
        where: the file, for errors.

    Raises:
        PlateError: no colour, deep data, no such layer, or more than one that fits.
    """
    parts = list(parts)
    flat = [found for part in parts if not part.deep for found in _layers(part)]
    coloured = [found for found in flat if found.coloured]
    if not coloured:
        deep = any(part.deep for part in parts)
        what = "deep data is not a plate" if deep else f"no colour channels among {_names(parts)}"
        raise PlateError(what, where=where, fix="give an image with R, G, B or Y")
    named = [found for found in coloured if layer.lower() in found.names]
    fitting = named if layer else _main(coloured)
    if len(fitting) != 1:
        there = ", ".join(sorted(found.label for found in fitting or coloured))
        what = f"no layer {layer!r}" if layer else "no main picture"
        what = f"more than one layer {layer!r}" if layer and fitting else what
        raise PlateError(f"{what}; there are {there}", where=where, fix=_FIX)
    others = [] if layer else sorted(found.label for found in coloured if found is not fitting[0])
    return _picture(fitting[0], others, asked=bool(layer))


def _main(coloured: list[_Layer]) -> list[_Layer]:
    """The main picture; several where which it is cannot be told."""
    unnamed = [found for found in coloured if not found.name]
    if unnamed and len({found.part.number for found in coloured}) == 1:
        return unnamed
    pictures = [found for found in coloured if not found.is_data] or coloured
    called = [found for found in pictures if found.is_beauty]
    for few in (called, [found for found in pictures if not found.name], pictures):
        if len(few) == 1 or _are_views(few):
            return few[:1]
    return pictures


def _are_views(layers: list[_Layer]) -> bool:
    """Whether they are one picture seen by several eyes, of which the first is the hero's."""
    views = {found.part.view for found in layers} - {""}
    return bool(layers) and len(views) == len(layers)


def _layers(part: Part) -> Iterator[_Layer]:
    found: dict[str, dict[str, int]] = {}
    others: dict[str, set[str]] = {}
    for number, channel in enumerate(part.channels):
        layer, _, base = channel.rpartition(".")
        kind = _COLOUR.get(base.lower()) or _OTHER.get(base.lower())
        if kind is not None:
            found.setdefault(layer, {}).setdefault(kind, number)
        else:
            others.setdefault(layer, set()).add(base.upper())
    for name, channels in found.items():
        if "Y" in channels and {"X", "Z", "U", "V"} & others.get(name, set()):
            del channels["Y"]  # the second of a vector's coordinates is no luminance
        if channels:
            yield _Layer(part, name, channels)


def _picture(layer: _Layer, others: list[str], *, asked: bool) -> Picture:
    notes: list[str] = []
    if not asked and (layer.name or (layer.part.name and others)):
        kind = "no main picture, taken from layer" if layer.name else "taken from part"
        notes.append(f"{kind} {layer.label}")
    colours = [layer.channels.get(kind, -1) for kind in "RGB"]
    if max(colours) < 0:
        rgb: tuple[int, ...] = (layer.channels["Y"],)
        notes.append("grey")
    else:
        rgb = tuple(colours)
        missing = [kind for kind, number in zip("RGB", colours, strict=True) if number < 0]
        if missing:
            notes.append(f"no {' and '.join(missing)}, taken as 0")
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        notes.append(f"--layer could also take {', '.join(others[:_NAMED])}{more}")
    label = f"{layer.label} ({', '.join(sorted(layer.channels))})"
    return Picture(layer.part.number, rgb, layer.channels.get("A"), tuple(notes), label)


def _names(parts: Iterable[Part]) -> str:
    names = [name for part in parts for name in part.channels]
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "") or "none at all"
