"""What the desk looked at before does not stand for what is there now; nobody waits for ever."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin.desk.changes import Change
from plugin.desk.corrections import Corrections
from plugin.desk.frames import Frames
from plugin.desk.mattes import Mattes
from plugin.desk.views import Scene, Tile, draw
from plugin.driver.probe import anchored, probe_job
from plugin.driver.run import run
from plugin.exr.alpha_file import read_alpha
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.synthetic import ShotKind, SyntheticShot, write_shot
from plugin.types import FloatArray, LabelArray
from tests.desks import stroke
from tests.jobs import LumaMatter, creature, luma_matter
from workers.in_process import InProcessExecutor


def test_an_edge_that_is_said_makes_the_band_anew(tmp_path: Path) -> None:
    """Whatever was looked at before, the band is that of the rules in force."""
    settings = SyntheticShot(kind=ShotKind.DEMO, seed=1, width=480, height=270, frames=1)
    files = write_shot(settings, tmp_path / "s")
    shot = Shot(plate=str(files.video), mask=str(files.truth.mask), out=tmp_path / "out")
    plan, info, _ = probe_job(anchored(shot), "alpha", QuietProgress())
    corrections = Corrections(tmp_path / "desk.trimap.json", info, shot.name)
    held = Frames(plan, corrections)
    seen = [held.trimap(1001).labels]
    was = None
    for edge in ("hair", "hard"):
        now = {"id": "edge", "frames": "1001", "params": {"edge": edge}}
        told = {"now": now} if was is None else {"was": was, "now": now}
        corrections.change((Change.model_validate_json(json.dumps(told)),))
        was = now
        fresh = Frames(plan, corrections)
        seen.append(held.trimap(1001).labels)
        assert np.array_equal(seen[-1], fresh.trimap(1001).labels), edge
        assert not np.array_equal(seen[-1], seen[-2])
        fresh.close()
    held.close()


def drawn_of(frames: Frames, number: int) -> bytes:
    scene = Scene(frames.look(number), frames.trimap(number))
    return draw("trimap", Tile(0, 0, 0, exact=True), scene)[0]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_was_looked_at_before_a_trimap_and_its_picture_are_of_all_rules(
    tmp_path: Path, seed: int
) -> None:
    """Strokes are added to what is there, and only they are drawn; nothing shows it."""
    random = np.random.default_rng(seed)
    shot = anchored(creature(tmp_path, frames=2))
    plan, info, _ = probe_job(shot, "alpha", QuietProgress())
    corrections = Corrections(tmp_path / "desk.trimap.json", info, shot.name)
    held = Frames(plan, corrections)

    def rule(number: int) -> dict[str, Any]:
        label = str(random.choice(["foreground", "unknown", "background"]))
        ends = random.integers(-9, 105, (3, 2))
        points = [(float(x), float(y)) for x, y in ends]
        frames = str(random.choice(["1001", "1002", "1001-1002"]))
        if random.random() < 0.2:
            return {"id": f"r{number}", "frames": frames, "params": {"dilate": float(number)}}
        if random.random() < 0.3:
            shape = {frames[:4]: [list(point) for point in points]}
            return {"id": f"r{number}", "frames": frames, "set": label, "polygon": shape}
        return stroke(f"r{number}", frames, label, *points)

    for number in range(30):
        rules = corrections.override.file.rules if corrections.override else ()
        turn = random.random()
        if turn < 0.15 and corrections.undoable:
            corrections.undo()
        elif turn < 0.3 and rules:
            gone = rules[int(random.integers(len(rules)))]
            corrections.change((Change(was=gone),))
        else:
            told = json.dumps({"now": rule(number), "place": None if turn < 0.9 else 0})
            corrections.change((Change.model_validate_json(told),))
        at = int(random.choice([1001, 1002]))
        if random.random() < 0.4:
            held.trimap(at)  # asked for and not looked at
            continue
        fresh = Frames(plan, corrections)
        assert np.array_equal(held.trimap(at).labels, fresh.trimap(at).labels)
        assert drawn_of(held, at) == drawn_of(fresh, at)
        fresh.close()
    held.close()


def test_a_matte_is_shown_under_its_own_digest_alone(tmp_path: Path) -> None:
    """A run replaces the file first and tells of it seconds later; a later one may undo that."""
    shot = anchored(creature(tmp_path, frames=1))
    plan, info, _ = probe_job(shot, "alpha", QuietProgress())
    frames = Frames(plan, Corrections(tmp_path / "desk.trimap.json", info, shot.name))

    def matted(choke: float) -> str:
        asked = shot.model_copy(update={"choke": choke})
        return run(asked, executor=InProcessExecutor(luma_matter)).frames[1001].digest

    first, second = matted(0), matted(9)
    assert first != second
    assert frames.stored(1001, first) is None
    assert matted(0) == first
    shown = frames.stored(1001, first)
    assert shown is not None
    assert np.array_equal(shown.alpha, read_alpha(OutputLayout.of(shot).alpha(1001)).alpha)
    frames.close()


class Stumbling(LumaMatter):
    """A network that cannot be loaded at once, as where another program has the card."""

    def __call__(self, image: FloatArray, trimap: LabelArray) -> tuple[LabelArray, FloatArray]:
        if image.shape[:2] == (64, 64):  # the first, which loads it
            raise RuntimeError("out of memory")
        return super().__call__(image, trimap)


def test_whoever_wants_a_matte_is_answered_whatever_happened_before(tmp_path: Path) -> None:
    """The thread that has the network outlives what nobody asked for."""
    plan, info, _ = probe_job(anchored(creature(tmp_path, frames=3)), "alpha", QuietProgress())
    corrections = Corrections(tmp_path / "s.trimap.json", info, plan.shot.name)

    def make(turn: Any) -> Frames:
        return Frames(plan, corrections, turn, make_matter=lambda _: Stumbling())

    def around(_number: int) -> tuple[int, ...]:
        raise OSError("the share is away")

    mattes = Mattes(make, around)

    async def ask() -> list[str]:
        return [(await asyncio.wait_for(mattes.get(n), 60))[0] for n in (1002, 1003)]

    assert asyncio.run(ask()) == ["0", "0"]
    mattes.close()
    mattes.frames.close()
