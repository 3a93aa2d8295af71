"""The import table of DEVELOPMENT.md, held against the source."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Rule:
    """What the modules of a folder may import besides the standard library.

    Attributes:
        allowed: packages, or dotted modules of ours, with all that is in them.
        lazy: the same, but only within a function.
    """

    allowed: frozenset[str]
    lazy: frozenset[str] = frozenset()

    def also(self, allowed: str = "", lazy: str = "") -> Rule:
        """A wider rule."""
        return Rule(self.allowed | set(allowed.split()), self.lazy | set(lazy.split()))


PLUGIN = Rule(frozenset({"plugin"})).also("numpy cv2 av OpenEXR OpenImageIO pydantic pydantic_core")
MODEL = Rule(frozenset({"model"})).also(
    "torch numpy cv2 pydantic safetensors pymatting "
    "plugin.types plugin.errors plugin.framerange plugin.pattern plugin.disk.inputs "
    "plugin.disk.atomic plugin.image"
)

RULES: dict[str, Rule] = {
    "adamatte.py": Rule(frozenset({"plugin", "model", "adamatte_names"})),
    "adamatte_names.py": Rule(frozenset()),
    "plugin": PLUGIN,
    "plugin/cli": PLUGIN.also("click rich", lazy="model workers"),
    "plugin/progress/lines.py": PLUGIN.also("rich"),
    "plugin/report/page.py": PLUGIN.also("jinja2 markupsafe"),
    "plugin/result/verify.py": PLUGIN.also("nuke_bridge.core.standing"),
    "plugin/desk": PLUGIN.also("aiohttp", lazy="model workers"),
    "plugin/desk/standing.py": PLUGIN.also("nuke_bridge.core.standing nuke_bridge.core.files"),
    "plugin/driver/attempts.py": PLUGIN.also(lazy="model workers"),
    "plugin/driver/executor.py": PLUGIN.also(lazy="model workers"),
    "plugin/driver/probe.py": PLUGIN.also(lazy="model"),
    "plugin/driver/tuned.py": PLUGIN.also(lazy="model"),
    "plugin/driver/demo.py": PLUGIN.also(lazy="model"),
    "plugin/segmentation/learn/method.py": PLUGIN.also(lazy="model"),
    "plugin/segmentation/learn/own_motion.py": PLUGIN.also(lazy="model"),
    "plugin/segmentation/neural/onnx.py": PLUGIN.also(lazy="model"),
    "plugin/segmentation/neural/sam2.py": PLUGIN.also(lazy="model"),
    "model": MODEL,
    "model/segmenters/onnx.py": MODEL.also(lazy="onnxruntime"),
    "model/export/onnx_file.py": MODEL.also(lazy="onnx onnxruntime"),
    "model/segmenters/sam2.py": MODEL.also(lazy="transformers"),
    "workers": Rule(frozenset({"workers", "plugin", "model", "nuke_bridge.core", "ray", "numpy"})),
    "workers/actor.py": Rule(frozenset({"workers", "plugin", "model", "adamatte_names"})),
    "workers/bench": Rule(frozenset({"workers", "plugin", "model", "numpy"})).also(lazy="torch"),
    "nuke_bridge": Rule(frozenset({"nuke_bridge"})),
}
"""By file or folder; the longest that fits holds."""

HOST_MODULES = frozenset({"nuke", "nukescripts", "bpy"})
"""What a host brings: each is imported by one module of the bridge."""


@dataclass(frozen=True, slots=True)
class Import:
    """One name that a file imports: `plugin.types.Frame`, and whether within a function."""

    name: str
    lazy: bool
    line: int


def imports(source: str, package: str = "") -> Iterator[Import]:
    """Every import of a source text, those of `importlib.import_module("…")` too."""
    yield from _imports(ast.parse(source), package.split("."), lazy=False)


def _imports(node: ast.AST, package: list[str], *, lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Import():
                yield from (Import(alias.name, lazy, child.lineno) for alias in child.names)
            case ast.ImportFrom():
                base = package[: len(package) - child.level + 1] if child.level else []
                module = ".".join([*base, *([child.module] if child.module else [])])
                for alias in child.names:
                    yield Import(f"{module}.{alias.name}", lazy, child.lineno)
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                if ast.unparse(function).endswith(("import_module", "__import__")):
                    yield Import(name, lazy, child.lineno)
        inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        yield from _imports(child, package, lazy=inside)


def offences(source: str, rule: Rule, package: str = "") -> list[str]:
    """The imports that the rule forbids, as `line: name`."""
    return [
        f"{found.line}: {found.name}{'' if found.lazy else ' at import time'}"
        for found in imports(source, package)
        if found.name.split(".")[0] not in sys.stdlib_module_names
        and not _within(found.name, rule.allowed)
        and not (found.lazy and _within(found.name, rule.lazy))
    ]


def _within(name: str, modules: frozenset[str]) -> bool:
    return any(name == module or name.startswith(module + ".") for module in modules)


def rule_of(file: str) -> Rule:
    """The rule that holds for a file, named from the root."""
    places = [place for place in RULES if file == place or file.startswith(place + "/")]
    return RULES[max(places, key=len)]


FOLDERS = ("plugin", "model", "workers", "nuke_bridge")
FILES = [
    "adamatte.py",
    "adamatte_names.py",
    *sorted(str(f.relative_to(ROOT)) for folder in FOLDERS for f in (ROOT / folder).rglob("*.py")),
]


@pytest.mark.parametrize("file", FILES)
def test_imports_keep_to_the_table(file: str) -> None:
    rule = rule_of(file)
    if file.startswith("nuke_bridge/"):
        rule = rule.also(" ".join(HOST_MODULES))
    source = (ROOT / file).read_text(encoding="utf-8")
    assert offences(source, rule, ".".join(Path(file).parent.parts)) == []


@pytest.mark.parametrize("module", sorted(HOST_MODULES))
def test_one_module_of_the_bridge_knows_the_host(module: str) -> None:
    knowing = [
        file
        for file in FILES
        if file.startswith("nuke_bridge/")
        and any(i.name.split(".")[0] == module for i in imports((ROOT / file).read_text("utf-8")))
    ]
    assert len(knowing) <= 1


@pytest.mark.parametrize("file", [f for f in FILES if f.startswith("nuke_bridge/core/")])
def test_the_core_of_the_bridge_knows_no_host(file: str) -> None:
    package = ".".join(Path(file).parent.parts)
    names = {found.name for found in imports((ROOT / file).read_text("utf-8"), package)}
    hosts = ("nuke_bridge.nuke_node", "nuke_bridge.blender", *HOST_MODULES)
    assert [name for name in names if _within(name, frozenset(hosts))] == []


def test_every_host_is_known_to_its_own_module() -> None:
    known = {
        found.name.split(".")[0]: file
        for file in FILES
        if file.startswith("nuke_bridge/")
        for found in imports((ROOT / file).read_text("utf-8"))
        if found.name.split(".")[0] in HOST_MODULES
    }
    wanted = {"nuke": "nuke_bridge/nuke_node/host.py", "bpy": "nuke_bridge/blender/addon.py"}
    assert known == wanted


@pytest.mark.parametrize(
    "file", [f for f in FILES if not f.startswith(("plugin/cli/", "adamatte.py"))]
)
def test_nothing_stands_on_the_command_line(file: str) -> None:
    source = (ROOT / file).read_text(encoding="utf-8")
    assert [i for i in imports(source) if i.name.startswith("plugin.cli")] == []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("plugin/exr/alpha_file.py", "import torch"),
        ("plugin/exr/alpha_file.py", "def f():\n    import torch"),
        ("plugin/exr/alpha_file.py", "from ray import remote"),
        ("plugin/exr/alpha_file.py", "def f():\n    from workers.pool import Pool"),
        ("plugin/exr/alpha_file.py", "import click"),
        ("plugin/exr/alpha_file.py", "import importlib\nimportlib.import_module('torch.nn')"),
        (
            "plugin/exr/alpha_file.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
        ),
        ("plugin/driver/run.py", "from model import Matter"),
        ("plugin/driver/run.py", "class A:\n    import model"),
        ("plugin/cli/shots.py", "def f():\n    import torch"),
        ("model/loss.py", "from plugin.request.shot import Shot"),
        ("model/loss.py", "from plugin import shot"),
        ("model/loss.py", "from ..plugin.shot import Shot"),
        ("model/loss.py", "import plugin"),
        ("model/loss.py", "import ray"),
        ("workers/pool.py", "import torch"),
        ("nuke_bridge/node.py", "import numpy"),
        ("nuke_bridge/node.py", "from plugin.types import Frame"),
    ],
)
def test_the_table_forbids(file: str, source: str) -> None:
    assert offences(source, rule_of(file), ".".join(Path(file).parent.parts)) != []


@pytest.mark.parametrize(
    ("file", "source"),
    [
        (
            "plugin/driver/executor.py",
            "def run():\n    from model import Matter\n    import workers.pool",
        ),
        ("plugin/cli/shot_arguments.py", "import click"),
        ("model/loss.py", "from plugin import types"),
        ("model/loss.py", "from plugin.errors import WeightsError\nimport torch.nn as nn"),
        ("model/loss.py", "from .config import Config\nfrom . import blocks"),
        ("workers/pool.py", "import ray\nfrom plugin.result.manifest import Manifest"),
        ("nuke_bridge/node.py", "import json\nfrom nuke_bridge.jobs import submit"),
    ],
)
def test_the_table_allows(file: str, source: str) -> None:
    assert offences(source, rule_of(file), ".".join(Path(file).parent.parts)) == []
