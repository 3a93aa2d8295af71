"""From the node under Python 3.7 to a real Ray cluster with a token, and back after a restart."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from plugin.request.shot import Shot
from plugin.result.verify import verify
from tests.bridge.test_interpreters import interpreter
from tests.cluster.nodes import Nodes, several_nodes
from tests.jobs import creature

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[2]
FRAMES = 12


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with several_nodes(tmp_path_factory.mktemp("nodes"), nodes=1) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return creature(tmp_path_factory.mktemp("farm"), frames=FRAMES)


def session(python: str, environment: dict[str, str], *words: str) -> dict[str, Any]:
    """What a session saw."""
    kept = {k: v for k, v in environment.items() if not k.startswith("PYTHON")}
    answer = subprocess.run(
        [python, "-m", "tests.bridge.farm_session", *words],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr[-4000:]
    seen: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return seen


def begin(folder: Path, cluster: Nodes, shot: Shot) -> list[str]:
    plate = [shot.plate, str(shot.mask), str(1000 + FRAMES)]
    return ["begin", str(folder), cluster.dashboard, *plate]


@pytest.fixture(scope="module")
def python() -> str:
    found = interpreter("3.7") or interpreter("3.9")
    if found is None:
        pytest.skip("no Python 3.7 or 3.9 here")
    return found


def test_submitted_cancelled_submitted_again_and_found_after_a_restart(
    python: str, cluster: Nodes, shot: Shot, tmp_path: Path
) -> None:
    first = session(python, cluster.environment, *begin(tmp_path, cluster, shot))
    assert (first["messages"], len(first["seen"])) == ([], 2), first
    cancelled, running = first["seen"]
    assert cancelled.startswith("cancelled"), cancelled
    assert running.startswith("running"), running
    assert first["first"] != first["second"]
    second = session(python, cluster.environment, "again", str(tmp_path))
    assert second["found"] == first["second"]
    assert second["seen"] == [f"all {FRAMES} frames done"]
    assert second["left"] == ""
    assert verify(tmp_path / "out" / "v001").complete
    progress = json.loads((tmp_path / "out" / "v001" / "progress.json").read_text())
    assert progress["job"] == first["second"]
    for seen in (first, second):
        print(f"{seen['python']}: held for {seen['held_ms']} ms at most")  # noqa: T201
        assert seen["held_ms"] < 5000  # generous: the figure is told, not trusted to the clock


def test_a_wrong_token_on_a_real_cluster(
    python: str, cluster: Nodes, shot: Shot, tmp_path: Path
) -> None:
    kept = {k: v for k, v in cluster.environment.items() if k != "RAY_AUTH_TOKEN_PATH"}
    seen = session(python, {**kept, "RAY_AUTH_TOKEN": "0" * 64}, *begin(tmp_path, cluster, shot))
    assert seen["seen"][0].startswith("failed · 0 of 12 · the cluster refuses the token")
    assert "0" * 64 not in json.dumps(seen)
    nobody = {**kept, "HOME": str(tmp_path), "RAY_AUTH_MODE": "token"}
    seen = session(python, nobody, *begin(tmp_path, cluster, shot))
    assert "the cluster wants a token" in seen["seen"][0]
