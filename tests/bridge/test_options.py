"""The hosts' options are the command line's: names, kinds, choices, defaults."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from nuke_bridge.core.manifest import DONE, STALE, frame_states
from nuke_bridge.core.options import OPTIONS, Option
from nuke_bridge.core.override_file import Polygon, write_polygons
from nuke_bridge.core.request import Request, shot_name
from plugin.cli.shot_arguments import TABLE
from plugin.driver.run import run
from plugin.framerange import FrameRange
from plugin.plates import open_plate
from plugin.request.job_file import PATH_FIELDS
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.result.manifest_models import _NO_PIXELS
from tests import host_options
from tests.jobs import creature, luma_matter, restless
from tests.media import write_image
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


def test_the_table_is_written_from_the_fields() -> None:
    """Else: `python -m tests.host_options`."""
    assert host_options.FILE.read_text(encoding="utf-8") == host_options.text()


@pytest.mark.parametrize(
    "plate",
    [
        *("a/bmx.1001.jpg", "a/IMG_2034.tif", "a/x/1001.exr", "a/hero2.png", "a/take.0007.MOV"),
        *("a/sh010.mov", "a/sh 1.%04d.exr", "a/sh1/%04d.exr", "a/..exr", "a/ä_b-.####.dpx"),
    ],
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
    again = shot.model_copy(update={"frames": FrameRange.parse("1002"), "dilate": 30.0})
    run(again, executor=InProcessExecutor(luma_matter))
    assert frame_states(wider).frames("stale") == [1001]


def test_a_real_run_says_where_a_key_helps(tmp_path: Path) -> None:
    shot = restless(creature(tmp_path), tmp_path)
    key = tmp_path / "key.png"
    mask = np.zeros((64, 96, 1), np.uint8)
    mask[12:52, 30:66] = 255
    write_image(key, mask)
    shot = shot.model_copy(update={"segment": "track", "keyframe": (f"1001={key}",)})
    manifest = run(shot, executor=InProcessExecutor(luma_matter))
    settings = {"segment": "track", "keyframe": f"1001={key}"}
    numbers = list(range(1001, 1007))
    asked = Request(shot.plate, str(shot.out), shot.name, numbers, settings=settings)
    states = frame_states(asked)
    assert states.complete
    assert states.key_wanted == manifest.key_wanted is not None
    # A run of a few frames more says what the pass of all of them has found.
    few = shot.model_copy(update={"frames": FrameRange.parse("1002"), "force": True})
    assert run(few, executor=InProcessExecutor(luma_matter)).key_wanted == states.key_wanted
    masks = asked._replace(settings={})
    assert frame_states(masks).key_wanted is None


def test_mattes_with_further_layers_are_understood(tmp_path: Path) -> None:
    """What stands beside the alpha in a file changes nothing of how a host sees the frame."""
    shot = creature(tmp_path, frames=2).model_copy(update={"layers": frozenset({"trimap"})})
    run(shot, executor=InProcessExecutor(luma_matter))
    asked = Request(shot.plate, str(shot.out), shot.name, [1001, 1002], mask=shot.mask)
    assert frame_states(asked).summary() == "all 2 frames done"
    both = shot.model_copy(update={"layers": frozenset({"trimap", "adapted"}), "frames": "1002"})
    run(Shot.model_validate(dict(both)), executor=InProcessExecutor(luma_matter))
    assert frame_states(asked).summary() == "all 2 frames done"
    assert frame_states(asked._replace(settings={"choke": 2.0})).frames(STALE) == [1001, 1002]


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


@pytest.mark.parametrize("kind", ["video", "sequence", "image"])
def test_a_plate_that_was_copied_is_the_same_plate(tmp_path: Path, kind: str) -> None:
    """A newer file with the same contents makes no matte stale; one with others does."""
    shot = creature(tmp_path, frames=2)
    if kind != "video":
        video = open_plate(shot.plate)
        for number in (1001, 1002):
            pixels = (video.read(number).rgb * 255).astype(np.uint8)
            write_image(tmp_path / f"p.{number}.png", pixels)
        video.close()
        plate = str(tmp_path / ("p.%04d.png" if kind == "sequence" else "p.1001.png"))
        shot = shot.model_copy(update={"plate": plate})
    numbers = [1001] if kind == "image" else [1001, 1002]
    run(shot, executor=InProcessExecutor(luma_matter))
    asked = Request(shot.plate, str(shot.out), shot.name, numbers, mask=shot.mask)
    files = [Path(shot.plate)] if "%" not in shot.plate else sorted(tmp_path.glob("p.*.png"))
    for file in files:
        os.utime(file, (time.time() + 60,) * 2)
    assert frame_states(asked).frames(DONE) == numbers
    for file in files:
        with file.open("ab") as changed:
            changed.write(b"another ending")
        os.utime(file, (time.time() + 60,) * 2)
    assert frame_states(asked).frames(STALE) == numbers
    assert "the plate has changed" in frame_states(asked).summary()


@pytest.mark.parametrize("name", ["mask", "garbage", "override"])
def test_what_was_copied_is_as_it_was_and_what_was_changed_is_not(
    tmp_path: Path, name: str
) -> None:
    """The sums of a file count, never its times, which anyone may set."""
    shot = creature(tmp_path, frames=2)
    paint = tmp_path / "paint.png"
    write_image(paint, np.full((64, 96, 1), 128, np.uint8))
    override = tmp_path / "a.trimap.json"
    rule = {"id": "p", "frames": "1001-1002", "image": "paint.png", "mode": "merge"}
    head = {"schema": "trimap-override/1", "shot": shot.name}
    size = {"plate": {"width": 96, "height": 64}}
    override.write_text(json.dumps({**head, **size, "rules": [rule]}))
    settings = {"garbage": str(shot.mask), "override": str(override)}
    shot = shot.model_copy(update=settings)
    run(shot, executor=InProcessExecutor(luma_matter))
    numbers = [1001, 1002]
    asked = Request(
        shot.plate, str(shot.out), shot.name, numbers, mask=shot.mask, settings=settings
    )
    assert frame_states(asked).complete
    masks = sorted(Path(str(shot.mask)).parent.iterdir())
    files = [paint] if name == "override" else masks
    for file in files:
        os.utime(file, (time.time() + 60,) * 2)
    assert frame_states(asked).complete
    for file in files:
        with file.open("ab") as changed:
            changed.write(b"another ending")
        os.utime(file, (1, 1))
    assert frame_states(asked).frames(STALE) == numbers
