"""The pretended Nuke against the published type stubs: it has nothing that Nuke has not."""

from __future__ import annotations

import ast
import functools
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.bridge.nuke_host import stage

import nuke  # isort: skip
from nuke import rotopaint  # isort: skip

STUBS = next((Path(p) / "nuke-stubs" for p in sys.path if (Path(p) / "nuke-stubs").is_dir()), None)
pytestmark = pytest.mark.skipif(STUBS is None, reason="types-nuke is not installed")

OWN = {"Strict", "STATE", "in_main", "walk", "Format"} | {"Any", "Callable", "List", "Optional"}
"""What the pretended modules need for themselves."""


@functools.cache
def stub(name: str) -> dict[str, ast.AST]:
    """The public names of a stub module, what it imports from others included."""
    assert STUBS is not None
    tree = ast.parse((STUBS / f"{name}.pyi").read_text(encoding="utf-8"))
    found: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            for alias in node.names:
                inner = stub(node.module)
                found |= (
                    inner if alias.name == "*" else {alias.asname or alias.name: inner[alias.name]}
                )
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = joined(found.get(node.name), node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
    return found


def joined(before: ast.AST | None, node: ast.AST) -> ast.AST:
    """Overloads of a function as one that takes what any of them does."""
    if isinstance(before, ast.FunctionDef) and isinstance(node, ast.FunctionDef):
        node.args.args += before.args.args
    return node


def members(kind: ast.AST, known: dict[str, ast.AST]) -> dict[str, ast.AST]:
    """What a stub class has, its bases' included."""
    assert isinstance(kind, ast.ClassDef)
    found: dict[str, ast.AST] = {}
    for base in kind.bases:
        parent = known.get(ast.unparse(base))
        if isinstance(parent, ast.ClassDef):
            found |= members(parent, known)
    for node in kind.body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = node
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = node
    return found


def parameters(node: ast.AST) -> set[str] | None:
    """Names that a stub function takes; None where it says `*args`."""
    if not isinstance(node, ast.FunctionDef) or node.args.vararg is not None:
        return None
    return {a.arg for a in [*node.args.args, *node.args.kwonlyargs]}


def pretended() -> Iterator[tuple[str, Any, str]]:
    for name in vars(nuke)["__all__"]:
        yield "__init__", getattr(nuke, name), name
    for name, value in vars(rotopaint).items():
        if inspect.isclass(value) and value.__module__ == rotopaint.__name__:
            yield "rotopaint", value, name


CASES = [case for case in pretended() if case[2] not in OWN and not case[2].startswith("_")]


@pytest.mark.parametrize(("module", "value", "name"), CASES, ids=[c[2] for c in CASES])
def test_nuke_has_it_too(module: str, value: Any, name: str) -> None:
    if name == "rotopaint":
        return
    known = stub(module) | stub("_nuke") | stub("_curveknob") | stub("_curvelib")
    assert name in known, f"Nuke has no {name}"
    if inspect.isclass(value):
        there = members(known[name], known)
        for part, own in vars(value).items():
            if part.startswith("_"):
                continue
            assert part in there, f"Nuke's {name} has no {part}"
            check(own, there[part], f"{name}.{part}")
    elif inspect.isfunction(value):
        check(value, known[name], name)


def check(own: Any, there: ast.AST, name: str) -> None:
    """A pretended function takes no parameter that Nuke's does not."""
    taken = parameters(there)
    if taken is None or not inspect.isfunction(own):
        return
    wanted = {p for p in inspect.signature(own).parameters if p != "self"}
    assert wanted <= taken | {"args", "kwargs"}, name


def test_it_is_the_pretended_one() -> None:
    assert str(stage.HERE) in str(nuke.__file__)
    assert importlib.util.find_spec("nuke") is not None


def test_what_nuke_has_not_is_an_error() -> None:
    stage.fresh()
    node: Any = nuke.nodes.Read(name="Read1")
    with pytest.raises(AttributeError):
        node.colour = 1
    with pytest.raises(AttributeError):
        node.getKnob("file")
    with pytest.raises(NameError):
        node["files"]
    with pytest.raises(ValueError, match="on_error"):
        node["on_error"].setValue("nearest")
    with pytest.raises(RuntimeError):
        nuke.nodes.Raed()
