"""The desk's server as it stands: what it shows, says and writes, and the run that it starts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin.cli import main
from plugin.exr.alpha_file import read_alpha
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest import load as load_manifest
from plugin.trimap.override import load
from plugin.types import FloatArray
from tests.desks import Client, OpenDesk, open_desk, stroke
from tests.jobs import creature

pytestmark = pytest.mark.slow

ANY = "0.0.0.0"  # noqa: S104  refused
CHANGE = json.dumps({"changes": [{"now": stroke("s", "1003", "foreground", (8, 9), (40, 30))}]})


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    made = creature(tmp_path_factory.mktemp("desk"))
    return made.model_copy(update={"executor": "process"})


@pytest.fixture(scope="module")
def desk(shot: Shot) -> Iterator[OpenDesk]:
    with open_desk(shot) as opened:
        yield opened


@pytest.fixture
def client(desk: OpenDesk) -> Client:
    return desk.client()


def alpha_of(client: Client, number: int) -> FloatArray:
    """All that is shown of a frame's alpha, by its readout: as many bits as the file has."""
    shot = client.get("/api/shot")
    key = client.get(f"/api/frame/{number}")["matte"]
    client.tile("alpha", number, key)
    rows = range(0, shot["height"], 9)
    columns = range(0, shot["width"], 9)
    return np.array(
        [[client.get(f"/api/pixel/{number}/{x}/{y}")["alpha"] for x in columns] for y in rows],
        np.float32,
    )


def test_a_stroke_is_in_the_file_the_trimap_and_the_matte_and_a_run_gives_the_same(
    client: Client, shot: Shot
) -> None:
    told = client.get("/api/shot")
    before, plain = client.get("/api/frame/1003"), alpha_of(client, 1003)
    client.change({"now": stroke("strap", "1003-1004", "foreground", (10, 10), (80, 12))})
    there = load(Path(told["file"]), _info(shot), shot=told["name"])
    assert there.ids(1003) == ["strap"]
    after = client.get("/api/frame/1003")
    assert after["trimap"] != before["trimap"]
    assert client.get("/api/frame/1005")["trimap"] == before["trimap"]
    gone = client.ask("GET", f"/tile/trimap/1003/{before['trimap']}/0-0-0.png")
    assert gone.status == 410, "no tile is shown for another"
    client.tile("trimap", 1003, after["trimap"])
    assert client.get("/api/pixel/1003/40/11")["class"] == "foreground"
    seen = alpha_of(client, 1003)
    assert not np.array_equal(seen, plain)
    out = shot.out.parent / "other"
    words = ["run", "--job", str(shot.out.parent / "desk.toml"), "--out", str(out), "--quiet"]
    assert main([*words, "--override", told["file"], "--frames", "1003"]) == 0
    wrote = read_alpha(OutputLayout(out, told["name"]).alpha(1003)).alpha
    assert np.array_equal(wrote[::9, ::9], seen)
    client.post("/api/undo")
    assert client.get("/api/frame/1003")["trimap"] == before["trimap"]
    assert np.array_equal(alpha_of(client, 1003), plain)
    assert load(Path(told["file"]), _info(shot)).ids(1003) == []


def _info(shot: Shot) -> Any:
    from plugin.plates import open_plate

    return open_plate(shot.plate).info


def states(client: Client) -> tuple[str, str, int]:
    told = client.get("/api/marks")
    return told["done"], told["stale"], told["due"]


def wait_for_job(client: Client) -> dict[str, Any]:
    """The job's end, heard of as a page hears of it."""
    import http.client
    from urllib.parse import urlsplit

    parts = urlsplit(client.address)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=120)
    line.request("GET", "/events", headers={"Cookie": client.cookie})
    events = line.getresponse()
    try:
        while True:
            job: dict[str, Any] = client.get("/api/job")
            if job["state"] not in ("starting", "running"):
                return job
            events.readline()
    finally:
        line.close()


def test_what_changed_is_matted_and_nothing_else(client: Client, shot: Shot) -> None:
    name = client.get("/api/shot")["name"]
    assert states(client) == ("", "", 6)
    client.post("/api/run")
    assert client.ask("POST", "/api/run", b"{}").status == 400, "one at a time"
    job = wait_for_job(client)
    assert (job["state"], job["done"], job["failed"]) == ("done", 6, {})
    assert states(client) == ("1001-1006", "", 0)
    assert client.ask("POST", "/api/run", b"{}").json["what"] == "every frame is as it should be"
    first = load_manifest(shot.out / "manifest.json")
    rule = client.change({"now": stroke("strap", "1002-1003", "foreground", (9, 9), (80, 12))})
    assert states(client) == ("1001,1004-1006", "1002-1003", 2)
    seen = {number: alpha_of(client, number) for number in (1002, 1003, 1005)}
    client.post("/api/run")
    job = wait_for_job(client)
    assert (job["state"], job["frames"], job["done"]) == ("done", "1002-1003", 2)
    assert states(client) == ("1001-1006", "", 0)
    second = load_manifest(shot.out / "manifest.json")
    changed = [n for n in first.frames if first.frames[n].digest != second.frames[n].digest]
    assert changed == [1002, 1003]
    for number, alpha in seen.items():
        key = client.get(f"/api/frame/{number}")["matte"]
        assert key.startswith("run-")
        assert np.array_equal(alpha_of(client, number), alpha), "as it was previewed"
        wrote = read_alpha(OutputLayout(shot.out, name).alpha(number)).alpha
        assert np.array_equal(wrote[::9, ::9], alpha)
    assert main(["verify", str(shot.out)]) == 0
    client.change({"was": rule["rules"][-1]})
    assert states(client)[1] == "1002-1003"


def test_a_job_that_is_cancelled_leaves_what_is_due(client: Client) -> None:
    due = states(client)[2]
    assert due > 0
    client.post("/api/run")
    client.post("/api/cancel")
    job = wait_for_job(client)
    assert job["state"] in ("cancelled", "done")
    client.post("/api/cancel")  # nothing to cancel is no mistake
    if job["state"] == "cancelled":
        assert client.post("/api/run")["state"] == "starting"
        assert wait_for_job(client)["state"] == "done"
    assert states(client)[2] == 0


def test_who_paints_while_a_job_begins_does_not_end_it(client: Client) -> None:
    client.change({"now": stroke("before", "1001-1006", "unknown", (5, 50))})
    client.post("/api/run")
    for x in range(4):
        client.change({"now": stroke("meanwhile", "1004", "unknown", (10 + x, 50))})
    job = wait_for_job(client)
    assert job["state"] == "done", job
    client.ask("POST", "/api/run", b"{}")  # what was painted after it had read the file
    assert wait_for_job(client)["state"] == "done"
    assert states(client)[2] == 0


def test_a_frame_that_fails_is_told_of_with_its_reason(tmp_path: Path) -> None:
    shot = creature(tmp_path, frames=3).model_copy(update={"executor": "process"})
    mask = Path((shot.mask or "") % 1002)
    with open_desk(shot) as opened:
        client = opened.client()
        kept = mask.read_bytes()
        mask.write_bytes(kept[: len(kept) // 2])
        answer = client.ask("GET", "/tile/trimap/1002/0/0-0-0.png")
        assert answer.status == 404
        assert answer.json["what"]
        client.post("/api/run")
        job = wait_for_job(client)
        assert job["state"] == "failed"
        assert job["message"]
        mask.write_bytes(kept)
        client.post("/api/run")
        assert wait_for_job(client)["state"] == "done"


def test_a_desk_that_is_killed_loses_nothing(tmp_path: Path) -> None:
    shot = creature(tmp_path, frames=2)
    with open_desk(shot) as opened:
        client = opened.client()
        client.change({"now": stroke("one", "1001", "unknown", (8, 9))})
        client.change({"now": stroke("two", "1001", "unknown", (9, 9))})
        rules = client.get("/api/rules")["rules"]
        opened.kill()
    with open_desk(shot) as opened:
        assert opened.client().get("/api/rules")["rules"] == rules


def test_a_folder_that_was_matted_needs_no_options(tmp_path: Path) -> None:
    shot = creature(tmp_path, frames=2)
    words = ["--out", str(shot.out), "--executor", "process", "--no-report", "--erode", "3"]
    words += ["--mask", shot.mask or "", "--stabilise", "0", "--quiet"]
    assert main(["run", shot.plate, *words]) == 0
    command = [sys.executable, "-m", "adamatte", "desk", "--out", str(shot.out), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        client = Client(process.stdout.readline().strip()).come_in()
        assert client.get("/api/shot")["band"]["erode"] == 3
        assert states(client) == ("1001-1002", "", 0)
        process.terminate()
    assert process.returncode == 0
