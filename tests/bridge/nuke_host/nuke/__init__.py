"""A pretended Nuke: only what the stubs name, with the behaviour that is documented for it."""

from __future__ import annotations

from typing import Any, Callable

from ._knobs import *
from ._nodes import Format, Group, Node, Nodes, Root, walk
from ._state import STATE, in_main

GUI = True
INPUTS, HIDDEN_INPUTS, EXPRESSIONS = 1, 2, 4
STARTLINE = 0x1000
TO_SCRIPT, WRITE_NON_DEFAULT_ONLY = 1, 2

nodes = Nodes()


def root() -> Root:
    in_main()
    if STATE.root is None:
        STATE.root = STATE.group = Root()
        STATE.root._name = "root"
    found: Root = STATE.root
    return found


def allNodes(
    filter: str = "", group: Group | None = None, recurseGroups: bool = False
) -> list[Node]:
    inside = group or root()
    found = walk(inside) if recurseGroups else inside.nodes()
    return [node for node in found if filter in ("", node.Class())]


def toNode(s: str) -> Node | None:
    found: Any = root()
    for part in s.split("."):
        found = found.node(part) if isinstance(found, Group) else None
    return found if found is not root() else None


def selectedNodes() -> list[Node]:
    return [node for node in root().nodes() if node._selected]


def thisNode() -> Node:
    in_main()
    found: Node = STATE.this
    return found


def thisKnob() -> Any:
    in_main()
    return STATE.knob


def frame(f: int | None = None) -> int:
    in_main()
    if f is not None:
        STATE.frame = f
    return STATE.frame


def filename(node: Node) -> str | None:
    knob = node.knob("file")
    return str(knob.value()) or None if knob is not None else None


def delete(n: Node) -> None:
    n._check()
    n._group._nodes.remove(n)
    n._alive = False


def execute(nameOrNode: Node, start: int, end: int, incr: int = 1) -> None:
    nameOrNode._check()
    if nameOrNode.Class() != "Write" or nameOrNode.input(0) is None:
        raise RuntimeError("nothing to execute")
    for number in range(start, end + 1, incr):
        STATE.rendered.append((nameOrNode.input(0).name(), number))
        if STATE.render is not None:
            STATE.render(nameOrNode, number, str(nameOrNode["file"].value()))


def message(prompt: str) -> None:
    in_main()
    STATE.messages.append(prompt)


def executeInMainThread(call: Callable[..., Any], args: Any = (), kwargs: Any = None) -> None:
    STATE.calls.put((call, args if isinstance(args, tuple) else (args,), kwargs or {}))


def menu(name: str) -> Menu:
    in_main()
    if name not in ("Nuke", "Nodes", "Viewer"):
        raise RuntimeError("no menu " + name)
    return Menu()


class Menu:
    """A menu."""

    def addCommand(self, name: str, command: Any = None) -> None:
        in_main()
        STATE.commands[name] = command


def addOnScriptLoad(call: Any) -> None:
    STATE.callbacks.setdefault("onScriptLoad", []).append(call)


def addOnScriptClose(call: Any) -> None:
    STATE.callbacks.setdefault("onScriptClose", []).append(call)


def addKnobChanged(call: Any, nodeClass: str = "*") -> None:
    STATE.callbacks.setdefault("knobChanged " + nodeClass, []).append(call)


__all__ = [
    name for name in dir() if not name.startswith("_") and name not in ("annotations", "Any")
]
_ = Format
