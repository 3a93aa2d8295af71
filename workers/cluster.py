"""Starting or joining a Ray cluster, with a token, and leaving it again."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from model.inference.device import gpu_count
from plugin.driver.plan import Device
from plugin.errors import ClusterError
from plugin.request.shot import Shot
from workers.jobs_api import refuse_open, require_token
from workers.private_ray import private_folder
from workers.shares import Each, each_gpu, fitting, refuse_share
from workers.watching import Nodes, Watch
from workers.worker_memory import available_bytes, room_for

_OBJECT_STORE = 80 << 20
"""Bytes; Ray's least. Nothing but frame numbers and results goes through it."""


_STARTS = 3
"""Tries to start a private Ray: it gives itself half a minute, too little on a crowded machine."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Which Ray cluster, and how much of it.

    Attributes:
        address: of a running cluster; None starts a private one on this machine.
        workers: how many actors; 0 is as many as a running cluster has room for, as it grows.
        gpus_per_worker: share of a GPU that each takes; CPU workers take one core each.
        most: no more actors than frames.
        device: what networks run on: `cuda` where the cluster has a GPU at all, for `auto`.
        gpus: of a private one.
        on_cpu: workers on CPUs where no GPU is left that works; None: the job ends then.
    """

    address: str | None
    workers: int
    gpus_per_worker: float = 0.0
    most: int = 1_000_000
    device: Device = "cpu"
    gpus: int = 0
    on_cpu: int | None = None

    def without_gpus(self) -> Cluster | None:
        """What remains when no GPU works any more; None where that is not wanted."""
        if self.device != "cuda" or self.on_cpu is None:
            return None
        return replace(self, device="cpu", workers=self.on_cpu, on_cpu=None)


def plan_cluster(shot: Shot, device: Device, frames: int, pixels: int = 0) -> Cluster:
    """How many workers a job gets.

    Args:
        shot: `workers` as asked, 0 for as many as there is room for: cores and memory here, or
            GPUs.
        device: of the plan.
        frames: no more workers than frames.
        pixels: of a frame; 0 leaves memory out of account.
    """
    falls_back = shot.device == "auto" and shot.precision != "fp16"
    if shot.address is not None:
        return Cluster(
            shot.address,
            min(shot.workers, frames),
            shot.gpus_per_worker or 1.0,
            most=frames,
            device=device,
            on_cpu=min(shot.workers, frames) if falls_back else None,
        )
    cores = len(os.sched_getaffinity(0))
    fits = room_for(pixels, shot.stabilise, available_bytes())
    on_cpu = max(1, min(shot.workers or min(cores, fits), frames))
    if device != "cuda":
        return Cluster(None, on_cpu)
    gpus = gpu_count()
    share = shot.gpus_per_worker or _each(shot, gpus, cores, pixels).share
    refuse_share(share, gpus)
    room = min(fitting(gpus, share), fits, shot.workers or frames, frames)
    return Cluster(
        None,
        max(1, room),
        share,
        device=device,
        gpus=gpus,
        on_cpu=on_cpu if falls_back else None,
    )


def _each(shot: Shot, gpus: int, cores: int, pixels: int) -> Each:
    """How many workers each of this machine's GPUs gets."""
    from model.inference.device import choose_precision, gpu_memory
    from model.inference.gpu_memory import card_bytes
    from model.inference.weight_files import find_weights, read_config
    from model.matter import largest_of

    config = read_config(find_weights(shot.model))
    precision = choose_precision(shot.precision, "cuda")
    takes = card_bytes(config, precision, pixels, largest_of(shot.tile, "cuda"))
    return each_gpu(gpus=gpus, cores=cores, memory=gpu_memory(), takes=takes)


def each_here() -> str:
    """How many workers this machine's GPUs get at 1080p, and why, for `adamatte doctor`."""
    usual = Shot(plate="plate", out=Path())
    each = _each(usual, gpu_count(), len(os.sched_getaffinity(0)), 1920 * 1080)
    return f"{each.workers} workers a GPU at 1080p ({each.why})"


def device_settled(cluster: Cluster, there: Nodes) -> Cluster:
    """The same, what `auto` stands for settled once for all workers of the cluster that we joined.

    One shot has workers of one kind: a GPU's precision makes other pixels than a CPU's.

    Raises:
        ShotError: no machine there has as many GPUs as each worker asks for.
    """
    most = max((node.get("GPU", 0.0) for node in there), default=0.0)
    if cluster.device == "auto":
        cluster = replace(cluster, device="cuda" if most else "cpu")
    if cluster.device == "cuda" and most:  # else some may come yet
        refuse_share(cluster.gpus_per_worker, most)
    return cluster


def room_in(cluster: Cluster, there: Nodes) -> int:
    """How many actors a cluster has room for, 1 at least. Each takes a core, on a GPU or not."""
    room = 0
    for node in there:
        cores = int(node.get("CPU", 0))
        on_gpus = cluster.device == "cuda"
        gpus = fitting(node.get("GPU", 0), cluster.gpus_per_worker) if on_gpus else cores
        room += min(cores, gpus)
    return max(1, min(room, cluster.most))


def _nodes() -> Nodes:
    """What each living machine of the cluster has."""
    import ray

    nodes: Any = ray.nodes
    return [node["Resources"] for node in nodes() if node["Alive"]]


def _settle_environment(*, private: bool) -> None:
    """Ray reads these once, when it is imported; workers on this machine are given them too."""
    # A worker's threads are there before `model.inference.threads` can ask for one arena. With one
    # each, large tensors go back to the system and are faulted in again: a seventh of the network's
    # time.
    os.environ.setdefault("MALLOC_ARENA_MAX", "1")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if private and "ray" not in sys.modules:
        # A token of this process and its children: Ray would otherwise write one to the home
        # folder, for all to read.
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


@contextmanager
def connected(cluster: Cluster) -> Iterator[Watch]:
    """Join the cluster, or start a private one with a token of its own; leave it at the end.

    Yields:
        Who looks whether it still answers.

    Raises:
        ClusterError: it cannot be reached or started.
    """
    private = cluster.address is None
    _settle_environment(private=private)
    if cluster.address is not None:
        require_token(cluster.address)
    import ray

    with private_folder() if private else nullcontext(Path()) as folder:
        watch = _watched(cluster, folder)
        try:
            yield watch
        finally:
            watch.close()
            ray.shutdown()


def _watched(cluster: Cluster, folder: Path) -> Watch:
    import ray

    try:
        with _own_signals():
            _join(cluster, folder)
        return Watch(_nodes, private=cluster.address is None)
    except ClusterError:
        ray.shutdown()
        raise
    except Exception as error:  # Ray raises a dozen unrelated kinds here
        ray.shutdown()
        raise ClusterError(
            f"Ray cannot be {'reached' if cluster.address else 'started'}: "
            + " ".join(str(error).split())[:200],
            where=cluster.address or "this machine",
            fix="check --address and the token" if cluster.address else "see `adamatte doctor`",
        ) from error


@contextmanager
def _own_signals() -> Iterator[None]:
    """Keep this program's answers to signals: Ray puts its own in their place."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


def _join(cluster: Cluster, folder: Path) -> None:
    import ray

    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if cluster.address is not None:
        joined = ray.init(address=cluster.address, **quiet)
        if joined.dashboard_url:
            refuse_open(f"http://{joined.dashboard_url}", must_answer=False)
        return
    for left in reversed(range(_STARTS)):
        try:
            ray.init(
                address="local",
                _node_ip_address="127.0.0.1",
                _temp_dir=str(folder),
                num_cpus=max(cluster.workers, cluster.on_cpu or 0),
                num_gpus=cluster.gpus,
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE,
                **quiet,
            )
        except Exception as error:
            if not left or "timed out" not in str(error):
                raise
            ray.shutdown()
        else:
            return
