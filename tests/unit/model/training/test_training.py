"""Banks and the loop."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from model.evaluation import ablation
from model.evaluation.evaluate import measure_run
from model.inference.weight_files import find_weights, load_network
from model.training.banks import Banks, load, matte_tensors, pack
from model.training.mattes import render_bank
from model.training.recipe import Recipe, read_recipe
from model.training.run import train
from model.training.trainer import Trainer
from plugin.errors import ShotError

pytestmark = pytest.mark.slow

RECIPE = """
network = "lite"
ablate = {{ blocks = [1, 1, 1, 1], widths = [8, 8, 8, 8], stem = 8, decoder = [8, 8, 8, 8, 8] }}
banks = "banks.safetensors"
out = "{out}"
steps = {steps}
batch = 2
rate = 1e-3

[synthesis]
crop = 64
widest = 8
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Training pictures of our own, packed."""
    data = tmp_path_factory.mktemp("training")
    rng = np.random.default_rng(0)
    for kind in ("fg", "photos"):
        (data / kind).mkdir()
    for number in range(12):
        photo = cv2.resize(rng.integers(0, 255, (9, 12, 3), np.uint8), (160, 120))
        cv2.imwrite(str(data / "photos" / f"photo_{number}.jpg"), photo)
        alpha = np.zeros((90, 120), np.uint8)
        cv2.circle(alpha, (60, 45), 20 + number, 255, -1, cv2.LINE_AA)
        cutout = np.dstack((photo[:90, :120], cv2.GaussianBlur(alpha, (0, 0), 1.5)))
        cv2.imwrite(str(data / "fg" / f"cut_{number}.webp"), cutout)
    pack(data, data / "banks.safetensors", size=128, mattes=6)
    return data


@pytest.fixture(scope="module")
def banks(folder: Path) -> Banks:
    return load(folder / "banks.safetensors")


def test_banks_hold_squares_and_leave_out_what_is_held_out(folder: Path, banks: Banks) -> None:
    from model.training.data_split import is_held_out

    kept = [f for f in (folder / "fg").iterdir() if not is_held_out(f.name)]
    assert banks.cutouts.shape == (len(kept), 4, 128, 128)
    assert banks.mattes.shape == (6, 1, 128, 128)
    assert banks.cutouts.dtype == torch.uint8


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ShotError, match="no training pictures"):
        pack(tmp_path, tmp_path / "banks.safetensors")


def write_recipe(folder: Path, out: str, steps: int) -> Path:
    path = folder / f"{out}.toml"
    path.write_text(RECIPE.format(out=out, steps=steps))
    return path


def test_training_goes_down_logs_and_can_be_used(folder: Path) -> None:
    recipe = read_recipe(write_recipe(folder, "down", 60))
    Trainer(recipe, torch.device("cpu")).run(report=lambda _line: None, log_seconds=0)
    lines = (folder / "down" / "log.jsonl").read_text().splitlines()
    log = [json.loads(line) for line in lines]
    assert [record["step"] for record in log] == list(range(1, 61))
    early, late = (sum(r["trimap"] for r in part) for part in (log[:20], log[-20:]))
    assert late < early

    network = load_network(find_weights(str(folder / "down" / "average.safetensors")))
    assert network.config.stem == 8


def test_a_run_may_propagate_in_quarters(folder: Path) -> None:
    recipe = folder / "quarters.toml"
    recipe.write_text("quarter = true\n" + RECIPE.format(out="quarters", steps=3))
    assert train(recipe, device="cpu", report=lambda _line: None) == 3


def test_a_resumed_run_is_the_run(folder: Path) -> None:
    """Three steps and three more end where six at once do."""
    once = write_recipe(folder, "once", 6)
    train(once, device="cpu", report=lambda _line: None)
    twice = write_recipe(folder, "twice", 6)

    class Enough(Exception):  # noqa: N818  a cut, not a mistake
        pass

    cut = Trainer(read_recipe(twice), torch.device("cpu"))

    def stop() -> None:
        if cut.step == 3:
            cut.save()
            raise Enough

    with pytest.raises(Enough):
        cut.run(report=lambda _line: None, supply=stop)
    train(twice, device="cpu", report=lambda _line: None)
    one = load_file(folder / "once" / "average.safetensors")
    two = load_file(folder / "twice" / "average.safetensors")
    assert all(torch.allclose(one[name], two[name], atol=1e-6) for name in one)


def test_a_stretch_packs_trains_renders_exports_and_measures(folder: Path) -> None:
    recipe = folder / "stretch.toml"
    text = RECIPE.format(out="stretch", steps=1_000_000).replace(
        'banks = "banks.safetensors"\n', ""
    )
    recipe.write_text("mattes = 3\nroom = 8\nsize = 128\n" + text)
    disc = cv2.circle(np.zeros((64, 96), np.float32), (48, 32), 20, 1.0, -1)
    alpha = cv2.GaussianBlur(disc, (0, 0), 2)
    picture = folder / "discs" / "one"
    picture.mkdir(parents=True)
    cv2.imwrite(str(picture / "alpha.png"), (255 * alpha).astype(np.uint8))
    colours = np.dstack([alpha, 1 - alpha, alpha])
    cv2.imwrite(str(picture / "image.png"), (255 * colours).astype(np.uint8))
    for kind in ("trimap", "trimap-large"):
        mixed = np.where((alpha > 0) & (alpha < 1), 128, alpha * 255).astype(np.uint8)
        cv2.imwrite(str(picture / f"{kind}.png"), mixed)
    said: list[str] = []
    reached = train(
        recipe,
        device="cpu",
        minutes=0.15,
        pictures=folder,
        report=said.append,
    )
    measure_run(recipe, [picture.parent], said.append)
    last = json.loads((folder / "stretch" / "log.jsonl").read_text().splitlines()[-1])
    assert last["step"] == reached > 0
    assert last["rate"] < 1e-3  # it has fallen by the clock, not by the steps
    assert (folder / "stretch" / "lite.safetensors").exists()
    assert [line.split(":")[0] for line in said[-2:]] == ["discs trimap", "discs large"]


def test_new_mattes_take_the_oldest_s_place(banks: Banks) -> None:
    bank = banks.with_room(8)
    assert torch.equal(bank.mattes[6:], banks.mattes[:2])
    kept = bank.mattes.clone()
    rendered = matte_tensors(render_bank(3, 128, 77), 5)
    bank.put_mattes(7, rendered)
    assert torch.equal(bank.mattes[[7, 0, 1]], rendered["mattes"])
    assert torch.equal(bank.matte_points[7], rendered["matte_points"][0])
    assert torch.equal(bank.mattes[2:7], kept[2:7])


def test_a_run_begins_from_given_weights(folder: Path) -> None:
    """At a rate of next to nothing it stays where it began."""
    first = write_recipe(folder, "first", 3)
    train(first, device="cpu", report=lambda _line: None)
    second = folder / "second.toml"
    text = 'start = "first/average.safetensors"\n' + first.read_text().replace("1e-3", "1e-12")
    second.write_text(text.replace('"first"', '"second"'))
    train(second, device="cpu", report=lambda _line: None)
    one = load_file(folder / "first" / "average.safetensors")
    two = load_file(folder / "second" / "average.safetensors")
    names = [name for name in one if name.endswith(".weight")]
    assert all(torch.allclose(one[name], two[name], atol=1e-6) for name in names)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('network = "vast"\nbanks = "b"\nout = "o"\nsteps = 1', "vast"),
        ('banks = "b"\nout = "o"\nsteps = 0', "greater than or equal to 1"),
        ('banks = "b"\nout = "o"\nsteps = 1\nspeed = 9', "speed"),
        ('banks = "b"\nout = "o"\nsteps = 1\nablate = { wings = 2 }', "wings"),
        ("steps = = 1", "Invalid value"),
    ],
)
def test_bad_recipes_are_refused(tmp_path: Path, text: str, what: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ShotError, match=what):
        read_recipe(path)


def test_the_defaults_are_the_paper_s() -> None:
    recipe = Recipe(banks=Path("b"), out=Path("o"), steps=1)
    assert (recipe.rate, recipe.weight_decay, recipe.batch) == (1e-4, 1e-4, 16)
    assert recipe.synthesis.crop == 320
    assert recipe.fixed_weight is None
    assert recipe.laplacian == 0


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    from plugin.errors import WeightsError

    stray = tmp_path / "stray.safetensors"
    save_file({"x": torch.zeros(1)}, stray)
    for path in (stray, tmp_path / "none.safetensors"):
        with pytest.raises(WeightsError):
            load_network(find_weights(str(path)))


def test_the_ablations_are_trained_and_measured_alike(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    disc = cv2.circle(np.zeros((64, 96), np.float32), (48, 32), 20, 1.0, -1)
    alpha = cv2.GaussianBlur(disc, (0, 0), 2)
    picture = folder / "disc" / "one"
    picture.mkdir(parents=True)
    cv2.imwrite(str(picture / "alpha.png"), np.rint(255 * alpha))
    cv2.imwrite(str(picture / "image.png"), np.rint(255 * np.dstack([alpha, 1 - alpha, alpha])))
    recipe = folder / "ablation.toml"
    recipe.write_text(RECIPE.format(out="ablation", steps=2))
    words = [str(recipe), "--bench", str(picture.parent), "--trimap", "dilate-5"]
    chosen = ["full", "without T-decoder", "fixed weight σ = 0.6"]
    for name in chosen:
        words += ["--only", name]
    assert ablation.main(words) == 0
    first = capsys.readouterr().out.strip().split("\n\n")[-1].splitlines()
    assert [line.split(" | ")[0].strip("| ") for line in first[2:]] == chosen
    assert all(line.split(" | ")[1] == "disc" for line in first[2:])
    kept = sorted(file.parent.name for file in folder.glob("ablation/*/disc-dilate-5.json"))
    assert kept == sorted(name.replace(" ", "-") for name in chosen)
    shapes = {name: network_of(folder, name).parameters() for name in chosen}
    counts = {name: sum(p.numel() for p in parameters) for name, parameters in shapes.items()}
    assert counts["without T-decoder"] < counts["full"] == counts["fixed weight σ = 0.6"]
    assert ablation.main(words) == 0  # trained already: the same weights, the same figures
    assert capsys.readouterr().out.strip().split("\n\n")[-1].splitlines() == first


def network_of(folder: Path, variant: str) -> torch.nn.Module:
    """The variant's network as it was trained."""
    weights = folder / "ablation" / variant.replace(" ", "-") / "average.safetensors"
    return load_network(find_weights(str(weights)))
