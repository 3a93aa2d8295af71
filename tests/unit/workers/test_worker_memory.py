"""How many workers fit into a machine's memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugin.driver.plan import Device
from plugin.request.shot import Shot
from workers import cluster
from workers.cluster import plan_cluster
from workers.worker_memory import available_bytes, room_for, worker_bytes

HD, UHD, EIGHT_K = 1920 * 1080, 3840 * 2160, 7680 * 4320
GIB = 1 << 30


@pytest.mark.parametrize("pixels", [HD, UHD, EIGHT_K])
def test_stabilisation_takes_its_frames_and_flows(pixels: int) -> None:
    off, narrow, wide = (worker_bytes(pixels, radius) for radius in (0, 2, 8))
    # Six frames of alpha, trimaps, picture and region, and the flow of seven pairs; but of plates
    # that large only one frame's pixels instead of two.
    spared = 24 if pixels == EIGHT_K else 0
    assert narrow - off >= pixels * (6 * 10 + 7 * 4 - spared)
    assert wide > narrow > off


@pytest.mark.parametrize(
    ("pixels", "radius", "free", "workers"),
    [
        (HD, 2, 16 * GIB, 5),
        (HD, 0, 16 * GIB, 6),
        (EIGHT_K, 0, 32 * GIB, 5),
        (EIGHT_K, 2, 32 * GIB, 3),
        (EIGHT_K, 8, 32 * GIB, 1),
        (EIGHT_K, 2, 1 * GIB, 1),  # it may still do, and nothing else could
        (EIGHT_K, 2, None, 1_000_000),
        (0, 2, 1 * GIB, 1_000_000),
    ],
)
def test_room(pixels: int, radius: int, free: int | None, workers: int) -> None:
    assert room_for(pixels, radius, free) == workers


@pytest.mark.parametrize(
    ("asked", "device", "stabilise", "workers"),
    [
        (0, "cpu", 2, 3),
        (0, "cpu", 0, 5),
        (7, "cpu", 2, 7),  # who asks for so many gets them
    ],
)
def test_a_private_cluster_has_what_fits(
    monkeypatch: pytest.MonkeyPatch, asked: int, device: Device, stabilise: int, workers: int
) -> None:
    monkeypatch.setattr(cluster, "available_bytes", lambda: 32 * GIB)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(64)))
    shot = Shot(plate="p.mov", out=Path("o"), workers=asked, stabilise=stabilise)
    assert plan_cluster(shot, device, 1000, EIGHT_K).workers == workers
    assert plan_cluster(shot, device, 2, EIGHT_K).workers == 2


@pytest.mark.parametrize(
    ("limit", "used", "free"),
    [("max", "5000", 4096), ("9000", "5000", 4000), ("9000", "9999", 0), ("90000", "0", 4096)],
)
def test_what_is_free(tmp_path: Path, limit: str, used: str, free: int) -> None:
    assert available_bytes(tmp_path) is None
    group = tmp_path / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:       4 kB\n")
    (group / "memory.max").write_text(limit + "\n")
    (group / "memory.current").write_text(used + "\n")
    assert available_bytes(tmp_path) == free


@pytest.mark.parametrize(
    ("stat", "free"),
    [
        ("", 2 * GIB),
        ("anon 5\nactive_file 7\n\nbroken\ninactive_file none\n", 2 * GIB + 7),
        (f"inactive_file {15 * GIB}\nactive_file {7 * GIB}\nfile_dirty 9\n", 24 * GIB - 9),
        (f"inactive_file {90 * GIB}\n", 24 * GIB),  # more than is used: counted at another moment
    ],
)
def test_the_page_cache_is_free(tmp_path: Path, stat: str, free: int) -> None:
    group = tmp_path / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text(f"{24 * GIB}\n")
    (group / "memory.current").write_text(f"{22 * GIB}\n")
    (group / "memory.stat").write_text(stat)
    assert available_bytes(tmp_path) == free


def test_a_container_full_of_cache_has_as_many_workers_as_an_empty_one(tmp_path: Path) -> None:
    group = tmp_path / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (group / "memory.max").write_text(f"{24 * GIB}\n")
    (group / "memory.current").write_text(f"{22 * GIB}\n")
    (group / "memory.stat").write_text(f"inactive_file {22 * GIB}\n")
    full = room_for(HD, 2, available_bytes(tmp_path))
    assert full == room_for(HD, 2, 24 * GIB) > 1
