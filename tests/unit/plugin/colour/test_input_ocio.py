"""Configurations of studios: where a colour space comes from is said, and roles lead home."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from plugin.cli import main
from plugin.colour.display import display_transform, input_colour
from plugin.plates import open_plate
from plugin.types import PlateInfo
from tests.inputs.scenes import AP1_FROM_709, to_linear
from tests.media import write_image

FIRST = """ocio_profile_version: 1
roles: {{scene_linear: {linear}, default: raw, reference: {linear}}}
displays:
  default:
    - !<View> {{name: sRGB, colorspace: sRGB}}
colorspaces:
  - !<ColorSpace> {{name: {linear}, bitdepth: 32f}}
  - !<ColorSpace>
    name: sRGB
    to_reference: !<ExponentTransform> {{value: [2.2, 2.2, 2.2, 1]}}
  - !<ColorSpace> {{name: raw, isdata: true}}
"""
"""Version 1: no file rules; names of spaces are looked for in paths."""

SECOND = """ocio_profile_version: 2
roles: {{{roles}}}
file_rules:
  - !<Rule> {{name: scans, colorspace: camera, pattern: "*scan*", extension: "*"}}
  - !<Rule> {{name: Default, colorspace: raw}}
displays:
  default:
    - !<View> {{name: raw, colorspace: raw}}
colorspaces:
  - !<ColorSpace> {{name: {reference}}}
  - !<ColorSpace>
    name: camera
    to_scene_reference: !<MatrixTransform> {{matrix: [{matrix}]}}
  - !<ColorSpace> {{name: raw, isdata: true}}
"""

GREY = np.array([[[0.1, 0.55, 0.2], [0.6, 0.3, 0.25], [0.5, 0.5, 0.5]]], np.float32)


def matrix(rows: npt.NDArray[np.float64]) -> str:
    """Three rows of three as OCIO's four of four."""
    four = np.eye(4)
    four[:3, :3] = rows
    return ", ".join(f"{value:.7f}" for value in four.ravel())


def plate(folder: Path, name: str = "p.1001.png") -> PlateInfo:
    folder.mkdir(parents=True, exist_ok=True)
    path = write_image(folder / name, np.rint(GREY * 255).astype(np.uint8))
    with closing(open_plate(str(path))) as source:
        return source.info


def use(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    (folder / "c.ocio").write_text(text)
    monkeypatch.setenv("OCIO", str(folder / "c.ocio"))


@pytest.mark.parametrize("folder", ["nonlinear_edit", "linear", "sRGB_refs", "plain"])
def test_a_folder_s_name_is_no_colour_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    use(monkeypatch, tmp_path, FIRST.format(linear="linear"))
    found = input_colour(plate(tmp_path / folder))
    assert (found.space, found.note) == ("srgb_rec709_display", "")


def test_a_file_s_name_is_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, tmp_path, FIRST.format(linear="linear"))
    found = input_colour(plate(tmp_path, "sh010_linear.1001.png"))
    assert found.space == "linear"
    assert "colour space linear by the file rules of" in found.note


@pytest.mark.parametrize("name", ["linear", "Linear BT709", "lin_srgb", "scene-linear Rec.709"])
def test_linear_by_other_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    use(monkeypatch, tmp_path, FIRST.format(linear=name))
    seen = display_transform(plate(tmp_path), name)(to_linear(GREY))
    np.testing.assert_allclose(seen, GREY, atol=2e-3)


AP0_FROM_709 = np.array(
    [
        [0.4395757, 0.3839125, 0.1765118],
        [0.0896004, 0.8147142, 0.0956854],
        [0.0174155, 0.1087344, 0.8738501],
    ]
)
XYZ_FROM_709 = np.array(
    [
        [0.4123908, 0.3575843, 0.1804808],
        [0.2126390, 0.7151687, 0.0721923],
        [0.0193308, 0.1191948, 0.9505322],
    ]
)


@pytest.mark.parametrize(
    ("roles", "reference", "rows"),
    [
        ("aces_interchange: odd", "odd", AP0_FROM_709),
        ("cie_xyz_d65_interchange: odd", "odd", XYZ_FROM_709),
        ("scene_linear: ACEScg", "ACEScg", AP1_FROM_709),
        ("scene_linear: our linear", "our linear", np.eye(3)),
    ],
)
def test_roles_lead_to_linear_rec_709(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    roles: str,
    reference: str,
    rows: npt.NDArray[np.float64],
) -> None:
    """`camera` is linear Rec.709 by another name; the configuration has no such name."""
    text = SECOND.format(roles=roles, reference=reference, matrix=matrix(rows))
    use(monkeypatch, tmp_path, text)
    seen = display_transform(plate(tmp_path), "camera")(to_linear(GREY))
    np.testing.assert_allclose(seen, GREY, atol=2e-3)


def test_inspect_shows_what_the_configuration_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SECOND.format(roles="aces_interchange: odd", reference="odd", matrix=matrix(np.eye(3)))
    use(monkeypatch, tmp_path, text)
    info = plate(tmp_path, "scan.1001.png")
    assert main(["inspect", info.path]) == 0
    said = capsys.readouterr().out
    assert "colour    camera" in said
    assert "colour space camera by the file rules of" in said
