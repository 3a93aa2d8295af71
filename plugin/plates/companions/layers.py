"""Which channels of a companion picture may be its matte: layers and passes by name."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plugin.errors import PictureError
from plugin.plates.images.exr_layers import Part, names_data

_COLOURS = {"r": "R", "red": "R", "g": "G", "green": "G", "b": "B", "blue": "B"}
_GREY, _ALPHA = frozenset({"y", "i", "l"}), frozenset({"a", "alpha"})
_NO_MATTE = frozenset({"x", "z", "w", "u", "zback", "dx", "dy", "ry", "by", "n", "p"})
"""Last words of channels that hold places, directions and depths."""

_MATTE = re.compile(r"masks?|mattes?|roto|alpha|key|holdout|garbage|obj|ids?", re.IGNORECASE)
_HASHED = re.compile(r"crypto", re.IGNORECASE)
_LISTED = 8


@dataclass(frozen=True, slots=True)
class MatteLayer:
    """Channels that may be a matte.

    Attributes:
        label: as `--mask-layer` names it.
        part: the part's place in the file.
        colours: full names of the channels of which the largest counts; may be empty.
        alpha: full name of the alpha; None where there is none.
        main: it is the file's unnamed picture.
        others: labels of what else there is.
    """

    label: str
    part: int
    colours: tuple[str, ...]
    alpha: str | None
    main: bool = False
    others: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every channel, the alpha last."""
        return (*self.colours, *filter(None, [self.alpha]))

    @property
    def is_matte(self) -> bool:
        """Whether it is one channel that belongs to no picture."""
        return not self.main and len(self.names) == 1


def choose_matte(parts: Sequence[Part], layer: str, where: object) -> MatteLayer:
    """The layer of a companion picture that is the matte.

    Without a name it is the only one that may be, or the main picture where that has an alpha or is
    grey and the rest are pictures too.

    Args:
        parts: of the file.
        layer: what the user named: a layer, a part, a channel, or `RGB`.
        where: the file, for errors.

    Raises:
        PictureError: no channel may be a matte, none has that name, or several may be.
    """
    found = [one for part in parts if not part.deep for one in _layers(part, len(parts) > 1)]
    if layer:
        return _asked(found, parts, layer, where)
    if not found:
        names = ", ".join(name for part in parts for name in part.channels[:_LISTED])
        raise PictureError(
            f"no matte among {names}", where=where, fix="name the channel: --mask-layer"
        )
    chosen = _sole(found)
    if chosen is None:
        listed = ", ".join(one.label for one in found[:_LISTED])
        more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
        raise PictureError(
            f"several layers may be the matte: {listed}{more}",
            where=where,
            fix="say which with --mask-layer, or save it alone",
        )
    others = tuple(one.label for one in found if one is not chosen)
    return MatteLayer(chosen.label, chosen.part, chosen.colours, chosen.alpha, chosen.main, others)


def _sole(found: list[MatteLayer]) -> MatteLayer | None:
    if len(found) == 1:
        return found[0]
    mattes = [one for one in found if one.is_matte]
    main = [one for one in found if one.main]
    if not mattes and len(main) == 1 and (main[0].alpha or len(main[0].colours) == 1):
        return main[0]
    rest = [one for one in found if not one.is_matte]
    if len(mattes) == 1 and not any(one.alpha for one in rest):
        return mattes[0]
    return None


def _asked(found: list[MatteLayer], parts: Sequence[Part], layer: str, where: object) -> MatteLayer:
    wanted = layer.lower()
    for one in found:
        if wanted == one.label.lower() or (one.main and wanted in {"rgba", "main"}):
            return one
    if wanted == "rgb":
        coloured = [one for one in found if one.main and one.colours]
        if coloured:
            return MatteLayer("RGB", coloured[0].part, coloured[0].colours, None, main=True)
    for part in parts:
        for name in part.channels:
            if wanted in {name.lower(), f"{part.name}.{name}".lower()}:
                return MatteLayer(name, part.number, (name,), None)
    listed = ", ".join(dict.fromkeys([*(o.label for o in found), *parts[0].channels]))
    raise PictureError(
        f"no layer {layer!r}; there are {listed}", where=where, fix="name one of them"
    )


def _layers(part: Part, several: bool) -> Iterator[MatteLayer]:
    """Layers of one part: pictures by their colours and alpha, other channels each for itself."""
    groups: dict[str, list[str]] = {}
    for name in part.channels:
        groups.setdefault(name.rpartition(".")[0], []).append(name)
    for layer, names in groups.items():
        owner = part.name if several else ""
        label = ".".join(text for text in (owner, layer) if text)
        if _HASHED.search(label) or (names_data(label) and not _MATTE.search(label)):
            continue
        yield from _group(part.number, label, layer, names)


def _group(part: int, label: str, layer: str, names: list[str]) -> Iterator[MatteLayer]:
    last = {name: name.rpartition(".")[2].lower() for name in names}
    vector = bool({"x", "z"} & set(last.values()))
    colours = tuple(name for name in names if last[name] in _COLOURS)
    grey = () if vector else tuple(name for name in names if last[name] in _GREY)
    alpha = next((name for name in names if last[name] in _ALPHA), None)
    if colours or grey or alpha:
        yield MatteLayer(label or "RGBA", part, colours or grey[:1], alpha, main=not layer)
    taken = {*colours, *grey, alpha}
    for name in names:
        plain = last[name] not in _NO_MATTE and not (vector and last[name] == "y")
        if name not in taken and plain and not (names_data(name) and not _MATTE.search(name)):
            yield MatteLayer(name, part, (name,), None)
