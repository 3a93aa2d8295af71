"""Masks and plates that become others while the desk is open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from plugin.exr.alpha_file import read_alpha
from plugin.result.layout import OutputLayout
from tests.desks import class_of, open_desk, picture, ran, until
from tests.jobs import creature
from tests.media import write_image

pytestmark = pytest.mark.slow


def test_files_that_change_while_it_is_open_are_seen(tmp_path: Path) -> None:
    """Masks and the plate: what is shown is of the files as they are."""
    made = creature(tmp_path, frames=3)
    plates = tmp_path / "plates"
    plates.mkdir()
    for number in (1001, 1002, 1003):
        write_image(
            plates / f"p.{number}.png", np.full((64, 96, 3), 40 * (number - 1000), np.uint8)
        )
    masks = Path(made.mask or "").parent
    mask = Path((made.mask or "") % 1002)
    shot = made.model_copy(update={"plate": str(plates / "p.%04d.png"), "executor": "process"})
    with open_desk(shot) as opened:
        client = opened.client()
        assert ran(client)["state"] == "done"
        assert client.get("/api/marks")["due"] == 0
        before = client.get("/api/frame/1002")
        white = picture(mask)
        white[:] = 255
        white[:, 70:] = 0
        old = mask.read_bytes()
        write_image(mask, white[..., None])
        until(client, lambda _: client.get("/api/marks")["stale"] == "1002")
        assert class_of(client, 1002, 2, 2) == "foreground"
        assert client.ask("GET", f"/tile/alpha/1002/{before['matte']}/0-0-0.png").status == 410
        assert ran(client)["frames"] == "1002"
        assert read_alpha(OutputLayout.of(shot).alpha(1002)).alpha[2, 2] == 1
        mask.unlink()
        masks.rename(masks.with_name("away"))
        until(client, lambda told: told["trouble"])
        assert class_of(client, 1002, 90, 2) == "background", "what is shown is from before"
        masks.with_name("away").rename(masks)
        mask.write_bytes(old)
        until(client, lambda told: not told["trouble"] and not told["pending"])
        until(client, lambda _: client.get("/api/marks")["stale"] == "1002")
        write_image(plates / "p.1003.png", np.full((64, 96, 3), 200, np.uint8))
        until(client, lambda _: client.get("/api/marks")["stale"] == "1002-1003")
        session = client.get("/api/shot")["session"]
        assert client.tile("plate", 1003, session)[5, 5, 0] == 200
        assert ran(client)["frames"] == "1002-1003"
