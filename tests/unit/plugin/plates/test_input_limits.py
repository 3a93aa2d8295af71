"""What is known before the work is said before it: names, lengths, plates of a few lines."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from plugin.cli import main
from plugin.disk.names import as_stored, refuse_long
from plugin.driver.probe import anchored
from plugin.driver.run import run
from plugin.errors import ShotError
from plugin.request.shot import Shot
from plugin.trimap.softness import softness_of
from plugin.types import Mask
from tests.jobs import alphas, luma_matter
from tests.media import write_image
from workers.in_process import InProcessExecutor
from workers.private_ray import short_folder

GREEN, RED = (26, 178, 38), (200, 80, 80)


def plate(folder: Path, name: str = "p.1001.png", size: tuple[int, int] = (48, 32)) -> Path:
    """A red box before a green screen, and its mask `m.png`."""
    width, height = size
    pixels = np.full((height, width, 3), GREEN, np.uint8)
    pixels[:, width // 4 : 3 * width // 4] = RED
    write_image(folder / "m.png", np.where(pixels[..., :1] == RED[0], 255, 0).astype(np.uint8))
    return write_image(folder / name, pixels)


def shot(folder: Path, source: Path, **options: object) -> Shot:
    given = {"plate": str(source), "out": folder / "out", "stabilise": 0, "report": False}
    return anchored(Shot.model_validate(given | {"mask": str(folder / "m.png")} | options))


@pytest.mark.parametrize("size", [(400, 4), (4000, 1), (300, 2), (64, 3), (3, 300)])
def test_plates_of_a_few_lines(tmp_path: Path, size: tuple[int, int]) -> None:
    one = shot(tmp_path, plate(tmp_path, size=size))
    run(one, executor=InProcessExecutor(luma_matter))
    assert list(alphas(one)) == [1001]


@pytest.mark.parametrize("height", [1, 2, 3, 4, 5])
def test_an_edge_out_of_reach_has_no_softness(height: int) -> None:
    coverage = np.zeros((height, 4000), np.float32)
    coverage[:, 1000:3000] = 1
    rgb = np.repeat(coverage[..., None], 3, axis=2)
    assert softness_of(rgb, Mask(1001, coverage)) is None or height > 3


@pytest.mark.parametrize("length", [240, 255, 300])
def test_a_shot_s_name_that_no_disk_takes(tmp_path: Path, length: int) -> None:
    one = shot(tmp_path, plate(tmp_path), shot="s" * length)
    with pytest.raises(ShotError, match=r"file names of \d+ bytes, the disk takes 255"):
        run(one, executor=InProcessExecutor(luma_matter))
    assert not one.out.exists()


def test_a_path_that_no_disk_takes(tmp_path: Path) -> None:
    deep = Path(tmp_path, *["d" * 200] * 21)
    with pytest.raises(ShotError, match="paths of"):
        refuse_long(deep / "a.exr", "--out")


@pytest.mark.parametrize("field", ["plate", "out", "mask", "trimap", "clean_plate", "holdout"])
def test_names_that_are_not_utf_8(
    tmp_path: Path, field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = plate(tmp_path)
    foreign = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png")
    options = {"plate": str(source), "out": str(tmp_path / "out"), field: foreign}
    words = ["run", options.pop("plate")]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", value]
    assert main(words) == 2
    assert "not UTF-8" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("field", ["plate", "mask", "trimap", "clean_plate"])
def test_names_that_no_disk_has(
    tmp_path: Path, field: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = {"plate": str(plate(tmp_path)), field: "x" * 300 + ".png"}
    words = ["run", options.pop("plate"), "--out", str(tmp_path / "out")]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", value]
    assert main(words) == 2
    assert "bytes" in capsys.readouterr().err


def test_a_file_where_the_output_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ShotError, match="a file stands where"):
        run(shot(tmp_path, plate(tmp_path)), executor=InProcessExecutor(luma_matter))


def test_frame_ranges_longer_than_a_farm_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every third frame is missing: no step says it."""
    numbers = [n for n in range(1001, 2000) if n % 3]
    plate(tmp_path)
    for number in numbers:
        (tmp_path / f"p.{number}.png").write_bytes((tmp_path / "p.1001.png").read_bytes())
    words = ["farm", "openjd", str(tmp_path / "p.%04d.png"), "--out", str(tmp_path / "job")]
    assert main([*words, "--mask", str(tmp_path / "m.png")]) == 2
    assert "a job of OpenJD takes 1024" in capsys.readouterr().err
    assert not (tmp_path / "job" / "template.yaml").exists()


@pytest.mark.parametrize(("typed", "stored"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFC", "NFC")])
def test_a_name_in_its_other_unicode_form(tmp_path: Path, typed: str, stored: str) -> None:
    folder = tmp_path / unicodedata.normalize(stored, "Größe")  # type: ignore[arg-type]
    folder.mkdir()
    plate(folder, unicodedata.normalize(stored, "Büste.1001.png"))  # type: ignore[arg-type]
    asked = tmp_path / "Größe" / "Büste.%04d.png"
    found = as_stored(unicodedata.normalize(typed, str(asked)))  # type: ignore[arg-type]
    assert found == unicodedata.normalize(stored, str(asked))  # type: ignore[arg-type]
    one = shot(folder, Path(unicodedata.normalize(typed, str(asked))))  # type: ignore[arg-type]
    run(one, executor=InProcessExecutor(luma_matter))
    assert list(alphas(one)) == [1001]


@pytest.mark.parametrize(
    ("folder", "elsewhere"), [("/a/b", False), ("/a/" + "t" * 60, True), ("/" + "ä" * 20, True)]
)
def test_a_folder_too_long_for_sockets(
    monkeypatch: pytest.MonkeyPatch, folder: str, elsewhere: bool
) -> None:
    monkeypatch.setenv("RAY_TMPDIR", folder)
    assert (str(short_folder()) != folder) == elsewhere
