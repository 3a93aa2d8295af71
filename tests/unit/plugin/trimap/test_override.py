"""What an override file does to a frame's trimap."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenImageIO as oiio  # noqa: N813
import pytest

from plugin.cli import main
from plugin.errors import FrameError, OverrideError
from plugin.framerange import FrameRange
from plugin.trimap import override as override_package
from plugin.trimap.override import Override, explain, json_schema, load
from plugin.trimap.override.document import parse
from plugin.types import BACKGROUND, FOREGROUND, UNKNOWN, PlateInfo, Trimap, Window
from tests.plates import exr_plate

WIDTH, HEIGHT = 20, 12
Rule = dict[str, Any]
SQUARE = [[2, 2], [8, 2], [8, 6], [2, 6]]


def info(data: Window | None = None) -> PlateInfo:
    display = Window.of_size(WIDTH, HEIGHT)
    return exr_plate(data or display, display, "1001-1050")


def write(folder: Path, *rules: Rule, **changes: object) -> Path:
    document = {
        "schema": "trimap-override/1",
        "shot": "sh010",
        "plate": {"width": WIDTH, "height": HEIGHT},
        "rules": list(rules),
        **changes,
    }
    path = folder / "sh010.trimap.json"
    path.write_text(json.dumps(document))
    return path


def loaded(folder: Path, *rules: Rule) -> Override:
    return load(write(folder, *rules), info())


def applied(override: Override, number: int, label: int = BACKGROUND) -> npt.NDArray[np.uint8]:
    data = override.info
    flat = np.full((data.height, data.width), label, np.uint8)
    return override.apply(Trimap(number, flat)).labels


def save(path: Path, grey: npt.NDArray[np.uint8], alpha: npt.NDArray[np.uint8] | None) -> None:
    layers = [grey] * 3 + ([alpha] if alpha is not None else [])
    pixels = np.ascontiguousarray(np.dstack(layers))
    spec = oiio.ImageSpec(WIDTH, HEIGHT, len(layers), "uint8")
    spec["oiio:UnassociatedAlpha"] = 1
    path.parent.mkdir(exist_ok=True)
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    assert output.open(str(path), spec)
    assert output.write_image(pixels)
    output.close()


def polygon(frames: str = "1001-1050", **changes: object) -> Rule:
    rule: Rule = {"id": "p", "frames": frames, "set": "foreground", "polygon": {"1001": SQUARE}}
    return {**rule, **changes}


def test_params_of_the_last_rule_win_one_by_one(tmp_path: Path) -> None:
    override = loaded(
        tmp_path,
        {"id": "a", "frames": "1001-1020", "params": {"erode": 6, "dilate": 24}},
        {"id": "b", "frames": "1010-1030", "params": {"erode": 2.5}},
    )
    wanted = {1001: (6, 24), 1015: (2.5, 24), 1025: (2.5, None), 1040: (None, None)}
    assert {number: override.params(number) for number in wanted} == wanted


def test_rules_apply_in_order_on_their_frames(tmp_path: Path) -> None:
    override = loaded(
        tmp_path,
        polygon("1001-1010"),
        polygon("1005-1020x5", id="q", set="unknown", polygon={"1005": [[5, 2], [8, 2], [8, 9]]}),
    )
    first, both, second = (applied(override, n) for n in (1001, 1005, 1020))
    assert (first[2:6, 2:8] == FOREGROUND).all()
    assert np.count_nonzero(first) == 24
    assert both[2, 6] == UNKNOWN
    assert both[3, 3] == FOREGROUND
    assert FOREGROUND not in second
    assert (applied(override, 1011) == BACKGROUND).all()


def test_a_polygon_moves_between_its_keys_and_is_held_outside(tmp_path: Path) -> None:
    keys = {"1010": SQUARE, "1020": [[x + 10, y + 4] for x, y in SQUARE]}
    override = loaded(tmp_path, polygon(polygon=keys))
    starts = {
        n: tuple(np.argwhere(applied(override, n))[0]) for n in (1001, 1010, 1015, 1020, 1050)
    }
    assert starts == {1001: (2, 2), 1010: (2, 2), 1015: (4, 7), 1020: (6, 12), 1050: (6, 12)}


def test_a_stroke_and_a_dab(tmp_path: Path) -> None:
    override = loaded(
        tmp_path,
        {
            "id": "dust",
            "frames": "1005",
            "set": "unknown",
            "stroke": {"points": [[4, 4], [12, 4]], "radius": 1},
        },
        {
            "id": "dab",
            "frames": "1005",
            "set": "background",
            "stroke": {"points": [[8, 4]], "radius": 0.8},
        },
    )
    made = applied(override, 1005, FOREGROUND)
    assert (made[3:5, 4:7] == UNKNOWN).all()
    assert (made[3:5, 7:9] == BACKGROUND).all()
    assert (made[5:] == FOREGROUND).all()


def test_coordinates_are_those_of_the_display_window(tmp_path: Path) -> None:
    """Under overscan the same rule covers the same picture; what is cropped away is left out."""
    path = write(tmp_path, polygon())
    wide = applied(load(path, info(Window(-3, -2, WIDTH + 4, HEIGHT))), 1001)
    assert (wide[4:8, 5:11] == FOREGROUND).all()
    assert np.count_nonzero(wide) == 24
    cropped = applied(load(path, info(Window(4, 3, 15, 9))), 1001)
    assert (cropped[:3, :4] == FOREGROUND).all()
    assert np.count_nonzero(cropped) == 12


@pytest.mark.parametrize("mode", ["replace", "merge", None])
@pytest.mark.parametrize("with_alpha", [True, False])
def test_painted_images(tmp_path: Path, mode: str | None, with_alpha: bool) -> None:
    grey = np.full((HEIGHT, WIDTH), 128, np.uint8)
    grey[:, 10:] = 255
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:6] = 90  # a soft brush paints in full
    save(tmp_path / "paint" / "sh010.1002.png", grey, alpha if with_alpha else None)
    rule: Rule = {"id": "i", "frames": "1002", "image": "paint/sh010.%04d.png"}
    override = loaded(tmp_path, rule if mode is None else {**rule, "mode": mode})
    made = applied(override, 1002)
    assert (made[:6] == grey[:6]).all()
    kept = mode == "merge" and with_alpha
    assert (made[6:] == (BACKGROUND if kept else grey[6:])).all()


def test_one_image_for_all_frames(tmp_path: Path) -> None:
    save(tmp_path / "hold.png", np.full((HEIGHT, WIDTH), 128, np.uint8), None)
    override = loaded(tmp_path, {"id": "i", "frames": "1001-1050", "image": "hold.png"})
    assert (applied(override, 1050) == UNKNOWN).all()


def test_digests_follow_what_changes_a_frame_and_nothing_else(tmp_path: Path) -> None:
    save(tmp_path / "p.1010.png", np.full((HEIGHT, WIDTH), 128, np.uint8), None)
    rules = [polygon("1001-1005"), {"id": "i", "frames": "1010", "image": "p.%04d.png"}]
    one = loaded(tmp_path, *rules)
    before = {n: one.digests(n) for n in (1001, 1010, 1020)}
    assert [len(digests) for digests in before.values()] == [1, 2, 0]
    renamed = loaded(tmp_path, polygon("1001-1006", id="other"), rules[1])
    assert {n: renamed.digests(n) for n in before} == before
    assert renamed.sha256 != one.sha256
    save(tmp_path / "p.1010.png", np.full((HEIGHT, WIDTH), 255, np.uint8), None)
    assert renamed.digests(1010) != before[1010]
    moved = loaded(tmp_path, polygon("1001-1005", set="unknown"), rules[1])
    assert moved.digests(1001) != before[1001]


def test_a_picture_that_vanishes_fails_its_frame(tmp_path: Path) -> None:
    save(tmp_path / "p.1010.png", np.full((HEIGHT, WIDTH), 128, np.uint8), None)
    override = loaded(tmp_path, {"id": "i", "frames": "1010", "image": "p.%04d.png"})
    (tmp_path / "p.1010.png").unlink()
    with pytest.raises(FrameError, match="no such file"):
        applied(override, 1010)
    with pytest.raises(FrameError, match="no such file"):
        override.digests(1010)


def test_a_worker_takes_the_file_that_the_driver_checked(tmp_path: Path) -> None:
    path = write(tmp_path, polygon())
    first = load(path, info())
    assert load(path, info(), asked=FrameRange(()), sha256=first.sha256) == first
    write(tmp_path, polygon(set="unknown"))
    with pytest.raises(OverrideError, match="changed since the job began"):
        load(path, info(), asked=FrameRange(()), sha256=first.sha256)


def test_another_shots_name_is_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path, polygon())
    assert load(path, info(), shot="sh010").warnings == ()
    warned = load(path, info(), shot="sh020")
    assert "is for shot 'sh010', this one is sh020" in warned.warnings[0]


def test_the_file_is_explained(tmp_path: Path) -> None:
    override = loaded(
        tmp_path,
        {"id": "wider", "frames": "1001-1020", "params": {"erode": 6, "dilate": 24}},
        polygon("1001-1050", id="strap"),
        {
            "id": "dust",
            "frames": "1005",
            "set": "unknown",
            "stroke": {"points": [[4, 4], [12, 4]], "radius": 12},
        },
    )
    assert explain(override).splitlines() == [
        "sh010.trimap.json: 3 rules for shot 'sh010'",
        "  1. wider · frames 1001-1020 · erode 6 px, dilate 24 px",
        "  2. strap · frames 1001-1050 · foreground within a polygon of 4 corners keyed on 1001",
        "  3. dust · frames 1005 · unknown along a stroke of 2 points, radius 12 px",
    ]


def test_the_published_schema() -> None:
    """Editors check files against it: a change of it is a change of the interface."""
    published = Path(override_package.__file__).parent / "schema.json"
    assert json_schema() == json.loads(published.read_text(encoding="utf-8"))


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trimap", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema()


def test_the_file_of_the_documentation_is_one() -> None:
    page = (Path(__file__).parents[4] / "docs/overrides.md").read_text(encoding="utf-8")
    text = page.split("```json\n", 1)[1].split("```", 1)[0]
    found = parse(text.encode(), Path("sh010.trimap.json"))
    assert [rule.id for rule in found.rules] == ["wider", "strap", "dust", "paint"]
