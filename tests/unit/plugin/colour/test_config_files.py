"""An OCIO configuration is what it holds, not where it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin.colour.config_files import config_digest
from plugin.colour.display import InputColour
from plugin.colour.ocio import BUILT_IN

CONFIG = """ocio_profile_version: 2
search_path: {search}
colorspaces:
  - !<ColorSpace>
    name: show
    to_scene_reference: !<FileTransform> {{src: show.spi1d, interpolation: linear}}
"""


@pytest.mark.parametrize("search", ["luts", "other:luts", "[other, luts]", "\n  - other\n  - luts"])
def test_the_tables_that_it_names_count(tmp_path: Path, search: str) -> None:
    path, table = tmp_path / "config.ocio", tmp_path / "luts" / "show.spi1d"
    table.parent.mkdir()
    table.write_text("one")
    path.write_text(CONFIG.format(search=search.replace("[other, luts]", "other:luts")))
    first = config_digest(str(path))
    table.write_text("two")
    second = config_digest(str(path))
    path.write_text(path.read_text() + "# another\n")
    third = config_digest(str(path))
    table.unlink()
    assert len({first, second, third, config_digest(str(path))}) == 4


def test_the_built_in_one_is_its_name() -> None:
    assert config_digest(BUILT_IN) == ""
    built_in = InputColour("show", "by --in-colour")
    assert InputColour("show", "by --in-colour", BUILT_IN, "1" * 64).recipe != built_in.recipe
