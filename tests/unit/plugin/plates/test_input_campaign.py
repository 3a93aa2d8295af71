"""Inputs that are drawn by a seed are read rightly, refused, or told of: never wrongly in silence.

At full length: `python -m tests.inputs --count 2000`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin.plates.images import header as image_header
from plugin.plates.images import sequence
from plugin.segmentation.masks import files as mask_files
from plugin.types import Window
from tests.inputs.oracle import campaign

COUNT = 40


def test_nothing_is_wrong_in_silence(tmp_path: Path) -> None:
    ends, bad = campaign(1, COUNT, tmp_path / "one")
    assert bad == []
    assert ends["right"] > COUNT / 2
    assert sum(ends.values()) == COUNT


def _places_believed(spec: Any, _reader: str) -> tuple[Window, Window]:
    own = Window(spec.x, spec.y, spec.x + spec.width - 1, spec.y + spec.height - 1)
    return own, Window.of_size(spec.full_width, spec.full_height)


def _values_as_stored(values: Any, _reading: object) -> Any:
    return values.max(axis=2).clip(0, 1)


FAULTS: list[tuple[Any, str, Callable[..., Any]]] = [
    (image_header, "windows_of", _places_believed),
    (mask_files, "coverage_of", _values_as_stored),
    (sequence, "between", lambda _source, _target: np.eye(3)),
]


@pytest.mark.parametrize(("place", "name", "fault"), FAULTS, ids=[name for _, name, _ in FAULTS])
def test_a_fault_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, fault: Any
) -> None:
    """An oracle that sees nothing proves nothing."""
    monkeypatch.setattr(place, name, fault)
    for first in range(1, 400, 8):
        if campaign(first, 8, tmp_path / "one")[1]:
            return
    pytest.fail("no input showed it")
