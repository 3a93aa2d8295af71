"""A measurement in a process of its own: its threads, its memory peak, nobody else's leftovers.

    python -m workers.bench.child network  < arguments.json

The last line on stdout is the answer as JSON.
"""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from plugin.disk.atomic import text_of
from plugin.errors import SurroundingsError

_PARTS = {
    "network": "workers.bench.network:measure",
    "alone": "workers.bench.network:alone",
    "job": "workers.bench.job:measure",
    "load": "workers.bench.job:write",
    "gpu": "workers.bench.gpu:measure",
    "stabilise": "workers.bench.steadiness:measure",
}
"""What a child may be asked for, by name."""

_ROOT = Path(__file__).parents[2]


def in_child(part: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401  whatever JSON holds
    """Measure in a fresh process, with one thread for each operation.

    Raises:
        SurroundingsError: it died, or was killed for its memory.
    """
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    done = subprocess.run(  # noqa: S603  this program itself
        [sys.executable, "-P", "-m", "workers.bench.child", part],
        input=json.dumps(arguments),
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SurroundingsError(
            f"the measurement ended with {done.returncode}: {said[:300]}",
            where=f"bench, {part}",
            fix="free memory, or measure smaller --sizes",
        )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def peak_bytes() -> int:
    """The most memory that this process ever had resident; 0 where the system does not tell."""
    lines = text_of(Path("/proc/self/status")).splitlines()
    kib = next((line.split()[1] for line in lines if line.startswith("VmHWM:")), "0")
    return int(kib) * 1024


def main() -> None:
    """Do one part; see `in_child`."""
    module, function = _PARTS[sys.argv[1]].split(":")
    from model.inference.threads import settle_process

    settle_process()  # threads and memory as in every worker
    answer = getattr(importlib.import_module(module), function)(**json.load(sys.stdin))
    sys.stdout.write("\n" + json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
