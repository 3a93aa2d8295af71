"""The composition test set, and which pictures it is made of."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.evaluation.benchmark import open_benchmark
from model.evaluation.compositions import (
    Foreground,
    build_held_out_set,
    build_test_set,
    compose,
    held_out,
    read_cutout,
)
from model.evaluation.metrics import optimal_trimap
from model.training.cutouts import clean_alpha, cutout_alpha
from model.training.data_split import HELD_OUT_SHARE, group_key, is_held_out, rendered_kind
from model.training.pictures import write_png
from plugin.errors import RequestError
from plugin.types import FloatArray

SIZE = (48, 64)

# Whoever moves one of them makes every figure of before incomparable, or shows the test set to
# weights that were trained before.
UNSEEN = """
arch_0009.jpg budgie_0001.jpg clic_0029.jpg coco_0127.jpg commons_0005.jpg detectron_0006.jpg
ferrari_0068.jpg hdri_st-fagans_0.jpg kodak_0003.jpg oi_064635f430767774.jpg oiv4_0041.jpg
people_pexels__pexels-julia-m-cameron-4145040.webp skimage_0006.jpg step1x_apache2__088.webp
trellis2_mit__cdf996a6cc21.webp trellis_mit__typical_building_maya_pyramid.webp
trellis_mit__typical_misc_mailbox.webp trident_0008.jpg wall__tony-webster-97532__1.jpg
wall__Pawe_Czerwiski_Giraffe_7ce525__1.jpg wp24_0006.jpg wp25_0035.jpg
"""
SEEN = """
arch_0010.jpg budgie_0005.jpg camtrap_0006.jpg clic_0022.jpg coco_0122.jpg commons_0002.jpg
dancer1_frames_apache2__00336.webp detectron_0005.jpg ferrari_0096.jpg flickr_0002.jpg
glow_cc0__effect_4.webp hdri_lebombo_0.jpg kenney_smoke_cc0__blackSmoke04.webp kodak_0012.jpg
oi_5e28ed1678503862.jpg people_pexels__pexels-zdmit-6780091.webp sintel_0001.jpg
step1x_apache2__086.webp trellis2_mit__4bc7abe209c8.webp trident_0010.jpg
trellis_mit__typical_misc_paper_machine.webp
wall__Suluh_Kalba_8df0e2__1.jpg wp25_0033.jpg
"""


def disc() -> FloatArray:
    """A matte of 48 × 64: a disc of radius 14 with a soft edge."""
    y, x = np.mgrid[:48, :64]
    return np.asarray(np.clip((14 - np.hypot(y - 24, x - 32)) / 4 + 0.5, 0, 1), np.float32)


def foreground(name: str = "disc") -> Foreground:
    return Foreground(name, np.full((*SIZE, 3), 0.8, np.float32), disc())


def test_compose_covers_crops_and_truncates() -> None:
    back = np.zeros((20, 30, 3), np.float32)  # smaller: enlarged to cover
    back[:, :, 2] = 1
    picture = compose(foreground(), back)
    assert picture.shape == (*SIZE, 3)
    assert picture[0, 0].tolist() == [0, 0, 255]
    assert picture[24, 32].tolist() == [204, 204, 204]
    larger = np.zeros((100, 100, 3), np.float32)
    larger[:48, :64] = 100.6 / 255
    assert compose(foreground(), larger)[0, 0].tolist() == [100, 100, 100]
    assert compose(foreground(), larger)[-1, -1].tolist() == [100, 100, 100]  # its top left


def test_clean_alpha_makes_opaque_exact() -> None:
    levels = np.array([[0, 1, 6, 7, 127, 128, 248, 249, 254, 255]], np.uint8)
    cleaned = clean_alpha(levels)
    assert cleaned[0, :3].tolist() == [0, 0, 0]
    assert cleaned[0, -3:].tolist() == [1, 1, 1]
    assert (np.diff(cleaned[0]) >= 0).all()
    assert cleaned[0, 4] + cleaned[0, 5] == pytest.approx(1)


def test_a_test_set_is_built_the_same_again(tmp_path: Path) -> None:
    photos = [tmp_path / f"{n}.png" for n in range(5)]
    rng = np.random.default_rng(0)
    for photo in photos:
        write_png(photo, rng.integers(0, 255, (30, 40, 3), np.uint8))
    fronts = [partial(foreground, name) for name in ("one", "two")]
    for out in (tmp_path / "set", tmp_path / "again"):
        assert build_test_set(out, fronts, photos, per_foreground=3, seed=7) == 6
    first, again = (
        {f.relative_to(out): f.read_bytes() for f in out.rglob("*") if f.is_file()}
        for out in (tmp_path / "set", tmp_path / "again")
    )
    assert first == again
    images = open_benchmark(tmp_path / "set")
    assert [i.name for i in images] == ["one_0", "one_1", "one_2", "two_0", "two_1", "two_2"]
    assert [i.name for i in open_benchmark(tmp_path / "set" / "bench")] == [i.name for i in images]
    for image in images:
        known = image.trimap() != 128
        assert np.array_equal(image.trimap()[known], optimal_trimap(image.alpha())[known])
    with pytest.raises(RequestError, match="not empty"):
        build_test_set(tmp_path / "set", fronts, photos)
    with pytest.raises(RequestError, match="nothing to compose"):
        build_test_set(tmp_path / "other", [], photos)


def test_cutouts_are_read_with_straight_alpha(tmp_path: Path) -> None:
    alpha = np.rint(disc() * 255).astype(np.uint8)
    bgra = np.dstack([np.full((*SIZE, 3), (26, 51, 230), np.uint8), alpha])
    cv2.imwrite(str(tmp_path / "cut.png"), bgra)
    front = read_cutout(tmp_path / "cut.png")
    assert front.name == "cut"
    assert front.rgb[24, 32] == pytest.approx([0.9, 0.2, 0.1], abs=0.003)
    write_png(tmp_path / "flat.png", alpha)
    with pytest.raises(RequestError, match="no cut-out"):
        read_cutout(tmp_path / "flat.png")


@pytest.mark.parametrize(
    "names",
    [
        ("wall__Tunnel_3e3364.jpg", "wall__Tunnel_3e3364__0.jpg", "wall__Tunnel_f0e196__1.jpg"),
        ("wall__nasa-53884.jpg", "wall__photo-1451187580459-43490279c0fa_738b42__1.jpg"),
        ("hdri_kiara_0.jpg", "hdri_kiara_1.jpg"),
        ("sintel_0001.jpg", "sintel_0009.jpg"),
        ("trellis_mit__multi_tiger_1.webp", "trellis_mit__multi_tiger_2.webp"),
        (
            "trellis_mit__typical_misc_paper_machine.webp",
            "trellis_mit__weatherworn_misc_paper_machine3.webp",
        ),
    ],
)
def test_pictures_of_one_thing_share_a_side(names: tuple[str, ...]) -> None:
    assert len({group_key(name) for name in names}) == 1
    assert len({is_held_out(name) for name in names}) == 1


def test_the_side_is_that_of_the_name_alone() -> None:
    for name in ("kodak_0003", "oi_14eab3a4178c5a93", "wall__2_964912__0"):
        sides = {is_held_out(n) for n in (name, f"{name}.jpg", f"/some/where/{name}.PNG")}
        assert len(sides) == 1
    assert group_key("wall__nasa-45068.jpg") != group_key("wall__nasa-53884.jpg")
    assert group_key("kodak_0003.jpg") != group_key("kodak_0004.jpg")


@given(st.integers(0, 99999))
def test_dancer_and_sprites_are_for_training(number: int) -> None:
    for family in ("dancer1_frames_apache2__", "kenney_smoke_cc0__blackSmoke", "glow_cc0__x_"):
        assert not is_held_out(f"{family}{number}.webp")


@given(st.integers(0, 99999))
def test_all_rendered_hair_of_a_kind_is_on_one_side(seed: int) -> None:
    names = (f"hair_bpy_cc0__{seed:04d}.webp", f"hair_bpy_cc0__{seed}", f"hair_bpy_cc0__{seed}_b")
    assert {rendered_kind(name) for name in names} == {seed % 31}
    assert len({group_key(name) for name in (*names, f"hair_bpy_cc0__{seed + 31}.webp")}) == 1
    assert {is_held_out(name) for name in names} == {seed % 31 in (3, 8, 13)}


def test_every_other_picture_stays_on_its_side() -> None:
    names = (UNSEEN + SEEN).split()
    assert [name for name in names if is_held_out(name)] == UNSEEN.split()
    assert {rendered_kind(name) for name in names} == {None}


def test_about_a_tenth_is_held_out() -> None:
    share = np.mean([is_held_out(f"oi_{n:016x}.jpg") for n in range(5000)])
    assert share == pytest.approx(HELD_OUT_SHARE, abs=0.015)


def test_held_out_lists_pictures_only(tmp_path: Path) -> None:
    names = [f"oi_{n:016x}.jpg" for n in range(100)]
    for name in (*names, "SOURCES.md"):
        (tmp_path / name).touch()
    chosen = [file.name for file in held_out(tmp_path)]
    assert chosen == [name for name in names if is_held_out(name)]
    (tmp_path / "none").mkdir()
    with pytest.raises(RequestError, match="no held-out pictures"):
        held_out(tmp_path / "none")


def test_the_held_out_set_is_what_training_never_sees(tmp_path: Path) -> None:
    names = [f"a{k}.png" for k in range(60)]
    for name in names:
        write_png(tmp_path / "data" / "photos" / name, np.full((40, 50, 3), 90, np.uint8))
        rgba = np.full((60, 100, 4), 200, np.uint8)
        rgba[:20, :, 3] = 0
        cv2.imwrite(str(_made(tmp_path / "data" / "fg") / name), rgba)
    # Rendered hair has a set of its own: with it, this one would not be the same any more.
    cv2.imwrite(str(tmp_path / "data" / "fg" / "hair_bpy_cc0__0003.png"), rgba)
    assert is_held_out("hair_bpy_cc0__0003.png")
    unseen = [name for name in names if is_held_out(name)]
    count = build_held_out_set(tmp_path / "data", tmp_path / "set", mattes=3, size=80)
    assert count == 2 * (len(unseen) + 3)
    images = open_benchmark(tmp_path / "set")
    assert len(images) == count
    assert {image.name.rsplit("_", 1)[0] for image in images} >= {Path(n).stem for n in unseen}
    assert all(max(image.alpha().shape) == 80 for image in images)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _hair(noise: float) -> tuple[FloatArray, FloatArray]:
    """A soft ramp, as hair out of focus has it, and the same with a renderer's noise."""
    ramp = np.clip(np.linspace(-0.2, 1.2, 120, dtype=np.float32), 0, 1)[None].repeat(80, axis=0)
    grain = np.random.default_rng(0).normal(0, noise, ramp.shape).astype(np.float32)
    return ramp, np.asarray(np.clip(ramp + grain * ((ramp > 0) & (ramp < 1)), 0, 1), np.float32)


def _alpha_of(matte: FloatArray, name: str) -> FloatArray:
    grey = np.rint(matte * 255).astype(np.uint8)
    return cutout_alpha(np.dstack([np.zeros((*grey.shape, 3), np.uint8), grey]), name)


def test_noise_of_rendered_hair_goes_where_it_is_out_of_focus() -> None:
    ramp, noisy = _hair(0.04)
    smooth = _alpha_of(noisy, "hair_bpy_cc0__0031.webp")
    inner = (slice(None), slice(30, 90))
    before, after = (np.abs(a - _alpha_of(ramp, "x.webp"))[inner].mean() for a in (noisy, smooth))
    assert after < before / 2
    assert np.array_equal(_alpha_of(noisy, "trellis_mit__x.webp"), _clean(noisy))


def test_strands_in_focus_are_left_alone() -> None:
    strands = np.zeros((80, 120), np.float32)
    strands[:, 10:60:3] = 0.8  # dense
    strands[:, 100] = 0.15  # a lone faint one
    assert np.array_equal(_alpha_of(strands, "hair_bpy_cc0__0031.webp"), _clean(strands))


def _clean(matte: FloatArray) -> FloatArray:
    return clean_alpha(np.rint(matte * 255).astype(np.uint8))
