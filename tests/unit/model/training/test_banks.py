"""What goes into banks: pictures that travelled, mattes rendered meanwhile, on a bare machine."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import deque
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from model.training.banks import gather, matte_tensors, training_files
from model.training.data_split import is_held_out
from model.training.mattes import Rendering, render_bank
from model.training.travel import main, travel
from plugin.errors import RequestError, ShotError, SurroundingsError

SIZE = 96


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty cut-outs and photographs, larger than the bank."""
    folder = tmp_path_factory.mktemp("data")
    for kind in ("fg", "photos"):
        (folder / kind).mkdir()
    rng = np.random.default_rng(0)
    for number in range(20):
        photo = cv2.resize(rng.integers(0, 255, (9, 12, 3), np.uint8), (200, 150))
        cv2.imwrite(str(folder / "photos" / f"photo_{number}.jpg"), photo)
        alpha = np.zeros((120, 160), np.uint8)
        cv2.circle(alpha, (80, 60), 30 + number, 255, -1, cv2.LINE_AA)
        soft = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 2))
        cutout = np.dstack((photo[:120, :160] * (soft[..., None] > 0), soft))
        cv2.imwrite(str(folder / "fg" / f"cut_{number}.webp"), cutout)
    return folder


def test_what_travelled_packs_to_nearly_the_same(data: Path, tmp_path: Path) -> None:
    assert travel(data, tmp_path / "small", size=SIZE) == 95
    near, far = (gather(folder, size=SIZE, mattes=0) for folder in (data, tmp_path / "small"))
    assert near.cutouts.shape == far.cutouts.shape
    alpha = (near.cutouts[:, 3].int() - far.cutouts[:, 3].int()).abs()
    assert alpha.max() <= 3  # cleaned before resampling here, after it there
    assert (near.photos.int() - far.photos.int()).abs().float().mean() < 4
    colours = (near.cutouts[:, :3].int() - far.cutouts[:, :3].int()).abs().float()
    assert (colours * (near.cutouts[:, 3:] > 128)).mean() < 4
    names = {file.stem for file in (tmp_path / "small").rglob("*.webp")}
    assert not any(is_held_out(name) for name in names)
    assert len(names) == sum(map(len, training_files(data)))


def test_photographs_give_way_until_everything_fits(data: Path, tmp_path: Path) -> None:
    best = travel(data, tmp_path / "best", size=SIZE)
    weight = sum(file.stat().st_size for file in (tmp_path / "best").rglob("*.webp"))
    limit = weight - 100
    assert travel(data, tmp_path / "less", size=SIZE, limit=limit) < best
    assert sum(f.stat().st_size for f in (tmp_path / "less").rglob("*.webp")) <= limit
    with pytest.raises(RequestError, match="do not fit"):
        travel(data, tmp_path / "none", size=SIZE, limit=1000)
    assert not (tmp_path / "none").exists()
    with pytest.raises(RequestError, match="not empty"):
        travel(data, tmp_path / "less", size=SIZE)


def test_the_command_says_what_it_weighs(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main([str(data), str(out), "--size", str(SIZE), "--limit-mb", "1"]) == 0
    assert f"0.1 MB in {out}" in capsys.readouterr().out


@pytest.mark.parametrize("which", [0, 1])
def test_a_damaged_picture_is_named(data: Path, tmp_path: Path, which: int) -> None:
    shutil.copytree(data, tmp_path / "data")
    broken = training_files(tmp_path / "data")[which][3]
    broken.write_bytes(b"nothing")
    with pytest.raises(ShotError, match=broken.name):
        gather(tmp_path / "data", size=SIZE, mattes=0)


def test_reading_leaves_the_number_of_threads_as_it_was(data: Path) -> None:
    before = torch.get_num_threads()
    gather(data, size=SIZE, mattes=0)
    assert torch.get_num_threads() == before


def test_mattes_rendered_meanwhile_are_those_of_a_bank() -> None:
    whole = render_bank(10, SIZE, 40)
    with Rendering(SIZE, 40, workers=2, count=10, chunk=4) as rendering:
        pieces = list(rendering)
    assert [len(piece) for piece in pieces] == [4, 4, 2]
    for name, value in vars(whole).items():
        np.testing.assert_array_equal(np.concatenate([getattr(p, name) for p in pieces]), value)
    tensors = matte_tensors(pieces[0], seed=1)
    assert tensors["mattes"].shape == (4, 1, SIZE, SIZE)
    assert tensors["colours"].shape == (4, 3, SIZE, SIZE)
    assert torch.equal(tensors["matte_points"], matte_tensors(pieces[0], seed=1)["matte_points"])


def test_a_rendering_without_end_ends_when_closed() -> None:
    with Rendering(SIZE, 0, workers=1, chunk=1) as rendering:
        workers = [*rendering._pool._processes.values()]
        assert len(next(rendering)) == 1
        assert len(next(rendering)) == 1
    assert [worker.is_alive() for worker in workers] == [False]


def test_a_worker_that_dies_is_an_error_not_a_wait() -> None:
    with Rendering(SIZE, 0, workers=1, chunk=1) as rendering:
        next(rendering)
        for worker in rendering._pool._processes.values():
            os.kill(worker.pid or 0, signal.SIGKILL)
        with pytest.raises(SurroundingsError, match="has ended"):
            deque(rendering, maxlen=0)


ORPHANED = """
import os, sys, signal
from model.training.mattes import Rendering
if __name__ == "__main__":
    rendering = Rendering(96, 0, workers=2, chunk=1)
    next(rendering)
    print(flush=True)  # workers hold this pipe open, too, until they end
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_workers_end_with_a_process_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "orphaned.py").write_text(ORPHANED)
    root = Path(__file__).parents[4]
    done = subprocess.run(
        [sys.executable, str(tmp_path / "orphaned.py")],
        env=os.environ | {"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,  # read to its end: that of the last worker
        timeout=600,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


BARE = """
import importlib, pkgutil, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"av", "OpenEXR", "OpenImageIO", "ray", "click", "rich", "jinja2"}:
            raise ModuleNotFoundError(f"{name} is not on this machine")

sys.meta_path.insert(0, Missing())
for package in ("model.training", "model.evaluation", "plugin.types", "plugin.errors"):
    module = importlib.import_module(package)
    for part in pkgutil.walk_packages(getattr(module, "__path__", []), package + "."):
        importlib.import_module(part.name)
        print(part.name)
"""


def test_training_and_evaluation_need_little(tmp_path: Path) -> None:
    root = Path(__file__).parents[4]
    done = subprocess.run(
        [sys.executable, "-c", BARE],
        env=os.environ | {"PYTHONPATH": str(root)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "model.training.travel" in done.stdout.split()
