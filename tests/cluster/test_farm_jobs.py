"""Farm jobs, run by the farms' own programs where they can be had: frames as of a plain run."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from plugin.driver.run import run
from plugin.errors import ShotError
from plugin.framerange import FrameRange
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.result.verify import verify
from tests.jobs import alphas, creature
from workers.farm import FarmJob, FarmName, plan_farm_job, write_farm_job

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

HERE = Path(__file__).parents[2]
NASTY = "o'ut $(touch pwned) & {{Task.Param.Frame}}"
"""A folder that a careless shell, or a careless template, would stumble over."""


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return creature(tmp_path_factory.mktemp("farm"), frames=4)


@pytest.fixture(scope="module")
def whole(shot: Shot) -> dict[int, bytes]:
    run(shot.model_copy(update={"executor": "process"}))
    return alphas(shot)


def written(farm: FarmName, shot: Shot, **changes: object) -> tuple[FarmJob, list[Path]]:
    job = plan_farm_job(shot.model_copy(update=changes), QuietProgress())
    return job, write_farm_job(farm, job)


def openjd(*words: object) -> str:
    """What the real program says; it must succeed."""
    if importlib.util.find_spec("openjd.cli") is None:
        pytest.skip("openjd-cli is not installed")
    command = [sys.executable, "-m", "openjd"]
    done = subprocess.run(
        [*command, *map(str, words)], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    return done.stdout


def test_an_openjd_bundle_runs_and_its_frames_are_those_of_a_plain_run(
    shot: Shot, whole: dict[int, bytes], tmp_path: Path
) -> None:
    job, (template, _) = written("openjd", shot, out=tmp_path / NASTY, chunk=3)
    openjd("check", template)
    said = openjd("run", template, "--step", "Matte")
    assert "openjd_progress: 100.0" in said
    assert "openjd_status: 2 of 2" in said
    assert re.findall(r"Frame\(CHUNK\[INT\]\) = (\S+)", said) == ["1001-1002", "1003-1004"]
    assert alphas(job.shot) == whole
    assert verify(job.shot.out).complete
    assert not (Path.cwd() / "pwned").exists()
    assert "openjd_status: 4 done, 4 of them before" in openjd(
        "run", template, "--step", "Matte", "-p", "ChunkSize=4"
    )


def test_a_pass_in_order_is_a_step_that_the_frames_wait_for(shot: Shot, tmp_path: Path) -> None:
    mask = Path(str(shot.mask) % 1001)
    tracked = {"mask": None, "segment": "track", "keyframe": (f"1001={mask}",)}
    job, (template, _) = written("openjd", shot, out=tmp_path / "out", device="cuda", **tracked)
    assert job.in_order
    openjd("check", template)
    text = template.read_text()
    assert "dependencies: [{dependsOn: Track}]" in text
    assert "amount.worker.gpu" in text
    _, (script, _) = written("opencue", shot, out=tmp_path / "out", **tracked)
    assert "matte.depend_all(track)" in script.read_text()


@pytest.mark.parametrize(("method", "learn"), [("track", "alpha"), ("learn", "off")])
def test_the_task_that_goes_first_carries_the_masks_for_all(
    shot: Shot, tmp_path: Path, method: str, learn: str
) -> None:
    """Run by the farm's own program, with what it depends on; and the pixels of a plain run."""
    mask = Path(str(shot.mask) % 1001)
    key = mask if learn == "off" else next(mask.parent.parent.glob("alpha/*1001*"))
    keyed = {"mask": None, "segment": method, "keyframe": (f"1001={key}",), "learn_minutes": 0.01}
    keyed["learn"] = learn
    job, (template, _) = written("openjd", shot, out=tmp_path / "farm", chunk=2, **keyed)
    said = openjd("run", template, "--step", "Matte", "--run-dependencies")
    assert said.count(f"openjd_status: {method} 0 of 4") == 1
    assert said.count("openjd_status: learning 2 of 2") == (method == "learn")
    assert said.count("openjd_status: tuning 1 of 1") == (learn == "alpha")
    plain = shot.model_copy(update={**keyed, "out": tmp_path / "plain", "executor": "process"})
    run(plain)
    assert alphas(job.shot) == alphas(plain)
    name = "learned" if method == "learn" else "tuned"
    one, other = (out / f"track/{name}.safetensors" for out in (job.shot.out, plain.out))
    assert one.read_bytes() == other.read_bytes()


def test_every_farm_has_the_pass_in_order_go_first(shot: Shot, tmp_path: Path) -> None:
    mask = Path(str(shot.mask) % 1001)
    learn = {"mask": None, "segment": "learn", "keyframe": (f"1001={mask}",)}
    out = tmp_path / "out"
    _, files = written("deadline", shot, out=out, chunk=2, **learn)
    names = [file.name for file in files]
    assert names[:2] == ["deadline_job.info", "deadline_plugin.info"]
    first, plugin = (out / f"deadline_track_{kind}.info" for kind in ("job", "plugin"))
    assert "Frames=1001\n" in first.read_text()
    assert "--frames 1001,1004 " in plugin.read_text()
    _, (script, _) = written("opencue", shot, out=out, **learn)
    assert "'1001,1004'" in script.read_text()
    assert "matte.depend_all(track)" in script.read_text()


def test_openjd_is_told_of_failures(shot: Shot, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "plugin.cli", "run", shot.plate, "--out", str(tmp_path / "o")]
    done = subprocess.run(
        [*words, "--progress", "openjd", "--frames", "7"],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 2
    assert done.stdout.splitlines()[-1].startswith("openjd_fail: the request is wrong")


def test_frames_with_gaps_are_a_task_each(shot: Shot, tmp_path: Path) -> None:
    job, (template, _) = written(
        "openjd", shot, out=tmp_path / "o", frames=FrameRange.parse("1001,1004"), chunk=8
    )
    assert job.chunk == 1
    assert '"1001,1004"' in template.read_text()
    assert 'frames = "1001,1004"' in job.job_file.read_text()


def test_a_deadline_task_is_the_ordinary_command(shot: Shot, tmp_path: Path) -> None:
    out = tmp_path / "o ut $(touch pwned)"
    job, (info, plugin, _) = written("deadline", shot, out=out, chunk=2)
    fields = dict(line.split("=", 1) for line in info.read_text().splitlines())
    assert (fields["Plugin"], fields["Frames"], fields["ChunkSize"]) == (
        "CommandLine",
        "1001-1004",
        "2",
    )
    task = dict(line.split("=", 1) for line in plugin.read_text().splitlines())
    told = task["Arguments"].replace("<STARTFRAME>", "1001").replace("<ENDFRAME>", "1002")
    words = re.findall(r'"([^"]*)"|(\S+)', told.replace("<QUOTE>", '"'))
    assert [quoted or plain for quoted, plain in words] == job.arguments("1001-1002")
    assert Path(task["Executable"]).name == "adamatte"
    with pytest.raises(ShotError, match="Deadline"):
        written("deadline", shot, out=tmp_path / 'o"ut')


def test_an_opencue_job_is_built_by_pyoutline_and_its_command_runs_in_a_shell(
    shot: Shot, whole: dict[int, bytes], tmp_path: Path
) -> None:
    if importlib.util.find_spec("outline") is None:
        pytest.skip("opencue-pyoutline is not installed")
    job, (script, _) = written("opencue", shot, out=tmp_path / NASTY, chunk=4)
    build = "import runpy, sys; from outline.cuerun import OutlineLauncher as L; "
    build += "print(L(runpy.run_path(sys.argv[1])['build']()).serialize(use_pycuerun=False))"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", build, str(script)],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    layer = ElementTree.fromstring(done.stdout).find("job/layers/layer")  # noqa: S314  our own
    assert layer is not None
    assert (layer.findtext("range"), layer.findtext("chunk")) == ("1001-1004", "4")
    command = str(layer.findtext("cmd"))
    command = command.replace("#FRAME_START#", "1001").replace("#FRAME_END#", "1004")
    subprocess.run(["/bin/sh", "-c", command], check=True, timeout=600, capture_output=True)
    assert alphas(job.shot) == whole
    assert shlex.split(command)[1:] == job.arguments("1001-1004")


def test_a_wrong_request_writes_nothing(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "plugin.cli", "farm", "openjd", str(tmp_path / "none.mov")]
    done = subprocess.run(
        [*words, "--out", str(tmp_path / "o")],
        cwd=HERE,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("adamatte: error: ")
    assert not (tmp_path / "o").exists()
