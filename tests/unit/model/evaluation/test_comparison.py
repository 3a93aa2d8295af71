"""Several benchmarks, networks and trimaps in one table; halves to choose and to report by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from model.evaluation.comparison import measure_and_report
from model.evaluation.results import Evaluation, Row
from plugin.cli.entry import main
from tests.benches import Oracle, make_bench


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    """Two images in the project's layout; the second matte has 16 bits."""
    return make_bench(tmp_path / "bench")


def test_halves_are_the_odd_and_the_even_places() -> None:
    rows = [
        Row(image, method, sad, 0.1, 1.0, 1.0, None, 0.0)
        for sad, image in enumerate("badce", start=1)  # in the order they were measured
        for method in ("lite", "KNN")
    ]
    result = Evaluation("bench", "trimap", tuple(rows))
    halves = {name: result.half(name) for name in ("choose", "report")}
    images = {name: [row.image for row in half.rows[::2]] for name, half in halves.items()}
    assert images == {"choose": ["b", "d", "e"], "report": ["a", "c"]}
    assert halves["choose"].total("KNN").sad == 3
    assert result.as_dict()["halves"]["report"][0]["sad"] == 3
    lines = [line.split() for line in result.table().splitlines()]
    assert ["half", "to", "report", "by", "lite", "3.00"] in [line[:6] for line in lines]
    alone = Evaluation("bench", "trimap", tuple(rows[:2]))
    assert alone.as_dict()["halves"]["report"] == []


def test_ratios_are_to_the_baselines_and_not_to_the_planes_or_to_other_networks() -> None:
    sads = {"lite": 2.0, "new": 1.0, "planes alone": 0.5, "closed-form": 4.0, "KNN": 8.0}
    rows = (Row("a", method, sad, 1, 1, 1, None, 0.0) for method, sad in sads.items())
    result = Evaluation("bench", "trimap", tuple(rows))
    assert {m: result.ratios(m).get("sad") for m in sads} == {
        "lite": 0.5,
        "new": 0.25,
        "planes alone": 0.125,
        "closed-form": None,
        "KNN": None,
    }


def test_several_benchmarks_networks_and_trimaps_are_one_table(bench: Path, tmp_path: Path) -> None:
    narrow = tmp_path / "narrow"
    for image in ("a", "b", "c"):
        for stem in ("image", "alpha", "trimap"):
            source = bench / ("a" if image == "c" else image) / f"{stem}.png"
            copied_to(narrow / image / f"{stem}.png", source.read_bytes())
    networks = {"runs/1/average.safetensors": Oracle(bench, 0.1), "lite": Oracle(bench, 0.2)}
    told: list[str] = []
    file = tmp_path / "all.json"
    table = measure_and_report(
        [bench, narrow],
        networks,
        baselines="cf,planes",
        trimaps=("trimap", "large", "dilate-4"),
        json_file=file,
        cache=tmp_path / "cache",
        progress=lambda done, total, what: told.append(f"{done}/{total} {what}"),
    )
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert len({len(row) for row in rows}) == 1
    runs = [("bench", "trimap"), ("bench", "large"), ("bench", "dilate-4")]
    runs += [("narrow", "trimap"), ("narrow", "dilate-4")]  # it has no large ones
    methods = ["average", "lite", "closed-form", "planes alone"]
    parts = {
        "bench": ["all 2", "choose 1", "report 1"],
        "narrow": ["all 3", "choose 2", "report 1"],
    }
    expected = [[*run, part, m] for run in runs for part in parts[run[0]] for m in methods]
    assert [row[:4] for row in rows[2:]] == expected
    data = json.loads(file.read_text())
    assert [(Path(e["bench"]).name, e["trimap"]) for e in data["evaluations"]] == runs
    for one, row in zip(data["evaluations"], rows[2::12], strict=True):
        assert row[4] == f"{one['totals'][0]['sad']:.2f}"
    assert told[0] == "1/8 bench trimap: a average"
    assert rows[2][-1].count(",") == 2
    assert rows[4][-1] == ""


def test_networks_of_one_file_name_keep_their_paths_apart(bench: Path) -> None:
    names = ["one/average.safetensors", "two/average.safetensors"]
    table = measure_and_report([bench], {name: Oracle(bench, 0) for name in names})
    assert all(f"| {name} |" in table for name in names)


def test_the_command_makes_one_table(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--trimap", "trimap", "--trimap", "large", "--baselines", "planes"]
    assert main(["evaluate", "--bench", str(bench), *asked]) == 0
    out, told = capsys.readouterr()
    assert out.count("| lite |") == out.count("| planes alone |") == 2 * 3
    assert "4 of 4: bench large: b planes alone" in told
    assert main(["evaluate", "--bench", str(bench), *asked, "--figure", "x.png"]) == 2
    assert "--figure" in capsys.readouterr().err


def copied_to(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
