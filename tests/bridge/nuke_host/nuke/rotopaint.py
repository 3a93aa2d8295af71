"""Roto shapes. A shape's points do not know of transforms; a matrix is sixteen numbers by rows."""

from __future__ import annotations

import math
from typing import Any, Iterator, Sequence

from ._knobs import Knob, Strict

_DEFAULTS = {"vis": 1.0, "opc": 1.0, "inv": 0.0, "ltt": 0.0, "ltm": 0.0, "ltn": 0.0}


class FlagType:
    eOpenFlag = 256


class CVec3(Strict):
    """A point."""

    x = y = z = 0.0

    def __init__(self, x: float = 0.0, y: float = 0.0) -> None:
        self.x, self.y = float(x), float(y)


class _Curve:
    """Keys in time, linear between, held outside."""

    def __init__(self, value: Sequence[float]) -> None:
        self.constant = [float(v) for v in value]
        self.keys: dict[float, list[float]] = {}

    def add(self, time: float, value: Sequence[float]) -> None:
        self.keys[float(time)] = [float(v) for v in value]

    def at(self, time: float) -> list[float]:
        if not self.keys:
            return self.constant
        times = sorted(self.keys)
        before = max((t for t in times if t <= time), default=times[0])
        after = min((t for t in times if t >= time), default=times[-1])
        if after <= before:
            return self.keys[before]
        part = (time - before) / (after - before)
        return [a + (b - a) * part for a, b in zip(self.keys[before], self.keys[after])]


class AnimControlPoint(Strict):
    """A point that moves."""

    def __init__(self, x: float = 0.0, y: float = 0.0) -> None:
        self._curve = _Curve((x, y))

    def addPositionKey(self, time: float, positionOrDim: Any) -> None:
        self._curve.add(time, tuple(positionOrDim))

    def getPosition(self, time: float) -> CVec3:
        return CVec3(*self._curve.at(time))


class ShapeControlPoint(Strict):
    """A point of a shape; its tangents are relative to it."""

    center = leftTangent = rightTangent = AnimControlPoint()

    def __init__(self, x: float = 0.0, y: float = 0.0) -> None:
        self.center = AnimControlPoint(x, y)
        self.leftTangent = AnimControlPoint()
        self.rightTangent = AnimControlPoint()


class AnimAttributes(Strict):
    """What a shape is besides its points."""

    kInvertedAttribute = "inv"
    kLifeTimeTypeAttribute = "ltt"
    kLifeTimeMAttribute = "ltm"
    kLifeTimeNAttribute = "ltn"
    kVisibleAttribute = "vis"

    def __init__(self) -> None:
        self._curves = {name: _Curve((value,)) for name, value in _DEFAULTS.items()}

    def getValue(self, time: float, indexOrName: str) -> float:
        return self._curves[indexOrName].at(time)[0]

    def set(self, time: float, attributeIndexOrName: str, value: float) -> None:
        self._curves[attributeIndexOrName].add(time, (value,))


class CTransform(Strict):
    """A transform at one time."""

    def __init__(self, values: dict[str, list[float]]) -> None:
        self._values = values

    def getMatrix(self) -> list[float]:
        """Scale, then rotation, about the pivot, then translation."""
        v = self._values
        turn = math.radians(v["rotation"][0])
        a, b = v["scale"][0] * math.cos(turn), -v["scale"][1] * math.sin(turn)
        c, d = v["scale"][0] * math.sin(turn), v["scale"][1] * math.cos(turn)
        px, py = v["pivot"]
        x = px - a * px - b * py + v["translation"][0]
        y = py - c * px - d * py + v["translation"][1]
        return [a, b, 0.0, x, c, d, 0.0, y, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]


class AnimCTransform(Strict):
    """A transform that moves. Angles are about z, in degrees, given as the third number."""

    def __init__(self) -> None:
        self._curves = {
            "translation": _Curve((0, 0)),
            "rotation": _Curve((0,)),
            "scale": _Curve((1, 1)),
            "pivot": _Curve((0, 0)),
        }

    def addTranslationKey(self, time: float, x: float, y: float, pressure: float) -> None:
        self._curves["translation"].add(time, (x, y))

    def addRotationKey(self, time: float, x: float, y: float, pressure: float) -> None:
        self._curves["rotation"].add(time, (pressure,))

    def addScaleKey(self, time: float, x: float, y: float, pressure: float) -> None:
        self._curves["scale"].add(time, (x, y))

    def addPivotPointKey(self, time: float, x: float, y: float, pressure: float) -> None:
        self._curves["pivot"].add(time, (x, y))

    def evaluate(self, time: float) -> CTransform:
        return CTransform({name: curve.at(time) for name, curve in self._curves.items()})

    def isDefault(self) -> bool:
        return False  # as Nuke answers, even of one that was never touched


class Element(Strict):
    """A layer, a shape or a stroke."""

    name = ""
    locked = False

    def __init__(self, name: str) -> None:
        self.name = name
        self._attributes = AnimAttributes()
        self._transform = AnimCTransform()
        self._items: list[Any] = []
        self._flags = 0

    def getVisible(self, time: float) -> bool:
        return bool(self._attributes.getValue(time, "vis"))

    def setVisible(self, time: float, value: bool) -> None:
        self._attributes.set(time, "vis", float(value))

    def serialise(self) -> str:
        return "{curvegroup " + self.name + " 512 bezier\n}"


class _Holder(Element):
    """What layers, shapes and strokes have alike, though Nuke's stubs give them no base for it."""

    def getAttributes(self) -> AnimAttributes:
        return self._attributes

    def getTransform(self) -> AnimCTransform:
        return self._transform

    def getFlag(self, flag: int) -> bool:
        return bool(self._flags & flag)

    def setFlag(self, flag: int, value: bool) -> None:
        self._flags = self._flags | flag if value else self._flags & ~flag

    def append(self, element: Any) -> None:
        self._items.append(element)

    def insert(self, index: int, element: Any) -> None:
        self._items.insert(index, element)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self._items))

    def __getitem__(self, index: int) -> Any:
        return self._items[index]


class Layer(_Holder):
    """Shapes and layers, the topmost first."""

    def __init__(self, curves: Any) -> None:
        super().__init__("Layer")


class Shape(_Holder):
    """A spline."""

    _kind = "bezier"

    def __init__(self, curves: Any, type: str = "bezier") -> None:
        super().__init__("Shape")
        self._kind = type

    def serialise(self) -> str:
        return "{curvegroup " + self.name + " 512 " + self._kind + "\n}"


class Stroke(_Holder):
    """A brush stroke."""

    def __init__(self, curves: Any) -> None:
        super().__init__("Stroke")


class CurveKnob(Knob):
    """The knob that holds the shapes."""

    rootLayer = Layer(None)

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.rootLayer = Layer(self)
        self.rootLayer.name = "Root"

    def changed(self) -> None:
        pass
