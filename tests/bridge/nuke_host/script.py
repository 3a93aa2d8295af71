"""Scripts as text, in Nuke's own syntax as far as the pretended nodes need it."""

from __future__ import annotations

import re
from typing import Any

from tests.bridge.nuke_host import stage

import nuke  # isort: skip

_TYPES = {
    "Tab_Knob": 20,
    "String_Knob": 1,
    "File_Knob": 2,
    "Int_Knob": 3,
    "Enumeration_Knob": 4,
    "Boolean_Knob": 6,
    "Double_Knob": 7,
    "PyScript_Knob": 22,
    "Text_Knob": 26,
    "Link_Knob": 41,
}


def saved(group: Any = None) -> str:
    """The script, or one group of it, as text."""
    left: list[Any] = list((group or nuke.root()).nodes())
    ordered: list[Any] = []
    while left:
        node = next(n for n in left if not any(i in left for i in n._inputs))
        left.remove(node)
        ordered.append(node)
    return "".join(_node(node) for node in ordered)


def loaded(text: str) -> None:
    """Add what a saved script holds to the open one, and call what waits for that."""
    _load(iter(text.splitlines()), {})
    for call in stage.STATE.callbacks.get("onScriptLoad", []):
        stage.timed(call)


def _node(node: Any) -> str:
    from nuke._nodes import CLASSES

    pushes = [f"push ${_tag(i)}\n" if i else "push 0\n" for i in reversed(node._inputs)]
    lines = [node.Class() + " {", f" inputs {len(node._inputs)}"]
    own = {"label", "tile_color", "xpos", "ypos", "disable", *CLASSES[node.Class()]}
    lines += [" addUserKnob {" + _user(k) + "}" for n, k in node.knobs().items() if n not in own]
    fresh = type(node)() if node.Class() == "Group" else type(node)(node.Class())
    for name, knob in node.knobs().items():
        plain = fresh.knob(name)
        same = plain is not None and plain._value == knob._value and not knob._expression
        if not same and knob.Class() not in ("Tab_Knob", "PyScript_Knob", "Link_Knob", "CurveKnob"):
            value = "{{" + knob._expression + "}}" if knob._expression else _quoted(knob._value)
            lines.append(f" {name} {value}")
    lines += [" name " + node.name(), "}"]
    text = "".join(pushes) + "\n".join(lines) + "\n"
    if isinstance(node, nuke.Group):
        inner = saved(node)
        text += "".join(" " + line + "\n" for line in inner.splitlines()) + "end_group\n"
    return str(text) + f"set {_tag(node)} [stack 0]\n"


def _tag(node: Any) -> str:
    return "N_" + str(node.fullName()).replace(".", "_")


def _user(knob: Any) -> str:
    told = f"{_TYPES[knob.Class()]} {knob.name()} l {_quoted(knob.label())}"
    if knob.tooltip():
        told += " t " + _quoted(knob.tooltip())
    if not knob.visible():
        told += " +INVISIBLE"
    if knob.getFlag(nuke.STARTLINE):
        told += " +STARTLINE"
    if knob.Class() == "Enumeration_Knob":
        told += " M " + _quoted(" ".join(knob.values()))
    if knob.Class() == "PyScript_Knob":
        told += " T " + _quoted(knob.command())
    if knob.Class() == "Link_Knob":
        told += " T " + _quoted(knob.getLink())
    return str(told)


def _quoted(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + text + '"'


_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


def _words(text: str) -> list[str]:
    def plain(match: Any) -> str:
        if match.group(2) is not None:
            return str(match.group(2))
        return re.sub(r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1), match.group(1))

    return [plain(match) for match in _WORD.finditer(text)]


def _load(lines: Any, tags: dict[str, Any]) -> None:
    stack: list[Any] = []
    for line in lines:
        told = line.strip()
        if told == "end_group":
            return
        if told.startswith("push "):
            stack.append(tags.get(told[6:]))
        elif told.startswith("set "):
            tags[told.split()[1]] = stack[-1]
        elif told.endswith(" {"):
            stack.append(_loaded_node(told[:-2], lines, stack, tags))


def _loaded_node(kind: str, lines: Any, stack: list[Any], tags: dict[str, Any]) -> Any:
    node = getattr(nuke.nodes, kind)()
    values: list[Any] = []
    links: list[Any] = []
    for line in lines:
        told = line.strip()
        if told == "}":
            break
        word, _, rest = told.partition(" ")
        if word == "inputs":
            for i in range(int(rest)):
                node.setInput(i, stack.pop())
        elif word == "addUserKnob":
            _add_user_knob(node, _words(rest[1:-1]), links)
        elif word == "name":
            node.setName(rest)
        else:
            values.append((word, rest))
    for name, rest in values:
        _set(node[name], rest)
    if kind == "Group":
        with node:
            _load(lines, tags)
    for knob, target in links:
        knob.makeLink(*target.split("."))
    return node


def _add_user_knob(node: Any, words: list[str], links: list[Any]) -> None:
    kind = {number: name for name, number in _TYPES.items()}[int(words[0])]
    options = dict(zip(words[2::2], words[3::2])) if "+" not in " ".join(words) else _options(words)
    more: list[Any] = [options["M"].split()] if kind == "Enumeration_Knob" else []
    more = [options["T"]] if kind == "PyScript_Knob" else more
    knob = getattr(nuke, kind)(words[1], options.get("l", ""), *more)
    knob.setTooltip(options.get("t", ""))
    knob.setVisible("+INVISIBLE" not in words)
    if "+STARTLINE" in words:
        knob.setFlag(nuke.STARTLINE)
    node.addKnob(knob)
    if kind == "Link_Knob":
        links.append((knob, options["T"]))


def _options(words: list[str]) -> dict[str, str]:
    plain = [w for w in words[2:] if w not in ("+INVISIBLE", "+STARTLINE")]
    return dict(zip(plain[::2], plain[1::2]))


def _set(knob: Any, text: str) -> None:
    if text.startswith("{{"):
        knob.setExpression(text[2:-2])
        return
    value = _words(text)[0]
    kind = knob.Class()
    if kind in ("Int_Knob", "Unsigned_Knob"):
        knob.setValue(int(value))
    elif kind == "Double_Knob":
        knob.setValue(float(value))
    elif kind == "Boolean_Knob":
        knob.setValue(value == "true")
    else:
        knob.setValue(value)
