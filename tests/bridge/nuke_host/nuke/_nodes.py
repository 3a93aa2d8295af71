"""Nodes: the classes that the bridge uses, each with the knobs that Nuke gives it."""

from __future__ import annotations

import re
from typing import Any

from . import _knobs as k
from ._classes import CLASSES, EVERY, OF_FILE_TYPE
from ._state import STATE, in_main

__all__ = ["Format", "Group", "Node", "Nodes", "Root", "add_to_group", "walk"]


class Format(k.Strict):
    """A picture's size; the display window."""

    def __init__(
        self, width: int, height: int, aspect: float = 1.0, x: int = 0, y: int = 0
    ) -> None:
        self._box = (width, height, aspect, x, y)

    def width(self) -> int:
        return int(self._box[0])

    def height(self) -> int:
        return int(self._box[1])

    def pixelAspect(self) -> float:
        return self._box[2]

    def x(self) -> int:
        return int(self._box[3])

    def y(self) -> int:
        return int(self._box[4])


class Node(k.Strict):
    """Any node."""

    def __init__(self, kind: str) -> None:
        in_main()
        if kind not in CLASSES:
            raise RuntimeError(f"{kind}: Unknown command")
        self._class = kind
        self._name = kind + "1"
        self._group: Any = None
        self._inputs: list[Any] = []
        self._alive = True
        self._selected = False
        self._format: Format | None = None
        self._shown = False
        self._knobs: dict[str, k.Knob] = {}
        for knob in k.of_class({**EVERY, **CLASSES[kind]}):
            self.addKnob(knob)
        if kind in ("Roto", "RotoPaint"):
            from .rotopaint import CurveKnob

            self.addKnob(CurveKnob("curves"))

    def Class(self) -> str:
        self._check()
        return self._class

    def name(self) -> str:
        self._check()
        return self._name

    def fullName(self) -> str:
        self._check()
        outer = self._group is not None and self._group.Class() != "Root"
        return f"{self._group.fullName()}.{self._name}" if outer else self._name

    def setName(self, name: str, uncollide: bool = True) -> None:
        self._check()
        taken = {node._name for node in self._group._nodes if node is not self}
        while uncollide and name in taken:
            stem = re.sub(r"\d+\Z", "", name)
            number = int(name[len(stem) :] or 0) + 1
            name = f"{stem}{number}"
        self._name = name

    def knob(self, p: str) -> k.Knob | None:
        self._check()
        return self._knobs.get(p)

    def knobs(self) -> dict[str, k.Knob]:
        self._check()
        return dict(self._knobs)

    def addKnob(self, knob: k.Knob) -> None:
        in_main()
        if knob.name() in self._knobs:
            raise ValueError(f"two knobs {knob.name()}")
        knob._node = self
        self._knobs[knob.name()] = knob

    def __getitem__(self, name: str) -> k.Knob:
        self._check()
        if name not in self._knobs:
            raise NameError(f"knob {name} does not exist")
        return self._knobs[name]

    def input(self, index: int) -> Any:
        self._check()
        return self._inputs[index] if index < len(self._inputs) else None

    def setInput(self, i: int, node: Any) -> bool:
        self._check()
        while len(self._inputs) <= i:
            self._inputs.append(None)
        self._inputs[i] = node
        return True

    def dependencies(self, mask: int) -> list[Any]:
        self._check()
        return [node for node in self._inputs if node is not None]

    def writeKnobs(self, flags: int = 0) -> str:
        self._check()
        found = {n: knob._value for n, knob in self._knobs.items()}
        return "\n".join(f"{n} {v}" for n, v in sorted(found.items()) if v != "")

    def format(self) -> Format:
        self._check()
        if self._format is None and self._inputs:
            found: Format = self._inputs[0].format()
            return found
        return self._format or Format(1920, 1080)

    def firstFrame(self) -> int:
        return self._frames()[0]

    def lastFrame(self) -> int:
        return self._frames()[1]

    def _frames(self) -> tuple[int, int]:
        self._check()
        if self._class == "Read":
            return int(self["first"].value()), int(self["last"].value())
        return self._inputs[0]._frames() if self._inputs else (1, 100)

    def xpos(self) -> int:
        return int(self["xpos"].value())

    def ypos(self) -> int:
        return int(self["ypos"].value())

    def setXYpos(self, x: int, y: int) -> None:
        self["xpos"].setValue(x)
        self["ypos"].setValue(y)

    def setSelected(self, selected: bool) -> None:
        self._check()
        self._selected = selected

    def showControlPanel(self) -> None:
        self._check()
        self._shown = True

    def _changed(self, knob: k.Knob) -> None:
        """Knobs of a file type come and go; callbacks are called, as in Nuke, in an interface."""
        if self._class == "Write" and knob.name() == "file_type":
            for new in k.of_class(OF_FILE_TYPE.get(knob._value, {})):
                self.addKnob(new)
        before = STATE.this, STATE.knob
        STATE.this, STATE.knob = self, knob
        for call in STATE.callbacks.get("knobChanged " + self._class, []):
            call()
        STATE.this, STATE.knob = before

    def _check(self) -> None:
        in_main()
        if not self._alive:
            raise ValueError("A PythonObject is not attached to a node")


class Group(Node):
    """A node with nodes inside."""

    def __init__(self, kind: str = "Group") -> None:
        self._nodes: list[Node] = []
        self._outer: list[Any] = []
        super().__init__(kind)

    def __enter__(self) -> Group:
        self._outer.append(STATE.group)
        STATE.group = self
        return self

    def __exit__(self, *_: Any) -> None:
        STATE.group = self._outer.pop()

    def node(self, s: str) -> Node | None:
        self._check()
        return next((node for node in self._nodes if node._name == s), None)

    def nodes(self) -> list[Node]:
        self._check()
        return list(self._nodes)


class Root(Group):
    """The script."""

    def __init__(self) -> None:
        super().__init__("Root")


class Nodes(k.Strict):
    """`nuke.nodes.Grade(name="Grade1", white=2)`."""

    def __getattr__(self, item: str) -> Any:
        def make(**knobs: Any) -> Node:
            node = Group() if item == "Group" else Node(item)
            add_to_group(node, str(knobs.pop("name", item + "1")))
            for i, source in enumerate(knobs.pop("inputs", [])):
                node.setInput(i, source)
            for name, value in knobs.items():
                node[name].setValue(value)
            return node

        return make


def add_to_group(node: Node, name: str) -> None:
    """Put a new node into the group that is open."""
    node._group = STATE.group
    node.setName(name)
    STATE.group._nodes.append(node)


def walk(group: Group) -> list[Node]:
    """All nodes of a group and of the groups in it."""
    found: list[Node] = []
    for node in group._nodes:
        found.append(node)
        if isinstance(node, Group):
            found += walk(node)
    return found
