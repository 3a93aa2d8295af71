"""The campaign at full length: `python -m tests.inputs --count 2000`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from tests.inputs.oracle import campaign


def main() -> int:
    """Run it; 1 where any input was read wrongly without a word."""
    parser = argparse.ArgumentParser(prog="python -m tests.inputs")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    asked = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        ends, bad = campaign(asked.first, asked.count, Path(folder) / "one")
    for verdict in bad:
        told = map(str, (verdict.seed, verdict.state, verdict.kind, verdict.why))
        sys.stdout.write(" | ".join(told) + "\n")
    seconds = round(time.monotonic() - started, 1)
    figures = {"inputs": asked.count, **ends, "doubtful": len(bad), "seconds": seconds}
    sys.stdout.write(json.dumps(figures) + "\n")
    return int(ends["wrong"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
