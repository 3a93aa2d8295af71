"""Overrides that the report suggests: tried on the frame with the network, no worse elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plugin.cli import main
from plugin.driver.attempts import attempts
from plugin.driver.run import run
from plugin.exr.alpha_file import read_alpha
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from plugin.synthetic import ShotKind
from tests.jobs import creature
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    """Fur with a band that cuts it off."""
    made = creature(tmp_path_factory.mktemp("narrow"), frames=4, kind=ShotKind.DEMO)
    changes = {"erode": 1.0, "dilate": 1.0, "band": "fixed", "report": True}
    shot = made.model_copy(update=changes)
    run(shot, executor=InProcessExecutor())
    return shot


def snapshot(folder: Path) -> dict[str, int]:
    return {
        str(p): p.stat().st_mtime_ns
        for p in folder.rglob("*")
        if p.is_file() and "report" not in p.parts
    }


def test_a_rule_that_is_suggested_was_tried_and_helps(
    narrow: Shot, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = snapshot(narrow.out)
    assert main(["report", str(narrow.out), "--json"]) == 0
    assert snapshot(narrow.out) == before  # nothing of the result is touched by it
    told = json.loads(capsys.readouterr().out)
    page = (narrow.out / "report/index.html").read_text()
    assert "An override that helps" in page
    assert "Tried on this frame and on the ends of its range" in page
    pre = page.split("An override that helps", 1)[1].split("<pre", 1)[1].split(">", 1)[1]
    text = pre.split("</pre>")[0].replace("&#34;", '"')
    file = tmp_path / "sh.trimap.json"
    file.write_text(text)
    rule = json.loads(text)["rules"][0]
    assert rule["params"]["dilate"] > 1
    assert told["worst"][0]["override"] == rule
    assert rule["frames"] == "1001-1004"  # of the whole shot: nothing pops
    better = narrow.model_copy(update={"override": str(file), "out": tmp_path / "better"})
    run(better, executor=InProcessExecutor())
    from plugin.result.manifest import load

    number = told["worst"][0]["frame"]
    clipped = [
        load(out / "manifest.json").frames[number].statistics["clipped"]
        for out in (narrow.out, better.out)
    ]
    assert clipped[1] < 0.7 * clipped[0]


def test_an_attempt_is_the_networks_own_answer(narrow: Shot) -> None:
    with attempts(narrow) as attempt:
        found = attempt(1002, None)
    alpha = read_alpha(OutputLayout.of(narrow).alpha(1002)).alpha
    assert found["coverage"] == pytest.approx(float(alpha.mean()), abs=1e-4)


def test_where_nothing_can_be_tried_it_is_said(
    narrow: Shot, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = json.loads((narrow.out / "manifest.json").read_text())
    plate = Path(manifest["shot"]["plate"])
    away = plate.with_suffix(".away")
    plate.rename(away)
    try:
        main(["report", str(narrow.out)])
        assert "no override was tried" in capsys.readouterr().out
        assert "An override to begin with" in (narrow.out / "report/index.html").read_text()
        main(["report", str(narrow.out), "--no-suggest"])
        assert "no override was tried" not in capsys.readouterr().out
    finally:
        away.rename(plate)
