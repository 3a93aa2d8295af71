"""A Ray cluster of several nodes on this machine, in a process of its own, with a token.

    python -m tests.cluster.nodes 2 1      two nodes of one core each; commands on stdin:
    add 2 1                                one more, of two cores and a GPU
    remove 1                               the node that was added second goes down at once
    (end of input)                         all go down

Each command is answered by a line of JSON.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parents[2]


@dataclass
class Nodes:
    """The cluster as a test sees it."""

    process: subprocess.Popen[str]
    token_file: Path
    address: str
    dashboard: str

    @property
    def environment(self) -> dict[str, str]:
        """For who may use the cluster."""
        # What a run in this process has left of its own cluster's token would win over the path.
        kept = {name: text for name, text in os.environ.items() if not name.startswith("RAY_")}
        return {
            **kept,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(self.token_file),
            "RAY_ADDRESS": "",
        }

    def add(self, cores: int = 1, gpus: int = 0) -> None:
        """One node more; Ray takes its word for what it has."""
        self._say(f"add {cores} {gpus}")

    def remove(self, place: int) -> None:
        """A node goes down, with all that runs on it."""
        self._say(f"remove {place}")

    def _say(self, command: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def several_nodes(folder: Path, nodes: int, cores: int = 1) -> Iterator[Nodes]:
    """Start a cluster; it goes down at the end, and nothing else of Ray on this machine does."""
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32))
    environment = {name: text for name, text in os.environ.items() if not name.startswith("RAY_")}
    environment |= {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
        "RAY_USAGE_STATS_ENABLED": "0",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    words = [sys.executable, "-W", "ignore", "-m", "tests.cluster.nodes", str(nodes), str(cores)]
    with subprocess.Popen(
        words,
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first, "the cluster did not start"
        told = json.loads(first)
        try:
            yield Nodes(process, token, told["address"], f"http://{told['dashboard']}")
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=300)


def _main(nodes: int, cores: int) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever Ray prints is no answer
    from ray.cluster_utils import Cluster

    store = 80 << 20
    # Ray's own port for a head's agent may be held by that of a Ray that was killed a minute ago;
    # an agent without its port is there and takes no jobs.
    with socket.socket() as free:
        free.bind(("", 0))
        port = free.getsockname()[1]
    head = {"num_cpus": 0, "include_dashboard": True, "object_store_memory": store}
    head["dashboard_agent_listen_port"] = port
    cluster = Cluster(initialize_head=True, head_node_args=head)
    there = [cluster.add_node(num_cpus=cores, object_store_memory=store) for _ in range(nodes)]
    cluster.wait_for_nodes()
    head_node: Any = cluster.head_node
    told = {"address": cluster.address, "dashboard": head_node.webui_url}
    print(json.dumps(told), file=answers, flush=True)
    for line in sys.stdin:
        verb, _, number = line.partition(" ")
        if verb == "add":
            cores, gpus = map(int, number.split())
            node = cluster.add_node(num_cpus=cores, num_gpus=gpus, object_store_memory=store)
            there.append(node)
        else:
            cluster.remove_node(there[int(number)], allow_graceful=False)
        print(json.dumps({"done": verb}), file=answers, flush=True)
    cluster.shutdown()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
