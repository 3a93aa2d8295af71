"""Device and precision are those of the machine that does the work."""

from __future__ import annotations

import pytest

from model.inference.weight_files import find_weights
from model.matter import Matter, network_digest
from plugin.driver.probe import driver_network, probe_job
from plugin.errors import DeviceError
from plugin.progress.modes import QuietProgress
from plugin.request.shot import Shot
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
    assert network.digest == network_digest(find_weights("lite").sha256, "bf16")
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
