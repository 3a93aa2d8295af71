"""Batches composed on a device: what is in them, and that the host is not asked."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from model.training.banks import Banks
from model.training.compose import compose, hard_shapes, made_alike
from model.training.draw import Draw
from model.training.geometry import blur, crop, distance_to
from model.training.recipe import Synthesis
from model.training.trimaps import coarse_trimap, optimal_trimap
from tests.calls import Calls

HOW = Synthesis(crop=64, widest=8, wrong=0.0)
PLAIN = dict.fromkeys(("doubled", "materials", "alike", "linear", "context", "lost"), 0.0)


def draw(count: int, seed: int = 0) -> Draw:
    return Draw(count, generator(seed))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def plainly(**changes: Any) -> Synthesis:
    """Nothing but a foreground before a background, and those changes."""
    return Synthesis(**{"crop": 64, "widest": 8, **PLAIN, **changes})


@pytest.fixture(scope="module")
def banks() -> Banks:
    """Discs with soft edges, and patches of colours."""
    places = torch.arange(128) + 0.5 - 64
    radius = torch.hypot(places, places.view(-1, 1))
    alphas = torch.stack([(radius * -0.3 + size).sigmoid() for size in (7.0, 9.0, 12.0)])
    mattes = (alphas * 255).round().byte().unsqueeze(1)
    colours = torch.rand(8, 3, 9, 9, generator=generator(8)) * 255
    colours = torch.nn.functional.interpolate(colours, size=(128, 128), mode="bilinear").byte()
    points = torch.randint(40, 88, (3, 128, 2), generator=generator(9)).short()
    return Banks(
        cutouts=torch.cat((colours[:3], mattes), dim=1),
        cutout_points=points,
        mattes=mattes,
        colours=colours[3:6],
        coloured=torch.tensor((True, False, True)),
        matte_points=points,
        photos=colours,
    )


@pytest.mark.parametrize(("widest", "most"), [(8, 500), (100, 520), (200, 560)])
def test_any_batch_takes_as_many_calls_and_no_wait_of_the_host(
    banks: Banks, widest: int, most: int
) -> None:
    counts = set()
    for count, side in ((4, 64), (7, 64), (4, 96)):
        how = Synthesis(crop=side, widest=widest)
        compose(banks, count, how, generator())  # tables are made once a device
        with Calls() as calls:
            compose(banks, count, how, generator())
        assert calls.waits == []
        counts.add(calls.launches)
    assert len(counts) == 1
    assert max(counts) <= most


def test_the_counter_sees_what_the_host_reads_and_writes() -> None:
    ones = torch.ones(3)
    with Calls() as calls:
        assert ones.sum() > 2
    assert calls.waits == ["_local_scalar_dense"]
    with Calls() as calls:
        torch.tensor((1.0, 2.0))
    assert calls.waits == ["lift_fresh"]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_batch_is_whole(banks: Banks, count: int) -> None:
    every = dict.fromkeys(PLAIN, 1.0)
    alone = plainly(cutouts=0.0, shapes=1.0), plainly(cutouts=0.0, shapes=0.0), plainly(cutouts=1.0)
    for how in (HOW, Synthesis(crop=96), plainly(**every), *alone):
        batch = compose(banks, count, how, generator(count))
        side = how.crop
        assert batch.image.shape == (count, 3, side, side)
        assert 0 <= batch.image.min() <= batch.image.max() <= 1
        assert 0 <= batch.alpha.min() <= batch.alpha.max() <= 1
        assert torch.equal(batch.trimap.sum(dim=1), torch.ones(count, side, side))
        assert torch.equal(batch.optimal, optimal_trimap(batch.alpha))
        assert not batch.image.requires_grad


@pytest.mark.parametrize("share", [name for name in Synthesis.model_fields if name != "zoom"])
def test_bounds_are_held_and_both_ends_make_batches(banks: Banks, share: str) -> None:
    with pytest.raises(ValidationError):
        plainly(**{share: -1})
    if share in ("crop", "widest"):
        return
    for value in (0.0, 1.0):
        batch = compose(banks, 3, plainly(**{share: value}), generator())
        assert torch.isfinite(batch.image).all()


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("widest", [8, 100])
def test_a_trimap_that_is_not_wrong_never_contradicts_the_optimal_one(
    banks: Banks, seed: int, widest: int
) -> None:
    how = Synthesis(crop=64, widest=widest, wrong=0.0, staircase=0.5)
    batch = compose(banks, 8, how, generator(seed))
    coarse = batch.trimap.argmax(dim=1, keepdim=True)
    definite = coarse != 1
    assert definite.any()
    assert torch.equal(coarse[definite], batch.optimal[definite])


def test_the_same_generator_makes_the_same_batch(banks: Banks) -> None:
    one, two = (compose(banks, 3, HOW, generator(5)) for _ in range(2))
    assert torch.equal(one.image, two.image)
    assert torch.equal(one.trimap, two.trimap)


def test_a_second_foreground_lies_behind_and_fills_what_the_first_lets_through(
    banks: Banks,
) -> None:
    """α = 1 − (1 − α₁)(1 − α₂): never less than α₁ alone, and more somewhere."""
    one, two = (
        compose(banks, 8, plainly(shapes=0.5, doubled=share), generator()) for share in (0.0, 1.0)
    )
    assert (two.alpha >= one.alpha).all()
    other = one.alpha.roll(-1, 0).flip(-1)
    both = 1 - (1 - one.alpha) * (1 - other)
    assert torch.allclose(two.alpha, both, atol=1e-5)


def test_what_lies_beyond_a_rectangle_repeats_its_border(banks: Banks) -> None:
    whole, cut = (compose(banks, 8, plainly(context=share), generator(2)) for share in (0.0, 1.0))
    repeated = 0
    for one, other in zip(whole.image, cut.image, strict=True):
        top, bottom = borders(other)
        left, right = borders(other.transpose(1, 2))
        assert torch.equal(one[:, top:bottom, left:right], other[:, top:bottom, left:right])
        repeated += top + left + 128 - bottom - right
    assert repeated > 8 * 10


def borders(picture: Tensor) -> tuple[int, int]:
    """The first and the last of the rows that are not their neighbour's repetition, and one."""
    steps = (picture[:, 1:] != picture[:, :-1]).any(dim=2).any(dim=0).nonzero()
    return int(steps[0]), int(steps[-1]) + 2


def edge_lengths(alpha: Tensor) -> Tensor:
    """Mixed pixels for each pixel that the edge is long, by sample."""
    mixed = ((alpha > 0.02) & (alpha < 0.98)).sum(dim=(1, 2, 3))
    steps = (alpha[..., 1:] - alpha[..., :-1]).abs().sum(dim=(1, 2, 3))
    return mixed / steps.clamp_min(1)


def test_plain_shapes_have_both_sides_and_edges_of_a_pixel_or_two() -> None:
    shapes = hard_shapes(draw(48), 128)
    share = shapes.mean(dim=(1, 2, 3))
    assert ((share > 0.02) & (share < 0.98)).float().mean() > 0.9
    assert 0.8 < edge_lengths(shapes).median() < 3.5
    flat = ((shapes == 0) | (shapes == 1)).float().mean()
    assert flat > 0.93


def test_like_colours_are_carried_across_the_edge_and_texture_stays() -> None:
    alpha = torch.zeros(6, 1, 64, 64)
    alpha[..., 32:] = 1
    fore = torch.tensor((0.7, 0.3, 0.2)).view(1, 3, 1, 1).expand(6, 3, 64, 64)
    stripes = torch.arange(64).remainder(2) * 0.1
    back = (torch.tensor((0.2, 0.3, 0.6)).view(1, 3, 1, 1) + stripes).expand(6, 3, 64, 64)
    everywhere = torch.ones_like(alpha)
    new_fore, new_back = made_alike(
        (fore, back), alpha, everywhere, chosen=torch.arange(5), generator=generator(1)
    )
    before = (fore - back)[..., 24:40].mean(dim=(2, 3)).norm(dim=1)
    after = (new_fore[..., 33:40].mean(dim=(2, 3)) - new_back[..., 24:31].mean(dim=(2, 3))).norm(
        dim=1
    )
    assert (after[:5] < 0.75 * before[:5]).all()
    assert torch.equal(new_back[5], back[5])
    assert torch.equal(new_fore[5], fore[5])
    ripple = (new_back[:, :, 20, 1:] - new_back[:, :, 20, :-1]).abs()[..., 4:28].mean()
    assert 0.08 < ripple < 0.12


def test_wrong_trimaps_are_wrong_as_often_as_asked() -> None:
    optimal = torch.zeros(64, 1, 64, 64, dtype=torch.int64)
    optimal[..., 20:44, 20:44] = 2
    optimal[..., 30:34, 44:60] = 1
    coarse = coarse_trimap(optimal, draw(64), widest=4, wrong=1.0)
    contradicts = ((coarse != 1) & (coarse != optimal)).flatten(1).any(dim=1)
    all_unknown = (coarse == 1).flatten(1).all(dim=1)
    assert (contradicts | all_unknown).sum() > 40


def test_radii_reach_the_widest_and_no_farther() -> None:
    optimal = torch.zeros(96, 1, 160, 160, dtype=torch.int64)
    optimal[..., 80:] = 2
    coarse = coarse_trimap(optimal, draw(96), widest=40)
    columns = (coarse == 1).any(dim=2).squeeze(1)
    from_left = 80 - columns.int().argmax(dim=1)
    from_right = columns.flip(-1).int().argmax(dim=1)
    assert 25 < int(from_left.max()) <= 42
    assert 25 < 80 - int(from_right.min()) <= 42


def test_masks_of_low_resolution_leave_stairs() -> None:
    """Rows of a cell are alike: a slanted edge is level for some pixels and then steps."""
    y, x = torch.meshgrid(torch.arange(96), torch.arange(96), indexing="ij")
    optimal = (x + y / 2 > 70).long().mul(2).expand(32, 1, 96, 96)
    level = []
    for staircase in (0.0, 1.0):
        coarse = coarse_trimap(optimal, draw(32), widest=4, staircase=staircase)
        level.append((coarse[..., 1:, :] == coarse[..., :-1, :]).all(dim=-1).float().mean())
    assert level[1] > level[0] + 0.2


@pytest.mark.parametrize("reach", [24, 101, 180])
@pytest.mark.parametrize("share", [0.0, 0.0005, 0.01, 1.0])
def test_distance_is_exact_and_euclidean(reach: int, share: float) -> None:
    mask = np.random.default_rng(3).random((3, 1, 140, 156)) < share
    ours = distance_to(torch.from_numpy(mask), reach)
    for one, found in zip(mask[:, 0], ours[:, 0], strict=True):
        outside = (~one).astype(np.uint8)
        exact = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        assert np.abs(np.minimum(exact, reach) - found.numpy()).max() < 1e-3


@pytest.mark.parametrize("sharp", [False, True])
def test_a_crop_without_rotation_is_the_pixels(sharp: bool) -> None:
    places = torch.arange(32.0)
    source = torch.stack((places.expand(32, 32), places.view(-1, 1).expand(32, 32)))[None]
    zero, one, middle = torch.zeros(1), torch.ones(1), torch.tensor([[16.0, 16.0]])
    whole = source[..., 8:24, 8:24]
    out = crop(source, middle, one, zero, one, shear=zero, size=16, sharp=sharp)
    assert torch.allclose(out, whole, atol=1e-4)
    mirrored = crop(source, middle, one, zero, -one, shear=zero, size=16, sharp=sharp)
    assert torch.allclose(mirrored, whole.flip(-1), atol=1e-4)
    quarter = crop(source, middle, one, one * torch.pi / 2, one, shear=zero, size=16, sharp=sharp)
    assert torch.allclose(quarter, torch.rot90(whole, 1, (-2, -1)), atol=1e-4)
    sheared = crop(source, middle, one, zero, one, shear=one / 2, size=8, sharp=sharp)
    step = sheared[0, 0, 1:] - sheared[0, 0, :-1]
    assert torch.allclose(step, torch.full_like(step, 0.5), atol=1e-4)


def test_blur_leaves_sigma_0_and_is_a_gaussian_s() -> None:
    x = torch.rand(3, 3, 40, 40, generator=generator())
    x[1] = 0.25
    out = blur(x, torch.tensor([0.0, 3.0, 2.0]))
    assert torch.allclose(out[0], x[0], atol=1e-6)
    assert torch.allclose(out[1], x[1], atol=1e-6)
    picture = x[2].permute(1, 2, 0).numpy()
    known = cv2.GaussianBlur(picture, (31, 31), 2, borderType=cv2.BORDER_REPLICATE)
    assert np.abs(out[2].permute(1, 2, 0).numpy() - known).max() < 1e-4


def test_what_is_drawn_lies_within_its_bounds_and_as_often_as_asked() -> None:
    one = draw(4096)
    low, high = one.between((-2, -1), (0, 10), each=(1, 1))
    assert low.shape == (4096, 1, 1)
    assert -2 <= low.min() <= -1.99
    assert -1.01 <= low.max() <= -1
    assert high.max() > 9.9
    never, seldom, always = one.chance(0.0, 0.2, 1.0)
    assert not never.any()
    assert always.all()
    assert abs(seldom.float().mean() - 0.2) < 0.03
    some, none = one.some(0.25, 0.0)
    assert len(set(some.tolist())) == 1024
    assert len(none) == 0
