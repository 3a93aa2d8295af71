"""`adamatte inspect --companions`: what lies beside a plate, read as a run would read it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from plugin.cli import main
from tests.inputs import masks
from tests.media import write_image


def test_masks_beside_a_plate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In its own folder, in one within it, and in one beside it."""
    plates = tmp_path / "plates"
    plates.mkdir()
    for number in masks.NUMBERS:
        picture = np.rint(masks.picture() * 255).astype(np.uint8)
        write_image(plates / f"sh010.{number}.png", picture)
    (plates / "sh010.trimap.json").write_text("{}")
    for folder, made in (
        (plates / "roto", lambda f: masks.stills(f, masks.WANTED, "tif")),
        (tmp_path / "objects", masks.two_layers),
        (tmp_path / "numbered", masks.labels),
        (tmp_path / "empty", lambda f: masks.stills(f, masks.EMPTY)),
    ):
        folder.mkdir()
        made(folder)
    pattern = str(plates / "sh010.%04d.png")
    assert main(["inspect", pattern, "--companions", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["companions"]
    told = {Path(one["path"]).parent.name: one["reading"] or one["refused"] for one in found}
    assert "channel Y, 0 is none and 255 all" in told["roto"]
    assert "several layers may be the matte: Object_0, Object_1" in told["objects"]
    assert "labels of several objects: 1, 2" in told["numbered"]
    assert "nothing, or all" in told["empty"]
    assert "--override" in {one["option"] for one in found}
    assert main(["inspect", pattern, "--companions"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("beside") for line in lines) == len(found)
    assert main(["inspect", pattern]) == 0
    assert "beside    --" not in capsys.readouterr().out
