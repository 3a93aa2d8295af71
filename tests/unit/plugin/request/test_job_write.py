"""A shot goes through a job file and comes out the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin.errors import ShotError
from plugin.request.job_file import shot_from, write_job
from plugin.request.shot import Shot

_NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=12
)
_CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "shot": _NAMES,
        "frames": st.sampled_from(["1-9", "1-9x2", "3,5,8-10"]),
        "mask": _NAMES.map(lambda name: f"/m/{name}.%04d.png"),
        "keep": st.frozensets(st.sampled_from(["mask", "trimap", "adapted"])),
        "keyframe": st.sets(st.integers(-5, 2000), max_size=3).map(
            lambda numbers: tuple(f"{n}=/k/{n}.png" for n in sorted(numbers))
        ),
        "erode": st.floats(0, 500),
        "executor": st.sampled_from(["ray", "process"]),
        "force": st.booleans(),
    },
)


@settings(
    max_examples=60,
    suppress_health_check=[*settings().suppress_health_check, HealthCheck.function_scoped_fixture],
)
@given(name=_NAMES, changes=_CHANGES)
def test_a_shot_reads_back_as_it_was(tmp_path: Path, name: str, changes: dict[str, Any]) -> None:
    shot = Shot(plate=f"/plates/{name}.mov", out=Path("/out"), **changes)
    write_job(tmp_path / "job.toml", shot)
    assert shot_from({}, tmp_path / "job.toml") == shot


def test_what_is_left_out_is_the_readers(tmp_path: Path) -> None:
    shot = Shot(plate="/a.mov", out=Path("/o"), chunk=7, address="host:1")
    write_job(tmp_path / "job.toml", shot, without=("chunk", "address"))
    assert shot_from({}, tmp_path / "job.toml") == Shot(plate="/a.mov", out=Path("/o"))


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    shot = Shot(plate="/a\udcff.mov", out=Path("/o"))
    with pytest.raises(ShotError, match="not UTF-8"):
        write_job(tmp_path / "job.toml", shot)
    assert list(tmp_path.iterdir()) == []
