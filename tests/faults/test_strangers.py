"""A few of the scripts of `python -m tests.campaign strangers`, and whether the oracle sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from nuke_bridge.core.standing import Judge
from tests.campaign.strangers import play

pytestmark = pytest.mark.slow


def test_strangers_bring_no_frame_under_a_false_name(tmp_path: Path) -> None:
    outcome = play(tmp_path, range(3, 6))
    assert outcome.wrong == []
    assert (outcome.scripts, outcome.false_names, outcome.hangs) == (3, 0, 0)
    assert min(outcome.kills, outcome.checked, outcome.failed) > 0


def test_the_oracle_sees_what_a_judge_overlooks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Judge, "_other_plate", lambda *_: "")
    monkeypatch.setattr(Judge, "_other_neighbours", lambda *_: "")
    assert play(tmp_path, range(9, 10)).false_names > 0
