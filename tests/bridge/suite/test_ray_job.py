"""A cluster that is not there, refuses, or talks nonsense: real sockets, one line each."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Callable, Tuple

from nuke_bridge.core.errors import BridgeError
from nuke_bridge.core.jobs_client import RayJobs, find_token
from nuke_bridge.core.ray_job import FarmJob, new_job_id
from nuke_bridge.core.request import Request
from nuke_bridge.core.status import Status
from tests.bridge.suite.base import BridgeTest

Answer = Tuple[int, bytes]


class Cluster:
    """An HTTP server that answers as the test wants; remembers what it was asked."""

    def __init__(self, answer: Callable[[str, str], Answer]) -> None:
        asked: list[tuple[str, str, dict[str, str], bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer("GET")

            def do_POST(self) -> None:
                self._answer("POST")

            def _answer(self, method: str) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked.append((method, self.path, dict(self.headers.items()), body))
                code, content = answer(method, self.path)
                self.send_response(code)
                if code in (301, 302, 307):
                    self.send_header("Location", content.decode())
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args: Any) -> None:
                pass

        self.asked = asked
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Farm(BridgeTest):
    def cluster(self, answer: Callable[[str, str], Answer]) -> Cluster:
        made = Cluster(answer)
        self.addCleanup(made.close)
        return made

    def job(self, address: str, **more: Any) -> FarmJob:
        request = Request(self.plate(), str(self.folder / "out"), "plate", [1001, 1002])
        job_id = more.pop("job_id", "adamatte-plate-1")
        given: Any = {"request": request, "look_every": 0.05, **more}
        return FarmJob(job_id, request.out, address, **given)

    def told(self, job: FarmJob) -> list[Status]:
        job.start()
        job.wait(30)
        return job.poll()

    def progress(self, **said: Any) -> None:
        path = self.folder / "out" / "progress.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(said))

    def test_a_wrong_token_is_one_line(self) -> None:
        cluster = self.cluster(lambda *_: (401, b"Unauthorized"))
        last = self.told(self.job(cluster.address))[-1]
        self.assertEqual(last.state, "failed")
        self.assertIn("the cluster wants a token", last.message)
        os.environ["RAY_AUTH_TOKEN"] = "wrong"
        last = self.told(self.job(cluster.address))[-1]
        self.assertIn("the cluster refuses the token", last.message)
        self.assertNotIn("wrong", last.message)
        self.assertEqual(cluster.asked[-1][2]["Authorization"], "Bearer wrong")

    def test_a_dead_cluster_is_one_line(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{free.getsockname()[1]}"
        said = self.told(self.job(address))
        self.assertEqual([s.state for s in said], ["starting", "failed"])
        self.assertIn("the cluster does not answer", said[-1].message)
        self.assertIn(address, said[-1].message)

    def test_a_cluster_that_has_just_begun_gets_its_job_once_it_takes_jobs(self) -> None:
        # What Ray 2.60 answers until its head's agent has reported.
        begun = b"No available agent to submit job, please try again later."
        handed = []

        def answer(method: str, _path: str) -> Answer:
            if method == "GET":
                return 404, b""
            handed.append(method)
            return (500, begun) if len(handed) < 3 else (200, b"{}")

        cluster = self.cluster(answer)
        RayJobs(cluster.address).submit("adamatte-plate-1", "true", {})
        self.assertEqual(len(handed), 3)

    def test_answers_that_make_no_sense_are_one_line(self) -> None:
        for content in (b"", b"<html>", b"[]", b"\xff", b'{"status": 7}', b"[" * 100000):
            cluster = self.cluster(lambda *_, content=content: (200, content))
            last = self.told(self.job(cluster.address))[-1]
            self.assertEqual(last.state, "failed")
            self.assertIn("not one of Ray's Jobs API", last.message)

    def test_what_is_no_http_is_one_line(self) -> None:
        server = socket.socket()
        self.addCleanup(server.close)
        server.bind(("127.0.0.1", 0))
        server.listen(5)

        def answer() -> None:
            for _ in range(2):
                try:
                    talk, _ = server.accept()
                except OSError:
                    return
                talk.recv(100)
                talk.sendall(b"SSH-2.0-OpenSSH\r\n")
                talk.close()

        threading.Thread(target=answer, daemon=True).start()
        last = self.told(self.job(f"http://127.0.0.1:{server.getsockname()[1]}"))[-1]
        self.assertEqual(last.state, "failed")
        self.assertIn("127.0.0.1", last.message)

    def test_the_token_is_not_taken_elsewhere(self) -> None:
        thief = self.cluster(lambda *_: (200, b"{}"))
        cluster = self.cluster(lambda *_: (302, (thief.address + "/api").encode()))
        os.environ["RAY_AUTH_TOKEN"] = "secret"
        last = self.told(self.job(cluster.address))[-1]
        self.assertIn("sends us elsewhere", last.message)
        self.assertEqual(thief.asked, [])

    def test_no_address_and_wrong_ones(self) -> None:
        for address in ("", "ftp://a", "http://", "http://user:word@host"):
            with self.assertRaises(BridgeError):
                RayJobs(address)
        self.assertEqual(RayJobs("head:8265").address, "http://head:8265")
        self.assertEqual(RayJobs("http://head:8265/#/jobs").address, "http://head:8265")

    def test_where_the_token_is_found(self) -> None:
        self.assertEqual(find_token(), "")
        home = self.folder / ".ray"
        home.mkdir()
        (home / "auth_token").write_text("from home\n")
        (home / "auth_token").chmod(0o644)
        with self.assertRaises(BridgeError) as caught:
            find_token()
        self.assertIn("can be read by others", str(caught.exception))
        (home / "auth_token").chmod(0o600)
        self.assertEqual(find_token(), "from home")
        os.environ["RAY_AUTH_TOKEN_PATH"] = str(self.folder / "nowhere")
        with self.assertRaises(BridgeError):
            find_token()
        os.environ["RAY_AUTH_TOKEN"] = "from the environment"
        self.assertEqual(find_token(), "from the environment")

    def test_a_job_from_submission_to_its_end(self) -> None:
        jobs: dict[str, str] = {}

        def answer(method: str, path: str) -> Answer:
            if method == "POST" and path == "/api/jobs/":
                jobs["a"] = "RUNNING"
                return 200, b"{}"
            if not jobs:
                return 404, b""
            if self.looks > 3:
                jobs["a"] = "SUCCEEDED"
            self.looks += 1
            return 200, json.dumps({"status": jobs["a"], "message": ""}).encode()

        self.looks = 4
        cluster = self.cluster(answer)
        self.progress(job="adamatte-plate-1", state="ended", done=2, total=2, exit=0)
        said = self.told(self.job(cluster.address))
        self.assertEqual(said[-1].state, "done")
        self.assertEqual((said[-1].done, said[-1].total), (2, 2))
        body = json.loads(next(b for m, p, _, b in cluster.asked if m == "POST"))
        self.assertEqual(body["submission_id"], "adamatte-plate-1")
        self.assertIn("--address auto", body["entrypoint"])
        self.assertEqual(body["runtime_env"]["env_vars"]["ADAMATTE_JOB"], "adamatte-plate-1")

    def test_a_job_that_is_there_is_not_sent_twice(self) -> None:
        cluster = self.cluster(lambda *_: (200, b'{"status": "SUCCEEDED"}'))
        self.assertEqual(self.told(self.job(cluster.address))[-1].state, "done")
        self.assertNotIn("POST", [method for method, *_ in cluster.asked])

    def test_a_progress_file_of_another_job_is_not_believed(self) -> None:
        self.progress(job="adamatte-other-9", state="running", done=77, total=99)
        told = {"status": "RUNNING"}
        cluster = self.cluster(lambda *_: (200, json.dumps(told).encode()))
        job = self.job(cluster.address, request=None)
        job.start()
        end = time.monotonic() + 10
        while not job.status.message and time.monotonic() < end:
            time.sleep(0.05)
        told["status"] = "SUCCEEDED"
        job.wait(30)
        said = job.poll()
        self.assertEqual({s.done for s in said}, {0})
        lines = {s.message for s in said if s.message}
        self.assertEqual(lines, {"another job works in this folder: adamatte-other-9"})

    def test_a_failed_job_tells_the_program_s_own_line(self) -> None:
        def answer(_: str, path: str) -> Answer:
            if path.endswith("/logs"):
                log = "2026 starting\nadamatte: error: the disk is full · /out · free some\nbye\n"
                return 200, json.dumps({"logs": log}).encode()
            return 200, b'{"status": "FAILED", "message": "Job entrypoint command failed"}'

        cluster = self.cluster(answer)
        last = self.told(self.job(cluster.address, request=None))[-1]
        self.assertEqual(last.message, "the disk is full · /out · free some")

    def test_a_job_that_the_cluster_forgot(self) -> None:
        cluster = self.cluster(lambda *_: (404, b""))
        last = self.told(self.job(cluster.address, request=None))[-1]
        self.assertEqual((last.state, last.message), ("lost", "the cluster knows no such job"))

    def test_cancel_asks_the_cluster_to_stop(self) -> None:
        told = {"status": "RUNNING"}

        def answer(method: str, path: str) -> Answer:
            if method == "POST" and path.endswith("/stop"):
                told["status"] = "STOPPED"
            return 200, json.dumps(told).encode()

        cluster = self.cluster(answer)
        job = self.job(cluster.address, request=None)
        job.start()
        job.cancel()
        job.wait(30)
        self.assertEqual(job.poll()[-1].state, "cancelled")

    def test_names_of_jobs(self) -> None:
        self.assertRegex(new_job_id("sh 1\u00e4/b"), r"\Aadamatte-sh_1__b-[0-9a-f]{8}\Z")
        self.assertNotEqual(new_job_id("a"), new_job_id("a"))


if __name__ == "__main__":
    unittest.main()
