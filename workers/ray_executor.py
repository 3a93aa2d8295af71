"""The executor on Ray: as many actors as asked for, each with a `FrameWorker`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from plugin.framerange import FrameRange
from plugin.types import FrameResult
from workers.cluster import Cluster, connected

if TYPE_CHECKING:
    from workers.ray_pool import Hand

__all__ = ["RayExecutor"]


class RayExecutor:
    """Runs frames on Ray's workers.

    Args:
        cluster: which one, how many workers, on what.
        retries: tries a frame beyond the first, when its worker dies or stumbles.
    """

    def __init__(self, cluster: Cluster, *, retries: int) -> None:
        self._cluster = cluster
        self._retries = retries

    def run(self, job: Path, tasks: Iterable[FrameRange]) -> Iterator[FrameResult]:
        """See `plugin.types.Executor`.

        Raises:
            ClusterError: Ray cannot be reached or lost its workers for good.
            SurroundingsError: a worker's disk or device failed.
        """
        with connected(self._cluster):
            from workers.ray_pool import Pool  # Ray is imported after its environment is set

            yield from Pool(self._hands(job), deque(tasks), self._retries).results()

    def _hands(self, job: Path) -> list[Hand]:
        import ray

        from workers.actor import FrameActor
        from workers.ray_pool import Hand

        cluster = self._cluster
        remote = ray.remote(FrameActor).options(
            num_cpus=0 if cluster.gpus_per_worker else 1,
            num_gpus=cluster.gpus_per_worker,
            max_restarts=-1,
            max_task_retries=0,
        )
        return [Hand(remote.remote(str(job))) for _ in range(cluster.workers)]
