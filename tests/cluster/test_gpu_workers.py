"""A head without a GPU has workers with one: what its own machine lacks is none of its business."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from plugin.request.shot import Shot
from plugin.result.verify import verify
from tests.cluster.nodes import HERE, Nodes, several_nodes
from tests.jobs import creature

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """A node of two cores, and one that says it has a GPU."""
    with several_nodes(tmp_path_factory.mktemp("nodes"), nodes=1, cores=2) as nodes:
        nodes.add(1, gpus=1)
        yield nodes


@pytest.mark.parametrize("device", ["auto", "cuda"])
def test_workers_have_the_clusters_gpu(cluster: Nodes, tmp_path: Path, device: str) -> None:
    wishes = {"device": device, "precision": "fp16", "address": cluster.address}
    shot: Shot = creature(tmp_path, frames=3).model_copy(update=wishes)
    words = [sys.executable, "-m", "tests.campaign.job", shot.model_dump_json()]
    done = subprocess.run(
        [*words, "--actor", "GpuActor"],
        cwd=HERE,
        env={**cluster.environment, "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert verify(shot.out).complete
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["state"] for event in events if event["event"] == "frame"] == ["done"] * 3
