"""Shapes of a Roto or RotoPaint node to override polygons, and back.

A shape's points are read as they were drawn; where they end up is the product of the shape's own
transform and those of the layers around it, the root's last. Baked frame by frame, a shape needs
as many corners on each: as many as its most curved frame.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any, Iterator, NamedTuple, Sequence

from ..core.errors import BridgeError
from ..core.frames import runs
from ..core.geometry import (
    IDENTITY,
    Knot,
    Matrix,
    flatten,
    pieces_for,
    placed,
    product,
    turned,
)
from ..core.override_file import CLASSES, Polygon
from .host import nuke, rotopaint

_ALL, _SINGLE, _TO, _FROM, _RANGE = range(5)
"""A shape's lifetime, as its attribute has it."""

_FEWEST = 3


class Area(NamedTuple):
    """The plate's display window in the host's coordinates: pixels, y up."""

    x: int
    y: int
    width: int
    height: int


def area_of(node: nuke.Node) -> Area:
    """The format of a node."""
    found = node.format()
    return Area(int(found.x()), int(found.y()), int(found.width()), int(found.height()))


def find(name: str) -> nuke.Node:
    """The Roto of that name, else the selected one.

    Raises:
        BridgeError: there is none.
    """
    chosen: list[nuke.Node | None] = [nuke.toNode(name)] if name else [*nuke.selectedNodes()]
    drawn = [node for node in chosen if node is not None and node.Class() in ("Roto", "RotoPaint")]
    if not drawn:
        fix = "select the Roto or RotoPaint node, or name it in roto"
        raise BridgeError("no Roto node", name or "the selection", fix)
    return drawn[-1]


def polygons_of(
    node: nuke.Node, frames: Sequence[int], area: Area
) -> tuple[list[Polygon], list[str]]:
    """Every closed shape of a Roto on these frames, the topmost last: the last one wins.

    Returns:
        The polygons, and a line for each kind of thing that is no polygon.

    Raises:
        BridgeError: a shape is in no layer that names a class, is inverted, or is a B-spline.
    """
    found, strokes, opened = [], 0, 0
    knob: Any = node["curves"]
    for element, layers in reversed(list(_walk(knob.rootLayer, ()))):
        if isinstance(element, rotopaint.Stroke):
            strokes += 1
        elif isinstance(element, rotopaint.Shape):
            if element.getFlag(rotopaint.FlagType.eOpenFlag) or len(element) < _FEWEST:
                opened += 1
                continue
            polygon = _polygon(element, layers, frames, area)
            if polygon.frames:
                found.append(polygon)
    said = [(strokes, "strokes"), (opened, "open shapes")]
    return found, [f"{count} {what} left out" for count, what in said if count]


def _walk(layer: Any, around: tuple[Any, ...]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Shapes and strokes from the top, each with the layers around it, the root first."""
    around = (*around, layer)
    for element in layer:
        if isinstance(element, rotopaint.Layer):
            yield from _walk(element, around)
        else:
            yield element, around


def _polygon(shape: Any, layers: tuple[Any, ...], frames: Sequence[int], area: Area) -> Polygon:
    _refuse_other_kinds(shape)
    label = _label_of(shape, layers)
    seen = [
        n for n in frames if _lives(shape, n) and all(e.getVisible(n) for e in (*layers, shape))
    ]
    knots = {n: _knots(shape, _matrix((*layers, shape), n), n) for n in seen}
    pieces = [max(counts) for counts in zip(*(pieces_for(k) for k in knots.values()))]
    corners = {n: turned(flatten(k, pieces), area.height, area.x, area.y) for n, k in knots.items()}
    return Polygon(shape.name, label, seen, _fewest_keys(corners))


def _refuse_other_kinds(shape: Any) -> None:
    attributes = shape.getAttributes()
    if attributes.getValue(0, attributes.kInvertedAttribute):
        raise BridgeError("an inverted shape", shape.name, "draw what is meant, not the rest")
    if "bspline" in shape.serialise().split("\n", 1)[0]:
        raise BridgeError("a B-spline", shape.name, "convert it to Bézier in the Roto's list")


def _label_of(shape: Any, layers: tuple[Any, ...]) -> str:
    """The class that the nearest layer's name begins with, else the shape's own."""
    for name in [*(layer.name for layer in reversed(layers)), shape.name]:
        found = [label for label in CLASSES if str(name).lower().startswith(label)]
        if found:
            return found[0]
    fix = "put it into a layer named background, unknown or foreground"
    raise BridgeError("a shape without a class", shape.name, fix)


def _lives(shape: Any, frame: int) -> bool:
    attributes = shape.getAttributes()
    kind = int(attributes.getValue(frame, attributes.kLifeTimeTypeAttribute))
    first = attributes.getValue(frame, attributes.kLifeTimeMAttribute)
    last = attributes.getValue(frame, attributes.kLifeTimeNAttribute)
    lives: dict[int, bool] = {
        _SINGLE: frame == first,
        _TO: frame <= last,
        _FROM: frame >= first,
        _RANGE: first <= frame <= last,
    }
    return lives.get(kind, kind == _ALL)


def _matrix(elements: tuple[Any, ...], frame: int) -> Matrix:
    """Of the shape first, of the root last."""
    found = IDENTITY
    for element in elements:
        m = element.getTransform().evaluate(frame).getMatrix()
        # Row by row, the translation in each row's last place.
        found = product(found, (m[0], m[1], m[3], m[4], m[5], m[7]))
    return found


def _knots(shape: Any, matrix: Matrix, frame: int) -> list[Knot]:
    found = []
    for point in shape:
        ends = (point.center, point.leftTangent, point.rightTangent)
        at, arriving, leaving = [(p.x, p.y) for p in (e.getPosition(frame) for e in ends)]
        found.append(placed(Knot(at, arriving, leaving), matrix))
    return found


def _fewest_keys(corners: dict[int, list[tuple[float, float]]]) -> dict[int, Any]:
    """Without the frames on which the shape is where it was before and will be after."""
    frames = sorted(corners)
    kept = {}
    for i, n in enumerate(frames):
        around = [corners[frames[j]] for j in (i - 1, i + 1) if 0 <= j < len(frames)]
        if i == 0 or any(corners[n] != other for other in around):
            kept[n] = corners[n]
    return kept


def draw(
    polygons: Sequence[Polygon], frames: Sequence[int], area: Area, source: nuke.Node
) -> nuke.Node:
    """A Roto node of these polygons, in layers named by their class.

    Args:
        polygons: in order; the last one comes on top.
        frames: of the node: keys are set on those that a polygon moves on.
        area: the plate's display window.
        source: the plate, which gives the Roto its format.
    """
    node = nuke.nodes.Roto(inputs=[source])
    node.setName("AdaMatteOverride1")
    knob: Any = node["curves"]
    # A layer for each change of class, so that what lies over what stays as it was. Each is whole
    # before it is put into the one around it: Nuke may keep a copy.
    for label, same in groupby(polygons, key=lambda polygon: polygon.label):
        layer: Any = rotopaint.Layer(knob)
        layer.name = label
        for polygon in same:
            for first, last in runs(set(frames) & set(polygon.frames)):
                layer.insert(0, _shape(knob, polygon, first, last, area))
        knob.rootLayer.insert(0, layer)
    knob.changed()
    return node


def _shape(knob: Any, polygon: Polygon, first: int, last: int, area: Area) -> Any:
    shape = rotopaint.Shape(knob)
    shape.name = polygon.name
    moves = len(polygon.keys) > 1
    placed_at = {
        n: _corners(polygon, n, area) for n in (range(first, last + 1) if moves else [first])
    }
    for x, y in placed_at[first]:
        shape.append(rotopaint.ShapeControlPoint(x, y))
    for frame, corners in placed_at.items():
        for point, corner in zip(shape, corners):
            point.center.addPositionKey(frame, corner)
    attributes = shape.getAttributes()
    attributes.set(first, attributes.kLifeTimeTypeAttribute, _RANGE)
    attributes.set(first, attributes.kLifeTimeMAttribute, first)
    attributes.set(first, attributes.kLifeTimeNAttribute, last)
    return shape


def _corners(polygon: Polygon, frame: int, area: Area) -> list[tuple[float, float]]:
    """The polygon on a frame, y up: linear between keys, held outside."""
    keys = sorted(polygon.keys)
    before = max((k for k in keys if k <= frame), default=keys[0])
    after = min((k for k in keys if k >= frame), default=keys[-1])
    part = (frame - before) / (after - before) if after > before else 0.0
    part = min(1.0, max(0.0, part))
    between = [
        (x + (u - x) * part, y + (v - y) * part)
        for (x, y), (u, v) in zip(polygon.keys[before], polygon.keys[after])
    ]
    return [(x + area.x, area.height - y + area.y) for x, y in between]
