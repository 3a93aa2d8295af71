"""Results with everything that a report must bear: odd names, rules, failed and missing frames."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from plugin.driver.run import run
from plugin.request.shot import Shot
from plugin.result.manifest import FrameRecord, Manifest, load, save
from plugin.types import FrameState
from tests.jobs import creature, luma_matter
from workers.in_process import InProcessExecutor

NASTY = "<script>alert('1')</script>\"\n\u202eשלום&amp;"
"""Markup, quotes, a line break, right-to-left letters and their override, an entity."""


def plain_result(folder: Path, frames: int = 6, **settings: object) -> Shot:
    """A tiny shot, matted without a network and with every picture kept."""
    shot = creature(folder, frames).model_copy(
        update={"keep": frozenset({"trimap", "adapted"}), "report": True, **settings}
    )
    run(shot, executor=InProcessExecutor(luma_matter))
    return shot


def nasty_result(folder: Path, frames: int = 8) -> Shot:
    """A result whose names, rules and errors are all `NASTY`; 1003 failed, 1005 is missing."""
    shot = creature(folder, frames)
    plate = folder / f"{NASTY.replace('/', '|')}.mp4"
    shutil.copy(shot.plate, plate)
    changed = {"plate": str(plate), "shot": NASTY, "out": folder / "o", "report": True}
    shot = shot.model_copy(update=changed)
    run(shot, executor=InProcessExecutor(luma_matter))
    manifest = load(shot.out / "manifest.json")
    save(shot.out / "manifest.json", _worsened(manifest, shot))
    (shot.out / "alpha" / f"{shot.name}_alpha.1005.exr").unlink()
    return shot


def _worsened(manifest: Manifest, shot: Shot) -> Manifest:
    rules = [
        {"id": NASTY, "frames": "1002-1004", "params": {"erode": 3}},
        {"id": "</bdi><img src=x onerror=alert(2)>", "frames": "1001", "params": {"erode": 3}},
    ]
    content = json.dumps({"schema": "trimap-override/1", "rules": rules}).encode()
    sha256 = hashlib.sha256(content).hexdigest()
    (shot.out / "override").mkdir()
    (shot.out / "override" / f"{sha256[:16]}.json").write_bytes(content)
    changed = manifest.model_copy(update={"override": sha256})
    request = changed.request
    frames = {
        number: record.model_copy(update={"request": request.key})
        for number, record in manifest.frames.items()
    }
    frames[1003] = FrameRecord(state=FrameState.FAILED, error=f"{NASTY} · frame 1003 · fix")
    return changed.model_copy(update={"frames": frames, "requests": {request.key: request}})
