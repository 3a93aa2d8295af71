"""Nuke runs this at start, with an interface or without: it makes the package known.

The folder's parent stays off `sys.path`, where it would bring more than this package.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback


def _make_known(folder: str) -> None:
    if "nuke_bridge" in sys.modules:
        return
    file = os.path.join(folder, "__init__.py")
    spec = importlib.util.spec_from_file_location(
        "nuke_bridge", file, submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise ImportError(file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["nuke_bridge"] = module
    spec.loader.exec_module(module)


try:
    _make_known(os.path.dirname(os.path.abspath(__file__)))
except Exception:  # noqa: BLE001, RUF100  whatever it is, Nuke must start
    sys.stderr.write("AdaMatte is not available:\n" + traceback.format_exc())
