"""The house's habits: small files, functions that fit a screen, imports that start nothing."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parents[2]
CODE = ("plugin", "model", "workers", "nuke_bridge")

MAX_LINES = 300
"""Of a file."""

MAX_FUNCTION_LINES = 60
"""Of a function without its docstring: a screen."""

PYTHON = [
    *ROOT.glob("adamatte*.py"),
    *sorted(file for folder in (*CODE, "tests") for file in (ROOT / folder).rglob("*.py")),
]
AT_ROOT = ("*.md", "*.toml", "*.txt", "Makefile", ".ci/run")
WITHIN = ("*.md", "*.toml", "*.json")
TEXTS = [
    *PYTHON,
    *(file for pattern in AT_ROOT for file in ROOT.glob(pattern)),
    *(f for folder in (*CODE, "docs") for kind in WITHIN for f in (ROOT / folder).rglob(kind)),
]

MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|mnt/\w+)/|\.library\b")


def _name(file: Path) -> str:
    return str(file.relative_to(ROOT))


@pytest.mark.parametrize("file", PYTHON, ids=_name)
def test_files_are_small(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("file", PYTHON, ids=_name)
def test_functions_fit_a_screen(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert [f"{name}: {n} lines" for name, n in _lengths(tree) if n > MAX_FUNCTION_LINES] == []


def _lengths(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Name and lines of every function, its docstring left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = ast.get_docstring(node, clean=False) is not None
            text = node.body[0] if documented else None
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield node.name, lines - (_lines(text) if text is not None else 0)


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("file", TEXTS, ids=_name)
def test_no_machine_is_named(file: Path) -> None:
    found = MACHINE_PATH.findall(file.read_text(encoding="utf-8")) if file != Path(__file__) else []
    assert found == []


_WATCH = """
import json, sys
opened, connected = [], []

def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        opened.append(arguments[0])
    if event in ("socket.connect", "socket.getaddrinfo"):
        connected.append(str(arguments))

sys.addaudithook(watch)
import {package}
heavy = [name for name in ("torch", "ray", "cv2", "av") if name in sys.modules]
weights = [name for name in opened if name.endswith((".safetensors", ".pt", ".pth", ".onnx"))]
print(json.dumps({{"heavy": heavy, "weights": weights, "connected": connected}}))
"""


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("adamatte", {"torch", "ray", "cv2", "av"}),
        ("plugin", {"torch", "ray"}),
        ("plugin.cli", {"torch", "ray", "cv2", "av"}),
        ("model", {"ray"}),
        ("workers", {"ray", "torch"}),
    ],
)
def test_importing_starts_nothing(package: str, never: set[str]) -> None:
    script = _WATCH.format(package=package)
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seen = json.loads(answer.stdout)
    assert never.isdisjoint(seen["heavy"])
    assert seen["weights"] == []
    assert seen["connected"] == []


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom plugin.cli import main\ncode = main(['--help'])\n"
        "heavy = {'torch', 'ray', 'cv2', 'numpy', 'pydantic', 'av', 'rich'} & set(sys.modules)\n"
        "print(sorted(heavy), file=sys.stderr)\nsys.exit(code)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert answer.stderr.strip() == "[]"


def test_no_property_depends_on_the_pace_of_the_machine() -> None:
    assert settings().deadline is None
    assert HealthCheck.too_slow in settings().suppress_health_check
    limits = re.compile(r"\bdeadline=\d|suppress_health_check=\[Health")
    paced = [_name(f) for f in PYTHON if "tests" in f.parts and limits.search(f.read_text("utf-8"))]
    assert [name for name in paced if name != "tests/conftest.py"] == []
