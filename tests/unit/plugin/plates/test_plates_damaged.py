"""Damaged and hostile EXRs: each is read or named, in bounded memory, and none ends the process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from plugin.errors import PlateError
from plugin.plates import open_plate
from tests.media import DATA, shared

READER = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]) << 20,) * 2)
from plugin.errors import FrameError, PlateError
from plugin.plates import open_plate
for path in sys.argv[2:]:
    print(json.dumps({"file": path}), flush=True)
    try:
        plate = open_plate(path)
        frame = plate.read(plate.info.frames.first)
        ended = "read %d x %d" % frame.rgb.shape[1::-1]
    except (PlateError, FrameError) as error:
        ended = str(error)
    print(json.dumps({"ended": ended}), flush=True)
"""

MEGABYTES = 3072
"""Address space: the modules alone take most of one GiB of it, their thread stacks another."""

READABLE = frozenset(
    f"odd/{name}.exr"
    for name in (
        "GammaChart",
        "comp_dwaa_v1",
        "comp_dwab_v2",
        "lineOrder_increasing",
        "sample",
        "scanline_with_deeptiled_type",
        "test",
        "tiled_with_deeptile_type",
        "v1.7.test.1",
        "v1.7.test.planar",
    )
)


def read_all(paths: list[Path]) -> dict[Path, str]:
    """How reading each file ended, all in one process with little memory."""
    result = subprocess.run(
        [sys.executable, "-c", READER, str(MEGABYTES), *map(str, paths)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    lines = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    files = [Path(line["file"]) for line in lines if "file" in line]
    assert result.returncode == 0, f"{files[-1]} ended the process: {result.stderr[-500:]}"
    assert files == paths
    return dict(zip(files, (line["ended"] for line in lines if "ended" in line), strict=True))


def test_damaged_files_are_named() -> None:
    folder = shared("exr/damaged")
    ended = read_all(sorted(folder.iterdir()))
    assert len(ended) > 80
    for path, text in ended.items():
        assert not text.startswith("read"), f"{path.name} was {text}"
        what, where, fix = text.split(" · ")
        assert where == str(path)
        assert what
        assert fix


def test_odd_files_are_read_or_named() -> None:
    folder = shared("exr/odd")
    ended = read_all(sorted(folder.glob("*.exr")))
    read = {f"odd/{path.name}" for path, text in ended.items() if text.startswith("read")}
    assert read == READABLE


def test_good_files_are_read() -> None:
    folder = shared("exr/good")
    ended = read_all(sorted(folder.glob("*/*.exr")))
    assert all(text.startswith("read") for text in ended.values()), ended


@pytest.mark.skipif(not DATA.exists(), reason=f"no shared data at {DATA}")
@pytest.mark.parametrize("name", ["TestImages/RgbRampsDiagonal.exr", "LuminanceChroma/Garden.exr"])
def test_bytes_turned_anywhere_never_end_the_process(tmp_path: Path, name: str) -> None:
    content = (DATA / "exr/good" / name).read_bytes()
    paths = []
    for turn in range(60):
        damaged = bytearray(content)
        start = turn * 31 if turn < 30 else (turn - 29) * len(content) // 32
        damaged[start : start + 4] = bytes((turn * 37 + place * 101) % 256 for place in range(4))
        paths.append(tmp_path / f"turned_v{turn}.exr")
        paths[-1].write_bytes(damaged)
    assert len(read_all(paths)) == 60


@pytest.mark.parametrize("place", [16, 4])
def test_a_film_header_longer_than_its_file_is_refused(tmp_path: Path, place: int) -> None:
    content = bytearray(shared("exr/dpx/checker.cin").read_bytes())
    content[place : place + 4] = b"\x7f\xff\xff\xff"
    path = tmp_path / "a.cin"
    path.write_bytes(content)
    with pytest.raises(PlateError, match="a header of 2147483647 bytes"):
        open_plate(str(path))
