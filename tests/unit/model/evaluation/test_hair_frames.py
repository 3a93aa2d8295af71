"""The test set of rendered hair at 1080p: right by Eq. 1, the same again, of nothing seen."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from model.evaluation.benchmark import open_benchmark
from model.evaluation.hair_frames import Layer, build_hair_frames, mixed, over
from model.evaluation.metrics import optimal_trimap
from model.training.data_split import is_held_out
from plugin.cli.entry import main
from plugin.errors import RequestError
from plugin.types import FloatArray

HAIR = [f"hair_bpy_cc0__{seed:04d}.webp" for seed in (3, 8, 13, 34, 39, 4, 5)]


def layer(rng: np.random.Generator, levels: tuple[float, ...] = (0, 0.3, 0.8, 1)) -> Layer:
    rgb = rng.random((8, 9, 3), np.float32)
    return Layer(rgb, rng.choice(np.array(levels, np.float32), (8, 9)))


@pytest.mark.parametrize("seed", range(5))
def test_two_layers_at_once_are_one_over_the_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    front, middle = layer(rng), layer(rng)
    back: FloatArray = rng.random((8, 9, 3), np.float32)
    one_by_one = mixed(front, mixed(middle, back, linear=False), linear=False)
    np.testing.assert_allclose(
        mixed(over(front, middle), back, linear=False), one_by_one, atol=1e-6
    )


def test_linear_light_is_brighter_between_and_the_same_at_the_ends() -> None:
    dark, light = (np.full((1, 3, 3), value, np.float32) for value in (0.1, 0.9))
    front = Layer(light, np.array([[0, 0.5, 1]], np.float32))
    found = mixed(front, dark, linear=True)[0, :, 0]
    # (0.78741 + 0.01002) / 2 in linear light, encoded
    assert found == pytest.approx([0.1, 0.66422, 0.9], abs=1e-4)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hair of two kinds that are held out and of two that are not; photographs of all sides."""
    folder = tmp_path_factory.mktemp("data")
    for kind in ("fg", "photos"):
        (folder / kind).mkdir()
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:200, :200]
    for number, name in enumerate(HAIR):
        soft = np.clip((70 + 2 * number - np.hypot(y - 140, x - 100)) / 20 + 0.5, 0, 1)
        if number == 1:  # cut off at its left, as a subject is that was too near
            soft[:, :100] = np.maximum(soft[:, :100], (y[:, :100] > 120).astype(float))
        picture = np.dstack((np.full((200, 200, 3), 40 + 20 * number), soft * 255))
        cv2.imwrite(str(folder / "fg" / name), picture.astype(np.uint8))
    for number in range(40):
        low = rng.integers(0, 255, (6, 8, 3), np.uint8)
        photo = cv2.resize(low, (96, 64) if number % 2 else (64, 96))
        cv2.imwrite(str(folder / "photos" / f"photo_{number}.jpg"), photo)
    return folder


@pytest.fixture(scope="module")
def built(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("set")
    assert build_hair_frames(data, out, count=3) == 3
    return out


def test_every_frame_is_whole_and_its_trimaps_are_right(built: Path) -> None:
    images = open_benchmark(built)
    assert [image.name for image in images] == ["00", "01", "02"]
    for image in images:
        assert image.image().shape == (1080, 1920, 3)
        optimal = optimal_trimap(image.alpha())
        assert set(np.unique(optimal)) == {0, 128, 255}
        unknown = []
        for kind in ("trimap", "large"):
            trimap = image.trimap(kind)
            assert np.array_equal(trimap[trimap != 128], optimal[trimap != 128])
            unknown.append((trimap == 128).sum())
        assert unknown[1] > unknown[0] > (optimal == 128).sum()


def test_a_subject_that_is_cut_off_stands_at_the_frame_s_edge(built: Path) -> None:
    for image in open_benchmark(built):
        opaque = image.alpha() > 0.95
        columns = np.flatnonzero(opaque.sum(axis=0) > 300)
        # A border of the cut-out within the frame would be a column from nothing to very much.
        jumps = np.abs(np.diff(opaque.sum(axis=0).astype(int)))
        assert jumps.max() < 150, (image.name, columns[:3])


def test_only_what_training_never_sees(built: Path) -> None:
    frames = json.loads((built / "frames.json").read_text())["frames"]
    assert [frame["linear"] for frame in frames] == [False, False, True]
    assert [len(frame["hair"]) for frame in frames] == [1, 2, 2]
    names = [name for frame in frames for name in (*frame["hair"], frame["background"])]
    assert all(is_held_out(name) for name in names)
    assert all(int(Path(f["background"]).stem[6:]) % 2 for f in frames)  # in landscape


def test_the_set_is_the_same_again(
    data: Path, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compose", str(data), "--out", str(tmp_path), "--frames", "3"]) == 0
    assert "3 frames" in capsys.readouterr().out
    files = sorted(file.relative_to(built) for file in built.rglob("*") if file.is_file())
    assert len(files) == 3 * 4 + 1
    assert all((tmp_path / file).read_bytes() == (built / file).read_bytes() for file in files)
    with pytest.raises(RequestError, match="not empty"):
        build_hair_frames(data, tmp_path)


def test_a_folder_without_hair_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fg").mkdir()
    names = [f"a{n}.webp" for n in range(60)]
    (tmp_path / "fg" / next(name for name in names if is_held_out(name))).touch()
    with pytest.raises(RequestError, match="no held-out rendered hair"):
        build_hair_frames(tmp_path, tmp_path / "out")
