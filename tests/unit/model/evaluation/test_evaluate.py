"""Benchmarks on disk, trimaps, baselines, the table: with real files and the real pymatting."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model.evaluation.baselines import baseline
from model.evaluation.benchmark import open_benchmark, write_bench_folders
from model.evaluation.comparison import measure_and_report
from model.evaluation.evaluate import evaluate
from model.evaluation.metrics import Confusion
from model.evaluation.results import Evaluation, Row
from model.training.pictures import read_alpha, read_image, write_png
from plugin.errors import RequestError, TrimapError
from tests.benches import SIZE, Oracle, disc, make_bench


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Two images in the project's layout; the second matte has 16 bits."""
    return make_bench(tmp_path / "bench")


# ── pictures and layouts ──────────────────────────────────────────────────────────────────────


def test_bench_folders_are_read_by_name_and_depth(bench: Path) -> None:
    first, second = open_benchmark(bench)
    assert (first.name, second.name) == ("a", "b")
    assert first.image().shape == (*SIZE, 3)
    assert first.image()[24, 32] == pytest.approx([0.9, 0.2, 0.1], abs=0.003)  # R, G, B
    assert np.abs(first.alpha() - disc(14)).max() <= 0.5 / 255 + 1e-6
    assert np.abs(second.alpha() - disc(10)).max() <= 0.5 / 65535 + 1e-6
    assert set(first.trimap_files) == {"trimap", "trimap-large"}
    assert np.array_equal(first.trimap("large"), first.trimap("trimap-large"))


def test_a_grey_image_and_a_colour_matte_are_read(tmp_path: Path) -> None:
    grey = np.arange(48, dtype=np.uint8).reshape(6, 8)
    write_png(tmp_path / "grey.png", grey)
    write_png(tmp_path / "colour.png", np.stack([grey] * 3, axis=2))
    assert np.array_equal(read_image(tmp_path / "grey.png"), read_image(tmp_path / "colour.png"))
    assert np.array_equal(read_alpha(tmp_path / "grey.png"), read_alpha(tmp_path / "colour.png"))


@pytest.mark.parametrize(
    ("damage", "error", "what"),
    [
        (lambda b: (b / "a" / "alpha.png").unlink(), RequestError, "no true mattes"),
        (lambda b: (b / "a" / "image.png").write_bytes(b"\x89PNG"), RequestError, "not a picture"),
        (lambda b: (b / "a" / "trimap.png").write_bytes(b""), RequestError, "not a picture"),
        (
            lambda b: write_png(b / "a" / "trimap.png", np.full(SIZE, 127, np.uint8)),
            TrimapError,
            "other than 0, 128 and 255",
        ),
        (
            lambda b: write_png(b / "a" / "trimap.png", np.full((9, 9), 128, np.uint8)),
            RequestError,
            "differ in size",
        ),
    ],
)
def test_a_broken_benchmark_is_refused(
    bench: Path, damage: Callable[[Path], object], error: type[RequestError], what: str
) -> None:
    matter = Oracle(bench, 0)
    damage(bench)
    with pytest.raises(error, match=what):
        evaluate(bench, matter)


def test_no_benchmark_no_method_no_kind(bench: Path, tmp_path: Path) -> None:
    matter = Oracle(bench, 0)
    with pytest.raises(RequestError, match="no such folder"):
        evaluate(tmp_path / "nowhere", matter)
    (tmp_path / "empty").mkdir()
    with pytest.raises(RequestError, match="no benchmark found"):
        evaluate(tmp_path / "empty", matter)
    with pytest.raises(RequestError, match="nothing to evaluate"):
        evaluate(bench, None)
    with pytest.raises(RequestError, match="no baseline 'deep'"):
        evaluate(bench, None, baselines=("deep",))
    with pytest.raises(TrimapError, match="no trimap of the kind 'huge'"):
        evaluate(bench, matter, trimap="huge")


def test_composition_1k_layout(bench: Path, tmp_path: Path) -> None:
    names = {"image": "merged", "alpha": "alpha_copy", "trimap": "trimaps"}
    folder = tmp_path / "comp1k"
    for image in ("a", "b"):
        for stem, sub in names.items():
            (folder / sub).mkdir(parents=True, exist_ok=True)
            target = folder / sub / f"{image}.png"
            target.write_bytes((bench / image / f"{stem}.png").read_bytes())
    assert [i.name for i in open_benchmark(folder)] == ["a", "b"]
    assert evaluate(folder, Oracle(folder, 0)).total("AdaMatting").sad < 0.001
    (folder / "trimaps" / "b.png").unlink()
    with pytest.raises(RequestError, match="no matte or no trimap"):
        open_benchmark(folder)


def test_alphamatting_layouts_and_submission(bench: Path, tmp_path: Path) -> None:
    folder = tmp_path / "alphamatting"
    data = {stem: (bench / "a" / f"{stem}.png").read_bytes() for stem in ("image", "trimap")}
    for sub, stem in (
        ("input_lowres", "image"),
        ("trimap_lowres/Trimap1", "trimap"),
        ("trimap_lowres/Trimap3", "trimap"),
    ):
        (folder / sub).mkdir(parents=True)
        (folder / sub / "troll.png").write_bytes(data[stem])
    (image,) = open_benchmark(folder)
    assert set(image.trimap_files) == {"trimap", "trimap-user"}
    with pytest.raises(RequestError, match="no true mattes"):
        image.alpha()

    for sub in ("input_training_lowres", "gt_training_lowres"):
        (folder / sub).mkdir()
        (folder / sub / "GT01.png").write_bytes(data["image"])
    assert [i.name for i in open_benchmark(folder)] == ["GT01"]  # with truth before without


def test_a_benchmark_laid_out_again_is_the_same(bench: Path, tmp_path: Path) -> None:
    write_bench_folders(open_benchmark(bench), tmp_path / "again")
    for one, two in zip(open_benchmark(bench), open_benchmark(tmp_path / "again"), strict=True):
        assert np.array_equal(one.alpha(), two.alpha())
        assert set(one.trimap_files) == set(two.trimap_files)


# ── the result ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["dilate-2", "dilate-12", "erode-3", "large", "trimap"])
def test_every_kind_of_trimap_can_be_asked_for(bench: Path, kind: str) -> None:
    total = evaluate(bench, Oracle(bench, 0), trimap=kind).total("AdaMatting")
    assert total.sad < 0.002
    assert total.accuracy == total.mean_iou == 1


def test_totals_are_means_over_images() -> None:
    half = Confusion(((5, 0, 0), (0, 3, 2), (0, 0, 0)))
    rows = tuple(
        Row(image, "AdaMatting", sad, sad / 10, 2 * sad, 3 * sad, half, 1.0)
        for image, sad in (("a", 1.0), ("b", 3.0))
    ) + tuple(
        Row(image, method, sad, 0.4, 4.0, 1.0, None, 2.0)
        for image in ("a", "b")
        for method, sad in (("closed-form", 4.0), ("KNN", 8.0))
    )
    result = Evaluation("bench", "trimap", rows)
    total = result.total("AdaMatting")
    assert [total.sad, total.mse, total.grad, total.conn] == pytest.approx([2, 0.2, 4, 6])
    assert total.accuracy == pytest.approx(0.8)
    assert result.ratios() == pytest.approx({"sad": 0.5, "mse": 0.5, "grad": 1.0, "conn": 6.0})
    with pytest.raises(KeyError):
        result.total("Bayes")


def test_the_table_and_the_json_say_the_same(bench: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    result = evaluate(
        bench,
        Oracle(bench, 0.1),
        baselines=("cf",),
        progress=lambda done, total, what: seen.append((done, total, what)),
    )
    assert seen[0] == (1, 4, "a AdaMatting")
    assert [done for done, _, _ in seen] == [1, 2, 3, 4]
    table, data = result.table(), json.loads(json.dumps(result.as_dict()))
    assert data["schema"] == "evaluation/1"
    assert [row["method"] for row in data["rows"]] == ["AdaMatting", "closed-form"] * 2
    assert len(data["rows"][0]["confusion"]) == 3
    assert "confusion" not in data["rows"][1]
    for row in (*data["rows"], *data["totals"]):
        assert f"{row['sad']:.2f}" in table
    assert f"{data['ratios']['sad']:.3f}" in table
    assert len({len(line.split()) for line in table.splitlines()[2:6]}) == 1


def test_the_report_prints_and_writes(bench: Path, tmp_path: Path) -> None:
    file = tmp_path / "deep" / "result.json"
    cache = tmp_path / "cache"
    matters = {"lite": Oracle(bench, 0.1)}
    table = measure_and_report([bench], matters, baselines="cf, cf", json_file=file, cache=cache)
    assert table.count("total (mean)") == 2
    assert "AdaMatting / best baseline" in table
    assert json.loads(file.read_text())["totals"][1]["method"] == "closed-form"


def test_the_figure_shows_each_image_in_a_row(bench: Path, tmp_path: Path) -> None:
    file = tmp_path / "figure.png"
    measure_and_report([bench], {"lite": Oracle(bench, 0.1)}, figure_file=file)
    picture = read_image(file)
    height = round(SIZE[0] * 320 / SIZE[1]) + 4
    assert picture.shape == (2 * height, 5 * 324, 3)
    # On the first disc's edge, which the trimap leaves unknown, the matte is off by a tenth.
    edge = slice(90, 180)
    alpha, truth = (picture[height // 2 - 2, 324 * c : 324 * c + 320, 0][edge] for c in (3, 4))
    assert np.abs(alpha - truth).max() == pytest.approx(0.1, abs=0.02)
    assert truth.max() == 1


def test_a_matte_is_measured_as_8_bits(bench: Path) -> None:
    """An error below half a step is none, as it would be in a PNG."""
    image = open_benchmark(bench)[0]
    exact = evaluate(bench, Oracle(bench, 0), limit=1)
    near = evaluate(bench, Oracle(bench, 0.001), limit=1)
    assert exact.rows[0].sad == pytest.approx(0, abs=1e-6)
    assert near.rows[0].sad == pytest.approx(exact.rows[0].sad, abs=1e-6)
    assert near.rows[0].image == image.name


def test_the_cache_answers_the_same_and_survives_damage(bench: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    fresh = evaluate(bench, None, baselines=("cf",), cache=cache)
    files = sorted(cache.iterdir())
    assert len(files) == 2
    marked = read_alpha(files[0]) * 0
    write_png(files[0], marked.astype(np.uint8))
    from_cache = evaluate(bench, None, baselines=("cf",), cache=cache)
    assert from_cache.total("closed-form").sad > fresh.total("closed-form").sad  # it was used
    files[0].write_bytes(b"broken")
    write_png(files[1], np.zeros((3, 3), np.uint8))
    again = evaluate(bench, None, baselines=("cf",), cache=cache)
    without = evaluate(bench, None, baselines=("cf",))
    for error in ("sad", "mse", "grad", "conn"):
        for result in (fresh, again):
            of_cache, of_none = (getattr(r.total("closed-form"), error) for r in (result, without))
            assert of_cache == of_none
    assert sorted(cache.iterdir()) == files
    evaluate(bench, None, baselines=("cf",), trimap="large", cache=cache)
    assert len(list(cache.iterdir())) == 4


def test_the_planes_alone_are_the_last_of_the_planes(bench: Path, tmp_path: Path) -> None:
    result = evaluate(bench, None, baselines=("planes",), cache=tmp_path / "cache")
    assert result.methods == ("planes alone",)
    assert 0 < result.total("planes alone").sad < 0.1  # a disc of one colour over another
    image = open_benchmark(bench)[0]
    alpha = baseline("planes")(image.image(), image.trimap())
    assert (alpha[image.trimap() == 255] == 1).all()
    assert (alpha[image.trimap() == 0] == 0).all()
    assert len(list((tmp_path / "cache").iterdir())) == 2
