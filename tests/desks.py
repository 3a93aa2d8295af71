"""A real desk for tests: the command in a process of its own, and a client that is no browser."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import urlsplit

import cv2
import numpy as np

from plugin.request.job_file import write_job
from plugin.request.shot import Shot
from plugin.types import LabelArray

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def picture(self) -> LabelArray:
        found = cv2.imdecode(np.frombuffer(self.body, np.uint8), cv2.IMREAD_UNCHANGED)
        assert found is not None
        return cast(LabelArray, found)


@dataclass(slots=True)
class Client:
    """Speaks to a desk as a page of it does, unless told otherwise."""

    address: str
    cookie: str = ""

    @property
    def origin(self) -> str:
        parts = urlsplit(self.address)
        return f"http://{parts.netloc}"

    def come_in(self) -> Client:
        parts = urlsplit(self.address)
        answer = self.ask("GET", f"{parts.path}?{parts.query}")
        assert answer.status == 200
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        return self

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str | None] = MappingProxyType({}),
    ) -> Answer:
        """Ask; headers that are None are left out."""
        parts = urlsplit(self.address)
        given: dict[str, str | None] = {}
        if self.cookie:
            given["Cookie"] = self.cookie
        if method == "POST":
            given |= {**JSON, "Origin": self.origin}
        given |= headers
        line = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=120)
        try:
            line.putrequest(method, path, skip_host=True)
            if "Host" not in given:
                given["Host"] = parts.netloc
            for name, value in given.items():
                if value is not None:
                    line.putheader(name, value)
            if body is not None and not {"Transfer-Encoding", "Content-Length"} & set(given):
                line.putheader("Content-Length", str(len(body)))
            line.endheaders()
            if body is not None:
                line.send(body)
            answer = line.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            line.close()

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.json

    def post(self, path: str, body: object = None) -> Any:
        answer = self.ask("POST", path, json.dumps(body or {}).encode())
        assert answer.status == 200, answer
        return answer.json

    def change(self, *changes: object) -> Any:
        return self.post("/api/change", {"changes": list(changes)})

    def tile(self, view: str, number: int, key: str, tile: str = "0-0-0.png") -> LabelArray:
        answer = self.ask("GET", f"/tile/{view}/{number}/{key}/{tile}")
        assert answer.status == 200, answer
        return answer.picture


@dataclass(slots=True)
class OpenDesk:
    """A desk that is open."""

    process: subprocess.Popen[str]
    address: str

    def client(self) -> Client:
        return Client(self.address).come_in()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def open_desk(shot: Shot, *words: str, command: Sequence[str] = ()) -> Iterator[OpenDesk]:
    """A desk of a shot, closed as Ctrl-C does it; opened by another command if one is given."""
    shot.out.mkdir(parents=True, exist_ok=True)
    job = shot.out.parent / "desk.toml"
    write_job(job, shot)
    asked = command or ["desk", "--job", str(job)]
    log = shot.out.parent / "desk.log"
    with log.open("w") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "adamatte", *asked, "--no-browser", *words],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    with process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), log.read_text()
        try:
            yield OpenDesk(process, address)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                assert process.wait(60) == 0, log.read_text()
                assert "leaked" not in log.read_text()


def stroke(name: str, frames: str, label: str, *points: tuple[float, float]) -> dict[str, Any]:
    """A rule as it stands in the file."""
    line = [list(map(float, point)) for point in points]
    return {
        "id": name,
        "frames": frames,
        "set": label,
        "stroke": {"points": line, "radius": 9.0},
    }


def picture(path: Path) -> Any:
    """What a file of pixels holds."""
    found = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert found is not None
    return found


def until(client: Client, fits: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """What the desk says of its masks, once it is so."""
    end = time.monotonic() + 120
    while not fits(told := client.get("/api/keys")):
        assert time.monotonic() < end, told
        time.sleep(0.05)
    found: dict[str, Any] = told
    return found


def carried(client: Client) -> dict[str, Any]:
    """What it says once masks are those of the keys."""
    return until(client, lambda told: not told["pending"])


def ran(client: Client) -> dict[str, Any]:
    """The end of "matte what changed", and what was planned after it."""
    client.post("/api/run")
    end = time.monotonic() + 120
    while (job := client.get("/api/job"))["state"] in ("starting", "running"):
        assert time.monotonic() < end
        time.sleep(0.05)
    carried(client)
    found: dict[str, Any] = job
    return found


def class_of(client: Client, number: int, x: int, y: int) -> str:
    """Of a pixel, in the trimap."""
    return str(client.get(f"/api/pixel/{number}/{x}/{y}")["class"])
