"""`adamatte doctor` on this machine, whatever it has."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plugin.doctor import Finding, as_json, describe, patience

pytestmark = pytest.mark.slow

PROGRAM = str(Path(sys.executable).with_name("adamatte"))


@pytest.fixture(scope="module")
def answer() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "doctor", "--json"], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def findings(answer: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(answer.stdout)["findings"]
    return found


def test_what_a_run_needs_is_looked_at(findings: list[dict[str, Any]]) -> None:
    names = {finding["name"] for finding in findings}
    assert names >= {"python", "torch", "numpy", "cores", "memory", "GPU", "EXR", "video"}
    assert names >= {"torch works", "ray works", "temporary folder"}
    assert any("weights" in name for name in names)


def test_what_these_tests_run_on_is_good(findings: list[dict[str, Any]]) -> None:
    state = {finding["name"]: finding["state"] for finding in findings}
    for name in ("python", "av", "numpy", "OpenEXR", "EXR", "torch works", "ray works"):
        assert state[name] == "good", name


@pytest.mark.parametrize(("load", "limit"), [(0.0, 120), (2.0, 120), (18.0, 1080)])
def test_a_crowded_machine_is_waited_for(load: float, limit: float) -> None:
    assert patience(load, cores=2) == limit


def test_whatever_is_not_good_says_what_to_do(findings: list[dict[str, Any]]) -> None:
    for finding in findings:
        assert (finding["state"] == "good") == (finding["fix"] == ""), finding


def test_the_exit_code_says_the_same(answer: subprocess.CompletedProcess[str]) -> None:
    told = json.loads(answer.stdout)
    assert answer.returncode == (0 if told["ok"] else 4)
    assert answer.stderr.startswith("adamatte: error: ") is not told["ok"]


def test_the_text_has_a_line_a_finding_and_the_advice() -> None:
    text = describe(
        (Finding("cores", "good", "2"), Finding("weights", "lacking", "none", "install again"))
    )
    assert text.splitlines() == [
        "ok       cores    2",
        "LACKING  weights  none",
        "                  → install again",
    ]


@pytest.mark.parametrize(("state", "ok"), [("good", True), ("noted", True), ("lacking", False)])
def test_json_says_whether_a_run_is_possible(state: str, ok: bool) -> None:
    found = as_json((Finding("memory", state, "1 GiB"),))  # type: ignore[arg-type]
    assert found["ok"] is ok
    assert found["findings"] == [{"name": "memory", "state": state, "found": "1 GiB", "fix": ""}]
