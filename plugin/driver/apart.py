"""The pass in order in a process of its own: what it had of a GPU goes with it.

A process keeps its context on a card for as long as it lives, half a gigabyte and more, and the
driver lives as long as the job. See `plugin.driver.in_order` for the other side.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import plugin.errors
from plugin.driver.plan import Plan
from plugin.errors import SurroundingsError

_ROOT = Path(__file__).parents[2]


def pass_apart(
    plan: Plan, say: Callable[[str], None], step: Callable[[str, int, int], None]
) -> Plan:
    """What `pass_in_order` does, elsewhere.

    Args:
        plan: of the job.
        say: is told the pass's notes.
        step: is told how far it is: `Progress.step`.

    Raises:
        AdaMatteError: as the pass raised it.
        SurroundingsError: its process died.
    """
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH", "")]))
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "plugin.driver.in_order"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8:surrogateescape"},
    ) as child:
        try:
            answer = _conversation(child, plan, say, step)
        except BaseException:
            child.kill()
            raise
    if "plan" in answer:
        return Plan.model_validate_json(answer["plan"])
    if "error" in answer:
        kind, what, where, fix = answer["error"]
        raise getattr(plugin.errors, kind)(what, where=where, fix=fix)
    raise SurroundingsError(
        f"the pass in order ended with {child.returncode}",
        where=plan.shot.plate,
        fix="see what it said, and run the same command again",
    )


def _conversation(
    child: subprocess.Popen[str],
    plan: Plan,
    say: Callable[[str], None],
    step: Callable[[str, int, int], None],
) -> dict[str, Any]:
    assert child.stdin is not None  # noqa: S101  both are pipes
    assert child.stdout is not None  # noqa: S101
    answer: dict[str, Any] = {}
    child.stdin.write(plan.model_dump_json() + "\n")
    child.stdin.flush()
    for line in child.stdout:
        answer = json.loads(line)
        if "note" in answer:
            say(answer.pop("note"))
        if "step" in answer:
            step(*answer.pop("step"))
    return answer
