"""Who may come in to the desk, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugin.cli import main
from plugin.request.shot import Shot
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


@pytest.fixture
def unchanged(client: Client) -> Iterator[None]:
    """Whatever is refused leaves the file as it was."""
    path = Path(client.get("/api/shot")["file"])
    before = path.read_bytes() if path.exists() else None
    yield
    assert (path.read_bytes() if path.exists() else None) == before


GETS = (
    "/api/shot",
    "/api/rules",
    "/api/keys",
    "/events",
    "/tile/plate/1003/x/0-0-0.png",
    "/report/index.html",
)


@pytest.mark.parametrize("path", [*GETS, "/", "/?token=", "/?token=x", "/assets/main.js"])
def test_without_the_token_nothing_is_said(desk: OpenDesk, path: str) -> None:
    answer = Client(desk.address).ask("GET", path)
    assert answer.status in (401, 429)
    assert "Set-Cookie" not in answer.headers
    assert b"demo" not in answer.body


@pytest.mark.parametrize("cookie", ["adamatte-desk=x", "adamatte-desk-{port}=", "{ours}x", "\xff"])
def test_another_cookie_is_none(client: Client, cookie: str) -> None:
    port = client.origin.rpartition(":")[2]
    client.cookie = cookie.format(port=port, ours=client.cookie)
    assert client.ask("GET", "/api/shot").status in (401, 429)


def test_the_cookie_is_for_this_server_alone(desk: OpenDesk) -> None:
    answer = Client(desk.address).ask("GET", "/?" + desk.address.partition("?")[2])
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert desk.address.rpartition("=")[2] not in cookie
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (403, {"Host": "evil.example"}),
        (403, {"Host": "evil.example:{port}"}),
        (403, {"Host": "127.0.0.1"}),
        (403, {"Host": "127.0.0.1.evil.example:{port}"}),
        (403, {"Host": None}),
        (403, {"Origin": "http://evil.example"}),
        (403, {"Origin": "null"}),
        (403, {"Origin": None}),
        (403, {"Origin": "https://127.0.0.1:{port}"}),
        (403, {"Sec-Fetch-Site": "cross-site"}),
        (403, {"Sec-Fetch-Site": "same-site"}),
        (415, {"Content-Type": "text/plain"}),
        (415, {"Content-Type": "application/x-www-form-urlencoded"}),
        (401, {"Cookie": None}),
    ],
)
def test_requests_of_others_change_nothing(
    client: Client, status: int, headers: dict[str, str | None]
) -> None:
    port = client.origin.rpartition(":")[2]
    given = {name: value and value.format(port=port) for name, value in headers.items()}
    assert client.ask("POST", "/api/change", CHANGE.encode(), given).status in (status, 400, 429)
    if "Content-Type" not in headers and "Origin" not in headers:
        assert client.ask("GET", "/api/rules", headers=given).status in (status, 400, 429)


@pytest.mark.usefixtures("unchanged")
def test_a_body_of_200_mb_is_not_read(client: Client) -> None:
    answer = client.ask("POST", "/api/change", b"{", {"Content-Length": str(200 << 20)})
    assert answer.status == 413


@pytest.mark.usefixtures("unchanged")
def test_a_body_without_end_is_cut_off(client: Client) -> None:
    piece = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    body = piece * 6  # 6 MB in chunks, and no end
    answer = client.ask("POST", "/api/change", body, {"Transfer-Encoding": "chunked"})
    assert answer.status == 413


UP = ("..", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "....//etc/passwd", "/etc/passwd")


@pytest.mark.parametrize("up", UP)
@pytest.mark.parametrize(
    "path",
    [
        "/assets/{}",
        "/report/{}",
        "/report/frames/{}",
        "/tile/{}/1003/0/0-0-0.png",
        "/tile/plate/{}/0/0-0-0.png",
        "/tile/plate/1003/{}/0-0-0.png",
        "/tile/plate/1003/0/{}",
        "/tile/comp/1003/now-0/0-0-0.png/{}",
        "/api/frame/{}",
        "/api/pixel/1003/{}/0",
        "/api/{}",
    ],
)
def test_no_path_leads_out(client: Client, path: str, up: str) -> None:
    answer = client.ask("GET", path.format(up))
    assert answer.status in (400, 403, 404, 410), answer.body
    assert b"root:" not in answer.body


@pytest.mark.parametrize("name", ["../../../../etc/passwd", "%00", "file:///etc/passwd", "x" * 999])
def test_what_a_comp_is_laid_over_is_no_path(client: Client, name: str) -> None:
    key = client.get("/api/frame/1003")["matte"]
    over = client.ask("GET", f"/tile/comp/1003/{key}/0-0-0.png?behind={name}")
    plain = client.ask("GET", f"/tile/comp/1003/{key}/0-0-0.png")
    assert (over.status, over.body) == (200, plain.body)


@pytest.mark.parametrize(
    "path",
    [
        "/api/frame/1",
        "/api/frame/9999999",
        "/api/frame/-1003",
        "/api/pixel/1003/96/0",
        "/api/pixel/1003/0/64",
        "/tile/plate/1/{session}/0-0-0.png",
        "/tile/plate/1003/{session}/0-1-0.png",
        "/tile/plate/1003/{session}/9-0-0.png",
        "/tile/nothing/1003/{session}/0-0-0.png",
        "/report/index.html",
        "/nothing",
    ],
)
def test_what_is_not_there_is_not_found(client: Client, path: str) -> None:
    session = client.get("/api/shot")["session"]
    assert client.ask("GET", path.format(session=session)).status == 404


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"changes": []}',
        b'{"changes": [{}]}',
        b'{"changes": [{"now": {"id": "x"}}]}',
        b'{"changes": [{"now": null, "was": null}]}',
        CHANGE.replace("1003", "1").encode(),
        CHANGE.replace("9.0", "1e999").encode(),
        CHANGE.replace("9.0", "NaN").encode(),
        CHANGE.replace('"id"', '"path"').encode(),
        CHANGE.replace('"now"', '"file": "/etc/passwd", "now"').encode(),
        b"[" * 100_000,
    ],
)
def test_a_change_that_is_none_is_refused(client: Client, body: bytes) -> None:
    answer = client.ask("POST", "/api/change", body)
    assert answer.status == 400
    assert answer.json["what"]


def test_a_second_desk_is_told_of_the_first(desk: OpenDesk, shot: Shot) -> None:
    job = shot.out.parent / "desk.toml"
    command = [sys.executable, "-m", "adamatte", "desk", "--job", str(job), "--no-browser"]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 4
    assert f"a desk is open here: process {desk.process.pid} on " in second.stderr
    assert desk.address.rpartition("=")[2] not in second.stderr
    assert second.stdout == ""


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--host", "10.0.0.1"), "open to other machines"),
        (("--host", ANY), "every address of this machine"),
        (("--host", ANY, "--token", "x" * 32), "every address of this machine"),
        (("--token", "short"), "the token is too short"),
        (("--host", "192.0.2.77", "--token", "x" * 32), "cannot listen there"),
        (("--port", "70000"), "70000"),
        (("--behind", "nothing.png"), "nothing.png"),
        (("--override", "nowhere/s.json"), "no such folder"),
    ],
)
def test_a_door_that_is_wrong_is_refused(
    shot: Shot,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    what: str,
) -> None:
    given = ["desk", shot.plate, "--mask", shot.mask or "", "--out", str(tmp_path / "o")]
    assert main([*given, "--no-browser", *words]) == 2
    assert what in capsys.readouterr().err
