"""The hosts' options are the command line's: names, kinds, choices, defaults."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from nuke_bridge.core.manifest import frame_states
from nuke_bridge.protocol import OPTIONS, Option, Polygon, Request, shot_name, write_polygons
from plugin.cli.options import TABLE
from plugin.driver.run import run
from plugin.request.job_file import PATH_FIELDS
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest_models import _NO_PIXELS
from tests.jobs import creature, luma_matter
from workers.in_process import InProcessExecutor


@pytest.mark.parametrize("one", OPTIONS, ids=lambda one: one.name)
def test_the_program_has_it_too(one: Option) -> None:
    assert one.name in TABLE
    field = Shot.model_fields[one.name]
    assert one.default in (field.default, "" if field.default in (None, ()) else field.default)
    assert one.pixels == (one.name not in _NO_PIXELS)
    assert (one.kind == "choice") == bool(one.choices)
    assert one.kind != "file" or one.name in PATH_FIELDS
    if one.choices:
        assert set(one.choices) <= set(get_args(field.annotation))


@pytest.mark.parametrize(
    "plate", ["a/sh010.mov", "a/sh 1.%04d.exr", "a/sh1/%04d.exr", "a/..exr", "a/ä_b-.####.dpx"]
)
def test_shots_are_named_alike(plate: str) -> None:
    shot = Shot(plate=plate, out=Path("out"))
    assert shot_name("", plate) == shot.name
    asked = Request(plate, "out", shot.name, [1])
    assert asked.alpha == str(OutputLayout.of(shot).pattern("alpha"))


def test_a_real_manifest_is_understood(tmp_path: Path) -> None:
    """What a real run wrote is judged done, and stale after a change of setting."""
    shot = creature(tmp_path, frames=2)
    run(shot, executor=InProcessExecutor(luma_matter))
    asked = Request(shot.plate, str(shot.out), shot.name, [1001, 1002], mask=shot.mask)
    assert frame_states(asked).summary() == "all 2 frames done"
    wider = asked._replace(settings={"dilate": 30.0})
    assert frame_states(wider).summary() == "0 of 2 done · 2 stale 1001-1002 (dilate was 12.0)"
    unmasked = asked._replace(mask=None)
    assert "made from another mask" in frame_states(unmasked).summary()
    more = asked._replace(frames=[1002, 1003])
    assert frame_states(more).summary() == "1 of 2 done · 1 missing 1003"
    again = shot.model_copy(update={"frames": "1002", "dilate": 30.0})
    run(again, executor=InProcessExecutor(luma_matter))
    assert frame_states(wider).frames("stale") == [1001]


def test_an_override_is_judged_by_the_rules_of_each_frame(tmp_path: Path) -> None:
    """A real run keeps a copy of the file; a rule that changes makes stale only its own frames."""
    shot = creature(tmp_path, frames=3)
    path = tmp_path / "a.trimap.json"

    def paint(x: float) -> None:
        corners = [(x, 1.0), (9.0, 1.0), (9.0, 9.0)]
        square = Polygon("box", "unknown", [1002], {1002: corners})
        write_polygons(path, shot.name, (96, 64), [square])

    paint(1.0)
    shot = shot.model_copy(update={"override": str(path)})
    run(shot, executor=InProcessExecutor(luma_matter))
    settings = {"override": str(path)}
    frames = [1001, 1002, 1003]
    asked = Request(shot.plate, str(shot.out), shot.name, frames, mask=shot.mask, settings=settings)
    assert frame_states(asked).complete
    paint(2.0)
    assert frame_states(asked).frames("stale") == [1002]
    manifest = run(shot, executor=InProcessExecutor(luma_matter))
    assert frame_states(asked).complete
    assert len(list((shot.out / "override").iterdir())) == 2
    assert len({record.request for record in manifest.frames.values()}) == 1
    assert all(record.plate for record in manifest.frames.values())
    assert set(manifest.requests) == {manifest.request.key}
