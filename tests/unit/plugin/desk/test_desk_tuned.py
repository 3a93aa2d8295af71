"""`--learn alpha` at the desk: what is seen is what the run writes, tuned anew with its keys."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from plugin.request.shot import Shot
from plugin.result.manifest import load
from plugin.types import LabelArray
from tests.desks import Client, carried, open_desk, ran, until
from tests.jobs import creature
from tests.media import write_image

pytestmark = pytest.mark.slow


def seen(client: Client, number: int) -> LabelArray:
    return client.tile("alpha", number, str(client.get(f"/api/frame/{number}")["matte"]))


def test_what_is_seen_is_of_the_tuned_network(tmp_path: Path) -> None:
    made = creature(tmp_path, frames=3)
    key = next(Path(str(made.mask)).parent.parent.glob("alpha/*1001*"))
    asked = {"mask": None, "segment": "track", "keyframe": (f"1001={key}",), "executor": "process"}
    shot = Shot.model_validate({**dict(made), **asked, "learn": "alpha", "learn_minutes": 0.07})
    with open_desk(shot) as opened:
        client = opened.client()
        before = seen(client, 1002)
        assert ran(client)["state"] == "done"
        assert client.get("/api/marks")["due"] == 0
        assert np.array_equal(seen(client, 1002), before)
        weights = load(shot.out / "manifest.json").weights
        # A mask that is drawn carries, and teaches nothing.
        around = [[30, 12], [66, 12], [70, 52], [26, 52]]
        client.post("/api/key", {"frame": 1003, "start": "nothing", "polygon": around})
        carried(client)
        assert client.get("/api/marks")["stale"] == "1002-1003"
        client.post("/api/undo")
        carried(client)
        alpha = np.asarray(cv2.imread(str(key), cv2.IMREAD_GRAYSCALE))
        write_image(key, cv2.GaussianBlur(alpha, (0, 0), 2)[..., None])
        until(client, lambda told: client.get("/api/marks")["due"] == 3 and not told["pending"])
        tuned = seen(client, 1002)
        assert not np.array_equal(tuned, before)
        assert ran(client)["state"] == "done"
        assert load(shot.out / "manifest.json").weights != weights
        assert np.array_equal(seen(client, 1002), tuned)


def test_drawn_keys_alone_teach_nothing_and_the_page_says_so(tmp_path: Path) -> None:
    made = creature(tmp_path, frames=3)
    shot = made.model_copy(update={"mask": None, "segment": "track", "learn": "alpha"})
    with open_desk(shot) as opened:
        client = opened.client()
        assert client.get("/api/keys")["bare"]
        around = [[30, 12], [66, 12], [70, 52], [26, 52]]
        client.post("/api/key", {"frame": 1001, "start": "nothing", "polygon": around})
        told = until(client, lambda told: told["trouble"])
        assert "the keys are masks without a soft edge" in told["trouble"]
        assert "leave --learn alpha away" in told["trouble"]
