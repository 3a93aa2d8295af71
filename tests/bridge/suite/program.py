"""A stand-in for `adamatte` where only its words, lines, files and signals matter.

    program.py desk PLATE --out DIR …
    program.py run PLATE --out DIR --shot NAME --frames RANGE … --progress jsonl

`$STAND_IN` says how it behaves: `fail` refuses, `slow` waits between frames, `chatter` prints what
is no event as well.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from nuke_bridge.core.files import sha256
from nuke_bridge.core.frames import of_pattern, parse_range
from nuke_bridge.core.options import OPTIONS


def main(words: list[str]) -> int:
    how = os.environ.get("STAND_IN", "")
    if how == "fail":
        sys.stderr.write("adamatte: error: the plate is missing · a.exr · check the name\n")
        return 2
    if words[0] == "desk":
        return desk(words)
    given = dict(zip(words[2::2], words[3::2]))
    frames = parse_range(given["--frames"])
    say(event="start", frames=len(frames))
    for number in frames:
        if how == "chatter":
            sys.stdout.write('not json\n[1]\n{"event": 7}\n\xe4\n')
        alpha = Path(given["--out"], "alpha", "{}_alpha.{:04d}.exr".format(given["--shot"], number))
        alpha.parent.mkdir(parents=True, exist_ok=True)
        alpha.write_text(f"alpha of {number}")
        record(words[1], given, number)
        say(event="frame", frame=number, state="done", seconds=0.1)
        if how == "slow":
            time.sleep(0.3)
    say(event="progress", done=len(frames), total=len(frames), failed=0, fps=9.5, eta_s=0.0)
    say(event="end", exit=0)
    return 0


def desk(words: list[str]) -> int:
    """Prints its address, notes its words, and stays until it is told to end."""
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    out = Path(words[words.index("--out") + 1])
    out.mkdir(parents=True, exist_ok=True)
    (out / "desk.json").write_text(json.dumps(words))
    sys.stdout.write("http://127.0.0.1:1/?token=hush\n")
    sys.stdout.flush()
    while not over.wait(0.1) and (out / "desk.json").exists():
        pass
    return 0


def say(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def record(plate: str, given: dict[str, str], number: int) -> None:
    """The manifest, as far as the bridge reads it."""
    shot: dict[str, Any] = {
        one.name: None if one.default == "" else one.default for one in OPTIONS if one.pixels
    }
    for name, default in list(shot.items()):
        typed = given.get("--" + name.replace("_", "-"))
        if typed is not None:
            shot[name] = float(typed) if isinstance(default, float) else typed
    shot.update(plate=plate, mask=given.get("--mask"))
    override = sha256(Path(str(shot["override"]))) if shot["override"] else ""
    if override:
        kept = Path(given["--out"], "override", override[:16] + ".json")
        kept.parent.mkdir(exist_ok=True)
        kept.write_bytes(Path(shot["override"]).read_bytes())
    shot["keyframe"] = [text for text in (shot.get("keyframe"),) if text]
    request = {"shot": shot, "override": override}
    key = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:16]
    path = Path(given["--out"], "manifest.json")
    manifest = json.loads(path.read_text()) if path.is_file() else {"requests": {}, "frames": {}}
    manifest["requests"][key] = request
    plate_sum = sha256(of_pattern(plate, number))
    manifest["frames"][str(number)] = {"state": "done", "plate": plate_sum, "request": key}
    path.write_text(json.dumps(manifest))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
