"""A cluster of several nodes: jobs handed over, nodes that go and come, and no one without a token.

One cluster for all tests of this file; it is started here, and only this one goes down.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from nuke_bridge.core.jobs_client import RayJobs
from plugin.errors import ClusterError
from plugin.request.shot import Shot
from plugin.result.verify import verify
from tests.cluster.nodes import Nodes, several_nodes
from tests.jobs import alphas, creature
from workers.submit import JobStatus, status

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(400)]

HERE = Path(__file__).parents[2]
ADAMATTE = (sys.executable, "-m", "plugin.cli")


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return creature(tmp_path_factory.mktemp("cluster"), frames=10)


@pytest.fixture(scope="module")
def whole(shot: Shot) -> dict[int, bytes]:
    done = adamatte("run", *words(shot, shot.out), "--executor", "process")
    assert done.returncode == 0, done.stderr
    return alphas(shot)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with several_nodes(tmp_path_factory.mktemp("nodes"), nodes=2) as nodes:
        yield nodes


def words(shot: Shot, out: Path) -> list[str]:
    given = [shot.plate, "--mask", str(shot.mask), "--out", str(out)]
    return [*given, "--stabilise", str(shot.stabilise)]


def adamatte(
    *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ADAMATTE, *arguments],
        cwd=HERE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def stranger(cluster: Nodes, home: Path, **more: str) -> dict[str, str]:
    """The environment of someone who has no token."""
    kept = {name: text for name, text in cluster.environment.items() if name[:8] != "RAY_AUTH"}
    return kept | {"HOME": str(home), "RAY_AUTH_MODE": "token", **more}


def ended(cluster: Nodes, job: str) -> JobStatus:
    """Its state once it has one of the last ones; the test's own time limit is the patience."""
    client = RayJobs(cluster.dashboard, cluster.token_file.read_text())
    while (found := status(client, job)).state in ("PENDING", "RUNNING"):
        threading.Event().wait(0.5)
    return found


def test_a_submitted_job_is_done_by_the_cluster(
    cluster: Nodes, shot: Shot, whole: dict[int, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "o'ut $(touch pwned)"
    submit = ["submit", *words(shot, out), "--address", cluster.dashboard]
    handed = adamatte(*submit, environment=cluster.environment)
    assert handed.returncode == 0, handed.stderr
    job = handed.stdout.strip()
    assert re.fullmatch(r"adamatte-demo1-[0-9a-f]{8}", job)
    twice = adamatte(*submit, environment=cluster.environment)
    found = ended(cluster, job)
    assert (found.state, found.exit_code, found.shot) == ("SUCCEEDED", 0, "demo1"), found
    assert found.progress == json.loads((out / "progress.json").read_text())
    assert alphas(shot.model_copy(update={"out": out})) == whole
    assert verify(out).complete
    assert (twice.returncode, f"job {job} works on frames 1001-1010" in twice.stderr) == (4, True)
    told = adamatte("status", job, "--address", cluster.dashboard, environment=cluster.environment)
    assert f"{job}: SUCCEEDED (exit code 0) · 10 of 10 done" in told.stdout
    again = adamatte("cancel", job, "--address", cluster.dashboard, environment=cluster.environment)
    assert "had ended before" in again.stdout


def asked(url: str, token: str = "", body: object = None) -> int:
    """The code that the cluster answers with."""
    request = urllib.request.Request(  # noqa: S310  our own cluster
        url,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}"} if token else {},
    )
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_who_has_no_token_gets_nothing(cluster: Nodes, shot: Shot, tmp_path: Path) -> None:
    """Not a job, not a log, not a place among the workers."""
    for path in ("/api/jobs/", "/api/jobs/any", "/api/jobs/any/logs", "/api/version", "/nodes"):
        assert asked(cluster.dashboard + path) in (401, 403), path
        assert asked(cluster.dashboard + path, token="0" * 64) in (401, 403), path
    body = {"entrypoint": f"touch {tmp_path / 'pwned'}"}
    assert asked(cluster.dashboard + "/api/jobs/", body=body) in (401, 403)
    submit = ["submit", *words(shot, tmp_path / "o"), "--address", cluster.dashboard]
    join = ["run", *words(shot, tmp_path / "o"), "--address", cluster.address]
    wrong = {"RAY_AUTH_TOKEN": "0" * 64}
    cases: tuple[tuple[list[str], dict[str, str], str], ...] = (
        (submit, {}, "there is no token"),
        (submit, wrong, "does not accept the token"),
        (join, wrong, "ray cannot be reached"),
    )
    for command, more, says in cases:
        done = adamatte(*command, environment=stranger(cluster, tmp_path, **more))
        assert (done.returncode, done.stdout) == (4, ""), done.stderr
        assert says in done.stderr.lower(), done.stderr
    assert not (tmp_path / "pwned").exists()
    assert alphas(shot.model_copy(update={"out": tmp_path / "o"})) == {}


def test_a_node_goes_and_one_comes_in_mid_job(
    cluster: Nodes, shot: Shot, whole: dict[int, bytes], tmp_path: Path
) -> None:
    command = ["run", *words(shot, tmp_path / "out"), "--address", cluster.address]
    command += ["--workers", "2", "--chunk", "3", "--progress", "jsonl"]
    with subprocess.Popen(
        [*ADAMATTE, *command],
        cwd=HERE,
        env=cluster.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if '"event": "frame"' in line:
                cluster.remove(0)
                cluster.add()
                break
        process.stdout.read()
        errors = process.stderr.read()
        assert process.wait(timeout=600) == 0, errors
    assert alphas(shot.model_copy(update={"out": tmp_path / "out"})) == whole
    assert verify(tmp_path / "out").complete
    progress = json.loads((tmp_path / "out" / "progress.json").read_text())
    assert (progress["done"], progress["failed"]) == (10, 0)


def test_a_cluster_that_is_open_is_refused(cluster: Nodes) -> None:
    """Seen from who asks: a server that answers without a token."""
    script = (
        "import http.server as h, threading\n"
        "s = h.ThreadingHTTPServer(('127.0.0.1', 0), h.SimpleHTTPRequestHandler)\n"
        "print(s.server_address[1], flush=True); s.serve_forever()"
    )
    words = [sys.executable, "-c", script]
    served = Path(cluster.token_file).parent / "served"
    (served / "api" / "jobs").mkdir(parents=True)
    with subprocess.Popen(
        words, cwd=served, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        done = adamatte("status", "any", "--address", url, environment=cluster.environment)
        server.kill()
    assert done.returncode == 4
    assert "anybody can use this cluster" in done.stderr


def test_a_token_that_others_can_read_is_refused(
    cluster: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workers.jobs_api import find_token, require_token

    loose = tmp_path / "token"
    loose.write_text(cluster.token_file.read_text())
    loose.chmod(0o644)
    monkeypatch.delenv("RAY_AUTH_TOKEN", raising=False)
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(loose))
    with pytest.raises(ClusterError, match="read by others"):
        find_token("head")
    loose.chmod(0o600)
    assert find_token("head") == cluster.token_file.read_text()
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(ClusterError, match="open to anyone"):
        require_token("head")
    assert os.environ["RAY_AUTH_MODE"] == "disabled"
