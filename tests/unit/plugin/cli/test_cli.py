"""`adamatte` as people and scripts call it: help, options, exit codes, in real processes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from plugin.cli import main
from plugin.cli.help_page import LaidOutCommand
from plugin.cli.registry import COMMANDS
from plugin.cli.shot_arguments import TABLE
from plugin.request.job_file import PATH_FIELDS, option_name
from plugin.request.shot import Shot

PROGRAM = str(Path(sys.executable).with_name("adamatte"))

GOLDEN = Path(__file__).parents[3] / "golden" / "run-help.txt"


def adamatte(*words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *words],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=600,
    )


def help_of(*words: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main([*words, "--help"]) == 0
    return capsys.readouterr().out


def test_the_table_has_every_field_of_a_shot() -> None:
    assert set(TABLE) == set(Shot.model_fields) - {"plate"}


def test_options_that_name_files_are_resolved_in_job_files() -> None:
    files = {f for f, row in TABLE.items() if re.search("FILE|DIR|PATTERN", row.metavar)}
    # These three may be names too, and are resolved by what they say.
    assert files - {"model", "segment_model", "keyframe"} == PATH_FIELDS - {"plate"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_explains_itself_and_talks_as_the_contract_says(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = COMMANDS[name].load()
    assert isinstance(command, LaidOutCommand)
    assert command.name == name
    text = help_of(name, capsys=capsys)
    for option in ("--quiet", "--progress", "--debug", "--help"):
        assert option in text
    assert "Examples:" in text
    assert f"adamatte {name} " in text.partition("Examples:")[2]


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_can_be_typed(name: str) -> None:
    """Every option in an example is one that the command has."""
    command = COMMANDS[name].load()
    assert isinstance(command, LaidOutCommand)
    known = {text for parameter in command.params for text in parameter.opts}
    for _, line in command.examples:
        assert set(re.findall(r"(?<!\S)--[a-z-]+", line)) <= known


def test_help_of_the_program_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    text = help_of(capsys=capsys)
    assert re.findall(r"^  (\w+)  +\S", text, re.MULTILINE) == list(COMMANDS)


def test_help_of_run_is_the_golden_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a change on purpose: `COLUMNS=100 adamatte run --help > tests/golden/run-help.txt`."""
    monkeypatch.setenv("COLUMNS", "100")
    assert help_of("run", capsys=capsys) == GOLDEN.read_text(encoding="utf-8")


def test_defaults_in_the_help_are_the_shots(capsys: pytest.CaptureFixture[str]) -> None:
    text = " ".join(help_of("run", capsys=capsys).split())
    for field in ("erode", "dilate", "model", "compression", "retries", "start_frame"):
        assert f"[default: {Shot.model_fields[field].default}" in text
        assert option_name(field) in text


@pytest.mark.parametrize("word", ["--version", "--help", "-h"])
def test_words_that_end_well(word: str) -> None:
    answer = adamatte(word)
    assert (answer.returncode, answer.stderr) == (0, "")


def test_no_command_at_all_shows_the_help_and_is_no_success() -> None:
    answer = adamatte()
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith("Usage: adamatte")


@pytest.mark.parametrize(
    ("line", "what", "where", "fix"),
    [
        ("rum a.mov", "there is no command 'rum'", "adamatte", "did you mean adamatte run?"),
        ("qqq", "there is no command 'qqq'", "adamatte", "see adamatte --help"),
        ("--verzion", "unknown option --verzion", "adamatte", "did you mean --version?"),
        ("run a.mov --erod 5", "unknown option --erod", "adamatte run", "did you mean --erode?"),
        ("run a.mov --zzzzz", "unknown option --zzzzz", "adamatte run", "see adamatte run --help"),
        ("run a.mov --out", "no value is given", "--out", "see adamatte run --help"),
        ("run a.mov", "no output folder is given", "--out", "add --out DIR"),
        ("run a b --out o", "Got unexpected extra argument (b)", "adamatte run", "see"),
        ("run a --out o --erode x", "'x' is not a number", "--erode", "give a number"),
        ("run a --out o --progress x", "'x' is not one of", "--progress", "see adamatte run"),
        ("run a --out o --job no.toml", "no such job file", "no.toml", "check the path"),
        ("run --job bad.toml", "unknown key 'erod'", "bad.toml:2 erod", "did you mean erode?"),
        ("segment a --out o --device cpu", "unknown option --device", "adamatte segment", ""),
        ("trimap a --out o --frames 9-1", "the range runs backwards", "--frames '9-1'", "write"),
        ("inspect", "an argument is missing", "PLATE", "see adamatte inspect --help"),
        ("inspect a --start-frame x", "'x' is not a valid integer", "--start-frame", "see"),
        ("verify", "an argument is missing", "DIR", "see adamatte verify --help"),
        ("verify nowhere", "no manifest here", "nowhere/manifest.json", "give a folder"),
        ("doctor x", "Got unexpected extra argument (x)", "adamatte doctor", "see"),
    ],
)
def test_a_wrong_request_is_one_line_and_two(
    line: str, what: str, where: str, fix: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.toml").write_text('plate = "a"\nerod = 3\n')
    answer = adamatte(*line.split(), folder=tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.count("\n") == 1
    told = answer.stderr.removeprefix("adamatte: error: ").strip().split(" · ")
    assert [told[0].startswith(what), told[1], told[2].startswith(fix)] == [True, where, True]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.toml"]


def test_json_lines_tell_the_end_of_a_refused_request() -> None:
    answer = adamatte("run", "a.mov", "--out", "o", "--erode", "x", "--progress", "jsonl")
    (event,) = (json.loads(line) for line in answer.stdout.splitlines())
    assert (event["event"], event["exit"], answer.returncode) == ("end", 2, 2)


def test_the_module_is_the_program() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "plugin.cli", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.fullmatch(r"adamatte \d+\.\d+\.\d+\S*\n", answer.stdout)


def test_a_shell_can_complete_values() -> None:
    command = COMMANDS["run"].load()
    context = click.Context(command)
    (device,) = (p for p in command.params if p.name == "device")
    assert [item.value for item in device.shell_complete(context, "c")] == ["cpu", "cuda"]
