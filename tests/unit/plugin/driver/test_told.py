"""What a run says of its masks: each thing once, a pass as it goes, and frames without a mask."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from plugin.driver.run import run
from plugin.progress.modes import QuietProgress
from plugin.report.build import build_report
from plugin.request.shot import Shot
from tests.jobs import creature, luma_matter
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow


class Told(QuietProgress):
    """Keeps what it is told, in order, and what `progress.json` says by then."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.events: list[tuple[str, object]] = []
        self.passing: list[dict[str, object]] = []

    def start(self, frames: int, **_facts: object) -> None:
        self.events.append(("start", frames))

    def note(self, text: str) -> None:
        self.events.append(("note", text))

    def step(self, name: str, done: int, total: int) -> None:
        self.events.append(("step", (name, done, total)))
        self.passing.append(json.loads((self.out / "progress.json").read_text()))


def keyed(shot: Shot, folder: Path, *numbers: int) -> Shot:
    """The same shot, its masks carried from those of some frames."""
    keys = []
    for number in numbers:
        picture = cv2.imread(str(shot.mask).replace("%04d", str(number)), cv2.IMREAD_GRAYSCALE)
        assert picture is not None
        cv2.imwrite(str(folder / f"key.{number}.png"), picture)
        keys.append(f"{number}={folder / f'key.{number}.png'}")
    given = {"mask": None, "segment": "track", "keyframe": tuple(keys)}
    return shot.model_copy(update=given)


@pytest.mark.parametrize("radius", [0, 2])
def test_a_tracked_run_tells_each_thing_once_and_how_its_pass_goes(
    tmp_path: Path, radius: int
) -> None:
    made = creature(tmp_path, frames=6)
    shot = keyed(made, tmp_path, 1001).model_copy(update={"stabilise": radius})
    told = Told(shot.out)
    manifest = run(shot, progress=told, executor=InProcessExecutor(luma_matter))
    notes = [what for kind, what in told.events if kind == "note"]
    assert len(notes) == len(set(notes))
    assert len(manifest.assumed) == len(set(manifest.assumed))
    kinds = [kind for kind, _ in told.events]
    steps = [what for kind, what in told.events if kind == "step"]
    assert kinds.index("start") < kinds.index("step")  # there is a first line before the pass
    assert steps == [("track", done, 6) for done in range(7)]
    assert {said["state"] for said in told.passing} == {"running"}
    again = Told(shot.out)
    run(shot, progress=again, executor=InProcessExecutor(luma_matter))
    assert "step" not in [kind for kind, _ in again.events]  # the masks are there


def test_frames_whose_mask_is_held_are_named_in_the_report(tmp_path: Path) -> None:
    shot = creature(tmp_path, frames=6)
    for number in (1004, 1005, 1006):
        Path(str(shot.mask).replace("%04d", str(number))).unlink()
    run(shot.model_copy(update={"report": True}), executor=InProcessExecutor(luma_matter))
    report = build_report(shot.out)
    texts = {
        suspect.number: [reason.text for reason in suspect.reasons] for suspect in report.suspects
    }
    held = "no mask of its own: that of frame 1003 is held"
    assert {number for number, said in texts.items() if held in said} == {1004, 1005, 1006}
    assert held in report.page.read_text()
