"""What was guessed of an input is told once, stands in the manifest, and in the report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from plugin.driver.probe import probe_job
from plugin.driver.run import run
from plugin.errors import SurroundingsError
from plugin.progress.modes import QuietProgress
from plugin.report.facts import provenance
from plugin.request.shot import Shot
from plugin.result.manifest import load
from tests.inputs import masks
from tests.jobs import alphas, luma_matter
from tests.media import rgb_channels, write_exr
from workers.frame_worker import FrameWorker
from workers.in_process import InProcessExecutor


class Told(QuietProgress):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)


REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
AP1 = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)


def tagged(folder: Path, *spaces: tuple[float, ...]) -> Shot:
    """A plate whose frames name a space each."""
    rgb = np.random.default_rng(1).random((48, 64, 3), np.float32).astype(np.float16)
    for number, space in enumerate(spaces, 1001):
        write_exr(folder / f"p.{number}.exr", rgb_channels(rgb), chromaticities=space)
    plate = str(folder / "p.%04d.exr")
    return Shot(plate=plate, out=folder / "out", segment="none", stabilise=0, report=False)


def test_notes_manifest_and_report_say_the_same(tmp_path: Path) -> None:
    for number in (1001, 1002, 1004):
        rgb = np.dstack([masks.WANTED * np.float32(0.3)] * 3).astype(np.float16)
        write_exr(tmp_path / f"p.{number}.exr", rgb_channels(rgb))
    roto = tmp_path / "roto"
    roto.mkdir()
    mask = masks.stills(roto, masks.both(masks.WANTED, masks.FULL))
    shot = Shot(
        plate=str(tmp_path / "p.%04d.exr"),
        out=tmp_path / "out",
        mask=str(mask),
        holdout=str(mask),
        stabilise=0,
        report=False,
    )
    told = Told()
    run(shot, progress=told, executor=InProcessExecutor(luma_matter))
    manifest = load(shot.out / "manifest.json")
    assert manifest.assumed == tuple(told.notes)
    assert len(set(told.notes)) == len(told.notes)
    for part in (
        "no colour tag, taken as linear Rec.709",
        "missing between its first and last frame: 1003",
        "m.%04d.png, 3 masks 1001-1003 beside a plate of 1001-1002,1004",
        "the masks' alpha is 1 everywhere: their colours are taken instead",
        "holdout: the masks' alpha is 1 everywhere",
        "the nearest earlier one is held: frames 1004",
    ):
        assert sum(part in note for note in told.notes) in {1, 2}, part
    rows = [value for label, value in provenance(manifest) if label == "Assumed"]
    assert rows == told.notes


def test_a_second_run_replaces_what_was_assumed(tmp_path: Path) -> None:
    source = tmp_path / "p.1001.exr"
    rgb = np.dstack([masks.WANTED * np.float32(0.3)] * 3).astype(np.float16)
    write_exr(source, rgb_channels(rgb))
    roto = tmp_path / "roto"
    roto.mkdir()
    mask = masks.stills(roto, masks.WANTED)
    shot = Shot(plate=str(source), out=tmp_path / "out", mask=str(mask), stabilise=0, report=False)
    run(shot, executor=InProcessExecutor(luma_matter))
    told = shot.model_copy(update={"in_colour": "lin_rec709"})
    run(told, executor=InProcessExecutor(luma_matter))
    notes = load(shot.out / "manifest.json").assumed
    assert any("channel Y" in note for note in notes)


def test_a_space_said_for_all_frames_makes_those_anew_whose_tags_say_another(
    tmp_path: Path,
) -> None:
    """It is the first frame's own: only the second, which was brought to it, is seen otherwise."""
    shot = tagged(tmp_path, REC709, AP1)
    said = shot.model_copy(update={"in_colour": "lin_rec709_scene"})
    fresh = said.model_copy(update={"out": tmp_path / "fresh"})
    run(shot, executor=InProcessExecutor(luma_matter))
    by_tags = alphas(shot)
    for one in (said, fresh):
        run(one, executor=InProcessExecutor(luma_matter))
    assert alphas(said) == alphas(fresh)
    assert alphas(said)[1002] != by_tags[1002]


def test_no_frame_is_brought_to_a_first_one_that_is_of_another_space_by_now(
    tmp_path: Path,
) -> None:
    """What a worker finds there is not what the recipes of its frames say."""
    plan, _, _ = probe_job(tagged(tmp_path, REC709, REC709), "alpha", QuietProgress())
    tagged(tmp_path, AP1)
    with pytest.raises(SurroundingsError, match="colour space has changed"):
        FrameWorker(plan, luma_matter)
