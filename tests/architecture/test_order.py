"""The order of the folders: each stands on those before it, and no import goes back up."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_imports import FILES, ROOT, imports

_FLOORS = """
plugin   errors window framerange pattern disk plate_info types request progress image colour exr
         plates segmentation trimap stabilise finish result synthetic report driver desk doctor
         cli
plugin.segmentation plans sampling whole masks screen clean_plate track learn neural registry
model    config rectangles planes blocks prediction adamatting losses inference matter segmenters
         tuning export training evaluation
workers  jobs_api overlap stage_clock tries last_words neighbours worker_memory private_ray
         watching shares
         cluster listening
         shared_matter
         raw_alphas written frame_worker actor waiting ray_pool
         in_process ray_executor submit farm bench
"""
ORDER = {
    package: rooms
    for package, *rooms in (text.split() for text in re.split(r"\n(?=\w)", _FLOORS) if text.strip())
}
"""Modules and folders that lie directly in a package, from the ground up."""

THIN = 40
"""Lines of an `__init__`."""


def rooms_of(module: str) -> dict[str, str]:
    """The room of a dotted name in each package: `plugin.exr.header` lies in `plugin`'s `exr`."""
    within = (package for package in ORDER if module.startswith(f"{package}."))
    rooms = {package: module[len(package) + 1 :].partition(".")[0] for package in within}
    return {package: room for package, room in rooms.items() if room in ORDER[package]}


def ours(file: str) -> Iterator[str]:
    """The dotted names of ours that a file imports, wherever in it."""
    package = ".".join(Path(file).parent.parts)
    for found in imports((ROOT / file).read_text("utf-8"), package):
        if found.name.partition(".")[0] in (*ORDER, "adamatte", "adamatte_names"):
            yield found.name


HELD = [f for f in FILES if f.partition("/")[0] in ORDER and f.count("/") + f.endswith("y") > 1]
HELD = [f for f in HELD if f not in {f"{package}/__init__.py" for package in ORDER}]


@pytest.mark.parametrize("file", HELD)
def test_no_import_goes_back_up(file: str) -> None:
    mine = rooms_of(".".join(Path(file).with_suffix("").parts))
    assert [
        name
        for name in ours(file)
        for package, room in rooms_of(name).items()
        if package in mine and ORDER[package].index(room) > ORDER[package].index(mine[package])
    ] == []


@pytest.mark.parametrize("package", ORDER)
def test_every_room_is_in_the_order(package: str) -> None:
    there = {
        path.stem
        for path in (ROOT / package.replace(".", "/")).iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert there - {"__init__"} == set(ORDER[package])


@pytest.mark.parametrize("file", [f for f in FILES if not f.endswith("__init__.py")])
def test_a_list_of_names_hands_on_those_of_others(file: str) -> None:
    """A module's own public names are those without an underscore: `__all__` would say it twice."""
    body = ast.parse((ROOT / file).read_text("utf-8")).body
    listed = {
        element.value
        for node in body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for element in ast.walk(node.value)
        if isinstance(element, ast.Constant)
    }
    of_others = {
        alias.asname or alias.name
        for node in ast.walk(ast.Module(body, []))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    lazy = any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in body)
    assert lazy or listed <= of_others


def modules() -> dict[str, str]:
    """Every file of the three packages, and those beside them, by its dotted name."""
    return {
        ".".join(Path(f).with_suffix("").parts).removesuffix(".__init__"): f
        for f in FILES
        if f.partition("/")[0] in ORDER or "/" not in f
    }


def test_modules_go_round_in_no_circle() -> None:
    known = modules()
    edges = {
        module: {
            name if name in known else name.rpartition(".")[0]
            for name in ours(file)
            if not file.endswith("__init__.py")
        }
        & set(known)
        for module, file in known.items()
    }
    while free := [module for module, needs in edges.items() if not needs & set(edges)]:
        for module in free:
            del edges[module]
    assert sorted(edges) == []


@pytest.mark.parametrize(
    "file", [f for f in HELD if not f.startswith(("model/evaluation/", "plugin/cli/"))]
)
def test_what_only_developers_run_is_not_imported_at_run_time(file: str) -> None:
    """Training by nothing that mattes; measuring by the commands that measure."""
    measuring = ("plugin/driver/demo.py", "workers/bench/")
    training = file.startswith("model/training/")
    assert [
        name
        for name in ours(file)
        if (name.startswith("model.training") and not training)
        or (name.startswith("model.evaluation") and not file.startswith(measuring))
    ] == []


@pytest.mark.parametrize("file", [f for f in FILES if f.endswith("__init__.py")])
def test_the_door_of_a_folder_is_thin(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert len(text.splitlines()) <= THIN
    kinds = (ast.Expr, ast.Import, ast.ImportFrom, ast.Assign, ast.If)
    made = [node for node in ast.parse(text).body if not isinstance(node, kinds)]
    names = [getattr(node, "name", type(node).__name__) for node in made]
    assert names in ([], ["__getattr__"], ["register", "unregister"])  # Blender asks for those two
