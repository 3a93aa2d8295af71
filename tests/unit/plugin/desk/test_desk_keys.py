"""Key frames and prompts drawn at the desk: on disk at once, used by runs, over no other's file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin.cli import main
from plugin.request.job_file import shot_from
from plugin.request.shot import Shot
from tests.desks import Client, carried, class_of, open_desk, picture, ran, stroke, until
from tests.jobs import alphas, creature
from tests.media import write_image

pytestmark = pytest.mark.slow

ROUND = [[30, 12], [66, 12], [70, 52], [26, 52]]
"""Corners about the middle of the frame, where the subject is."""


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    made = creature(tmp_path, frames=6)
    return made.model_copy(update={"executor": "process", "mask": None, "segment": "track"})


def key_file(shot: Shot, number: int) -> Path:
    return shot.out / "keys" / f"{shot.name}_key.{number}.png"


def job_file(shot: Shot) -> Path:
    return shot.out / f"{shot.name}.job.toml"


def draw(client: Client, number: int, **drawn: Any) -> dict[str, Any]:
    found: dict[str, Any] = client.post("/api/key", {"frame": number, **drawn})
    return found


def test_a_key_from_nothing_is_a_file_a_request_and_mattes(shot: Shot, tmp_path: Path) -> None:
    with open_desk(shot) as opened:
        client = opened.client()
        told = client.get("/api/keys")
        assert (bool(told["bare"]), told["keys"]) == (True, {})
        assert "no masks" in client.ask("POST", "/api/run", b"{}").json["what"]
        wiped = {"set": "background", "polygon": ROUND}
        answer = client.ask("POST", "/api/key", _json(frame=1003, start="nothing", **wiped))
        assert (answer.status, answer.json["what"]) == (404, "no subject would be left in this key")
        assert not key_file(shot, 1003).exists()
        told = draw(client, 1003, start="nothing", polygon=ROUND)
        assert told["keys"] == {"1003": "drawn"}
        mask = picture(key_file(shot, 1003))
        assert (mask.shape, set(np.unique(mask))) == ((64, 96), {0, 255})
        assert (mask[30, 48], mask[2, 2]) == (255, 0)
        assert shot_from({}, job_file(shot)).keyframes == {1003: str(key_file(shot, 1003))}
        told = carried(client)
        assert (told["bare"], told["trouble"]) == ("", "")
        assert class_of(client, 1003, 48, 32) == "foreground"
        assert class_of(client, 1005, 2, 2) == "background"
        client.change({"now": stroke("s", "1001", "foreground", (4, 4))})
        until(client, lambda _: shot_from({}, job_file(shot)).override)
        assert ran(client)["state"] == "done"
        assert client.get("/api/marks")["due"] == 0
        assert client.ask("GET", f"/tile/key/1003/{_name(client, 1003)}/0-0-0.png").status == 200
    other = tmp_path / "other"
    words = ["run", "--job", str(job_file(shot)), "--out", str(other), "--quiet"]
    assert main(words) == 0
    assert alphas(shot.model_copy(update={"out": other})) == alphas(shot)
    assert main(["verify", str(shot.out)]) == 0


def _json(**asked: Any) -> bytes:
    return json.dumps(asked).encode()


def _name(client: Client, number: int) -> str:
    return str(client.get(f"/api/frame/{number}")["key"])


def test_only_the_frames_that_a_key_reaches_are_due(shot: Shot) -> None:
    with open_desk(shot) as opened:
        client = opened.client()
        for number in (1001, 1004, 1006):
            draw(client, number, start="nothing", polygon=ROUND)
        carried(client)
        assert ran(client)["done"] == 6
        before = alphas(shot)
        draw(client, 1006, set="background", polygon=[[30, 12], [50, 12], [50, 52], [26, 52]])
        carried(client)
        marks = client.get("/api/marks")
        assert (marks["done"], marks["stale"]) == ("1001-1004", "1005-1006")
        assert ran(client)["frames"] == "1005-1006"
        after = alphas(shot)
        assert {n for n in before if before[n] != after[n]} == {1005, 1006}
        assert client.get("/api/marks")["due"] == 0
    assert main(["run", "--job", str(job_file(shot)), "--quiet"]) == 0
    assert alphas(shot) == after, "the whole run finds nothing to do"


def test_a_key_from_elsewhere_is_never_written(shot: Shot, tmp_path: Path) -> None:
    theirs = tmp_path / "roto.png"
    mask = np.zeros((64, 96), np.uint8)
    mask[12:52, 30:66] = 255
    write_image(theirs, mask[..., None])
    before = theirs.read_bytes()
    given = shot.model_copy(update={"keyframe": (f"1002={theirs}",)})
    with open_desk(given) as opened:
        client = opened.client()
        assert client.get("/api/keys")["keys"] == {"1002": "given"}
        hole = {"points": [[40, 30]], "radius": 5.0}
        told = draw(client, 1002, set="background", stroke=hole)
        assert told["keys"] == {"1002": "drawn"}
        drawn = picture(key_file(shot, 1002))
        assert (drawn[30, 40], drawn[20, 50], theirs.read_bytes()) == (0, 255, before)
        client.post("/api/undo")
        assert client.get("/api/keys")["keys"] == {"1002": "given"}
        assert not key_file(shot, 1002).exists()
        assert shot_from({}, job_file(shot)).keyframes == {1002: str(theirs)}
        client.post("/api/redo")
        assert np.array_equal(picture(key_file(shot, 1002)), drawn)
        draw(client, 1002, remove=True)
        assert client.get("/api/keys")["keys"] == {}
        assert theirs.read_bytes() == before
        client.post("/api/undo")
        assert np.array_equal(picture(key_file(shot, 1002)), drawn)


def test_undo_goes_through_keys_and_corrections_in_their_order(shot: Shot) -> None:
    with open_desk(shot) as opened:
        client = opened.client()
        draw(client, 1001, start="nothing", polygon=ROUND)
        client.change({"now": stroke("s", "1001", "foreground", (4, 4))})
        draw(client, 1001, set="background", stroke={"points": [[48, 32]], "radius": 3.0})
        assert client.get("/api/rules")["undo"] == 3
        client.post("/api/undo")
        assert picture(key_file(shot, 1001))[32, 48] == 255
        assert len(client.get("/api/rules")["rules"]) == 1
        client.post("/api/undo")
        assert client.get("/api/rules")["rules"] == []
        assert key_file(shot, 1001).exists()
        client.post("/api/undo")
        assert not key_file(shot, 1001).exists()
        assert client.ask("POST", "/api/undo", b"{}").status == 409
        for _ in range(3):
            client.post("/api/redo")
        assert picture(key_file(shot, 1001))[32, 48] == 0


def test_what_others_do_to_keys_is_seen_and_not_undone_over(shot: Shot) -> None:
    with open_desk(shot) as opened:
        client = opened.client()
        draw(client, 1001, start="nothing", polygon=ROUND)
        carried(client)
        assert class_of(client, 1001, 10, 32) == "background"
        theirs = np.full((64, 96), 255, np.uint8)
        theirs[:, 60:] = 0
        write_image(key_file(shot, 1001), theirs[..., None])
        until(client, lambda _: class_of(client, 1001, 10, 32) == "foreground")
        answer = client.ask("POST", "/api/undo", b"{}")
        assert (answer.status, picture(key_file(shot, 1001))[32, 10]) == (409, 255)
        told = draw(client, 1001, set="background", stroke={"points": [[5, 5]], "radius": 2.0})
        assert told["keys"] == {"1001": "drawn"}
        assert (picture(key_file(shot, 1001)) == 255).sum() > 60 * 60
        # A file there that is no key of the shot is left alone.
        write_image(key_file(shot, 1004), theirs[..., None])
        summed = hashlib.sha256(key_file(shot, 1004).read_bytes()).hexdigest()
        answer = client.ask("POST", "/api/key", _json(frame=1004, polygon=ROUND))
        assert answer.status == 409
        assert hashlib.sha256(key_file(shot, 1004).read_bytes()).hexdigest() == summed
        job_file(shot).write_text("no toml")
        until(client, lambda told: told["trouble"])
        answer = client.ask("POST", "/api/key", _json(frame=1001, polygon=ROUND))
        assert (answer.status, job_file(shot).read_text()) == (409, "no toml")


def test_killed_it_has_what_was_drawn(shot: Shot) -> None:
    with open_desk(shot) as opened:
        client = opened.client()
        draw(client, 1001, start="nothing", polygon=ROUND)
        draw(client, 1005, start="nothing", polygon=ROUND)
        opened.kill()
    with open_desk(shot) as opened:
        client = opened.client()
        assert client.get("/api/keys")["keys"] == {"1001": "drawn", "1005": "drawn"}
        carried(client)
        assert class_of(client, 1003, 48, 32) == "foreground"
        assert not list(shot.out.glob(".track*")), "what was being carried is swept"


def test_a_folder_knows_its_shot_whether_it_was_matted_or_only_drawn_in(shot: Shot) -> None:
    again = ["desk", "--out", str(shot.out)]
    with open_desk(shot) as opened:
        client = opened.client()
        for number in (1001, 1006):
            draw(client, number, start="nothing", polygon=ROUND)
    with open_desk(shot, command=again) as opened:
        client = opened.client()
        assert client.get("/api/keys")["keys"] == {"1001": "drawn", "1006": "drawn"}
        carried(client)
        assert ran(client)["done"] == 6
        client.change({"now": stroke("s", "1003", "foreground", (4, 4))})
        assert ran(client)["frames"] == "1003"
        draw(client, 1006, remove=True)
    with open_desk(shot, command=again) as opened:
        client = opened.client()
        assert client.get("/api/shot")["frames"] == list(range(1001, 1007)), "not the last run's"
        assert client.get("/api/keys")["keys"] == {"1001": "drawn"}
        assert len(client.get("/api/rules")["rules"]) == 1


def test_a_key_begins_with_the_trimap_or_the_matte(shot: Shot) -> None:
    with open_desk(shot) as opened:
        client = opened.client()
        draw(client, 1001, start="nothing", polygon=ROUND)
        carried(client)
        client.change({"now": stroke("s", "1003", "foreground", (4, 4))})
        draw(client, 1003, start="trimap")
        assert picture(key_file(shot, 1003))[4, 4] == 255
        assert 500 < (picture(key_file(shot, 1003)) == 255).sum() < 4000
        draw(client, 1004, start="matte")
        key = client.get("/api/frame/1004")["matte"]
        carried(client)
        assert key
        assert 500 < (picture(key_file(shot, 1004)) == 255).sum() < 4000


def test_masks_that_are_given_take_no_keys(tmp_path: Path) -> None:
    shot = creature(tmp_path, frames=2)
    with open_desk(shot) as opened:
        client = opened.client()
        assert client.get("/api/keys")["takes"] == {"key": False, "prompt": False}
        answer = client.ask("POST", "/api/key", _json(frame=1001, polygon=ROUND))
        assert answer.status == 400
        answer = client.ask("POST", "/api/prompt", _json(add=["1001=point:5,5"]))
        assert answer.status == 400
        assert not job_file(shot).exists()


def test_what_is_no_key_and_no_prompt_is_refused_and_writes_nothing(shot: Shot) -> None:
    told = shot.model_copy(update={"segment": "sam2"})
    wrong = {
        "/api/key": (
            *({}, {"frame": "1001"}, {"frame": 1001.5}, {"frame": 1001, "file": "/etc/passwd"}),
            *({"frame": 1001, "start": "../x"}, {"frame": 1001, "set": "unknown"}),
            {"frame": 1001, "polygon": [[1, 1], [2, 2]]},
            {"frame": 1001, "polygon": ROUND, "remove": True},
            {"frame": 1001, "stroke": {"points": [[1e9, 1]], "radius": 1}},
        ),
        "/api/prompt": (
            *({"add": "1001=point:1,1"}, {"add": ["../../x"]}, {"add": ["1001=point:1,1" * 20]}),
            *({"add": ["1001=point:nan,1"]}, {"add": ["1001=box:5,5,1,1"]}, {"add": [1]}),
        ),
    }
    with open_desk(told) as opened:
        client = opened.client()
        for path, bodies in wrong.items():
            for body in bodies:
                answer = client.ask("POST", path, json.dumps(body).encode())
                assert (answer.status, bool(answer.json["what"])) == (400, True), body
        beyond = client.ask("POST", "/api/key", _json(frame=1099, polygon=ROUND))
        assert beyond.status == 404
        gone = client.ask("POST", "/api/prompt", _json(remove=["1001=point:1,1"]))
        assert gone.status == 409
        client.cookie = ""
        assert client.ask("POST", "/api/key", _json(frame=1001, polygon=ROUND)).status == 401
        assert not job_file(shot).exists()
        assert not (shot.out / "keys").exists()


def test_prompts_are_written_as_the_command_line_has_them(shot: Shot) -> None:
    told = shot.model_copy(update={"segment": "sam2"})
    with open_desk(told) as opened:
        client = opened.client()
        assert client.get("/api/keys")["takes"]["prompt"]
        for one in (["1001=point:48,32"], ["1001=not:4,4"], ["1003=box:20.5,10,70,60"]):
            client.post("/api/prompt", {"add": one})
        wanted = ("1001=point:48,32", "1001=not:4,4", "1003=box:20.5,10,70,60")
        assert shot_from({}, job_file(shot)).prompt == wanted
        for wrong in ("1001=point:400,32", "1009=point:4,4", "1003=box:1,1,5,5", "nonsense"):
            answer = client.ask("POST", "/api/prompt", _json(add=[wrong]))
            assert answer.status == 400, wrong
        client.post("/api/prompt", {"remove": ["1001=not:4,4"]})
        assert shot_from({}, job_file(shot)).prompt == (wanted[0], wanted[2])
        client.post("/api/undo")
        assert set(shot_from({}, job_file(shot)).prompt) == set(wanted)
