"""Stabilisation of single frames: what it takes away, and what it leaves alone."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from plugin.driver.run import run
from plugin.errors import ShotError
from plugin.framerange import FrameRange
from plugin.report.still_flicker import flicker_between, flicker_of, main
from plugin.request.shot import Shot
from plugin.stabilise.flow import Flows, RawFrame, octaves
from plugin.stabilise.plan import StabilisePlan, plan_stabilise
from plugin.stabilise.smoothing import stabilise
from plugin.synthetic import ShotKind, SyntheticShot, render
from plugin.types import FloatArray, Stored
from tests.jobs import creature, luma_matter
from workers.in_process import InProcessExecutor

NOISE = 0.15


def frames(kind: ShotKind, count: int = 5, *, noise: float = NOISE) -> list[RawFrame]:
    """A rendered shot whose raw alphas are the truth and noise that no frame shares."""
    shot = SyntheticShot(kind=kind, seed=1, width=160, height=96, frames=count)
    random = np.random.default_rng(3)
    made = []
    for index in range(count):
        frame = render(shot, index)
        region = (frame.alpha > 0) & (frame.alpha < 1)
        wrong = np.where(region, random.normal(0, noise, region.shape), 0)
        alpha = (frame.alpha + wrong).clip(0, 1).astype(np.float32)
        picture = np.rint(frame.plate_rgb * 255).astype(np.uint8)
        made.append(RawFrame(index, picture, alpha, region))
    return made


def truth(kind: ShotKind, index: int) -> FloatArray:
    return render(SyntheticShot(kind=kind, seed=1, width=160, height=96, frames=5), index).alpha


def jumps(alphas: Sequence[Stored], truths: list[FloatArray]) -> float:
    """How the errors of successive frames differ: dtSSD without its factor."""
    errors = [alpha - true for alpha, true in zip(alphas, truths, strict=True)]
    steps = [now - before for before, now in itertools.pairwise(errors)]
    return float(np.mean([np.sqrt(np.square(step).mean()) for step in steps]))


@pytest.mark.parametrize(
    ("kind", "error", "flicker"),
    [
        (ShotKind.STATIC, 0.75, 0.25),
        (ShotKind.PAN, 0.88, 0.55),
        (ShotKind.WIND, 0.96, 0.70),  # its strands are as wide as a pixel, and none stays
    ],
)
def test_noise_goes_and_known_pixels_stay(kind: ShotKind, error: float, flicker: float) -> None:
    made, flows = frames(kind), Flows.of_radius(2)
    plan = StabilisePlan(radius=2, frames=FrameRange.span(0, 4))
    steady = [stabilise(made[n], [made[k] for k in plan.around(n)], flows) for n in (1, 2, 3)]
    truths = [truth(kind, n) for n in (1, 2, 3)]
    raw, region, now = made[2].alpha, made[2].region, steady[1]
    before = np.square(raw - truths[1])[region].mean()
    assert np.square(now - truths[1])[region].mean() < error * before
    assert jumps(steady, truths) < flicker * jumps([one.alpha for one in made[1:4]], truths)
    assert np.array_equal(now[~region], raw[~region])
    assert now.dtype == np.float32
    assert now.min() >= 0
    assert now.max() <= 1


def test_halves_are_read_as_the_floats_that_they_are() -> None:
    halves = [replace(one, alpha=one.alpha.astype(np.float16)) for one in frames(ShotKind.FAST, 3)]
    floats = [replace(one, alpha=one.alpha.astype(np.float32)) for one in halves]
    of_halves, of_floats = (
        stabilise(made[1], [made[0], made[2]], Flows(4)) for made in (halves, floats)
    )
    assert of_halves.dtype == np.float32
    assert not np.array_equal(of_halves, floats[1].alpha)
    assert np.array_equal(of_halves, of_floats)


def test_a_frame_alone_stays_as_it_is() -> None:
    made = frames(ShotKind.STATIC, 1)
    assert np.array_equal(stabilise(made[0], [], Flows(2)), made[0].alpha)


@pytest.mark.parametrize(("core", "least", "most"), [(True, 0.75, 0.9), (False, 0.0, 0.5)])
def test_what_is_beside_known_subject_stays_where_no_other_frame_has_it(
    core: bool, least: float, most: float
) -> None:
    """A spoke, its middle known, that the flow finds nowhere; without a middle it is flicker."""
    random = np.random.default_rng(5)
    picture = random.integers(90, 110, (96, 160, 3), np.uint8)
    alpha, region = np.zeros((96, 160), np.float32), np.zeros((96, 160), np.bool_)
    region[20:76, 74:87] = True
    empty = [RawFrame(n, picture, alpha, region) for n in (0, 1, 3, 4)]
    spoke = alpha.copy()
    spoke[20:76, 79:82] = 0.9
    if core:
        spoke[20:76, 80] = 1
        region = region.copy()
        region[20:76, 80] = False
    now = stabilise(RawFrame(2, picture, spoke, region), empty, Flows.of_radius(2))
    assert least <= now[30:66, [79, 81]].mean() <= most
    assert (now[~region] == spoke[~region]).all()


def test_nothing_comes_from_another_scene() -> None:
    made = frames(ShotKind.STATIC, 1)
    random = np.random.default_rng(0)
    cut = random.integers(0, 256, made[0].picture.shape, np.uint8)
    far = RawFrame(1, cut, 1 - made[0].alpha, made[0].region)
    steady = stabilise(made[0], [far], Flows(2))
    changed = np.abs(steady - made[0].alpha)
    assert changed[made[0].region].mean() < 0.02  # by chance a colour is the same


def test_nothing_comes_from_pixels_that_a_frame_does_not_have() -> None:
    made = frames(ShotKind.STATIC, 2)
    nowhere = np.zeros(made[1].region.shape, np.bool_)
    absent = RawFrame(1, made[1].picture, made[1].alpha, made[1].region, nowhere)
    assert np.array_equal(stabilise(made[0], [absent], Flows(2)), made[0].alpha)


def test_the_same_pixels_in_any_order_and_from_any_memory() -> None:
    made = frames(ShotKind.PAN)
    small, large = Flows(1), Flows(50)
    forwards = [stabilise(made[n], [made[n - 1], made[n + 1]], large) for n in (1, 2, 3)]
    backwards = [stabilise(made[n], [made[n - 1], made[n + 1]], small) for n in (3, 2, 1)]
    for one, other in zip(forwards, reversed(backwards), strict=True):
        assert np.array_equal(one, other)


def test_motion_is_the_same_from_both_ends() -> None:
    made, flows = frames(ShotKind.PAN, 2), Flows(4)
    there, back = flows.between(made[0], made[1]), flows.between(made[1], made[0])
    assert np.array_equal(there.there, back.back)
    assert there.box == back.box


@pytest.mark.parametrize(
    ("there", "number", "around"),
    [
        ("1-20", 5, [3, 4, 6, 7]),
        ("1-20", 1, [2, 3]),
        ("1-9", 9, [7, 8]),
        ("1-9x2", 5, [3, 7]),
        ("5", 5, []),
        ("1-3,5-20", 5, [3, 6, 7]),
    ],
)
def test_who_is_looked_at(there: str, number: int, around: list[int]) -> None:
    shot = Shot(plate="p.mov", out=Path(), stabilise=2)
    plan = plan_stabilise(shot, FrameRange.parse(there))
    assert plan is not None
    assert plan.around(number) == around
    off = shot.model_copy(update={"stabilise": 0})
    assert plan_stabilise(off, FrameRange.parse(there)) is None


def test_reach_holds_the_neighbours() -> None:
    plan = StabilisePlan(radius=2, frames=FrameRange.span(1, 9))
    assert str(plan.reach(FrameRange.parse("4-5"))) == "2-7"


def test_flicker_is_seen_where_the_picture_stands_still() -> None:
    random = np.random.default_rng(1)
    grain = random.random((64, 96, 3), np.float32)
    pictures = np.asarray(cv2.GaussianBlur(grain, (0, 0), 2), np.float32)
    moved = np.roll(pictures, 3, axis=1)
    unknown = np.ones((64, 96), np.bool_)
    still, carried = flicker_between((pictures, moved), unknown)
    assert still[8:-8, 8:-8].mean() > 0.9
    alpha = pictures[..., 0]
    same = np.abs(carried(np.roll(alpha, 3, axis=1)) - alpha)
    assert same[still].mean() < 0.01
    other, _ = flicker_between((pictures, grain[::-1]), unknown)
    assert other.mean() < 0.1
    assert not (other & ~unknown).any()


def test_flicker_of_a_job_that_kept_its_raw_alphas(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shot = creature(tmp_path, frames=4).model_copy(update={"stabilise": 1})
    run(
        shot.model_copy(update={"keep": frozenset({"raw"})}),
        executor=InProcessExecutor(luma_matter),
    )
    assert main([str(shot.out)]) == 0
    found = flicker_of(shot.out)
    assert f"| {shot.out.name} | 3 | {found.share:.0%} |" in capsys.readouterr().out
    assert found.raw > 0
    assert found.steady > 0
    bare = shot.model_copy(update={"out": tmp_path / "bare"})
    run(bare, executor=InProcessExecutor(luma_matter))
    shutil.rmtree(bare.out / "raw")
    with pytest.raises(ShotError, match="no two frames with raw alphas"):
        flicker_of(bare.out)


@pytest.mark.parametrize("lines", [480, 1080, 2160, 4320])
@pytest.mark.parametrize("shape", [(24, 24), (24, 400), (33, 57), (270, 480)])
def test_flow_is_found_at_the_level_that_was_asked_for(shape: tuple[int, int], lines: int) -> None:
    level = octaves(shape, lines)
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    dis.setPatchSize(8)
    dis.setFinestScale(level)
    picture = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    dis.calc(picture, picture, np.zeros((*shape, 2), np.float32))
    assert dis.getFinestScale() == level  # else DIS has chosen for itself


def test_a_large_plate_is_steadied_too() -> None:
    size = (1024, 768)
    coarse = np.random.default_rng(1).integers(0, 255, (24, 32, 3), np.uint8)
    disc = cv2.circle(np.zeros(size[::-1], np.float32), (500, 380), 200, 1.0, -1)
    truth = cv2.GaussianBlur(disc, (0, 0), 6)
    mixed = 0.2 * cv2.resize(coarse, size) + truth[..., None] * np.array((200, 150, 50))
    picture = np.rint(mixed).astype(np.uint8)
    region = (truth > 0.01) & (truth < 0.99)
    made = []
    for number in range(3):
        noise = np.random.default_rng(number + 2).normal(0, 0.1, truth.shape)
        alpha = np.where(region, np.clip(truth + noise, 0, 1), truth).astype(np.float32)
        moved = np.roll(picture, 3 * number, axis=1), np.roll(alpha, 3 * number, axis=1)
        made.append(RawFrame(number, *moved, np.roll(region, 3 * number, axis=1)))
    steady = stabilise(made[1], [made[0], made[2]], Flows(2))
    true = np.roll(truth, 3, axis=1)
    here = made[1].region
    before, after = (np.square(a - true)[here].mean() for a in (made[1].alpha, steady))
    assert after < 0.2 * before
