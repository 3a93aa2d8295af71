"""How many workers share a GPU, and what is refused before anybody waits for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.config import CONFIGS
from model.inference.gpu_memory import card_bytes, tile_for
from plugin.driver.run import run
from plugin.errors import ShotError
from plugin.request.job_file import shot_from
from plugin.request.shot import Shot
from tests.small_plate import small_shot
from workers import cluster
from workers.cluster import Cluster, device_settled, plan_cluster, room_in
from workers.shares import each_gpu, fitting, refuse_share

HD, UHD = 1920 * 1080, 3840 * 2160
GIB = 1 << 30


@pytest.mark.parametrize(
    ("gpus", "share", "workers"),
    [
        (2, 0.4, 4),  # five fit into two cards together, and the fifth into neither
        (1, 0.4, 2),
        (8, 0.3333, 24),
        (1, 0.1, 10),
        (3, 0.07, 42),
        (2, 1, 2),
        (3, 2, 1),
        (4, 2, 2),
        (1, 2, 0),
        (0, 0.5, 0),
    ],
)
def test_no_worker_lies_across_two_cards(gpus: int, share: float, workers: int) -> None:
    assert fitting(gpus, share) == workers


@pytest.mark.parametrize("workers", range(1, 17))
def test_a_card_holds_as_many_of_its_shares_as_were_meant(workers: int) -> None:
    each = each_gpu(gpus=1, cores=workers, memory=80 * GIB, takes=1 * GIB)
    assert fitting(1, each.share) == each.workers == min(workers, 8)


@pytest.mark.parametrize(
    ("machine", "takes", "workers", "why"),
    [
        ((1, 64, 80 * GIB), 3 * GIB, 8, "more would wait"),
        ((2, 8, 80 * GIB), 3 * GIB, 4, "8 cores for 2 GPUs"),
        ((1, 64, 8 * GIB), 3 * GIB, 2, "3.2 GB each of the card's 9"),
        ((8, 4, 80 * GIB), 3 * GIB, 1, "4 cores for 8 GPUs"),
        ((1, 64, 2 * GIB), 3 * GIB, 1, "3.2 GB each"),  # it may still do, in smaller tiles
    ],
)
def test_workers_on_each_card(
    machine: tuple[int, int, int], takes: int, workers: int, why: str
) -> None:
    gpus, cores, memory = machine
    each = each_gpu(gpus=gpus, cores=cores, memory=memory, takes=takes)
    assert each.workers == workers
    assert why in each.why


@pytest.mark.parametrize(
    ("share", "gpus", "what"),
    [(2, 1, "asks for 2 GPUs of a machine that has 1"), (1.5, 4, "no whole ones")],
)
def test_a_share_that_nobody_will_ever_be_given_is_refused(
    share: float, gpus: int, what: str
) -> None:
    with pytest.raises(ShotError, match=what):
        refuse_share(share, gpus)


@pytest.mark.parametrize(("share", "gpus"), [(1, 1), (2, 2), (0.5, 1), (2, 8)])
def test_a_share_that_is_there_is_taken(share: float, gpus: int) -> None:
    refuse_share(share, gpus)


def test_auto_is_said_as_of_workers() -> None:
    least = {"plate": "p.mov", "out": "o"}
    assert shot_from({**least, "gpus_per_worker": "auto"}).gpus_per_worker is None
    assert shot_from({**least, "gpus_per_worker": "0.5"}).gpus_per_worker == 0.5
    assert shot_from({**least, "workers": "auto"}).workers == 0


NODES = [{"CPU": 16.0, "GPU": 1.0}, {"CPU": 2.0, "GPU": 1.0}, {"CPU": 8.0}, {"node:head": 1.0}]


@pytest.mark.parametrize(
    ("share", "workers"),
    [(1, 2), (0.4, 4), (0.25, 6)],  # the second machine has two cores for its card
)
def test_a_cluster_has_room_by_machine(share: float, workers: int) -> None:
    asked = Cluster("h:1", 0, share, device="cuda")
    assert room_in(asked, NODES) == workers
    assert room_in(Cluster("h:1", 0, share, most=1, device="cuda"), NODES) == 1
    assert room_in(Cluster("h:1", 0, share, device="cpu"), NODES) == 26


def test_a_cluster_is_asked_for_no_more_than_a_machine_of_it_has() -> None:
    with pytest.raises(ShotError, match="asks for 2 GPUs of a machine that has 1"):
        device_settled(Cluster("h:1", 0, 2, device="cuda"), NODES)
    # Machines with GPUs may come yet where there are none, and a CPU has no shares.
    assert device_settled(Cluster("h:1", 0, 2, device="cuda"), NODES[2:]).device == "cuda"
    assert device_settled(Cluster("h:1", 0, 2, device="auto"), NODES[2:]).device == "cpu"
    assert device_settled(Cluster("h:1", 0, 1, device="auto"), NODES).device == "cuda"


def shot(**wishes: object) -> Shot:
    return Shot(plate="p.mov", out=Path("o")).model_copy(update=wishes)


@pytest.fixture
def _two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "gpu_count", lambda: 2)
    monkeypatch.setattr("model.inference.device.gpu_memory", lambda: 24 * GIB)
    monkeypatch.setattr("model.matter.gpu_memory", lambda: 24 * GIB)
    monkeypatch.setattr(cluster, "available_bytes", lambda: 24 * GIB)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(12)))


@pytest.mark.usefixtures("_two_cards")
@pytest.mark.parametrize(
    ("wishes", "workers", "share"),
    [
        ({}, 9, 0.1666),  # six on each by cores, and nine by the machine's own memory
        ({"gpus_per_worker": 0.4}, 4, 0.4),
        ({"gpus_per_worker": 1.0}, 2, 1.0),
        ({"gpus_per_worker": 0.4, "workers": 3}, 3, 0.4),
        ({"gpus_per_worker": 0.4, "workers": 9}, 4, 0.4),  # the fifth would never start
    ],
)
def test_a_private_cluster_has_what_its_cards_hold(
    wishes: dict[str, object], workers: int, share: float
) -> None:
    found = plan_cluster(shot(stabilise=0, **wishes), "cuda", 1000, HD)
    assert (found.workers, found.gpus_per_worker, found.gpus) == (workers, share, 2)
    assert plan_cluster(shot(**wishes), "cuda", 1, HD).workers == 1


@pytest.mark.usefixtures("_two_cards")
def test_a_private_cluster_is_asked_for_no_more_than_there_is() -> None:
    with pytest.raises(ShotError, match="a machine that has 2"):
        plan_cluster(shot(gpus_per_worker=3.0), "cuda", 10, HD)


@pytest.mark.usefixtures("_two_cards")
@pytest.mark.parametrize("address", [None, "h:1"])
def test_who_left_the_device_open_has_cpus_when_no_card_works(address: str | None) -> None:
    left_open = plan_cluster(shot(address=address), "cuda", 100, HD).without_gpus()
    assert left_open is not None
    assert (left_open.device, left_open.without_gpus()) == ("cpu", None)
    for wishes in ({"device": "cuda"}, {"precision": "fp16"}):  # a CPU has no fp16
        asked = shot(address=address, **wishes)
        assert plan_cluster(asked, "cuda", 100, HD).without_gpus() is None


@pytest.mark.parametrize(
    ("total", "tile"),
    [(2, 256), (4, 512), (6, 1024), (8, 1024), (12, 2048), (24, 2048), (80, 2048), (141, 2048)],
)
def test_tiles_go_by_the_whole_card_in_few_sizes(total: int, tile: int) -> None:
    assert tile_for(total * GIB) == tile
    # What a driver keeps for itself moves no tile.
    assert tile_for(int(total * GIB * 0.97)) == tile


@pytest.mark.parametrize("name", CONFIGS)
def test_what_a_worker_has_of_a_card(name: str) -> None:
    config = CONFIGS[name]
    small, large = (card_bytes(config, "bf16", pixels, 2048) for pixels in (HD, UHD))
    assert small < large < 8 * GIB
    assert card_bytes(config, "fp32", HD, 2048) > small
    assert card_bytes(config, "fp16", HD, 2048) == small
    assert card_bytes(config, "bf16", 4 * UHD, None) > card_bytes(config, "bf16", 4 * UHD, 2048)


def test_a_share_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    asked = small_shot(tmp_path).model_copy(update={"device": "cuda", "gpus_per_worker": 2.0})
    with pytest.raises(ShotError, match="a machine that has 1"):
        run(asked)
    assert not asked.out.exists()
