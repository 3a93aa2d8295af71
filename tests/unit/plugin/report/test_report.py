"""`adamatte report` and the end of a run: what lies in `DIR/report`, and what it says."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from plugin.cli import main
from plugin.driver.run import run
from plugin.framerange import FrameRange
from plugin.plates import open_plate
from plugin.progress.lines import printable
from plugin.report.build import Report, build_report
from plugin.report.command import shell_word
from plugin.report.summary import summary
from plugin.request.shot import Shot
from plugin.result.grey_png import read_grey
from plugin.result.manifest import load
from plugin.synthetic import SyntheticShot, write_shot
from plugin.trimap.override import load as load_override
from tests.jobs import luma_matter
from tests.reports import NASTY, nasty_result, plain_result
from tests.unit.plugin.driver.test_driver import Recorded
from workers.in_process import InProcessExecutor

pytestmark = pytest.mark.slow

OURS = {"data.js", "tiles.js", "play.js", "readout.js", "viewer.js", "sheet.js", "timeline.js"}
OURS |= {"desk.js"}


class Seen(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def data_of(out: Path) -> dict[str, object]:
    text = (out / "report/data.js").read_text(encoding="ascii")
    found = json.loads(text.removeprefix("window.ADAMATTE = ").rstrip(";\n"))
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return plain_result(tmp_path_factory.mktemp("plain"))


@pytest.fixture
def shot(made: Shot, tmp_path: Path) -> Shot:
    """A copy of a result, to be spoilt."""
    shutil.copytree(made.out, tmp_path / "out")
    return made.model_copy(update={"out": tmp_path / "out"})


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> tuple[Shot, Report]:
    shot = nasty_result(tmp_path_factory.mktemp("nasty"))
    return shot, build_report(shot.out)


def test_a_run_leaves_a_report_with_all_its_pictures(made: Shot) -> None:
    report = made.out / "report"
    frames = data_of(made.out)["frames"]
    assert isinstance(frames, list)
    assert [frame["n"] for frame in frames] == list(range(1001, 1007))
    for frame in frames:
        assert frame["p"].endswith(".patd-64.jpg")
        assert (report / "frames" / frame["p"]).is_file()
        assert set(frame["u"]) == {"plate", "alpha", "trimap", "adapted"}
        assert all((report / path).is_file() for path in frame["u"].values())
        assert {"unknown", "overruled", "confidence", "seconds"} <= set(frame["f"])
        assert ("flicker" in frame["f"]) == (frame["n"] > 1001)
    contact = cv2.imread(str(report / "contact.png"))
    assert contact is not None
    assert contact.shape[1] == 5 * 320
    page = Seen(report / "index.html")
    assert "6 of 6 frames are there" in page.text
    assert "Not as it should be" not in page.text
    assert [f.name for f in made.out.rglob("*.tmp")] == []


def test_full_size_pictures_are_the_frames_to_the_pixel(made: Shot) -> None:
    (path,) = (made.out / "report/full").glob("1003.*.alpha.png")
    (trimap,) = (made.out / "report/full").glob("1003.*.trimap.png")
    assert read_grey(path).shape == (64, 96)
    kept = made.out / "trimap" / f"{made.name}_trimap.1003.png"
    assert np.array_equal(read_grey(trimap), read_grey(kept))


def test_the_film_plays_at_once_and_has_every_frame(made: Shot) -> None:
    path = made.out / "report/preview.mp4"
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == (2 * 96, 64)
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
    assert len(pictures) == 6
    corner = pictures[0][2:8, -8:-2].mean(axis=(0, 1))
    assert np.abs(corner - np.array([217, 46, 82])).max() < 12  # the comp's colour, background


def test_texts_of_others_stay_texts(nasty: tuple[Shot, Report]) -> None:
    shot, report = nasty
    page = Seen(report.page)
    scripts = [attributes for tag, attributes in page.tags if tag == "script"]
    assert {script["src"] for script in scripts} == OURS
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert {a["src"] for tag, a in page.tags if tag in ("img", "video")} <= {
        "contact.png",
        "preview.mp4",
    }
    whole = (report.page.parent / "data.js").read_text() + report.page.read_text()
    assert "<script>alert" not in whole
    assert "\u202e" not in whole
    assert printable(NASTY) in page.text
    assert "</bdi><img src=x onerror=alert(2)>" in page.text
    rules = data_of(shot.out)["rules"]
    assert isinstance(rules, list)
    assert {rule["id"] for rule in rules} == {
        printable(NASTY),
        "</bdi><img src=x onerror=alert(2)>",
    }


def test_what_is_not_as_it_should_be_stands_first(nasty: tuple[Shot, Report]) -> None:
    text = " ".join(Seen(nasty[1].page).text.split())
    assert "6 of 8 frames are there; 2 need attention" in text
    assert re.search(r"failed: frame 1003, .*missing: frame 1005, ", text)
    assert text.index("Not as it should be") < text.index("Frames to look at")


def test_nothing_is_asked_of_the_network(made: Shot) -> None:
    report = made.out / "report"
    for name in ("index.html", "report.css", *OURS):
        text = (report / name).read_text()
        links = re.findall(r"(?:https?:)?//[\w.-]+\.\w+", text)
        assert [link for link in links if "www.w3.org" not in link] == []


def bad_trimaps(folder: Path, bad: dict[int, tuple[slice, slice]]) -> Shot:
    """A rendered shot with trimaps from its true alpha, wrong in a rectangle on some frames."""
    synthetic = SyntheticShot(seed=1, width=160, height=96, frames=11)
    files = write_shot(synthetic, folder / "shot")
    (folder / "trimap").mkdir()
    for number in files.truth.alpha.scan():
        stored = cv2.imread(str(files.truth.alpha.path(number)), cv2.IMREAD_UNCHANGED)
        alpha = np.asarray(stored, np.float32) / np.float32(65535)
        cell = np.ones((7, 7), np.uint8)
        labels = np.full(alpha.shape, 128, np.uint8)
        for sure, label in ((alpha < 0.02, 0), (alpha > 0.97, 255)):
            labels[cv2.erode(np.asarray(sure, np.uint8), cell) > 0] = label
        if number in bad:
            labels[bad[number]] = np.where(labels[bad[number]] == 0, 255, 0)
        cv2.imwrite(str(folder / f"trimap/t.{number}.png"), labels)
    return Shot(
        plate=str(files.video), trimap=str(folder / "trimap/t.%04d.png"), out=folder / "out"
    )


def test_frames_with_a_bad_trimap_lead_the_list(tmp_path: Path) -> None:
    middle = slice(20, 76), slice(60, 110)
    shot = bad_trimaps(tmp_path, {1003: middle, 1006: middle, 1007: middle})
    run(shot, executor=InProcessExecutor())  # the real network
    report = build_report(shot.out)
    assert {one.number for one in report.suspects[:3]} == {1003, 1006, 1007}
    for suspect in report.suspects[:3]:
        assert "overruled" in {reason.name for reason in suspect.reasons}
        box = suspect.box
        assert box is not None
        assert box.left < 110
        assert box.right > 60
    lines = summary(load(shot.out / "manifest.json"), shot.out)
    assert [line[:9].strip() for line in lines] == [
        *("frames", "time", "spent on", "look at", "", "", "report"),
    ]
    page = report.page.read_text()
    stub = Seen(report.page).text.split('{"schema"', 1)[1].split("\n ]}", 1)[0]
    (tmp_path / "sh.trimap.json").write_text('{"schema"' + stub + "\n ]}")
    source = open_plate(shot.plate)
    corrections = load_override(tmp_path / "sh.trimap.json", source.info, shot=shot.name)
    source.close()
    assert str(corrections.frames[0]) in ("1003", "1006", "1007")
    assert "box drawn" in page


def test_pictures_come_back_from_the_frames_and_old_ones_go(shot: Shot) -> None:
    folder = shot.out / "report/frames"
    (first, *_rest) = sorted(folder.iterdir())
    first.unlink()
    stale = folder / ("1002." + "0" * 16 + ".patd.jpg")
    stale.write_bytes(b"of another matte")
    build_report(shot.out)
    assert first.is_file()
    assert not stale.exists()


def test_without_the_plate_there_still_is_a_report(shot: Shot) -> None:
    manifest = json.loads((shot.out / "manifest.json").read_text())
    manifest["plate"]["path"] = manifest["shot"]["plate"] = f"/nowhere/{Path(shot.plate).name}"
    (shot.out / "manifest.json").write_text(json.dumps(manifest))
    shutil.rmtree(shot.out / "report")
    build_report(shot.out)
    frames = data_of(shot.out)["frames"]
    assert isinstance(frames, list)
    assert all(".atd-" in frame["p"] for frame in frames)


def test_two_runs_of_a_shot_held_against_each_other(shot: Shot, tmp_path: Path) -> None:
    other = shot.model_copy(
        update={"out": tmp_path / "v2", "dilate": 30.0, "frames": FrameRange.parse("1001-1005")}
    )
    run(other, executor=InProcessExecutor(luma_matter))
    same = build_report(shot.out, against=shot.out, thorough=False)
    assert "6 frames are the same to the last bit (1001-1006)" in Seen(same.page).text
    report = build_report(shot.out, against=other.out, thorough=False)
    text = Seen(report.page).text
    assert "0 frames are the same to the last bit" in text
    assert "Only here: 1006" in text
    assert "dilate" in text
    frames = data_of(shot.out)["frames"]
    assert isinstance(frames, list)
    for frame in frames[:5]:
        assert (shot.out / "report" / frame["u"]["difference"]).is_file()
    assert "difference" not in frames[5]["u"]
    build_report(shot.out, thorough=False)
    assert list((shot.out / "report/against").iterdir()) == []


def test_a_report_that_fails_fails_no_run(made: Shot, tmp_path: Path) -> None:
    shot = made.model_copy(
        update={"out": tmp_path / "out", "frames": FrameRange.parse("1001-1002")}
    )
    shot.out.mkdir()
    (shot.out / "report").write_text("in the way")
    recorded = Recorded()
    manifest = run(shot, progress=recorded, executor=InProcessExecutor(luma_matter))
    assert len(manifest.not_done) == 0
    assert [note for note in recorded.notes if note.startswith("no report: ")] != []


def test_no_report_where_none_is_wanted_or_a_farms_task_ran(made: Shot, tmp_path: Path) -> None:
    wanted = {"out": tmp_path / "a", "frames": FrameRange.parse("1001-1002")}
    run(
        made.model_copy(update={**wanted, "report": False}), executor=InProcessExecutor(luma_matter)
    )
    assert not (tmp_path / "a/report").exists()
    task = made.model_copy(update={**wanted, "out": tmp_path / "b", "executor": "process"})
    run(task, executor=InProcessExecutor(luma_matter))
    assert len(list((tmp_path / "b/report/frames").iterdir())) == 2
    assert not (tmp_path / "b/report/index.html").exists()


def test_time_that_runs_out_leaves_a_page_and_says_what_is_missing(shot: Shot) -> None:
    shutil.rmtree(shot.out / "report")
    report = build_report(shot.out, thorough=False, seconds=0)
    text = Seen(report.page).text
    assert "have no small pictures yet" in text
    assert build_report(shot.out).notes == ()


def test_the_command(shot: Shot, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(shot.out), "--full", "1002", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["page"] == str(shot.out / "report/index.html")
    assert told["bytes"] == sum(
        f.stat().st_size for f in (shot.out / "report").rglob("*") if f.is_file()
    )
    page = Path(told["page"]).read_text()
    assert f"adamatte desk --out={shell_word(str(shot.out))}" in page
    assert main(["report", str(shot.out), "--quick"]) == 0
    assert "report    " in capsys.readouterr().out
    assert main(["report", str(shot.out), "--full", "7"]) == 2
    assert main(["report", str(shot.out.parent)]) == 2
    assert "no manifest here" in capsys.readouterr().err
