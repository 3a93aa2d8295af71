"""Whatever stands in an override file: it loads, or it is an `OverrideError`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.errors import OverrideError
from plugin.trimap.override import load
from tests.plates import png_plate

INFO = png_plate(20, 12, "1001-1050")

GOOD = """{
  "schema": "trimap-override/1", "shot": "sh010", "plate": {"width": 20, "height": 12},
  "rules": [
    {"id": "wider", "frames": "1001-1020", "params": {"erode": 6, "dilate": 24}},
    {"id": "paint", "frames": "1010-1011", "image": "p.%04d.png", "mode": "replace"},
    {"id": "strap", "frames": "1001-1050", "set": "foreground",
     "polygon": {"1001": [[2, 2], [8, 2], [8, 6]], "1011": [[2, 2], [8, 2], [8, 6]]}},
    {"id": "dust", "frames": "1005", "set": "unknown",
     "stroke": {"points": [[3, 4], [5, 6]], "radius": 12}}]}"""


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**8), 10**8)
    | st.floats(allow_nan=True)
    | st.text(max_size=8)
    | st.sampled_from(["1001-1010", "foreground", "replace", "p.%04d.png", "../x.png"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "frames", "set", "polygon", "stroke", "points", "radius", "1001"]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


def never_anything_else(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        load(path, INFO)
    except OverrideError as error:
        str(error).encode()


FUZZ = settings(
    max_examples=200,
    suppress_health_check=[*settings().suppress_health_check, HealthCheck.function_scoped_fixture],
)


@FUZZ
@given(content=st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    never_anything_else(tmp_path / "o.json", content)


@FUZZ
@given(data=st.data())
def test_any_value_anywhere(tmp_path: Path, data: st.DataObject) -> None:
    document: Any = json.loads(GOOD)
    place: Any = document
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(json_values)
    never_anything_else(tmp_path / "o.json", json.dumps(document).encode())


@FUZZ
@given(position=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_any_byte_changed(tmp_path: Path, position: int, byte: int) -> None:
    content = bytearray(GOOD.encode())
    content[position % len(content)] = byte
    never_anything_else(tmp_path / "o.json", bytes(content))
