"""`adamatte bench`: the command itself on tiny frames, and its arithmetic in tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from plugin.cli import main
from plugin.errors import OutputError, ShotError, SurroundingsError
from plugin.synthetic.loads import band_of, framed, load_frame, load_trimap
from plugin.types import UNKNOWN
from workers.bench import history
from workers.bench.child import in_child
from workers.bench.command import table
from workers.bench.figures import Figure, Settings, Size
from workers.bench.gpu import covered
from workers.bench.network import in_turns, slope
from workers.bench.steadiness import errors_of

pytestmark = pytest.mark.slow


def line(**values: float) -> dict[str, Any]:
    figures = [Figure(name, value, "×", "lower") for name, value in values.items()]
    return history.record(figures, machine="m", weights="w", settings={})


@pytest.mark.parametrize(
    ("figure", "before", "worse"),
    [
        (Figure("a", 1.2, "×", "lower"), 1.0, True),
        (Figure("a", 0.8, "×", "lower"), 1.0, False),
        (Figure("a", 1.2, "×", "higher"), 1.0, False),
        (Figure("a", 0.8, "×", "higher"), 1.0, True),
        (Figure("a", 0.8, "×"), 1.0, None),
        (Figure("a", 1.09, "×", "lower"), 1.0, "same"),
        (Figure("a", 0.91, "×", "lower"), 1.0, "same"),
        (Figure("a", 9.0, "s", "lower", steady=False), 1.0, "same"),
        (Figure("new", 9.0, "×", "lower"), 1.0, "same"),
        (Figure("a", 9.0, "×", "lower"), 0.0, "same"),
    ],
)
def test_what_changed(figure: Figure, before: float, worse: bool | str | None) -> None:
    now = history.record([figure], machine="m", weights="w", settings={})
    found = history.changes(line(a=before), now)
    assert [change.worse for change in found] == ([] if worse == "same" else [worse])


def test_what_got_worse_comes_first() -> None:
    found = history.changes(line(a=1, b=1, c=1), line(a=0.5, b=2, c=1.05))
    assert [change.text for change in found] == [
        "b: 1 → 2, +100 %, worse",
        "a: 1 → 0.5, -50 %, better",
    ]


def test_the_history_is_kept_by_machine(tmp_path: Path) -> None:
    file = tmp_path / "state" / "bench.jsonl"
    assert history.last_of(file, "m") is None
    history.append(file, line(a=1))
    history.append(file, line(a=2))
    history.append(file, line(a=3) | {"machine": "other"})
    with file.open("a") as more:
        more.write('{"machine": "m"}\n{"machine": "m", "figures"\n[' + "[" * 5000 + "\n")
    found = history.last_of(file, "m")
    assert found is not None
    assert found["figures"][0]["value"] == 2
    assert history.last_of(file, "third") is None
    with pytest.raises(OutputError, match="history"):
        history.append(tmp_path, line(a=1))


@pytest.mark.parametrize(
    ("state", "expected"),
    [("/x/state", "/x/state"), ("", "/h/.local/state"), ("not/absolute", "/h/.local/state")],
)
def test_where_the_history_lies(monkeypatch: pytest.MonkeyPatch, state: str, expected: str) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", state)
    monkeypatch.setenv("HOME", "/h")
    assert history.default_path() == Path(expected) / "adamatte" / "bench.jsonl"


@pytest.mark.parametrize(
    ("value", "better", "goal", "reached"),
    [
        (1.1, "lower", 1.1, True),
        (1.2, "lower", 1.1, False),
        (4.0, "higher", 4.0, True),
        (3.9, "higher", 4.0, False),
        (3.9, "higher", None, None),
    ],
)
def test_goals(value: float, better: Any, goal: float | None, reached: bool | None) -> None:
    figure = Figure("network", value, "×", better, goal)
    assert figure.reached is reached
    words = {True: "reached", False: "MISSED", None: ""}[reached]
    assert words in table([figure])[0]


@pytest.mark.parametrize(
    ("times", "tail", "expected"),
    [
        ([10, 12, 14, 16, 16.1, 16.2], 2, 2.0),
        ([10, 12], 3, 2.0),  # too short for a tail
        ([10, 12, 14], 1, 2.0),
    ],
)
def test_the_pace_of_a_run(times: list[float], tail: int, expected: float) -> None:
    assert slope(times, tail) == pytest.approx(expected)


def test_calls_take_turns() -> None:
    called: list[str] = []
    timed = in_turns({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, 3)
    assert called == ["a", "b"] * 3
    assert all(one.wall >= 0 and one.cpu >= 0 for one in timed.values())


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], 0),
        ([(0, 2), (5, 6)], 3),
        ([(0, 5), (1, 2), (4, 7)], 7),
        ([(4, 7), (0, 5)], 7),
    ],
)
def test_what_is_covered(spans: list[tuple[float, float]], expected: float) -> None:
    assert covered(spans) == expected


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1080p", Size("1080p", 1920, 1080)),
        ("320x180", Size("320x180", 320, 180)),
        ("1440p", None),
        ("10x10", None),
        ("99999x100", None),
        ("1e3x100", None),
    ],
)
def test_sizes(text: str, size: Size | None) -> None:
    if size is None:
        with pytest.raises(ShotError, match="no such size"):
            Size.parse(text)
    else:
        assert Size.parse(text) == size


def test_the_usual_size_and_share() -> None:
    small, usual = Size.parse("320x180"), Size.parse("1080p")
    assert Settings((small, usual), (2, 10)).main == usual
    assert Settings((small,), (2,)).main == small
    assert Settings((small,), (2, 10)).share == 10
    assert Settings((small,), (2, 40)).share == 2


@pytest.mark.parametrize("share", [0.02, 0.1, 0.4])
def test_a_load_has_the_share_that_was_asked_for(share: float) -> None:
    rgb, mask = load_frame(200, 120, 3)
    labels = load_trimap(mask, share)
    assert (labels == UNKNOWN).sum() == round(share * labels.size)
    assert rgb.dtype == np.float32
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    assert np.array_equal(rgb, load_frame(200, 120, 3)[0])
    assert band_of(mask, share) > 0
    larger, trimap = framed(rgb, labels, 400, 240)
    assert larger.shape == (240, 400, 3)
    assert (trimap == UNKNOWN).sum() == (labels == UNKNOWN).sum()


def test_errors_over_unknown_pixels_alone() -> None:
    truth = [np.zeros((4, 4), np.float32)] * 3
    alphas = [np.full((4, 4), value, np.float32) for value in (0.1, 0.2, 0.3)]
    labels = [np.full((4, 4), 0, np.uint8) for _ in truth]
    for one in labels:
        one[:2] = UNKNOWN
    found = errors_of(alphas, truth, labels)
    assert found.dtssd == pytest.approx(10, rel=1e-4)
    assert found.dtssd_unknown == pytest.approx(10, rel=1e-4)
    alphas[1][2:] = 0.9  # known pixels do not count
    assert errors_of(alphas, truth, labels).dtssd_unknown == pytest.approx(10, rel=1e-4)


def test_a_measurement_that_dies_says_so() -> None:
    with pytest.raises(SurroundingsError, match="unexpected keyword"):
        in_child("load", nonsense=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--sizes 5p", "no such size"),
        ("--sizes 720p,,", "an empty place"),
        ("--unknown 99", "not such a number"),
        ("--unknown few", "not such a number"),
        ("--only gpus", "no such part: gpus"),
        ("--model nowhere.safetensors --no-history", "nowhere.safetensors"),
    ],
)
def test_what_is_refused(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words.split()]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.ray
@pytest.mark.timeout(900)  # a dozen processes, each with its imports, on whatever machine
def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = "bench --quick --sizes 128x96 --rounds 1 --frames 4 --device cpu"
    files = ["--json", str(tmp_path / "b.json"), "--history", str(tmp_path / "h.jsonl")]
    assert main([*words.split(), *files]) == 0
    said = capsys.readouterr().out
    assert "network · whole frame over 128x96 10 %" in said
    assert "workers · two over one" in said
    assert "workers · two over one on one core" in said
    assert "EXR, --channels fg · one worker over network alone, processor time" in said
    assert "memory · 128x96 10 % · job" in said
    found = json.loads((tmp_path / "b.json").read_text())
    assert found == json.loads((tmp_path / "h.jsonl").read_text())
    assert all(one["value"] > 0 for one in found["figures"] if one["steady"])
    again = "bench --only network --sizes 128x96 --unknown 10 --rounds 1 --device cpu -q"
    history.append(tmp_path / "h.jsonl", _tenfold(found))
    assert main([*again.split(), "--history", str(tmp_path / "h.jsonl")]) == 0
    assert "changed   network · 128x96 10 % · yardsticks" in capsys.readouterr().out


@pytest.mark.ray
@pytest.mark.timeout(900)
def test_workers_by_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    words = "bench --only workers --sizes 96x64 --frames 4 --device cpu --no-history"
    assert main(words.split()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("  ")[0] for line in lines] == [
        "workers · two over one",
        "workers · two over one on one core",
    ]


def _tenfold(found: dict[str, Any]) -> dict[str, Any]:
    figures = [one | {"value": 10 * one["value"]} for one in found["figures"]]
    return found | {"figures": figures}
