"""An artist's session with the farm in the pretended Nuke, under any interpreter.

    python3.7 -m tests.bridge.farm_session begin FOLDER ADDRESS PLATE MASK LAST
    python3.7 -m tests.bridge.farm_session again FOLDER

`begin` submits, cancels, submits again, saves the script and is gone. `again` opens the script in a
new session, and waits until the job that it finds there is done. What was seen is one line of JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tests.bridge.nuke_host import script, stage
from tests.bridge.suite.base import said

import nuke  # isort: skip


def start() -> None:
    """As Nuke starts: what is on its path is run before anyone waits for it."""
    stage.fresh()
    for name in ("init.py", "menu.py"):
        file = stage.ROOT / "nuke_bridge" / name
        code = compile(file.read_text(encoding="utf-8"), str(file), "exec")
        exec(code, {"__file__": str(file)})  # noqa: S102


def begin(folder: Path, address: str, plate: str, mask: str, last: int) -> None:
    """The first session."""
    start()
    from nuke_bridge.nuke_node import build, running

    node: Any = build.build()
    node.setInput(0, stage.read(plate, 1001, last))
    node.setInput(1, stage.read(mask, 1001, last))
    node["out"].setValue(str(folder / "out"))
    node["where"].setValue("farm")
    node["address"].setValue(address)
    seen = []
    stage.press(node, "matte")
    first = node["job_id"].value()
    stage.until(lambda: said(node).startswith(("queued", "running", "failed")), 300)
    if not said(node).startswith("failed"):
        stage.press(node, "cancel")
    stage.until(lambda: running.job_of(node) is None and " of " in said(node), 300)
    seen.append(said(node))
    if not said(node).startswith("failed"):
        stage.press(node, "matte")
        stage.until(lambda: said(node).startswith("running"), 300)
        seen.append(said(node))
    (folder / "script.nk").write_text(script.saved(), encoding="utf-8")
    tell(seen, first=first, second=node["job_id"].value())


def again(folder: Path) -> None:
    """The session after a restart."""
    start()
    script.loaded((folder / "script.nk").read_text(encoding="utf-8"))
    node: Any = next(n for n in nuke.allNodes("Group") if n.knob("job_id"))
    found = node["job_id"].value()
    # The frames are done, and told of, before the cluster calls the job so; then it is let go.
    over = ("frames done", "failed")
    stage.until(
        lambda: node["job_id"].value() == "" and any(word in said(node) for word in over), 300
    )
    tell([said(node)], found=found, left=node["job_id"].value())


def tell(seen: Any, **more: str) -> None:
    held = round(stage.slowest * 1000, 2)
    answer = dict(more, seen=seen, held_ms=held, python=sys.version.split()[0])
    answer["messages"] = stage.STATE.messages
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "begin":
        begin(Path(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5], int(sys.argv[6]))
    else:
        again(Path(sys.argv[2]))
