"""Knobs. Setting what a knob cannot hold is an error, as is any attribute that Nuke has not."""

from __future__ import annotations

import os
import re
from typing import Any, Sequence

from ._state import STATE, in_main

__all__ = [
    "Array_Knob",
    "Boolean_Knob",
    "Channel_Knob",
    "Double_Knob",
    "Enumeration_Knob",
    "EvalString_Knob",
    "File_Knob",
    "Int_Knob",
    "Knob",
    "Link_Knob",
    "PyScript_Knob",
    "Script_Knob",
    "String_Knob",
    "Tab_Knob",
    "Text_Knob",
    "Unsigned_Knob",
]


class Strict:
    """An object that takes no attribute which its class does not name."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and not hasattr(type(self), name):
            raise AttributeError(f"{type(self).__name__} has no {name}")
        object.__setattr__(self, name, value)


class Knob(Strict):
    """Any knob."""

    _default: Any = ""

    def __init__(self, name: str, label: str | None = None) -> None:
        in_main()
        self._name = name
        self._label = name if label is None else label
        self._tooltip = ""
        self._flags = 0
        self._visible = True
        self._value: Any = self._default
        self._expression = ""
        self._node: Any = None

    def Class(self) -> str:
        return type(self).__name__

    def name(self) -> str:
        return self._name

    def label(self) -> str:
        return self._label

    def node(self) -> Any:
        return self._node

    def tooltip(self) -> str:
        return self._tooltip

    def setTooltip(self, tooltip: str) -> None:
        in_main()
        self._tooltip = tooltip

    def setFlag(self, flag: int) -> None:
        in_main()
        self._flags |= flag

    def getFlag(self, flag: int) -> bool:
        return bool(self._flags & flag)

    def setVisible(self, visible: bool) -> None:
        in_main()
        self._visible = visible

    def visible(self) -> bool:
        return self._visible

    def setExpression(self, expression: str) -> bool:
        in_main()
        self._expression = expression
        return True

    def value(self) -> Any:
        in_main()
        return self._value

    def setValue(self, val: Any) -> bool:
        in_main()
        self._take(self._checked(val))
        return True

    def _checked(self, value: Any) -> Any:
        return value

    def _take(self, value: Any) -> None:
        changed = value != self._value
        self._value = value
        if changed and self._node is not None:
            self._node._changed(self)


class Array_Knob(Knob):
    """Numbers."""

    _default = 0.0

    def setRange(self, low: float, high: float) -> None:
        in_main()

    def _checked(self, value: Any) -> Any:
        if isinstance(value, str):
            raise TypeError(f"a number is wanted, not {value!r}")
        return float(value)


class Double_Knob(Array_Knob):
    """One number."""


class Int_Knob(Array_Knob):
    """One whole number."""

    _default = 0

    def _checked(self, value: Any) -> Any:
        if not isinstance(value, int):
            raise TypeError(f"a whole number is wanted, not {value!r}")
        return value


class Unsigned_Knob(Array_Knob):
    """One whole number from 0, colours among them."""

    _default = 0

    def _checked(self, value: Any) -> Any:
        if not isinstance(value, int) or not 0 <= value < 1 << 32:
            raise TypeError(f"an unsigned number is wanted, not {value!r}")
        return value


class Boolean_Knob(Array_Knob):
    """A switch."""

    _default = False

    def _checked(self, value: Any) -> Any:
        return bool(value)


class Enumeration_Knob(Unsigned_Knob):
    """A choice."""

    def __init__(self, name: str, label: str | None, values: Sequence[str]) -> None:
        self._values = list(values)
        super().__init__(name, label)
        self._value = self._values[0]

    def values(self) -> list[str]:
        return list(self._values)

    def _checked(self, value: Any) -> Any:
        if value not in self._values:
            raise ValueError(f"{self._name} has no {value!r}")
        return value


class String_Knob(Knob):
    """A text."""

    def _checked(self, value: Any) -> Any:
        if not isinstance(value, str):
            raise TypeError(f"a text is wanted, not {value!r}")
        return value


class EvalString_Knob(String_Knob):
    """A text with expressions in it."""

    def evaluate(self) -> str | None:
        in_main()

        def known(match: Any) -> str:
            if match.group(1).startswith("getenv "):
                return os.environ[match.group(1).split()[1]]
            raise RuntimeError("invalid command name in " + match.group(0))

        return re.sub(r"\[([^\]]*)\]", known, self._value) or None


class File_Knob(EvalString_Knob):
    """A file name."""

    def _checked(self, value: Any) -> Any:
        if "\\" in value:
            raise ValueError("Nuke reads a backslash in a file name as an escape")
        return super()._checked(value)


class Channel_Knob(Knob):
    """A channel."""

    def _checked(self, value: Any) -> Any:
        if not re.match(r"\w+\.\w+\Z|\w+\Z", value):
            raise ValueError(f"no channel: {value!r}")
        return value


class Script_Knob(String_Knob):
    """A script, run when asked."""

    _runs = 0

    def command(self) -> str:
        return str(self._value)

    def execute(self) -> None:
        in_main()
        self._runs += 1
        before = STATE.this, STATE.knob
        STATE.this, STATE.knob = self._node, self
        try:
            import nuke

            exec(compile(self._value, self._name, "exec"), {"nuke": nuke})
        finally:
            STATE.this, STATE.knob = before


class PyScript_Knob(Script_Knob):
    """A button."""

    def __init__(self, name: str, label: str | None = None, script: str = "") -> None:
        super().__init__(name, label)
        self._value = script


class Text_Knob(Knob):
    """A line of text."""

    def __init__(self, name: str, label: str | None = None, text: str = "") -> None:
        super().__init__(name, label)
        self._value = text


class Tab_Knob(Knob):
    """Where a tab begins."""


class Link_Knob(Knob):
    """Another node's knob, shown here."""

    def makeLink(self, s: str, t: str) -> None:
        in_main()
        if self._linked(s, t) is None:
            raise ValueError(f"no {s}.{t} within {self._node.name()}")
        self._value = (s, t)

    def getLink(self) -> str:
        return ".".join(self._value)

    def getLinkedKnob(self) -> Knob:
        found: Knob = self._linked(*self._value)
        return found

    def _linked(self, node: str, knob: str) -> Any:
        inner = self._node.node(node)
        return inner.knob(knob) if inner is not None else None


def of_class(table: dict[str, tuple[Any, ...]]) -> list[Knob]:
    """New knobs, as a node class has them."""
    return [kind(name, *more) for name, (kind, *more) in table.items()]
