"""Device and precision are those of the machine that does the work."""

from __future__ import annotations

import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from model.inference.weight_files import find_weights
from model.matter import Matter, network_digest
from plugin.driver.apart import pass_apart
from plugin.driver.plan import Plan
from plugin.driver.probe import driver_network, pass_in_order, probe_job
from plugin.errors import DeviceError, PlateError
from plugin.plates import plate_of
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
from plugin.result.layout import OutputLayout
from tests.jobs import creature
from workers.farm import plan_farm_job
from workers.shared_matter import SharedMatter

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shot(tmp_path_factory: pytest.TempPathFactory) -> Shot:
    return creature(tmp_path_factory.mktemp("devices"), frames=2)


@pytest.fixture(autouse=True)
def _no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)


@pytest.mark.parametrize(("device", "precision"), [("auto", "fp16"), ("cuda", "fp16")])
def test_what_others_have_is_not_asked_here(shot: Shot, device: str, precision: str) -> None:
    wishes = {"device": device, "precision": precision}
    job = plan_farm_job(shot.model_copy(update=wishes), QuietProgress())
    assert (job.shot.device, job.shot.precision) == (device, precision)
    elsewhere = shot.model_copy(update={**wishes, "address": "head:6379"})
    plan, _, _ = probe_job(elsewhere, "alpha", QuietProgress())
    assert (plan.device, plan.shot.precision) == (device, precision)


@pytest.mark.parametrize("wishes", [{"device": "cuda"}, {"precision": "fp16"}])
def test_what_this_machine_lacks_is_refused_before_the_work(
    shot: Shot, wishes: dict[str, str]
) -> None:
    with pytest.raises(DeviceError):
        probe_job(shot.model_copy(update=wishes), "alpha", QuietProgress())
    remote_but_here = {**wishes, "address": "head:6379", "executor": "process"}
    with pytest.raises(DeviceError):
        probe_job(shot.model_copy(update=remote_but_here), "alpha", QuietProgress())


@pytest.mark.parametrize("address", [None, "head:6379"])
def test_what_no_machine_has_is_refused_everywhere(shot: Shot, address: str | None) -> None:
    wishes = {"device": "cpu", "precision": "fp16", "address": address}
    with pytest.raises(DeviceError, match="no fp16 on a CPU"):
        probe_job(shot.model_copy(update=wishes), "alpha", QuietProgress())


def test_a_first_pass_takes_the_network_as_it_was_asked_for(shot: Shot) -> None:
    wishes = {"precision": "bf16", "tile": "64"}
    network = driver_network(shot.model_copy(update=wishes))
    assert network.digest == network_digest(find_weights("lite").sha256, "bf16", "cpu", 64)
    assert isinstance(network, Matter)
    assert network.inference.largest == 64


@pytest.mark.parametrize("precision", ["auto", "fp32", "bf16"])
def test_a_recipe_has_the_networks_digest_before_it_is_loaded(shot: Shot, precision: str) -> None:
    plan, _, _ = probe_job(
        shot.model_copy(update={"precision": precision}), "alpha", QuietProgress()
    )
    loaded = Matter("lite", precision=precision)  # type: ignore[arg-type]
    assert SharedMatter(plan).digest == loaded.digest
    assert plan.recipe(loaded.digest, "plate") != plan.recipe("another", "plate")
    assert plan.raw_recipe(loaded.digest, "plate") != plan.raw_recipe("another", "plate")


@pytest.fixture
def tracked(shot: Shot, tmp_path: Path) -> Plan:
    """A job whose masks are carried from a key, before anything is carried."""
    key = f"1001={str(shot.mask) % 1001}"
    wishes = {"mask": None, "segment": "track", "keyframe": (key,), "out": tmp_path / "o"}
    plan, _, _ = probe_job(shot.model_copy(update=wishes), "alpha", QuietProgress())
    plan.shot.out.mkdir()
    return plan


def carried(plan: Plan) -> dict[str, bytes]:
    """Every file of the pass in order."""
    return {file.name: file.read_bytes() for file in (plan.shot.out / "track").iterdir()}


def test_what_a_gpu_does_in_order_is_done_in_another_process(
    tracked: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    layout = OutputLayout.of(tracked.shot)
    with closing(plate_of(tracked.shot)) as plate:
        done = pass_in_order(tracked, plate, layout, QuietProgress(), here=True)
    expected = carried(tracked)
    shutil.rmtree(tracked.shot.out / "track")

    def refuse(_shot: Shot) -> None:
        raise AssertionError("a network is made in the driver")

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)  # the other process sees none
    monkeypatch.setattr("plugin.driver.probe.driver_network", refuse)
    with closing(plate_of(tracked.shot)) as plate:
        assert pass_in_order(tracked, plate, layout, QuietProgress()) == done
    assert carried(tracked) == expected


def test_what_fails_in_another_process_is_told_as_it_was_raised(tracked: Plan) -> None:
    gone = tracked.shot.model_copy(update={"plate": str(tracked.shot.out / "gone.mp4")})
    with pytest.raises(PlateError, match=r"gone\.mp4"):
        pass_apart(tracked.model_copy(update={"shot": gone}), print, print)


def test_no_pass_outlives_its_driver(tracked: Plan) -> None:
    words = [sys.executable, "-m", "plugin.driver.in_order"]
    text = tracked.model_dump_json() + "\n"
    done = subprocess.run(words, input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
